// bench/hand_loops.h: the loops of hand.h over a vector type V; see hand_math.h.
#pragma once

#include "hand.h"
#include "hand_math.h"

extern "C" float sinf(float);
extern "C" float expf(float);

namespace bench {

template <class V> struct Loops {
  static constexpr size_t width = V::width;

  static void add_stream(const float* x, const float* y, float* out, size_t begin, size_t end) {
    size_t i = begin;
    for (; i + 4 * width <= end; i += 4 * width) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) V::stream(out + i + j * width, V::add(V::load(x + i + j * width), V::load(y + i + j * width)));
    }
    for (; i < end; ++i) out[i] = x[i] + y[i];
    V::fence();
  }

  static void add_sub_stream(const float* x, const float* y, float* sum, float* difference, size_t begin, size_t end) {
    size_t i = begin;
    for (; i + 2 * width <= end; i += 2 * width) {
#pragma GCC unroll 2
      for (size_t j = 0; j < 2; ++j) {
        const auto a = V::load(x + i + j * width), b = V::load(y + i + j * width);
        V::stream(sum + i + j * width, V::add(a, b));
        V::stream(difference + i + j * width, V::sub(a, b));
      }
    }
    for (; i < end; ++i) sum[i] = x[i] + y[i], difference[i] = x[i] - y[i];
    V::fence();
  }

  static void exp(const float* x, float* out, size_t begin, size_t end) {
    size_t i = begin;
    for (; i + 4 * width <= end; i += 4 * width) {
      typename V::F v[4];
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) v[j] = exp_<V>(V::load(x + i + j * width));
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) V::store(out + i + j * width, v[j]);
    }
    for (; i < end; i += width) V::store_first(out + i, end - i, exp_<V>(V::load_first(x + i, end - i)));
  }

  static void expression_stream(const float* x, const float* y, const float* z, float* out, size_t begin, size_t end) {
    size_t i = begin;
    for (; i + 2 * width <= end; i += 2 * width) {
#pragma GCC unroll 2
      for (size_t j = 0; j < 2; ++j) {
        const size_t at = i + j * width;
        V::stream(out + at, expression_<V>(V::load(x + at), V::load(y + at), V::load(z + at), sinf));
      }
    }
    for (; i < end; i += width) {
      const size_t n = end - i;
      V::store_first(out + i, n, expression_<V>(V::load_first(x + i, n), V::load_first(y + i, n), V::load_first(z + i, n), sinf));
    }
    V::fence();
  }

  static void logistic_step(const float* x, const float* y, float* w, float* sums, size_t rows, size_t columns, float rate) {
    for (size_t k = 0; k < columns; ++k) sums[k] = 0;
    for (size_t i = 0; i < rows; ++i, x += columns) {
      typename V::F parts[4] = {V::set(0), V::set(0), V::set(0), V::set(0)};
      size_t k = 0;
      for (; k + 4 * width <= columns; k += 4 * width) {
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; ++j) parts[j] = V::fma(V::load(x + k + j * width), V::load(w + k + j * width), parts[j]);
      }
      for (; k + width <= columns; k += width) parts[0] = V::fma(V::load(x + k), V::load(w + k), parts[0]);
      float lanes[width], dot = 0;
      V::store(lanes, V::add(V::add(parts[0], parts[1]), V::add(parts[2], parts[3])));
      for (size_t j = 0; j < width; ++j) dot += lanes[j];
      for (; k < columns; ++k) dot += x[k] * w[k];
      const float g = 1 / (1 + expf(-dot)) - y[i];
      const auto all = V::set(g);
      for (k = 0; k + width <= columns; k += width) V::store(sums + k, V::fma(V::load(x + k), all, V::load(sums + k)));
      for (; k < columns; ++k) sums[k] += x[k] * g;
    }
    for (size_t k = 0; k < columns; ++k) w[k] -= rate / static_cast<float>(rows) * sums[k];
  }

  static void halve(const int16_t* in, float* out, size_t n) {
    size_t i = 0;
    for (; i + width <= n; i += width) V::store(out + i, V::mul(V::to_floats(V::load_i16(in + i)), V::set(0.5f)));
    for (; i < n; ++i) out[i] = static_cast<float>(in[i]) * 0.5f;
  }

  static void accumulate(const int16_t* in, int32_t* sums, size_t n) {
    size_t i = 0;
    for (; i + width <= n; i += width) V::store_i(sums + i, V::iadd(V::load_i(sums + i), V::load_i16(in + i)));
    for (; i < n; ++i) sums[i] += in[i];
  }

  static constexpr HandLoops table(const char* name) {
    return {name, add_stream, add_sub_stream, exp, expression_stream, logistic_step, halve, accumulate};
  }
};

}  // namespace bench

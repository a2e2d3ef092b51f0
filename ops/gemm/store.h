// ops/gemm/store.h: finished sums of a row of a matrix product -> elements of the result, with the addend where there is one.
#pragma once

#include <voxloom/ops/gemm/gemm.h>
#include <voxloom/ops/gemm/pack.h>

#include <type_traits>

namespace voxloom::ops::gemm {

template <class R, class T> R as_result(T sum, DType dtype) {
  if (dtype == DType::boolean) return static_cast<R>(sum != T{});
  return static_cast<R>(sum);
}

/// alpha * sum + beta * c, each rounded to R.
template <class R> R with_addend(R sum, R alpha, R beta, R c) {
  const R product = alpha * sum, scaled = beta * c;
  return product + scaled;
}

template <class R, class T> void store_as(const Product& p, int64_t row, int64_t column, int64_t count, const T* const* sums) {
  const StridedView& out = p.result;
  std::byte* to = out.data + row * out.strides[0] + column * out.strides[1];
  const int parts = is_complex(out.dtype) ? 2 : 1;
  if constexpr (std::is_floating_point_v<R>) {
    if (p.addend) {
      const StridedView& c = *p.addend;
      const std::byte* from = c.data + row * c.strides[0] + column * c.strides[1];
      const R alpha = static_cast<R>(p.alpha), beta = static_cast<R>(p.beta);
      for (int64_t j = 0; j < count; ++j) {
        const R value = with_addend(as_result<R>(sums[0][j], out.dtype), alpha, beta, load<R>(from + j * c.strides[1], c.swapped));
        std::memcpy(to + j * out.strides[1], &value, sizeof(R));
      }
      return;
    }
  }
  for (int part = 0; part < parts; ++part)
    for (int64_t j = 0; j < count; ++j) {
      const R value = as_result<R>(sums[part][j], out.dtype);
      std::memcpy(to + j * out.strides[1] + part * static_cast<int64_t>(sizeof(R)), &value, sizeof(R));
    }
}

/// Stores `count` sums of one row from `column` on; sums[0] are the real parts, sums[1] the imaginary ones.
template <class T> void store_row(const Product& p, int64_t row, int64_t column, int64_t count, const T* const* sums) {
  const DType part = real_part_of(p.result.dtype);
  if (part == DType::f32) return store_as<float>(p, row, column, count, sums);
  if (part == DType::f64) return store_as<double>(p, row, column, count, sums);
  switch (size_of(part)) {
    case 1: return store_as<uint8_t>(p, row, column, count, sums);
    case 2: return store_as<uint16_t>(p, row, column, count, sums);
    case 4: return store_as<uint32_t>(p, row, column, count, sums);
    default: return store_as<uint64_t>(p, row, column, count, sums);
  }
}

}  // namespace voxloom::ops::gemm

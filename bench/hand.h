// bench/hand.h: what an expert would write by hand for each case, with AVX-512 intrinsics (AVX2 where the machine has no AVX-512).
#pragma once

#include <cstddef>
#include <cstdint>

namespace bench {

/// Loops over [begin, end) of float32 arrays. Outputs of the *_stream ones are written past the caches; there `begin` and the output are aligned to 64 bytes.
struct HandLoops {
  const char* name;
  void (*add_stream)(const float* x, const float* y, float* out, size_t begin, size_t end);
  void (*add_sub_stream)(const float* x, const float* y, float* sum, float* difference, size_t begin, size_t end);
  void (*exp)(const float* x, float* out, size_t begin, size_t end);
  /// exp(-(x-y)^2/2) * sin(z) + tanh(x*y)
  void (*expression_stream)(const float* x, const float* y, const float* z, float* out, size_t begin, size_t end);
  /// One step of gradient descent of a logistic regression, in one pass over x: w -= rate / rows * x^T (sigmoid(x w) - y).
  void (*logistic_step)(const float* x, const float* y, float* w, float* sums, size_t rows, size_t columns, float rate);
  /// out = in / 2
  void (*halve)(const int16_t* in, float* out, size_t n);
  /// sums[i] += in[i]
  void (*accumulate)(const int16_t* in, int32_t* sums, size_t n);
};
extern const HandLoops hand_avx512, hand_avx2;
/// The widest this machine can run.
const HandLoops& hand_loops();

}  // namespace bench

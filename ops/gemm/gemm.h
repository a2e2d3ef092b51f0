// ops/gemm/gemm.h: matrix products over strided arrays in every dtype, in one defined order of additions.
//
// The order: K is cut into blocks of 384. Within a block an element is t = fma(a[k], b[k], t) over increasing k from t = +0, in the accumulator's
// dtype; blocks are added left to right. A complex product is re = (re*re) - (im*im), im = (re*im) + (im*re), where each bracket is such a
// sum over a block. Integers are exact modulo 2^bits; booleans are "some pair is true". Packing, tiles and threads change no bit.
#pragma once

#include <voxloom/graph/library.h>

#include <optional>

namespace voxloom::ops::gemm {

/// Positions that are added before their sum is added to those of the blocks before.
inline constexpr int64_t block_depth = 384;

/// One matrix product: result = a b, or alpha * (a b) + beta * c where an addend is given (floats only; both products and the sum are
/// rounded to the result's dtype).
struct Product {
  StridedView a, b, result;                ///< of rank 2; a and b of one dtype
  DType acc = DType::f32;                  ///< in which products are added
  std::optional<StridedView> addend = {};  ///< of the result's shape and dtype
  double alpha = 1, beta = 0;
};

/// Bytes of scratch for one product on that many threads; the data of the views is not read.
int64_t scratch_bytes(const Product& product, int threads);
void multiply(const Product& product, std::byte* scratch, int threads, ParallelFor parallel_for);

}  // namespace voxloom::ops::gemm

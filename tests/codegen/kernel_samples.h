// tests/codegen/kernel_samples.h: kernels with arguments that together use every statement, primitive and dtype; for tests of back ends.
#pragma once

#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/ops/builder.h>

#include <functional>
#include <string>
#include <vector>

namespace voxloom::codegen::samples {

/// A kernel and one call of it. `buffers` are what pointers point to; outputs start with a canary pattern.
struct KernelCase {
  Kernel kernel;
  std::vector<int64_t> params;
  std::vector<std::vector<char>> buffers;
  std::vector<size_t> offsets;  ///< pointers[i] = buffers[i].data() + offsets[i]; missing ones are 0
  std::vector<DType> dtypes;    ///< of the buffers' elements, for comparison (NaNs equal); swapped buffers compare as bytes (u8)
  int64_t begin = 0, end = 0;
  size_t scratch_bytes = 0;
  bool writes = true;  ///< the call changes some buffer
};

using Entry = std::function<void(const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch)>;
/// The buffers after a call; the case itself stays as it is.
std::vector<std::vector<char>> run_case(const KernelCase& c, const Entry& entry);
/// Empty when equal (NaNs of any kind are equal), else where the first difference is.
std::string first_difference(const KernelCase& c, const std::vector<std::vector<char>>& a, const std::vector<std::vector<char>>& b);

/// Awkward values of a dtype: zeros of both signs, ones, extremes, subnormals, infinities, NaN, powers of two around the integer limits.
std::vector<uint64_t> awkward_values(DType t);
/// Prim::scale with operands it is defined for: the sign and the significand of x with an exponent in [-7, 0], k from the low bits of y.
template <class B> typename B::V scaled(B& b, typename B::V x, typename B::V y) {
  const DType t = x.dtype, as_int = t == DType::f32 ? DType::i32 : DType::i64;
  const uint64_t keep = t == DType::f32 ? 0x83ffffffULL : 0x807fffffffffffffULL,
                 exponent = t == DType::f32 ? 0x3c000000ULL : 0x3f80000000000000ULL;
  const int64_t limit = t == DType::f32 ? 252 : 2044;
  const auto bits = b.bit_or(b.bit_and(b.bitcast(as_int, x), b.lit_bits(as_int, keep)), b.lit_bits(as_int, exponent));
  const auto low = b.sub(b.bit_and(b.bitcast(as_int, y), b.lit_int(as_int, 2 * limit + 7)), b.lit_int(as_int, limit + 4));
  const auto k = b.maximum(b.minimum(low, b.lit_int(as_int, limit)), b.lit_int(as_int, -limit));
  return b.scale(b.bitcast(t, bits), b.cast(t, k));
}
/// All primitives of one dtype over pairs of awkward values (a third operand is a shifted copy), in a free vector loop.
KernelCase primitives(DType t);
/// Casts of awkward values to every dtype, and bitcasts.
KernelCase casts(DType from);
/// Sum of `n` f32 in f64 by leaves of 32 lanes with a lane fold; positions [lo, n).
KernelCase leaf_sum(int64_t lo, int64_t n);
/// Per row: sum with 32 lanes, then the row minus its mean; rows are [begin, end). A transposed, unaligned, byte-swapped i16 operand.
KernelCase row_center(int64_t rows, int64_t columns);
/// Lanes values carried through a scalar loop over rows: column-block sums folded at the end, with a product beside it.
KernelCase lanes_through_rows(int64_t rows, int64_t columns);
/// Three flattened axes with a negative and a zero stride, an if, a scratch access and carried uniform values.
KernelCase flattened(int64_t n0, int64_t n1, int64_t n2);
/// One uniform load and store per dtype, without loops.
KernelCase scalars(bool swapped);
/// A vector loop that reads a table at `n` indices, of which number `wrong` (unless it is negative) lies outside; the fault is then stored too.
KernelCase gathered(int64_t n, int64_t wrong, int lanes);
/// All of the above at several sizes.
std::vector<KernelCase> all_cases();

}  // namespace voxloom::codegen::samples

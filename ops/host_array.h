// ops/host_array.h: elements of host memory as scalars, and walks over several strided operands at once.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/type.h>
#include <voxloom/ops/builder.h>

#include <bit>
#include <cstring>
#include <vector>

namespace voxloom::ops {

inline uint64_t load_bits(const std::byte* p, size_t bytes, bool swapped) {
  uint64_t bits = 0;
  std::memcpy(&bits, p, bytes);
  return swapped ? __builtin_bswap64(bits) >> (64 - 8 * bytes) : bits;
}
/// The element at p; booleans are any non-zero byte.
inline Cx<Scalar> load_element(const std::byte* p, DType dtype, bool swapped = false) {
  const DType part = real_part_of(dtype);
  const size_t bytes = size_of(part);
  Cx<Scalar> x{{part, load_bits(p, bytes, swapped)}, {}};
  if (dtype == DType::boolean) x.re.bits = x.re.bits != 0 ? 1 : 0;
  if (is_complex(dtype)) x.im = {part, load_bits(p + bytes, bytes, swapped)};
  return x;
}
inline void store_element(std::byte* p, DType dtype, const Cx<Scalar>& x) {
  const size_t bytes = size_of(real_part_of(dtype));
  std::memcpy(p, &x.re.bits, bytes);
  if (is_complex(dtype)) std::memcpy(p + bytes, &x.im.bits, bytes);
}

/// Calls f(offsets) for every index of `shape` from the fastest axis of `order` on; offsets[k] is the byte offset in operand k, whose byte
/// strides per axis are strides[k].
template <class F>
void for_each_index(const std::vector<int64_t>& shape, Order order, const std::vector<std::vector<int64_t>>& strides, F&& f) {
  const size_t rank = shape.size();
  for (const int64_t n : shape)
    if (n == 0) return;
  std::vector<int64_t> index(rank), offsets(strides.size());
  while (true) {
    f(offsets);
    size_t step = 0;
    for (; step < rank; ++step) {
      const size_t axis = order == Order::F ? step : rank - 1 - step;
      const bool wraps = ++index[axis] == shape[axis];
      for (size_t k = 0; k < strides.size(); ++k) offsets[k] += wraps ? -(shape[axis] - 1) * strides[k][axis] : strides[k][axis];
      if (!wraps) break;
      index[axis] = 0;
    }
    if (step == rank) return;
  }
}

}  // namespace voxloom::ops

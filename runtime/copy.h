// runtime/copy.h: moves elements between any two layouts without changing their bits (only their byte order).
#pragma once

#include <voxloom/graph/strided_view.h>
#include <voxloom/runtime/dims.h>

#include <cstddef>

namespace voxloom {

/// dst[i...] = src[i...]. Shapes and dtypes must agree (UserError otherwise); byte orders may differ. Strides may be negative, zero in src,
/// or unaligned. The memories must be the same element for element, or not overlap.
VOXLOOM_API void copy_strided(const StridedView& dst, const StridedView& src);

/// The same without checks; `component_bytes` is the unit of byte swapping (half an element for complex numbers).
VOXLOOM_API void copy_strided(std::byte* dst, const Dims& dst_strides, const std::byte* src, const Dims& src_strides, const Dims& shape,
                              size_t item_size, bool swap, size_t component_bytes);

/// Lowest and one past the highest byte that a layout touches, relative to its first element; {0, 0} if it has no elements.
struct ByteRange {
  int64_t begin = 0, end = 0;
};
VOXLOOM_API ByteRange byte_range(const Dims& shape, const Dims& strides, size_t item_size);

/// Byte strides of a dense array; `fortran` makes the first axis the fastest.
VOXLOOM_API Dims dense_strides(const Dims& shape, size_t item_size, bool fortran);

}  // namespace voxloom

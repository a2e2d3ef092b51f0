// graph/strided_view.h: a non-owning description of strided memory, shared by constants, the interpreter and runtime's Array.
#pragma once

#include <voxloom/graph/dtype.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace voxloom {

/// Points at element (0, ..., 0). Strides are in bytes and may be negative, zero, or not a multiple of the item size.
/// `swapped` says that the elements are stored in the other byte order (each half of a complex number by itself).
struct StridedView {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  std::vector<int64_t> strides = {};
  bool swapped = false;

  int rank() const { return static_cast<int>(shape.size()); }
  /// Number of elements; 1 for rank 0.
  int64_t size() const {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
  }
};

/// Byte strides of a dense array, last axis fastest (C) or first axis fastest (F).
inline std::vector<int64_t> dense_strides(const std::vector<int64_t>& shape, size_t item_size, bool fortran) {
  std::vector<int64_t> strides(shape.size());
  auto step = static_cast<int64_t>(item_size);
  for (size_t k = 0; k < shape.size(); ++k) {
    const size_t axis = fortran ? k : shape.size() - 1 - k;
    strides[axis] = step;
    step *= shape[axis] > 0 ? shape[axis] : 1;
  }
  return strides;
}

}  // namespace voxloom

// io/box.h: boxes of voxels and the contiguous runs of a file they consist of.
#pragma once

#include <voxloom/graph/error.h>

#include <cstdint>
#include <vector>

namespace voxloom::io {

/// A box of elements: start and extent per axis, in the order of the axes of what is read or written (of an image x = axis 0, the fastest).
struct Box {
  std::vector<int64_t> start, extent;
  int64_t count() const {
    int64_t n = 1;
    for (const int64_t e : extent) n *= e;
    return n;
  }
  static Box whole(const std::vector<int64_t>& shape) { return {std::vector<int64_t>(shape.size(), 0), shape}; }
};

/// The box with its axes in the opposite order: a box of a C-order array as a box of what lies in its file, fastest axis first.
inline Box reversed(const Box& box) { return {{box.start.rbegin(), box.start.rend()}, {box.extent.rbegin(), box.extent.rend()}}; }

/// InternalError unless `box` lies inside `shape`.
void check_box(const Box& box, const std::vector<int64_t>& shape);

/// Calls fn(first, count, at) for each contiguous run, in increasing order: `first` element of the file, `count` elements, `at` element of
/// the dense F-order block. Whole leading axes make one run together.
template <class Fn> void for_each_run(const Box& box, const std::vector<int64_t>& shape, Fn&& fn) {
  if (box.count() == 0) return;
  const size_t rank = shape.size();
  int64_t count = 1, stride = 1;
  size_t axis = 0;
  while (axis < rank && box.extent[axis] == shape[axis]) count *= shape[axis++];
  int64_t first = 0;
  stride = count;
  if (axis < rank) {
    first = box.start[axis] * stride;
    count *= box.extent[axis];
    stride *= shape[axis++];
  }
  std::vector<int64_t> strides, index(rank - axis, 0);
  for (size_t k = axis; k < rank; ++k) {
    first += box.start[k] * stride;
    strides.push_back(stride);
    stride *= shape[k];
  }
  for (int64_t at = 0;; at += count) {
    fn(first, count, at);
    size_t k = 0;
    for (; k < index.size(); ++k) {
      first += strides[k];
      if (++index[k] < box.extent[axis + k]) break;
      first -= strides[k] * index[k];
      index[k] = 0;
    }
    if (k == index.size()) return;
  }
}

}  // namespace voxloom::io

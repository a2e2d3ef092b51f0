// runtime/array_views.cpp: windows on the same elements: slices, transpositions, flips, reshapes.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/array.h>

#include <algorithm>

namespace voxloom {

int Array::checked_axis(int axis, std::string_view op) const {
  const int positive = axis < 0 ? axis + rank() : axis;
  if (positive < 0 || positive >= rank()) {
    fail_user(ErrorCode::index, op, "axis " + std::to_string(axis) + " is out of range for shape " + voxloom::to_string(shape_));
  }
  return positive;
}

Array Array::slice(int axis, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step) const {
  const int k = checked_axis(axis, "slice");
  if (step == 0) fail_user(ErrorCode::index, "slice", "a slice cannot have step 0");
  const int64_t n = shape_[k];
  // Python's rule: a backward slice runs between positions -1 (before the first) and n - 1.
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  const auto clipped = [&](std::optional<int64_t> position, int64_t otherwise) {
    if (!position) return otherwise;
    return std::clamp(*position < 0 ? *position + n : *position, low, high);
  };
  const int64_t first = clipped(start, step > 0 ? low : high);
  const int64_t last = clipped(stop, step > 0 ? high : low);
  const int64_t distance = step > 0 ? last - first : first - last;
  // Unsigned: |step| of the smallest integer is representable, and distance - 1 + |step| cannot overflow.
  const uint64_t pace = step > 0 ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  Array result = *this;
  result.shape_[k] = distance <= 0 ? 0 : static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / pace) + 1;
  if (result.size() > 0) result.data_ += first * strides_[k];
  if (result.shape_[k] > 1) result.strides_[k] = strides_[k] * step;
  return result;
}

Array Array::index(int axis, int64_t position) const {
  const int k = checked_axis(axis, "index");
  const int64_t i = position < 0 ? position + shape_[k] : position;
  if (i < 0 || i >= shape_[k]) {
    fail_user(
        ErrorCode::index, "index",
        "index " + std::to_string(position) + " is out of range for axis " + std::to_string(k) + " of size " + std::to_string(shape_[k]));
  }
  Array result = *this;
  if (size() > 0) result.data_ += i * strides_[k];
  result.shape_.erase(k);
  result.strides_.erase(k);
  return result;
}

Array Array::transpose() const {
  Array result = *this;
  std::reverse(result.shape_.begin(), result.shape_.end());
  std::reverse(result.strides_.begin(), result.strides_.end());
  return result;
}

Array Array::transpose(const Dims& permutation) const {
  Array result = *this;
  bool used[max_rank] = {};
  bool valid = permutation.rank() == rank();
  for (int k = 0; valid && k < rank(); ++k) {
    const int64_t from = permutation[k] < 0 ? permutation[k] + rank() : permutation[k];
    valid = from >= 0 && from < rank() && !used[from];
    if (!valid) break;
    used[from] = true;
    result.shape_[k] = shape_[from];
    result.strides_[k] = strides_[from];
  }
  if (!valid) {
    fail_user(ErrorCode::index, "transpose",
              voxloom::to_string(permutation) + " is no permutation of the axes of shape " + voxloom::to_string(shape_));
  }
  return result;
}

Array Array::flip(int axis) const { return slice(checked_axis(axis, "flip"), std::nullopt, std::nullopt, -1); }

Array Array::reshape(const Dims& shape, Order order) const {
  const bool countable = std::all_of(shape.begin(), shape.end(), [](int64_t n) { return n >= 0; });
  if (!countable || shape.product() != size()) {
    fail_user(ErrorCode::shape, "reshape",
              "shape " + voxloom::to_string(shape_) + " has " + std::to_string(size()) + " elements, shape " + voxloom::to_string(shape) +
                  " does not");
  }
  if (order == Order::C ? !is_c_contiguous() : !is_f_contiguous()) {
    fail_user(ErrorCode::usage, "reshape", "an array with byte strides " + voxloom::to_string(strides_) + " needs a copy() first");
  }
  Array result = *this;
  result.shape_ = shape;
  result.strides_ = dense_strides(shape, size_of(dtype_), order == Order::F);
  return result;
}

Array Array::as_read_only() const {
  Array result = *this;
  result.read_only_ = true;
  return result;
}

Array Array::as_swapped() const {
  Array result = *this;
  result.swapped_ = size_of(real_part_of(dtype_)) > 1 && !swapped_;
  return result;
}

}  // namespace voxloom

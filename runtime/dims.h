// runtime/dims.h: up to max_rank sizes or strides without a heap allocation.
#pragma once

#include <voxloom/graph/export.h>
#include <voxloom/graph/type.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace voxloom {

/// Shape or byte strides of an array. Written as {nz, ny, nx} with any integer types; {} is rank 0.
class Dims {
 public:
  constexpr Dims() noexcept = default;
  template <std::integral... I>
    requires(sizeof...(I) > 0 && sizeof...(I) <= static_cast<size_t>(max_rank))
  constexpr Dims(I... sizes) noexcept
      : values_{static_cast<int64_t>(sizes)...}, rank_(static_cast<int>(sizeof...(I))) {}  // NOLINT: implicit
  /// UserError(shape) above max_rank.
  Dims(std::span<const int64_t> sizes) : rank_(checked_rank(sizes.size())) { copy_from(sizes.data()); }     // NOLINT: implicit
  Dims(const std::vector<int64_t>& sizes) : rank_(checked_rank(sizes.size())) { copy_from(sizes.data()); }  // NOLINT: implicit

  /// `rank` times `value`.
  static Dims filled(int rank, int64_t value) {
    Dims dims;
    dims.rank_ = checked_rank(static_cast<size_t>(rank));
    for (int i = 0; i < rank; ++i) dims.values_[static_cast<size_t>(i)] = value;
    return dims;
  }

  constexpr int rank() const noexcept { return rank_; }
  constexpr size_t size() const noexcept { return static_cast<size_t>(rank_); }
  constexpr bool empty() const noexcept { return rank_ == 0; }
  template <std::integral I> constexpr int64_t& operator[](I axis) noexcept { return values_[static_cast<size_t>(axis)]; }
  template <std::integral I> constexpr int64_t operator[](I axis) const noexcept { return values_[static_cast<size_t>(axis)]; }
  constexpr int64_t* begin() noexcept { return values_.data(); }
  constexpr int64_t* end() noexcept { return values_.data() + rank_; }
  constexpr const int64_t* begin() const noexcept { return values_.data(); }
  constexpr const int64_t* end() const noexcept { return values_.data() + rank_; }
  constexpr const int64_t* data() const noexcept { return values_.data(); }

  void push_back(int64_t value) {
    checked_rank(size() + 1);
    values_[static_cast<size_t>(rank_++)] = value;
  }
  void erase(int axis) noexcept {
    for (int i = axis; i + 1 < rank_; ++i) (*this)[i] = (*this)[i + 1];
    --rank_;
  }
  /// Product of all values; 1 for rank 0.
  constexpr int64_t product() const noexcept {
    int64_t n = 1;
    for (int i = 0; i < rank_; ++i) n *= (*this)[i];
    return n;
  }
  std::vector<int64_t> vector() const { return {begin(), end()}; }

  friend constexpr bool operator==(const Dims& a, const Dims& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }

 private:
  VOXLOOM_API static int checked_rank(size_t rank);
  void copy_from(const int64_t* from) noexcept {
    for (int i = 0; i < rank_; ++i) (*this)[i] = from[i];
  }
  std::array<int64_t, static_cast<size_t>(max_rank)> values_{};
  int rank_ = 0;
};

/// "(2, 3)", "(5,)", "()" as NumPy writes it.
VOXLOOM_API std::string to_string(const Dims& dims);

}  // namespace voxloom

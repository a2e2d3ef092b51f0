// ops/reduce_order.h: the order in which every reduction combines its elements; part of the definition of each reduction.
//
// The reduced axes are flattened in type order (fastest first) to n positions and cut into leaves of leaf_length(n). Inside a leaf: if the
// type's fastest axis (axes of the constant size 1 do not count) is reduced, 32 interleaved states (state of position p is p mod 32),
// folded by halves (16, 8, 4, 2, 1: state i takes in state i + half); otherwise one state. Leaves combine left to right in groups of 256;
// groups combine left to right. Every state starts from the row's init, so an absent element is the neutral one. The order depends on
// the logical shape and type alone.
//
// Leaves are what threads share where a whole array is reduced, or its slow axes: about 16 to 32 of them. Where the fastest axis is reduced and
// another one is kept, threads share the rows, and a row is cut only to keep rounding errors small: into leaves of 4096.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace voxloom::ops {

inline constexpr int64_t lanes_per_leaf = 32;
inline constexpr int64_t leaves_per_group = 256;

/// Of rows: the fastest axis is reduced and another one, not of the constant size 1, is kept. Otherwise clamp(2^floor(log2(n / 16)), 32, 4096).
constexpr int64_t leaf_length(int64_t n, bool of_rows) {
  if (of_rows) return 4096;
  if (n < 32 * 16) return 32;
  return std::min<int64_t>(4096, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(n / 16))));
}

}  // namespace voxloom::ops

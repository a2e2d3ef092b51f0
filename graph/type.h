// graph/type.h: the type of an expression: dtype, symbolic shape, storage order and optional axis names.
#pragma once

#include <voxloom/graph/dim.h>
#include <voxloom/graph/dtype.h>

#include <string>
#include <vector>

namespace voxloom {

/// Which axis is fastest in memory for values we allocate, and the order in which reductions run: C last axis, F first axis.
enum class Order : uint8_t { C, F };

/// Types of more axes are refused (UserError) when a node is made.
inline constexpr int max_rank = 8;

/// Rank is static; sizes may be symbolic. An axis whose size is the constant 1 broadcasts. A type with axis names is called an image:
/// operands that both carry names align by name. `names` is empty or has one entry per axis ("" for an unnamed axis).
struct VOXLOOM_API Type {
  DType dtype = DType::f32;
  std::vector<Dim> shape = {};
  Order order = Order::C;
  std::vector<std::string> names = {};

  int rank() const { return static_cast<int>(shape.size()); }
  bool is_image() const { return !names.empty(); }
  /// Axis with that name, or -1.
  int axis_named(std::string_view name) const;
  /// Number of elements.
  Dim size() const { return product(shape); }
  /// Axes from the fastest to the slowest in this type's order.
  std::vector<int> fastest_first() const;
  /// "f32[n, 784]", "i16[x:64, y:64, t:n]F".
  std::string str() const;
  friend bool operator==(const Type&, const Type&) = default;
};

}  // namespace voxloom

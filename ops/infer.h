// ops/infer.h: type rules shared by the rows: what they accept, how shapes meet, how attributes are read.
#pragma once

#include <voxloom/graph/op_info.h>

#include <optional>
#include <span>
#include <string>

namespace voxloom::ops {

/// Sets of dtypes, as template arguments of the rules below.
enum Accept : unsigned {
  B = 1,
  I = 2,
  F = 4,
  C = 8,
  BI = B | I,
  IF = I | F,
  IFC = I | F | C,
  FC = F | C,
  BIF = B | I | F,
  BIFC = B | I | F | C
};
bool accepts(unsigned set, DType t);
/// "integers, floats".
std::string accept_text(unsigned set);

/// "[3, n]".
std::string shape_text(const std::vector<Dim>& shape);
/// The size of two axes that meet: the other one where one is 1; a constant rather than a symbol; otherwise the first (checked when arguments
/// are bound). Nothing when they can never be equal.
std::optional<Dim> meet(const Dim& a, const Dim& b);
/// Number of axes that do not broadcast.
int effective_rank(const Type& type);
/// D4: the order tag of the operand of highest effective rank, the first one on a tie.
Order result_order(std::span<const Expr> operands);
/// Type of an elementwise result over operands of one rank; UserError when shapes or axis names do not fit.
Type broadcast_type(const OpInfo& row, std::span<const Expr> operands, DType dtype, OriginId origin);

/// A name that two axes would have is given to neither, as it would not tell them apart. No names rather than empty ones only: such a type
/// is an array.
void settle_names(Type& type);

/// The attribute, or nullptr when it is missing or of another type.
template <class T> const T* find_attr(const Attrs& attrs, std::string_view key) {
  for (const Attr& attr : attrs)
    if (attr.key == key) return std::get_if<T>(&attr.value);
  return nullptr;
}
[[noreturn]] void fail_missing_attr(const OpInfo& row, std::string_view key, OriginId origin);
template <class T> const T& need_attr(const OpInfo& row, const Attrs& attrs, std::string_view key, OriginId origin) {
  const T* value = find_attr<T>(attrs, key);
  if (value == nullptr) fail_missing_attr(row, key, origin);
  return *value;
}

/// Checks that operands from `first` on have one dtype out of `set`, and returns it.
DType common_dtype(const OpInfo& row, std::span<const Expr> operands, size_t first, unsigned set, OriginId origin);

/// One dtype in, the same out.
template <unsigned Set> Type infer_same(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  return broadcast_type(row, in, common_dtype(row, in, 0, Set, origin), origin);
}
/// One dtype in, boolean out.
template <unsigned Set> Type infer_truth(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  common_dtype(row, in, 0, Set, origin);
  return broadcast_type(row, in, DType::boolean, origin);
}
/// One dtype in, its real part's out.
template <unsigned Set> Type infer_real(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  return broadcast_type(row, in, real_part_of(common_dtype(row, in, 0, Set, origin)), origin);
}

/// UserError unless elements start, start + step, ... (`count` of them) can lie in an axis of size `size`; what symbols leave open is checked
/// when arguments are bound.
void check_slice(const OpInfo& row, size_t axis, const Dim& size, const Dim& start, const Dim& count, int64_t step, OriginId origin);
/// The type after the axes of attribute "axes" (sorted, no repetition) are reduced, with that dtype.
Type reduced_type(const OpInfo& row, const Expr& x, const Attrs& attrs, DType dtype, OriginId origin);
/// Axis relations of a reduction.
std::vector<AxisMap> reduction_axes(const Node& node, size_t operand);

}  // namespace voxloom::ops

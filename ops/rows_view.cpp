// ops/rows_view.cpp: views (index maps that move no data), reshape and concatenate. All keep bits, those of NaN too.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

#include <algorithm>

namespace voxloom::ops {
namespace {

constexpr const char* family = "views and moves";
using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;

AxisMap affine(int out_axis, int64_t a, Dim b) { return {.relation = AxisRelation::affine, .out_axis = out_axis, .a = a, .b = b}; }

// ---- dimshuffle: "pattern" names the operand's axis of each axis of the result, -1 a new one of size 1 ----

Type infer_dimshuffle(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& pattern = need_attr<Ints>(row, attrs, "pattern", origin);
  const Type& from = in[0].type();
  Type result{from.dtype, {}, from.order, {}};
  std::vector<int> used(from.shape.size());
  for (const int64_t axis : pattern) {
    if (axis < -1 || axis >= from.rank())
      fail_user(ErrorCode::index, row.name, "axis " + std::to_string(axis) + " of an operand of rank " + std::to_string(from.rank()),
                origin);
    const auto at = static_cast<size_t>(axis);
    if (axis >= 0 && used[at]++ != 0) fail_user(ErrorCode::usage, row.name, "axis " + std::to_string(axis) + " is used twice", origin);
    result.shape.push_back(axis < 0 ? Dim(1) : from.shape[at]);
    if (from.is_image()) result.names.push_back(axis < 0 ? std::string() : from.names[at]);
  }
  for (size_t k = 0; k < used.size(); ++k)
    if (used[k] == 0 && !from.shape[k].is_one())
      fail_user(ErrorCode::shape, row.name,
                "axis " + std::to_string(k) + " of size " + from.shape[k].str() + " cannot be dropped (only size 1 can)", origin);
  settle_names(result);
  return result;
}
std::vector<AxisMap> dimshuffle_axes(const Node& node, size_t) {
  std::vector<AxisMap> maps(static_cast<size_t>(node.input(0).rank()), affine(-1, 0, 0));
  const auto& pattern = node.attr_ints("pattern");
  for (size_t k = 0; k < pattern.size(); ++k)
    if (pattern[k] >= 0) maps[static_cast<size_t>(pattern[k])] = {.relation = AxisRelation::map, .out_axis = static_cast<int>(k)};
  return maps;
}

// ---- broadcast_to: "shape"; axes of size 1 are repeated ----

Type infer_broadcast_to(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& shape = need_attr<Dims>(row, attrs, "shape", origin);
  Type result = in[0].type();
  bool fits = shape.size() == result.shape.size();
  for (size_t k = 0; fits && k < shape.size(); ++k) {
    const Dim& size = result.shape[k];
    fits = size.is_one() || (!shape[k].is_one() && meet(size, shape[k]));
  }
  if (!fits) fail_user(ErrorCode::shape, row.name, "shape " + shape_text(result.shape) + " cannot become " + shape_text(shape), origin);
  result.shape = shape;
  return result;
}

// ---- slice: index i of the result is starts + i * steps of the operand; "shape" has the sizes ----

Type infer_slice(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& starts = need_attr<Dims>(row, attrs, "starts", origin);
  const auto& steps = need_attr<Ints>(row, attrs, "steps", origin);
  const auto& shape = need_attr<Dims>(row, attrs, "shape", origin);
  Type result = in[0].type();
  if (starts.size() != result.shape.size() || steps.size() != starts.size() || shape.size() != starts.size())
    fail_user(ErrorCode::usage, row.name, "starts, steps and shape need one entry per axis", origin);
  for (size_t k = 0; k < shape.size(); ++k) check_slice(row, k, result.shape[k], starts[k], shape[k], steps[k], origin);
  result.shape = shape;
  return result;
}
std::vector<AxisMap> slice_axes(const Node& node, size_t) {
  std::vector<AxisMap> maps;
  const auto& starts = node.attr_dims("starts");
  const auto& steps = node.attr_ints("steps");
  for (size_t k = 0; k < starts.size(); ++k) maps.push_back(affine(static_cast<int>(k), steps[k], starts[k]));
  return maps;
}

// ---- relabel: the same elements under attribute "names" (separated by commas; empty: an array) and "order" ("C" or "F") ----

Type infer_relabel(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const std::string& names = need_attr<std::string>(row, attrs, "names", origin);
  const std::string& order = need_attr<std::string>(row, attrs, "order", origin);
  if (order != "C" && order != "F") fail_user(ErrorCode::usage, row.name, "order " + order + " is neither C nor F", origin);
  Type result = in[0].type();
  result.order = order == "F" ? Order::F : Order::C;
  result.names.clear();
  if (names.empty()) return result;
  for (size_t at = 0; at <= names.size();) {
    const size_t end = std::min(names.find(',', at), names.size());
    result.names.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  if (result.names.size() != result.shape.size())
    fail_user(ErrorCode::usage, row.name,
              std::to_string(result.names.size()) + " names for an operand of rank " + std::to_string(result.rank()), origin);
  for (size_t k = 0; k < result.names.size(); ++k)
    for (size_t j = 0; j < k; ++j)
      if (!result.names[k].empty() && result.names[j] == result.names[k])
        fail_user(ErrorCode::usage, row.name, "two axes are named " + result.names[k], origin);
  settle_names(result);
  return result;
}

// ---- reshape: the elements in the order of the type, under another "shape" ----

Type infer_reshape(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& shape = need_attr<Dims>(row, attrs, "shape", origin);
  const Type& from = in[0].type();
  const Dim difference = from.size() - product(shape);
  if (difference.is_constant() && difference.constant() != 0)
    fail_user(ErrorCode::shape, row.name,
              "shape " + shape_text(from.shape) + " cannot become " + shape_text(shape) + ": another number of elements", origin);
  return {from.dtype, shape, from.order, {}};
}
std::vector<AxisMap> reshape_axes(const Node& node, size_t) {
  return std::vector<AxisMap>(static_cast<size_t>(node.input(0).rank()), AxisMap{.relation = AxisRelation::whole, .out_axis = -1});
}

// ---- concatenate along attribute "axis": operand k holds the indices from the sizes before it on; attribute "name" names the axis ----

Type infer_concatenate(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const int64_t axis = need_attr<int64_t>(row, attrs, "axis", origin);
  const DType dtype = common_dtype(row, in, 0, BIFC, origin);
  Type result = in[0].type();
  if (axis < 0 || axis >= result.rank())
    fail_user(ErrorCode::index, row.name, "axis " + std::to_string(axis) + " of operands of rank " + std::to_string(result.rank()), origin);
  const auto along = static_cast<size_t>(axis);
  for (const Expr& x : in.subspan(1)) {
    bool fits = x.rank() == result.rank();
    for (size_t k = 0; fits && k < result.shape.size(); ++k) {
      if (k == along) continue;
      const auto dim = x.shape()[k].is_one() == result.shape[k].is_one() ? meet(result.shape[k], x.shape()[k]) : std::nullopt;
      fits = dim.has_value();
      if (dim) result.shape[k] = *dim;
    }
    if (!fits)
      fail_user(ErrorCode::shape, row.name,
                "shapes " + shape_text(in[0].shape()) + " and " + shape_text(x.shape()) + " differ beside axis " + std::to_string(axis),
                origin);
    if (x.type().names != result.names) result.names.clear();
    result.shape[along] = result.shape[along] + x.shape()[along];
  }
  const bool named = std::any_of(attrs.begin(), attrs.end(), [](const Attr& a) { return a.key == "name"; });
  if (named) {
    const auto& name = need_attr<std::string>(row, attrs, "name", origin);
    if (!result.is_image() || (result.axis_named(name) >= 0 && result.axis_named(name) != axis))
      fail_user(ErrorCode::usage, row.name, "axis " + std::to_string(axis) + " of " + result.str() + " cannot be named " + name, origin);
    result.names[along] = name;
  }
  result.dtype = dtype;
  result.order = result_order(in);
  return result;
}
std::vector<AxisMap> concatenate_axes(const Node& node, size_t operand) {
  const auto along = static_cast<size_t>(node.attr_int("axis"));
  Dim offset = 0;
  for (size_t k = 0; k < operand; ++k) offset = offset + node.input(k).shape()[along];
  std::vector<AxisMap> maps;
  for (int k = 0; k < node.type().rank(); ++k) maps.push_back({.relation = AxisRelation::map, .out_axis = k});
  maps[along] = affine(static_cast<int>(along), 1, Dim(0) - offset);
  return maps;
}

// clang-format off
const OpInfo rows[] = {
    {.name = "dimshuffle", .kind = OpKind::view, .flags = {.cheap = true}, .infer = infer_dimshuffle, .axes = dimshuffle_axes,
     .gradient = dimshuffle_gradient,
     .doc = "axes in the order of attribute pattern; -1 is a new axis of size 1", .domain = "only axes of size 1 can be left out",
     .family = family},
    {.name = "broadcast_to", .kind = OpKind::view, .flags = {.cheap = true}, .infer = infer_broadcast_to,
     .gradient = same_gradient,
     .doc = "axes of size 1 repeated to attribute shape", .domain = "the rank stays", .family = family},
    {.name = "relabel", .kind = OpKind::view, .flags = {.cheap = true}, .infer = infer_relabel,
     .gradient = same_gradient,
     .doc = "the elements with axes called attribute names, in attribute order", .domain = "sizes stay", .family = family},
    {.name = "slice", .kind = OpKind::view, .flags = {.cheap = true}, .infer = infer_slice, .axes = slice_axes,
     .gradient = slice_gradient,
     .doc = "elements starts + i * steps of each axis, shape of them", .domain = "steps may be negative; indices outside are an error",
     .family = family},
    {.name = "reshape", .kind = OpKind::reshape, .infer = infer_reshape, .axes = reshape_axes,
     .gradient = reshape_gradient,
     .doc = "the elements, in the order of the type, under attribute shape", .domain = "the number of elements stays", .family = family},
    {.name = "concatenate", .kind = OpKind::join, .min_arity = 1, .max_arity = 1 << 20, .promotion = Promotion::keep,
     .infer = infer_concatenate, .axes = concatenate_axes,
     .gradient = concatenate_gradient,
     .doc = "operands side by side along attribute axis", .domain = "other sizes must agree", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> view_rows() { return rows; }

}  // namespace voxloom::ops

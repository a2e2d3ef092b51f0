// ops/rows_index.cpp: what knows or computes indices: iota, take, slices that are set, and setting or adding at integer arrays.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/index_rule.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

#include <algorithm>

namespace voxloom::ops {
namespace {

constexpr const char* family = "indexing";
using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;

template <class R> constexpr IndexedFns indexed_fns() {
  IndexedFns fns{.source = R::source, .checked = R::checked, .sizes = &R::sizes, .reads_position = &R::reads_position};
  fns.scalar = {&R::template index<ScalarBuilder, Scalar>, &R::template value<ScalarBuilder, Scalar>};
  fns.record = {&R::template index<RecordBuilder, Value>, &R::template value<RecordBuilder, Value>};
  return fns;
}
template <class B, class V> using Element = typename IndexedTemplates<B, V>::Element;

// ---- iota: "shape", "axis" ----

Type infer_iota(const OpInfo& row, std::span<const Expr>, const Attrs& attrs, OriginId origin) {
  const auto& shape = need_attr<Dims>(row, attrs, "shape", origin);
  const int64_t axis = need_attr<int64_t>(row, attrs, "axis", origin);
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size()))
    fail_user(ErrorCode::index, row.name, "axis " + std::to_string(axis) + " of a shape of rank " + std::to_string(shape.size()), origin);
  for (const Dim& d : shape)
    if (d.is_constant() && d.constant() < 0) fail_user(ErrorCode::shape, row.name, "a size of " + d.str(), origin);
  return {DType::i64, shape, Order::C, {}};
}

struct Iota {
  static constexpr int source = -1;
  static constexpr bool checked = false;
  static Dims sizes(const Node&) { return {}; }
  static bool reads_position(const Node& node, int axis) { return node.attr_int("axis") == axis; }
  template <class B, class V> static void index(B&, const Node&, const Element<B, V>&, V*, V*) {}
  template <class B, class V> static void value(B&, const Node& node, const Element<B, V>& e, V, Cx<V>* out) {
    out->re = e.at[node.attr_int("axis")];
  }
};

// ---- take(x, indices...): "axes" of x, one per index operand, ascending; the indices' own axes stand at "position" of the result ----

/// Axes of x that are not indexed.
std::vector<int> rest_axes(const Expr& x, const Ints& axes) {
  std::vector<int> rest;
  for (int k = 0; k < x.rank(); ++k)
    if (!std::binary_search(axes.begin(), axes.end(), k)) rest.push_back(k);
  return rest;
}

/// Checks what take and its inverses share; `first` is the first index operand.
void check_indices(const OpInfo& row, std::span<const Expr> in, size_t first, const Attrs& attrs, OriginId origin) {
  const auto& axes = need_attr<Ints>(row, attrs, "axes", origin);
  const int64_t position = need_attr<int64_t>(row, attrs, "position", origin);
  if (axes.empty() || axes.size() != in.size() - first)
    fail_user(ErrorCode::usage, row.name,
              std::to_string(in.size() - first) + " index operands for " + std::to_string(axes.size()) + " axes", origin);
  for (size_t k = 0; k < axes.size(); ++k) {
    if (axes[k] < 0 || axes[k] >= in[0].rank())
      fail_user(ErrorCode::index, row.name, "axis " + std::to_string(axes[k]) + " of an operand of rank " + std::to_string(in[0].rank()),
                origin);
    if (k > 0 && axes[k] <= axes[k - 1]) fail_user(ErrorCode::usage, row.name, "axes must be sorted and given once", origin);
  }
  if (position < 0 || position > in[0].rank() - static_cast<int64_t>(axes.size()))
    fail_user(ErrorCode::index, row.name, "position " + std::to_string(position) + " of the indices' axes does not exist", origin);
  for (const Expr& x : in.subspan(first)) {
    if (!is_integer(x.dtype()))
      fail_user(ErrorCode::dtype, row.name,
                "indices of dtype " + std::string(name_of(x.dtype())) + " (integers are needed; index(x, {mask}) takes booleans)", origin);
    if (x.rank() != in[first].rank()) fail_user(ErrorCode::usage, row.name, "index operands of different rank (align them first)", origin);
  }
}

Dims index_shape(const OpInfo& row, std::span<const Expr> indices, OriginId origin) {
  Dims shape = indices[0].shape();
  for (const Expr& x : indices) {
    for (size_t k = 0; k < shape.size(); ++k) {
      const auto dim = meet(shape[k], x.shape()[k]);
      if (!dim)
        fail_user(ErrorCode::shape, row.name,
                  "indices of shapes " + shape_text(indices[0].shape()) + " and " + shape_text(x.shape()) + " do not broadcast", origin);
      shape[k] = *dim;
    }
  }
  return shape;
}

/// Names of the indices' axes: their own; one axis in the place of one keeps that one's name.
std::vector<std::string> index_names(const Type& x, std::span<const Expr> indices, const Ints& axes, size_t rank) {
  std::vector<std::string> names(rank);
  for (const Expr& i : indices)
    for (size_t k = 0; k < i.type().names.size(); ++k)
      if (names[k].empty()) names[k] = i.type().names[k];
  if (rank == 1 && axes.size() == 1 && x.is_image() && names[0].empty()) names[0] = x.names[static_cast<size_t>(axes[0])];
  return names;
}

Type taken_type(const OpInfo& row, const Expr& x, std::span<const Expr> indices, const Attrs& attrs, OriginId origin) {
  const auto& axes = need_attr<Ints>(row, attrs, "axes", origin);
  const auto position = static_cast<size_t>(need_attr<int64_t>(row, attrs, "position", origin));
  const Dims shape = index_shape(row, indices, origin);
  const auto names = index_names(x.type(), indices, axes, shape.size());
  Type result{x.dtype(), {}, Order::C, {}};
  const auto insert = [&] {
    result.shape.insert(result.shape.end(), shape.begin(), shape.end());
    result.names.insert(result.names.end(), names.begin(), names.end());
  };
  const auto rest = rest_axes(x, axes);
  for (size_t k = 0; k <= rest.size(); ++k) {
    if (k == position) insert();
    if (k == rest.size()) break;
    const auto from = static_cast<size_t>(rest[k]);
    result.shape.push_back(x.shape()[from]);
    result.names.push_back(x.type().is_image() ? x.type().names[from] : std::string());
  }
  settle_names(result);
  return result;
}

Type infer_take(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  check_indices(row, in, 1, attrs, origin);
  Type result = taken_type(row, in[0], in.subspan(1), attrs, origin);
  result.order = result_order(in);
  return result;
}

std::vector<AxisMap> take_axes(const Node& node, size_t operand) {
  const auto& axes = node.attr_ints("axes");
  const auto position = static_cast<int>(node.attr_int("position"));
  const int rank = node.input(1).rank();
  std::vector<AxisMap> maps;
  if (operand > 0) {
    for (int k = 0; k < rank; ++k) {
      const int to = position + k;
      const bool stretched =
          node.input(operand).shape()[static_cast<size_t>(k)].is_one() && !node.type().shape[static_cast<size_t>(to)].is_one();
      maps.push_back({.relation = stretched ? AxisRelation::broadcast : AxisRelation::map, .out_axis = to});
    }
    return maps;
  }
  int next = 0;
  for (int k = 0; k < node.input(0).rank(); ++k) {
    if (std::binary_search(axes.begin(), axes.end(), k)) {
      maps.push_back({.relation = AxisRelation::gather, .out_axis = -1});
    } else {
      maps.push_back({.relation = AxisRelation::map, .out_axis = next < position ? next : next + rank});
      ++next;
    }
  }
  return maps;
}

struct Take {
  static constexpr int source = 0;
  static constexpr bool checked = true;
  static Dims sizes(const Node& node) {
    Dims sizes;
    for (const int64_t axis : node.attr_ints("axes")) sizes.push_back(node.input(0).shape()[static_cast<size_t>(axis)]);
    return sizes;
  }
  static bool reads_position(const Node&, int) { return false; }
  template <class B, class V> static void index(B& b, const Node& node, const Element<B, V>& e, V* index, V* inside) {
    for (size_t k = 0; k + 1 < node.inputs().size(); ++k) {
      const FrontIndex<B> front = front_index(b, e.in[k + 1].re, e.sizes[k]);
      index[k] = front.index;
      inside[k] = front.inside;
    }
  }
  template <class B, class V> static void value(B&, const Node&, const Element<B, V>& e, V, Cx<V>* out) { *out = e.in[0]; }
};

// ---- set_slice(x, y), inc_slice(x, y): element i of y is for element "starts" + i * "steps" of x, "shape" of them; shape -1 is a whole axis
// (start 0, step 1), so that the node means the same when the axis is cut into blocks ----

bool is_whole(const Node& node, size_t axis) { return node.attr_dims("shape")[axis] == Dim(-1); }

Type infer_set_slice(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& starts = need_attr<Dims>(row, attrs, "starts", origin);
  const auto& steps = need_attr<Ints>(row, attrs, "steps", origin);
  const auto& shape = need_attr<Dims>(row, attrs, "shape", origin);
  common_dtype(row, in, 0, BIFC, origin);
  const auto rank = static_cast<size_t>(in[0].rank());
  if (starts.size() != rank || steps.size() != rank || shape.size() != rank || in[1].shape().size() != rank)
    fail_user(ErrorCode::usage, row.name, "starts, steps, shape and the second operand need one entry per axis", origin);
  for (size_t k = 0; k < rank; ++k) {
    const bool whole = shape[k] == Dim(-1);
    const Dim& count = whole ? in[0].shape()[k] : shape[k];
    if (whole && (!(starts[k] == Dim(0)) || steps[k] != 1))
      fail_user(ErrorCode::usage, row.name, "a whole axis starts at 0 and has step 1", origin);
    check_slice(row, k, in[0].shape()[k], starts[k], count, steps[k], origin);
    const Dim& given = in[1].shape()[k];
    if (!given.is_one() && (count.is_one() || !meet(count, given)))
      fail_user(ErrorCode::shape, row.name,
                "axis " + std::to_string(k) + " of the values has size " + given.str() + " where " + count.str() + " elements are set",
                origin);
  }
  return in[0].type();
}

std::vector<AxisMap> set_slice_axes(const Node& node, size_t operand) {
  std::vector<AxisMap> maps;
  for (int k = 0; k < node.type().rank(); ++k) {
    const auto at = static_cast<size_t>(k);
    AxisMap map{.relation = AxisRelation::map, .out_axis = k};
    if (operand == 1 && !is_whole(node, at)) {
      map = {.relation = AxisRelation::gather, .out_axis = k, .a = node.attr_ints("steps")[at], .b = node.attr_dims("starts")[at]};
      map.count = node.attr_dims("shape")[at];
    } else if (node.input(operand).shape()[at].is_one() && !node.type().shape[at].is_one()) {
      map.relation = AxisRelation::broadcast;
    }
    maps.push_back(map);
  }
  return maps;
}

template <bool Adds> struct SetSlice {
  static constexpr int source = 1;
  static constexpr bool checked = false;
  /// Start and number of elements of each axis that is not whole.
  static Dims sizes(const Node& node) {
    Dims sizes;
    for (size_t k = 0; k < node.type().shape.size(); ++k) {
      if (is_whole(node, k)) continue;
      sizes.push_back(node.attr_dims("starts")[k]);
      sizes.push_back(node.attr_dims("shape")[k]);
    }
    return sizes;
  }
  static bool reads_position(const Node& node, int axis) { return !is_whole(node, static_cast<size_t>(axis)); }
  template <class B, class V> static void index(B& b, const Node& node, const Element<B, V>& e, V* index, V* inside) {
    const V zero = b.lit_int(DType::i64, 0);
    size_t j = 0;
    for (size_t k = 0; k < node.type().shape.size(); ++k) {
      if (is_whole(node, k)) continue;
      const int64_t step = node.attr_ints("steps")[k];
      const V distance = step > 0 ? b.sub(e.at[k], e.sizes[2 * j]) : b.sub(e.sizes[2 * j], e.at[k]);
      const V width = b.lit_int(DType::i64, step > 0 ? step : -step);
      index[j] = step == 1 || step == -1 ? distance : b.idiv(distance, width);
      inside[j] = b.bit_and(b.le(zero, distance), b.lt(index[j], e.sizes[2 * j + 1]));
      if (step != 1 && step != -1) inside[j] = b.bit_and(inside[j], b.eq(b.imod(distance, width), zero));
      ++j;
    }
  }
  template <class B, class V> static void value(B& b, const Node& node, const Element<B, V>& e, V inside, Cx<V>* out) {
    const Cx<V>&x = e.in[0], &y = e.in[1];
    const bool complex = is_complex(node.type().dtype);
    Cx<V> there = y;
    if (Adds && complex) there = cadd_(b, x, y);
    else if (Adds) there.re = node.type().dtype == DType::boolean ? b.bit_or(x.re, y.re) : b.add(x.re, y.re);
    out->re = b.select(inside, there.re, x.re);
    if (complex) out->im = b.select(inside, there.im, x.im);
  }
};

// ---- set_at(x, y, indices...), inc_at(x, y, indices...): y has the shape of take(x, indices...) ----

Type infer_set_at(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  check_indices(row, in, 2, attrs, origin);
  common_dtype(row, in.first(2), 0, BIFC, origin);
  const Type taken = taken_type(row, in[0], in.subspan(2), attrs, origin);
  bool fits = taken.rank() == in[1].rank();
  for (size_t k = 0; fits && k < taken.shape.size(); ++k)
    fits = taken.shape[k].is_one() == in[1].shape()[k].is_one() && meet(taken.shape[k], in[1].shape()[k]).has_value();
  if (!fits)
    fail_user(ErrorCode::shape, row.name,
              "values of shape " + shape_text(in[1].shape()) + " where the indices choose " + shape_text(taken.shape), origin);
  return in[0].type();
}

/// The index operands and the axes they choose from are needed whole.
std::vector<AxisMap> set_at_axes(const Node& node, size_t operand) {
  const auto& axes = node.attr_ints("axes");
  const auto position = static_cast<size_t>(node.attr_int("position"));
  const auto rank = static_cast<size_t>(node.input(operand).rank()), index_rank = static_cast<size_t>(node.input(2).rank());
  std::vector<AxisMap> maps(rank, AxisMap{.relation = AxisRelation::whole, .out_axis = -1});
  const auto rest = rest_axes(node.input(0), axes);
  for (size_t k = 0; k < rest.size() && operand < 2; ++k) {
    const size_t at = operand == 0 ? static_cast<size_t>(rest[k]) : k < position ? k : k + index_rank;
    maps[at] = {.relation = AxisRelation::map, .out_axis = rest[k]};
  }
  return maps;
}

// clang-format off
const OpInfo rows[] = {
    {.name = "iota", .kind = OpKind::indexed, .min_arity = 0, .max_arity = 0, .flags = {.cheap = true}, .infer = infer_iota,
     .indexed = indexed_fns<Iota>(), .no_gradient = true,
     .doc = "the index along attribute axis, in attribute shape", .domain = "int64", .family = family},
    {.name = "take", .kind = OpKind::indexed, .min_arity = 2, .max_arity = 1 + max_rank, .infer = infer_take, .axes = take_axes,
     .indexed = indexed_fns<Take>(), .gradient = take_gradient,
     .doc = "x at the indices in the other operands, one for each of attribute axes",
     .domain = "negative indices count from the end; others outside are an error", .family = family},
    {.name = "set_slice", .kind = OpKind::indexed, .min_arity = 2, .max_arity = 2, .promotion = Promotion::keep,
     .infer = infer_set_slice, .axes = set_slice_axes, .indexed = indexed_fns<SetSlice<false>>(), .gradient = set_slice_gradient,
     .doc = "x with y as its elements starts + i * steps", .domain = "y has the shape of that slice", .family = family},
    {.name = "inc_slice", .kind = OpKind::indexed, .min_arity = 2, .max_arity = 2, .promotion = Promotion::keep,
     .infer = infer_set_slice, .axes = set_slice_axes, .indexed = indexed_fns<SetSlice<true>>(), .gradient = inc_slice_gradient,
     .doc = "x with y added to its elements starts + i * steps", .domain = "y has the shape of that slice", .family = family},
    {.name = "set_at", .kind = OpKind::scatter, .min_arity = 3, .max_arity = 2 + max_rank, .infer = infer_set_at, .axes = set_at_axes,
     .gradient = set_at_gradient,
     .doc = "x with y as its elements at the indices in the other operands", .domain = "of equal indices the last one counts",
     .family = family},
    {.name = "inc_at", .kind = OpKind::scatter, .min_arity = 3, .max_arity = 2 + max_rank, .infer = infer_set_at,
     .axes = set_at_axes, .scatter = {.adds = true}, .gradient = inc_at_gradient,
     .doc = "x with y added to its elements at the indices in the other operands",
     .domain = "equal indices add up, in the order of the indices", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> index_rows() { return rows; }

}  // namespace voxloom::ops

// ops/gradient_index.cpp: gradients of slices, take, and what sets or adds elements.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/gradient_walk.h>
#include <voxloom/ops/table.h>

#include <numeric>

namespace voxloom::ops {
namespace {

using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;

/// A node of that row with the attributes "axes" and "position" of `node` and its index operands, which start at `first`.
Expr at_indices(const char* row, std::vector<Expr> operands, const Expr& node, size_t first) {
  operands.insert(operands.end(), node->inputs().begin() + static_cast<std::ptrdiff_t>(first), node->inputs().end());
  return make_node(op(row), std::move(operands), {{"axes", node->attr_ints("axes")}, {"position", node->attr_int("position")}},
                   node->origin());
}

/// What set_slice and inc_slice change of their first operand, seen in g.
Expr slice_of(const Expr& node, const Expr& g) {
  Dims shape = node->attr_dims("shape");
  for (size_t k = 0; k < shape.size(); ++k)
    if (shape[k] == Dim(-1)) shape[k] = g.shape()[k];
  return make_node(op("slice"), {g},
                   {{"shape", std::move(shape)}, {"starts", node->attr_dims("starts")}, {"steps", node->attr_ints("steps")}},
                   node->origin());
}

/// Whether each index of set_at is the last one for its element, with the rank of the values.
Expr is_last(const Expr& node) {
  const OriginId origin = node->origin();
  Dims shape = node->input(2).shape(), targets;
  for (size_t k = 2; k < node->inputs().size(); ++k)
    for (size_t j = 0; j < shape.size(); ++j)
      if (!node->input(k).shape()[j].is_one()) shape[j] = node->input(k).shape()[j];
  for (const int64_t axis : node->attr_ints("axes")) targets.push_back(node->input(0).shape()[static_cast<size_t>(axis)]);
  const Expr count = make_node(op("iota"), {}, {{"axis", int64_t{0}}, {"shape", Dims{product(shape)}}}, origin);
  const Expr number = make_node(op("reshape"), {count}, {{"shape", shape}}, origin);
  std::vector<Expr> operands = {zeros_of({DType::i64, targets, Order::C, {}}, origin), number};
  const std::vector<Expr> indices(node->inputs().begin() + 2, node->inputs().end());
  Ints axes(indices.size());
  std::iota(axes.begin(), axes.end(), 0);
  const Attrs attrs = {{"axes", axes}, {"position", int64_t{0}}};
  operands.insert(operands.end(), indices.begin(), indices.end());
  std::vector<Expr> back = {make_node(op("set_at"), std::move(operands), attrs, origin)};
  back.insert(back.end(), indices.begin(), indices.end());
  const Expr last = make_node(op("eq"), {make_node(op("take"), std::move(back), attrs, origin), number}, {}, origin);
  Ints pattern(static_cast<size_t>(node->input(1).rank()), -1);
  for (size_t k = 0; k < shape.size(); ++k) pattern[static_cast<size_t>(node->attr_int("position")) + k] = static_cast<int64_t>(k);
  return make_node(op("dimshuffle"), {last}, {{"pattern", std::move(pattern)}}, origin);
}

}  // namespace

/// What a slice has left out is 0. Axes that it only turned round are turned back: of those alone the gradient is a view.
std::vector<Expr> slice_gradient(const Expr& node, const Expr& g) {
  const OriginId origin = node->origin();
  const Type& type = node->input(0).type();
  const auto rank = type.shape.size();
  Dims starts = node->attr_dims("starts"), shape = node->attr_dims("shape"), back(rank, Dim(0));
  Ints steps = node->attr_ints("steps"), turned(rank, 1);
  bool turns = false, whole = true;
  for (size_t k = 0; k < rank; ++k) {
    const Dim& n = type.shape[k];
    if (steps[k] == -1 && shape[k] == n && starts[k] == n - Dim(1)) {
      back[k] = starts[k];
      turned[k] = -1;
      turns = true;
      starts[k] = 0;
      steps[k] = 1;
    }
    if (starts[k] == Dim(0) && steps[k] == 1 && shape[k] == n) shape[k] = -1;
    else whole = false;
  }
  Expr values = g;
  if (turns)
    values = make_node(op("slice"), {g}, {{"shape", g.shape()}, {"starts", std::move(back)}, {"steps", std::move(turned)}}, origin);
  if (whole) return {values};
  return {make_node(op("set_slice"), {zeros_of({g.dtype(), type.shape, type.order, type.names}, origin), values},
                    {{"shape", std::move(shape)}, {"starts", std::move(starts)}, {"steps", std::move(steps)}}, origin)};
}

std::vector<Expr> take_gradient(const Expr& node, const Expr& g) {
  const Type& x = node->input(0).type();
  std::vector<Expr> entries(node->inputs().size());
  entries[0] = at_indices("inc_at", {zeros_of({g.dtype(), x.shape, x.order, x.names}, node->origin()), g}, node, 1);
  return entries;
}

std::vector<Expr> set_slice_gradient(const Expr& node, const Expr& g) {
  const Dims ones(g.shape().size(), Dim(1));
  const Expr kept =
      make_node(op("set_slice"), {g, zeros_of({g.dtype(), ones, g.type().order, {}}, node->origin())}, node->attrs(), node->origin());
  return {kept, slice_of(node, g)};
}

std::vector<Expr> inc_slice_gradient(const Expr& node, const Expr& g) { return {g, slice_of(node, g)}; }

std::vector<Expr> set_at_gradient(const Expr& node, const Expr& g) {
  const OriginId origin = node->origin();
  const Type& y = node->input(1).type();
  std::vector<Expr> entries(node->inputs().size());
  entries[0] = at_indices("set_at", {g, zeros_of({g.dtype(), y.shape, y.order, {}}, origin)}, node, 2);
  entries[1] = only_where({is_last(node), origin}, {at_indices("take", {g}, node, 2), origin}).expr();
  return entries;
}

std::vector<Expr> inc_at_gradient(const Expr& node, const Expr& g) {
  std::vector<Expr> entries(node->inputs().size());
  entries[0] = g;
  entries[1] = at_indices("take", {g}, node, 2);
  return entries;
}

}  // namespace voxloom::ops

// ops/gradient_moves.cpp: gradients of reductions, views (slices: ops/gradient_index.cpp), reshape and concatenate.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/reduce_types.h>
#include <voxloom/ops/table.h>

#include <algorithm>

namespace voxloom::ops {
namespace {

using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;

Expr shuffle(const Expr& x, Ints pattern, OriginId origin) {
  return make_node(op("dimshuffle"), {x}, {{"pattern", std::move(pattern)}}, origin);
}

// ---- reductions ----

/// A value of the reduction's result type with axes of size 1 in place of those reduced.
Term kept(const Expr& node, const Expr& value) {
  if (node->attr_bool("keepdims")) return {value, node->origin()};
  Ints pattern;
  int64_t next = 0;
  const Ints& axes = node->attr_ints("axes");
  for (int64_t k = 0; k < node->input(0).rank(); ++k) pattern.push_back(std::binary_search(axes.begin(), axes.end(), k) ? -1 : next++);
  return {shuffle(value, std::move(pattern), node->origin()), node->origin()};
}

/// Repeated over the axes of the reduction's operand.
Term spread(const Expr& node, const Term& value) {
  if (value.expr().shape() == node->input(0).shape()) return value;
  return {make_node(op("broadcast_to"), {value.expr()}, {{"shape", node->input(0).shape()}}, node->origin()), node->origin()};
}

/// The same reduction's axes, kept.
Term reduce_again(const char* row, const Expr& node, const Term& x) {
  const DType dtype = x.dtype();
  return {make_node(op(row), {x.expr()},
                    {{"acc_dtype", sum_accumulator(dtype)}, {"axes", node->attr_ints("axes")}, {"dtype", dtype}, {"keepdims", true}},
                    node->origin()),
          node->origin()};
}

Dim reduced_count(const Expr& node) {
  Dims sizes;
  for (const int64_t axis : node->attr_ints("axes")) sizes.push_back(node->input(0).shape()[static_cast<size_t>(axis)]);
  return product(sizes);
}

Term operand(const Expr& node) { return {node->input(0), node->origin()}; }

/// x - mean(x) in x's dtype.
Term centred(const Expr& node) { return operand(node) - reduce_again("mean", node, operand(node)); }

}  // namespace

std::vector<Expr> sum_gradient(const Expr& node, const Expr& g) { return {spread(node, kept(node, g)).expr()}; }

std::vector<Expr> mean_gradient(const Expr& node, const Expr& g) {
  const Term whole = kept(node, g);
  return {spread(node, whole / size_term(whole, reduced_count(node))).expr()};
}

/// The product of the others: product / x without zeros, and with one zero the product of the others there and 0 elsewhere.
std::vector<Expr> prod_gradient(const Expr& node, const Expr& g) {
  const Term x = operand(node), is_zero = apply("eq", {x, zero(x)});
  const Term zeros = reduce_again("sum", node, cast_to(is_zero, real_part_of(x.dtype())));
  const Term others = reduce_again("prod", node, apply("where", {is_zero, number(x, 1), x}));
  const Term divided = apply("where", {apply("eq", {zeros, zero(zeros)}), others / apply("where", {is_zero, number(x, 1), x}), zero(x)});
  const Term alone = apply("where", {apply("eq", {zeros, number(zeros, 1)}), others, zero(x)});
  const Term factor = apply("where", {is_zero, alone, divided});
  return {(cast_to(spread(node, kept(node, g)), x.dtype()) * conjugate(factor)).expr()};
}

/// All elements equal to the extremum get the gradient, as in Theano.
std::vector<Expr> extremum_gradient(const Expr& node, const Expr& g) {
  return {only_where(apply("eq", {operand(node), kept(node, node)}), spread(node, kept(node, g))).expr()};
}

std::vector<Expr> variance_gradient(const Expr& node, const Expr& g) {
  const Term d = centred(node), whole = cast_to(kept(node, g), d.dtype());
  const Term freedom = size_term(whole, reduced_count(node) - Dim(node->attr_int("ddof")));
  return {(whole * 2 / freedom * d).expr()};
}

/// 0 where all elements are equal: the slopes on both sides cancel.
std::vector<Expr> deviation_gradient(const Expr& node, const Expr& g) {
  const Term d = centred(node), whole = cast_to(kept(node, g), d.dtype()), sd = cast_to(kept(node, node), d.dtype());
  const Term freedom = size_term(whole, reduced_count(node) - Dim(node->attr_int("ddof")));
  return {only_where(apply("ne", {sd, zero(sd)}), whole / freedom / sd * d).expr()};
}

// ---- moves ----

std::vector<Expr> same_gradient(const Expr&, const Expr& g) { return {g}; }

std::vector<Expr> dimshuffle_gradient(const Expr& node, const Expr& g) {
  Ints inverse(static_cast<size_t>(node->input(0).rank()), -1);
  const Ints& pattern = node->attr_ints("pattern");
  for (size_t k = 0; k < pattern.size(); ++k)
    if (pattern[k] >= 0) inverse[static_cast<size_t>(pattern[k])] = static_cast<int64_t>(k);
  return {shuffle(g, std::move(inverse), node->origin())};
}

std::vector<Expr> reshape_gradient(const Expr& node, const Expr& g) {
  return {make_node(op("reshape"), {g}, {{"shape", node->input(0).shape()}}, node->origin())};
}

namespace {

Expr take_range(const Expr& x, size_t axis, const Dim& start, int64_t step, const Dim& size, OriginId origin) {
  Dims starts(x.shape().size(), Dim(0)), shape = x.shape();
  Ints steps(x.shape().size(), 1);
  if (step == 1 && size == shape[axis] && start == Dim(0)) return x;
  starts[axis] = start;
  steps[axis] = step;
  shape[axis] = size;
  return make_node(op("slice"), {x}, {{"shape", std::move(shape)}, {"starts", std::move(starts)}, {"steps", std::move(steps)}}, origin);
}

}  // namespace

std::vector<Expr> concatenate_gradient(const Expr& node, const Expr& g) {
  const auto along = static_cast<size_t>(node->attr_int("axis"));
  std::vector<Expr> parts;
  Dim start = 0;
  for (const Expr& x : node->inputs()) {
    parts.push_back(take_range(g, along, start, 1, x.shape()[along], node->origin()));
    start = start + x.shape()[along];
  }
  return parts;
}

}  // namespace voxloom::ops

// ops/rules/views.cpp: views of views become one view; how views pass elementwise nodes.
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

namespace voxloom::rules {
namespace {

using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;

// Axis k of the outer result is axis inner[outer[k]] of x.
Expr composed_dimshuffle(const Match& m) {
  const Ints &outer = m.node(0).attr_ints("pattern"), &inner = m.node(1).attr_ints("pattern");
  Ints pattern;
  for (const int64_t axis : outer) pattern.push_back(axis < 0 ? -1 : inner[static_cast<size_t>(axis)]);
  return make_node(m.node().op(), {m["x"]}, {{"pattern", std::move(pattern)}}, m.node().origin());
}

// s + (t + i v) u = (s + t u) + i (u v)
Expr composed_slice(const Match& m) {
  const Node &outer = m.node(0), &inner = m.node(1);
  Dims starts;
  Ints steps;
  for (size_t k = 0; k < inner.attr_ints("steps").size(); ++k) {
    const int64_t step = inner.attr_ints("steps")[k];
    int64_t both = 0;
    if (__builtin_mul_overflow(step, outer.attr_ints("steps")[k], &both)) return {};
    steps.push_back(both);
    starts.push_back(inner.attr_dims("starts")[k] + outer.attr_dims("starts")[k] * Dim(step));
  }
  return make_node(outer.op(), {m["x"]}, {{"starts", std::move(starts)}, {"steps", std::move(steps)}, {"shape", outer.attr_dims("shape")}},
                   outer.origin());
}

// The slice of a dimshuffle as a dimshuffle of a slice; axes of size 1 that the dimshuffle made must be kept whole.
Expr slice_below_dimshuffle(const Match& m) {
  const Node &slice = m.node(0), &shuffle = m.node(1);
  const Expr& x = m["x"];
  Dims starts(x.shape().size(), Dim(0)), shape = x.shape();
  Ints steps(x.shape().size(), 1);
  const Ints& pattern = shuffle.attr_ints("pattern");
  for (size_t k = 0; k < pattern.size(); ++k) {
    const Dim &start = slice.attr_dims("starts")[k], &size = slice.attr_dims("shape")[k];
    const int64_t step = slice.attr_ints("steps")[k];
    if (pattern[k] < 0) {
      if (!size.is_one()) return {};
      continue;
    }
    const auto axis = static_cast<size_t>(pattern[k]);
    starts[axis] = start;
    steps[axis] = step;
    shape[axis] = size;
  }
  const Expr below =
      make_node(slice.op(), {x}, {{"starts", std::move(starts)}, {"steps", std::move(steps)}, {"shape", std::move(shape)}}, slice.origin());
  return make_node(shuffle.op(), {below}, shuffle.attrs(), slice.origin());
}

// Axes that change places or disappear; otherwise a dimshuffle only adds axes of size 1.
bool moves_axes(const Ints& pattern, int operand_rank) {
  int64_t last = -1;
  int used = 0;
  for (const int64_t axis : pattern) {
    if (axis < 0) continue;
    if (axis < last) return true;
    last = axis;
    ++used;
  }
  return used < operand_rank;
}

const Rule table[] = {
    {.name = "slice_dimshuffle",
     .pattern = "slice(dimshuffle(x))",
     .result = "dimshuffle(slice(x))",
     .algebra = "the same elements, sliced before their axes move",
     .build = slice_below_dimshuffle},
    {.name = "dimshuffle_dimshuffle",
     .pattern = "dimshuffle(dimshuffle(x))",
     .result = "dimshuffle(x)",
     .algebra = "index maps compose",
     .build = composed_dimshuffle},
    {.name = "slice_slice",
     .pattern = "slice(slice(x))",
     .result = "slice(x)",
     .algebra = "s + (t + i v) u = (s + t u) + i (u v)",
     .build = composed_slice},
    {.name = "broadcast_broadcast",
     .pattern = "broadcast_to(broadcast_to(x))",
     .result = "broadcast_to(x)",
     .algebra = "repeated elements repeated"},
    {.name = "reshape_reshape", .pattern = "reshape(reshape(x))", .result = "reshape(x)", .algebra = "the order of elements stays"},
};

// A slice of the result along an axis the operand repeats takes nothing from the operand; along other axes the sizes must be the same
// expression, or the check that they are equal at run time would be lost with the elements sliced away.
Expr slice_of_operand(const Node& view, const Expr& operand, const Type& result) {
  Dims starts = view.attr_dims("starts"), shape = view.attr_dims("shape");
  Ints steps = view.attr_ints("steps");
  bool identity = true;
  for (size_t k = 0; k < starts.size(); ++k) {
    const Dim& size = operand.shape()[k];
    const bool whole = starts[k] == Dim(0) && steps[k] == 1 && shape[k] == result.shape[k];
    if (!(size == result.shape[k])) {
      if (!whole && !size.is_one()) return {};
      starts[k] = 0;
      steps[k] = 1;
      shape[k] = size;
    }
    identity = identity && starts[k] == Dim(0) && steps[k] == 1 && shape[k] == size;
  }
  if (identity) return operand;
  return make_node(view.op(), {operand}, {{"starts", std::move(starts)}, {"steps", std::move(steps)}, {"shape", std::move(shape)}},
                   view.origin());
}

}  // namespace

std::span<const Rule> views() { return table; }

Expr view_of_operand(const Node& view, const Expr& operand, const Type& result) {
  if (operand.rank() != result.rank()) return {};
  if (&view.op() == &op("slice")) return slice_of_operand(view, operand, result);
  // A new axis is not worth moving: kernels run over the axes that are left.
  const bool shuffle = &view.op() == &op("dimshuffle") && moves_axes(view.attr_ints("pattern"), operand.rank());
  if (shuffle) return make_node(view.op(), {operand}, view.attrs(), view.origin());
  return {};
}

}  // namespace voxloom::rules

// graph/passes/canonicalise.cpp: one form for what rows say is the same.
#include <voxloom/graph/passes/canonicalise.h>

#include <voxloom/graph/op_info.h>

#include <algorithm>

namespace voxloom {
namespace {

bool is_identity_view(const Node& node) {
  if (node.inputs().size() != 1 || !(node.type() == node.input(0).type())) return false;
  if (node.op().kind == OpKind::reshape) return true;
  if (node.op().kind != OpKind::view) return false;
  const std::vector<AxisMap> maps = axis_maps(node, 0);
  for (size_t k = 0; k < maps.size(); ++k) {
    const AxisMap& map = maps[k];
    const bool kept = map.relation == AxisRelation::map || (map.relation == AxisRelation::affine && map.a == 1 && map.b == Dim(0));
    if (!kept || map.out_axis != static_cast<int>(k)) return false;
  }
  return true;
}

// A view that does nothing but repeat elements along axes of size 1.
bool only_repeats(const Node& node) {
  if (node.op().kind != OpKind::view || node.inputs().size() != 1 || node.input(0).rank() != node.type().rank()) return false;
  const std::vector<AxisMap> maps = axis_maps(node, 0);
  for (size_t k = 0; k < maps.size(); ++k) {
    const bool kept = maps[k].relation == AxisRelation::map || maps[k].relation == AxisRelation::broadcast;
    if (!kept || maps[k].out_axis != static_cast<int>(k)) return false;
  }
  return true;
}

Type inferred(const Node& node, std::span<const Expr> inputs) { return node.op().infer(node.op(), inputs, node.attrs(), node.origin()); }

// Elementwise rows repeat operands themselves: add(broadcast_to(x), y) = add(x, y) where y has the whole shape.
Expr without_repeats(const Expr& node, int& firings) {
  Expr result = node;
  for (size_t k = 0; k < result->inputs().size(); ++k) {
    if (!only_repeats(*result->input(k))) continue;
    std::vector<Expr> operands(result->inputs().begin(), result->inputs().end());
    operands[k] = operands[k]->input(0);
    if (!(inferred(*result, operands) == result.type())) continue;
    result = with_inputs(*result, std::move(operands));
    ++firings;
  }
  return result;
}

}  // namespace

Graph canonicalise(const Graph& graph, PassContext& context) {
  std::unordered_map<const Node*, int> place;  // of images: that of the node they stand for
  std::vector<Expr> alive;
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) -> Expr {
    const bool changed =
        !std::equal(inputs.begin(), inputs.end(), node->inputs().begin(), [](const Expr& a, const Expr& b) { return a.same_as(b); });
    Expr result = changed ? with_inputs(*node, {inputs.begin(), inputs.end()}) : node;
    if (result->op().kind == OpKind::elementwise) result = without_repeats(result, context.firings);
    if (result->op().flags.commutative && result->inputs().size() == 2) {
      const auto key = [&](const Expr& x) { return std::pair(constant_of(*x) != nullptr, place.at(x.get())); };
      if (key(result->input(1)) < key(result->input(0))) {
        std::vector<Expr> swapped = {result->input(1), result->input(0)};
        if (inferred(*result, swapped) == result.type()) {
          result = with_inputs(*result, std::move(swapped));
          ++context.firings;
        }
      }
    }
    if (is_identity_view(*result)) {
      result = result->input(0);
      ++context.firings;
    }
    if (place.emplace(result.get(), graph.index_of(node.get())).second) alive.push_back(result);
    return result;
  });
}

}  // namespace voxloom

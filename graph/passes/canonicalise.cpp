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

}  // namespace

Graph canonicalise(const Graph& graph, PassContext& context) {
  std::unordered_map<const Node*, int> place;  // of images: that of the node they stand for
  std::vector<Expr> alive;
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) -> Expr {
    const bool changed =
        !std::equal(inputs.begin(), inputs.end(), node->inputs().begin(), [](const Expr& a, const Expr& b) { return a.same_as(b); });
    Expr result = changed ? with_inputs(*node, {inputs.begin(), inputs.end()}) : node;
    if (result->op().flags.commutative && result->inputs().size() == 2) {
      const auto key = [&](const Expr& x) { return std::pair(constant_of(*x) != nullptr, place.at(x.get())); };
      if (key(result->input(1)) < key(result->input(0))) {
        const Expr swapped = with_inputs(*result, {result->input(1), result->input(0)});
        const Type type = swapped->op().infer(swapped->op(), swapped->inputs(), swapped->attrs(), swapped->origin());
        if (type == result.type()) {
          result = swapped;
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

// graph/passes/absorb.cpp: counts the users of every node and asks the ops what may be taken in.
#include <voxloom/graph/passes/absorb.h>

#include <algorithm>
#include <unordered_map>

namespace voxloom {

Graph absorb(const Graph& graph, PassContext& context) {
  if (!context.absorb) return graph;
  std::unordered_map<const Node*, int> uses;
  for (const Expr& node : graph.nodes())
    for (const Expr& input : node->inputs()) ++uses[input.get()];
  for (const Expr& output : graph.outputs()) ++uses[output.get()];
  std::vector<Expr> alive;  // so that no node made here gets the address of another
  const auto used_once = [&](const Expr& e) {
    const auto it = uses.find(e.get());
    return it != uses.end() && it->second == 1;
  };
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) -> Expr {
    const bool changed =
        !std::equal(inputs.begin(), inputs.end(), node->inputs().begin(), [](const Expr& a, const Expr& b) { return a.same_as(b); });
    Expr result = changed ? with_inputs(*node, {inputs.begin(), inputs.end()}) : node;
    if (const Expr taken = context.absorb(result, used_once); taken && taken.type() == node.type()) {
      ++context.firings;
      result = taken;
    }
    if (!result.same_as(node)) {
      alive.push_back(result);
      uses[result.get()] += uses[node.get()];
    }
    return result;
  });
}

}  // namespace voxloom

// api/sized_graph.cpp: shapes of arguments become the types of inputs.
#include <voxloom/api/sized_graph.h>

#include <voxloom/api/shared.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/substitute.h>

#include <algorithm>

namespace voxloom::detail {

std::vector<Expr> shared_leaves(std::span<const Expr> values) {
  std::vector<Expr> leaves;
  for (const Expr& e : topological_order(values)) {
    if (shared_value_of(*e)) leaves.push_back(e);
  }
  return leaves;
}

std::vector<Array> values_of(std::span<const Expr> shared) {
  std::vector<std::shared_ptr<const SharedValue>> holders;
  for (const Expr& e : shared) holders.push_back(std::static_pointer_cast<const SharedValue>(e->payload()));
  std::vector<Array> values(holders.size());
  SharedValue::snapshot(holders, values.data());
  return values;
}

Graph with_sizes(const Graph& graph, std::span<const Expr> leaves, std::span<const Array> arrays, std::string_view function) {
  std::vector<Replacement> replacements;
  std::vector<Expr> inputs;
  for (size_t k = 0; k < leaves.size(); ++k) {
    Type type = leaves[k].type();
    type.shape.clear();
    for (const int64_t n : arrays[k].shape()) type.shape.emplace_back(n);
    inputs.push_back(make_input(leaves[k]->name(), std::move(type), leaves[k]->origin()));
    replacements.emplace_back(leaves[k], inputs.back());
  }
  for (const Expr& e : graph.inputs()) {
    const bool replaced = std::any_of(leaves.begin(), leaves.end(), [&](const Expr& leaf) { return leaf.same_as(e); });
    if (!replaced) inputs.push_back(e);
  }
  return Graph::make(inputs, substitute(graph.outputs(), replacements, function));
}

}  // namespace voxloom::detail

// graph/passes/check_float64.cpp: names the nodes that bring float64 into a graph.
#include <voxloom/graph/passes/check_float64.h>

#include <voxloom/graph/op_info.h>

#include <algorithm>

namespace voxloom {
namespace {

bool is_wide(DType t) { return t == DType::f64 || t == DType::c128; }

bool brings_float64(const Node& node) {
  if (!is_wide(node.type().dtype) || is_input_leaf(node)) return false;
  if (node.op().kind == OpKind::leaf) return constant_of(node) != nullptr;
  return std::none_of(node.inputs().begin(), node.inputs().end(), [](const Expr& x) { return is_wide(x.dtype()); });
}

}  // namespace

Graph check_float64(const Graph& graph, PassContext& context) {
  if (context.float64 == Float64Check::ignore) return graph;
  for (const Expr& node : graph.nodes()) {
    if (!brings_float64(*node)) continue;
    std::string text = std::string("gives ") + node.type().str();
    if (!node->inputs().empty()) {
      text += " from";
      for (const Expr& input : node->inputs()) text += " " + std::string(name_of(input.dtype()));
    }
    if (context.float64 == Float64Check::raise)
      fail_user(ErrorCode::dtype, node->op().name, text + ", and warn_float64 is raise", node->origin());
    if (!context.warn) continue;
    const std::string where = origin_text(node->origin());
    context.warn(std::string(node->op().name) + " " + text + (where.empty() ? "" : " [at " + where + "]"));
  }
  return graph;
}

}  // namespace voxloom

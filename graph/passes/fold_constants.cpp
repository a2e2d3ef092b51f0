// graph/passes/fold_constants.cpp: computes nodes whose operands are all constants.
#include <voxloom/graph/passes/fold_constants.h>

#include <voxloom/graph/leaf_ops.h>

#include <algorithm>
#include <optional>

namespace voxloom {
namespace {

constexpr int64_t max_result_elements = 4096;
constexpr int64_t max_operand_elements = 65536;

std::optional<int64_t> constant_size(const Type& type) {
  int64_t n = 1;
  for (const Dim& d : type.shape) {
    if (!d.is_constant() || __builtin_mul_overflow(n, d.constant(), &n)) return std::nullopt;
  }
  return n;
}

bool foldable(const Node& node) {
  const OpKind kind = node.op().kind;
  if (kind == OpKind::leaf || kind == OpKind::library || node.inputs().empty()) return false;
  int64_t operands = 0;
  for (const Expr& input : node.inputs()) {
    const ConstantPayload* constant = constant_of(*input);
    if (constant == nullptr) return false;
    operands += constant->size();
  }
  const auto result = constant_size(node.type());
  if (!result || *result == 0 || *result > max_result_elements || operands > max_operand_elements) return false;
  return kind != OpKind::view || *result <= operands;
}

bool has_shape(const ConstantPayload& value, const Type& type) {
  return value.dtype() == type.dtype && value.shape().size() == type.shape.size() &&
         std::equal(value.shape().begin(), value.shape().end(), type.shape.begin(), [](int64_t n, const Dim& d) { return d == Dim(n); });
}

}  // namespace

Graph fold_constants(const Graph& graph, PassContext& context) {
  if (!context.evaluate) return graph;
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) -> Expr {
    const bool changed =
        !std::equal(inputs.begin(), inputs.end(), node->inputs().begin(), [](const Expr& a, const Expr& b) { return a.same_as(b); });
    Expr current = changed ? with_inputs(*node, {inputs.begin(), inputs.end()}) : node;
    if (!foldable(*current)) return current;
    std::shared_ptr<const ConstantPayload> value;
    try {
      value = context.evaluate(*current);
    } catch (const UserError&) {
      return current;  // the call will report it, with the right origin
    }
    if (value == nullptr) return current;
    internal_check(has_shape(*value, current.type()), "fold_constants: the evaluator gave a value of another type");
    ++context.firings;
    return make_constant(constant_op(), std::move(value), current.type().order, current.type().names, current->origin());
  });
}

}  // namespace voxloom

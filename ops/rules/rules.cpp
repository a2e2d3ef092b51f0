// ops/rules/rules.cpp: gathers the rules, and holds the order of ops that proves that they end.
#include <voxloom/ops/rules/rules.h>

#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <cstring>

namespace voxloom {
namespace {

// Lowest first: a rule may replace an op by ops that stand before it. Ops in one line are equal: then the operands must be smaller.
// Ops that no rule makes need no place.
// clang-format off: one level a line
constexpr const char* precedence[] = {
    "broadcast_to",
    "dimshuffle",
    "slice",
    "neg",
    "peak",
    "exp_shifted",
    "exp",
    "abs",
    "erf erfc",
    "sigmoid",
    "softplus",
    "expm1",
    "logaddexp",
    "log1mexp",
    "var",
    "add sub",
    "sqr",
    "mul",
    "reciprocal",
    "div",
    "log1p",
    "log",
    "sqrt",
    "pow",
    "mean",
    "eq ne lt le gt ge",
    "logical_not",
    "bit_not",
    "where",
    "cast",
};
// clang-format on

std::shared_ptr<const ConstantPayload> evaluate(const Node& node) {
  std::vector<HostArray> operands;
  for (const Expr& input : node.inputs()) operands.push_back(HostArray::copy(constant_of(*input)->view(), input.type().order));
  std::vector<const HostArray*> pointers;
  for (const HostArray& operand : operands) pointers.push_back(&operand);
  const HostArray value = interpret_node(node, pointers, {});
  const Expr dense = make_constant(constant_op(), value.view());
  return std::static_pointer_cast<const ConstantPayload>(dense->payload());
}

}  // namespace

const RuleSet& op_rules() {
  static const auto* const set = new RuleSet(
      {rules::arithmetic(), rules::comparison(), rules::casts(), rules::views(), rules::reductions(), rules::stabilisation()}, precedence,
      find_op);  // never destroyed: expressions may be optimised by static objects
  return *set;
}

void use_op_rules(PassContext& context) {
  context.rules = &op_rules();
  context.evaluate = evaluate;
  context.view_of_operand = rules::view_of_operand;
  context.absorb = rules::absorb;
}

namespace rules {

Expr filled(const Match& m, double value) {
  const Type& type = m.root().type();
  const Expr scalar = make_scalar(type.dtype, value);
  auto payload =
      std::make_shared<const ConstantPayload>(type.dtype, std::vector<int64_t>(type.shape.size(), 1), constant_of(*scalar)->bytes());
  Expr one = make_constant(constant_op(), std::move(payload), type.order, type.names, m.node().origin());
  if (one.shape() == type.shape) return one;
  return make_node(op("broadcast_to"), {one}, {{"shape", type.shape}}, m.node().origin());
}

Expr with_bits(const Expr& constant, uint64_t (*f)(DType, uint64_t)) {
  const ConstantPayload& data = *constant_of(*constant);
  const size_t item = size_of(data.dtype());
  std::vector<std::byte> bytes(data.bytes().size());
  for (int64_t k = 0; k < data.size(); ++k) {
    const uint64_t bits = f(data.dtype(), data.bits(k));
    std::memcpy(bytes.data() + static_cast<size_t>(k) * item, &bits, item);
  }
  auto payload = std::make_shared<const ConstantPayload>(data.dtype(), data.shape(), std::move(bytes));
  return make_constant(constant_op(), std::move(payload), constant.type().order, constant.type().names, constant->origin());
}

}  // namespace rules
}  // namespace voxloom

// graph/passes/rule_engine.cpp: the worklist of rule application.
#include <voxloom/graph/passes/rule_engine.h>

#include <voxloom/graph/interning.h>
#include <voxloom/graph/op_info.h>

#include <algorithm>
#include <unordered_set>

namespace voxloom {
namespace {

class Engine {
 public:
  Engine(PassContext& context, RuleClass cls) : context_(context), cls_(cls) {}

  Expr image(const Expr& node, std::span<const Expr> inputs) {
    budget_ = max_firings_per_node;
    return settle(rebuilt(node, inputs));
  }

 private:
  static Expr rebuilt(const Expr& node, std::span<const Expr> inputs) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (!inputs[k].same_as(node->input(k))) return with_inputs(*node, {inputs.begin(), inputs.end()});
    }
    return node;
  }

  // Equal nodes become one at once, so that patterns with a repeated variable see them as the same node.
  Expr interned(const Expr& node) {
    const auto [it, is_new] = unique_.insert(node.get());
    if (!is_new) return Expr(*it);
    alive_.push_back(node);
    settled_.insert(node.get());
    return node;
  }

  // Applies rules at the root until none fits. What a rule has made below the root is settled first; the recursion goes as deep as results
  // are, within the firing budget.
  Expr settle(Expr node) {
    while (true) {
      const auto known = unique_.find(node.get());
      if (known != unique_.end()) return Expr(*known);
      Expr next = fire(node);
      if (!next) return interned(node);
      if (!node->name().empty() && next->op().kind != OpKind::leaf && next->name().empty() && !settled_.contains(next.get())) {
        next = with_name(*next, node->name());
      }
      node = settle_operands(std::move(next));
    }
  }

  Expr settle_operands(Expr node) {
    if (settled_.contains(node.get()) || node->op().kind == OpKind::leaf) return node;
    std::vector<Expr> operands;
    for (const Expr& input : node->inputs()) operands.push_back(settled_.contains(input.get()) ? input : settle(settle_operands(input)));
    return rebuilt(node, operands);
  }

  Expr fire(const Expr& node) {
    for (const RuleSet::Compiled& compiled : context_.rules->rules_of(node->op())) {
      if (compiled.rule->cls != cls_) continue;
      Expr result = apply_rule(compiled, node);
      if (!result) continue;
      if (budget_ == 0) {
#ifndef NDEBUG
        fail_internal(std::string("more than 20 rules fired for one node, the last one ") + compiled.rule->name);
#endif
        return {};
      }
      --budget_;
      ++context_.firings;
      if (context_.on_rule) context_.on_rule(compiled.rule->name, node, result);
      return result;
    }
    return {};
  }

  PassContext& context_;
  RuleClass cls_;
  int budget_ = 0;
  std::unordered_set<const Node*, NodeHash, NodeEqual> unique_;
  std::unordered_set<const Node*> settled_;
  std::vector<Expr> alive_;
};

}  // namespace

Graph apply_rules(const Graph& graph, PassContext& context, RuleClass cls) {
  if (context.rules == nullptr) return graph;
  Engine engine(context, cls);
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) { return engine.image(node, inputs); });
}

}  // namespace voxloom

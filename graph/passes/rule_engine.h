// graph/passes/rule_engine.h: applies the rules of one class to a whole graph, operands first.
//   before: mul(neg(neg(x)), 1)      after: x
// needs: a verified graph. leaves: a graph on which no rule of the class applies at any node (unless the cap was hit).
// Termination: see RuleSet; besides, at most 20 rules fire for one node of the graph given. In Debug builds more is an InternalError.
#pragma once

#include <voxloom/graph/passes/pass_context.h>
#include <voxloom/graph/passes/rule.h>

namespace voxloom {

inline constexpr int max_firings_per_node = 20;

VOXLOOM_API Graph apply_rules(const Graph& graph, PassContext& context, RuleClass cls);

}  // namespace voxloom

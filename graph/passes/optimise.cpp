// graph/passes/optimise.cpp: the passes over expressions, in their order.
#include <voxloom/graph/passes/optimise.h>

#include <voxloom/graph/passes/canonicalise.h>
#include <voxloom/graph/passes/check_float64.h>
#include <voxloom/graph/passes/fold_constants.h>
#include <voxloom/graph/passes/push_views.h>
#include <voxloom/graph/passes/rule_engine.h>
#include <voxloom/graph/passes/run_pass.h>

#include <array>

namespace voxloom {
namespace {

Graph simplify(const Graph& graph, PassContext& context) { return apply_rules(graph, context, RuleClass::exact); }
Graph stabilise(const Graph& graph, PassContext& context) { return apply_rules(graph, context, RuleClass::improving); }

constexpr std::array<std::string_view, 6> names = {"check_float64", "fold_constants", "canonicalise",
                                                   "simplify",      "stabilise",      "push_views"};

}  // namespace

std::span<const std::string_view> pass_names() { return names; }

Graph optimise(const Graph& graph, PassContext& context) {
  Graph g = run_pass("check_float64", graph, context, check_float64);
  g = run_pass("fold_constants", g, context, fold_constants);
  g = run_pass("canonicalise", g, context, canonicalise);
  g = run_pass("stabilise", g, context, stabilise);
  g = run_pass("simplify", g, context, simplify);
  // What simplification has uncovered: constants made by rules, log(1 - sigmoid) hidden behind a double negation.
  g = run_pass("fold_constants", g, context, fold_constants);
  g = run_pass("canonicalise", g, context, canonicalise);
  g = run_pass("stabilise", g, context, stabilise);
  g = run_pass("simplify", g, context, simplify);
  g = run_pass("push_views", g, context, push_views);
  g = run_pass("fold_constants", g, context, fold_constants);
  return run_pass("canonicalise", g, context, canonicalise);
}

}  // namespace voxloom

// graph/passes/optimise.cpp: the passes over expressions, in their order.
#include <voxloom/graph/passes/optimise.h>

#include <voxloom/graph/passes/absorb.h>
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

constexpr int max_rounds = 4;
constexpr std::array<std::string_view, 7> names = {"check_float64", "fold_constants", "canonicalise", "simplify",
                                                   "stabilise",     "push_views",     "absorb"};

}  // namespace

std::span<const std::string_view> pass_names() { return names; }
bool is_exact_pass(std::string_view name) { return name != "stabilise"; }

Graph optimise(const Graph& graph, PassContext& context) {
  Graph g = run_pass("check_float64", graph, context, check_float64);
  // One pass uncovers work for another: constants made by rules, views that met on their way down, log(1 - sigmoid) behind a double
  // negation. Two rounds leave nothing to do in practice; the bound keeps the pipeline finite.
  for (int round = 0; round < max_rounds; ++round) {
    const uint64_t before = g.structural_hash();
    g = run_pass("fold_constants", g, context, fold_constants);
    g = run_pass("canonicalise", g, context, canonicalise);
    g = run_pass("stabilise", g, context, stabilise);
    g = run_pass("simplify", g, context, simplify);
    g = run_pass("push_views", g, context, push_views);
    if (g.structural_hash() == before) break;
  }
  return run_pass("absorb", g, context, absorb);
}

Graph stabilised(const Graph& graph, PassContext& context) {
  Graph g = graph;
  for (int round = 0; round < max_rounds; ++round) {
    const uint64_t before = g.structural_hash();
    g = run_pass("fold_constants", g, context, fold_constants);
    g = run_pass("canonicalise", g, context, canonicalise);
    g = run_pass("stabilise", g, context, stabilise);
    if (g.structural_hash() == before) break;
  }
  return g;
}

}  // namespace voxloom

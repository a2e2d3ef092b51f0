// graph/passes/run_pass.cpp: timing, reports and checks around a pass.
#include <voxloom/graph/passes/run_pass.h>

#include <voxloom/graph/verify.h>

#include <algorithm>
#include <chrono>

namespace voxloom {
namespace {

bool same_nodes(const Graph& a, const Graph& b) {
  return a.size() == b.size() &&
         std::equal(a.nodes().begin(), a.nodes().end(), b.nodes().begin(), [](const Expr& x, const Expr& y) { return x.same_as(y); });
}

void check_interface(std::string_view name, const Graph& before, const Graph& after) {
  bool same = before.inputs().size() == after.inputs().size() && before.outputs().size() == after.outputs().size();
  for (size_t k = 0; same && k < before.inputs().size(); ++k) same = before.inputs()[k].same_as(after.inputs()[k]);
  for (size_t k = 0; same && k < before.outputs().size(); ++k) same = before.outputs()[k].type() == after.outputs()[k].type();
  if (!same) throw InternalError("pass " + std::string(name) + " changed the inputs or the types of the outputs");
}

}  // namespace

Graph run_pass(std::string_view name, const Graph& graph, PassContext& context, const Pass& pass) {
  if (std::find(context.excluded.begin(), context.excluded.end(), name) != context.excluded.end()) return graph;
  PassReport report;
  report.name = std::string(name);
  report.nodes_before = graph.size();
  context.firings = 0;
  const auto start = std::chrono::steady_clock::now();
  Graph result = pass(graph, context);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  report.nodes_after = result.size();
  report.firings = context.firings;
  report.changed = !same_nodes(graph, result);
  if (report.changed) {
    check_interface(name, graph, result);
    if (context.verify) check_graph(result, "pass " + report.name);
    if (context.on_change) context.on_change(report.name, graph, result);
  }
  context.reports.push_back(std::move(report));
  return result;
}

}  // namespace voxloom

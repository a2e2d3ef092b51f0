// tests/fuzz/graph_checks.cpp: what can be checked of a graph without compiling it: its text form, and passes against the interpreter.
#include "graph_checks.h"

#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>
#include <voxloom/ops/table.h>

namespace voxloom::fuzz {

Graph through_text(const Graph& graph) {
  return parse_graph(to_text(graph), [](std::string_view name) { return find_op(name); });
}

std::string check_graph(const Graph& graph) {
  const std::vector<std::string> problems = verify(graph);
  if (!problems.empty()) return "verify: " + problems[0];
  const std::string text = to_text(graph);
  const Graph again = through_text(graph);
  if (to_text(again) != text) return "the text of the graph changes when it is read back";
  if (again.structural_hash() != graph.structural_hash()) return "the structural hash changes when the text is read back";
  return {};
}

}  // namespace voxloom::fuzz

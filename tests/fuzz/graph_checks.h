// tests/fuzz/graph_checks.h: what can be checked of a graph without compiling it.
#pragma once

#include <voxloom/graph/graph.h>

#include <string>

namespace voxloom::fuzz {

/// The graph printed and read back.
Graph through_text(const Graph& graph);
/// Verifier and text form; empty when all is well.
std::string check_graph(const Graph& graph);

}  // namespace voxloom::fuzz

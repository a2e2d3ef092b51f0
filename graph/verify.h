// graph/verify.h: checks the invariants of a graph. Everything else may rely on what is checked here.
//
// Checked, for the graph and for every sub-graph in an attribute:
//   order      operands stand before their users; index_of() gives the place in nodes(); inputs stand first, in their order
//   closure    operands and outputs are nodes of the graph; every node but the inputs is reachable from an output
//   inputs     are input leaves, listed once; every input leaf is listed
//   interning  no two nodes are equal (same op, operands, attributes, type and payload)
//   arity      the number of operands is one the row allows; leaves have none
//   types      inferring again from the row gives the same type; at most 8 axes; as many names as axes, no name twice; no reserved dtype;
//              sizes that are numbers are not negative
//   attributes sorted by key, no key twice; sub-graphs at most 64 levels deep
//   constants  the payload's dtype and shape are the type's
//   axes       axis relations have one entry per axis of the operand and name axes of the result
// Not checked: what ops compute, the payloads of shared variables and images, whether symbolic sizes can fit at run time.
#pragma once

#include <voxloom/graph/graph.h>

#include <string>
#include <vector>

namespace voxloom {

/// One line for each broken invariant; empty for a sound graph.
VOXLOOM_API std::vector<std::string> verify(const Graph& graph);

/// InternalError with the first broken invariant and the text of the graph, if there is one. `when` says what made the graph.
VOXLOOM_API void check_graph(const Graph& graph, const std::string& when);

}  // namespace voxloom

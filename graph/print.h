// graph/print.h: graphs as text that parse_graph() reads back.
#pragma once

#include <voxloom/graph/graph.h>

#include <string>

namespace voxloom {

/// One node a line:
///   graph {
///     %a = input "a" : f32[n, 784]
///     %1 = constant 2 : f32[]
///     %2 = mul(%a, %1) : f32[n, 784]
///     %3 = sum(%2) {axes=[1], keepdims=false} : f32[n]
///     return %3
///   }
/// Values are exact; sub-graphs stand in their attribute. Origins are not printed.
VOXLOOM_API std::string to_text(const Graph& graph);

/// Short text of an attribute's value as in to_text().
VOXLOOM_API std::string attr_text(const AttrValue& value);

/// How the nodes of a graph are called in to_text(): "%a", "%3", in the order of nodes().
VOXLOOM_API std::vector<std::string> labels_of(const Graph& graph);

}  // namespace voxloom

// api/sized_graph.h: a graph for arguments that are at hand, so that all its sizes are constants. Internal.
#pragma once

#include <voxloom/graph/graph.h>
#include <voxloom/runtime/array.h>

#include <span>
#include <string_view>
#include <vector>

namespace voxloom::detail {

/// Shared variables that the expressions use, in order.
std::vector<Expr> shared_leaves(std::span<const Expr> values);
/// Their values at one moment.
std::vector<Array> values_of(std::span<const Expr> shared);

/// The graph with `leaves` (inputs and shared variables) replaced by inputs of the shapes of the arrays; all other inputs stay, after them.
/// UserError naming `function` where sizes do not fit.
Graph with_sizes(const Graph& graph, std::span<const Expr> leaves, std::span<const Array> arrays, std::string_view function);

}  // namespace voxloom::detail

// graph/passes/optimise.h: the passes over expressions, in their order.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

#include <span>
#include <string_view>

namespace voxloom {

/// check_float64, then rounds of fold_constants, canonicalise, stabilise, simplify, push_views until nothing changes (at most 4).
VOXLOOM_API Graph optimise(const Graph& graph, PassContext& context);

/// The rewrites that gradients are taken after: rounds of fold_constants, canonicalise and stabilise until nothing changes (at most 4). Exact rules
/// wait until later: what stands for itself in a gradient (identity, disconnected_grad, ...) goes with them.
VOXLOOM_API Graph stabilised(const Graph& graph, PassContext& context);

/// Names that PassContext::excluded knows.
VOXLOOM_API std::span<const std::string_view> pass_names();

/// Whether a pass keeps every bit (graph/passes/README.md); stabilise improves instead.
VOXLOOM_API bool is_exact_pass(std::string_view name);

}  // namespace voxloom

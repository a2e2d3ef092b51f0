// graph/passes/run_pass.h: the only way to run a pass: timed, reported, verified, switched off by name.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

#include <functional>
#include <string_view>

namespace voxloom {

using Pass = std::function<Graph(const Graph&, PassContext&)>;

/// Runs the pass unless its name is excluded. The inputs and the types of the outputs must stay (InternalError otherwise).
VOXLOOM_API Graph run_pass(std::string_view name, const Graph& graph, PassContext& context, const Pass& pass);

}  // namespace voxloom

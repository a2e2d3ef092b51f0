// graph/passes/check_float64.h: names the nodes that bring float64 (or complex128) into a graph of narrower numbers.
// A node brings it in when its type is 64-bit floating and none of its operands is; variables and image files are the user's own choice.
// Under Float64Check::warn each one is a warning, under raise the first one is a UserError with the user's line. Changes nothing.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

namespace voxloom {

VOXLOOM_API Graph check_float64(const Graph& graph, PassContext& context);

}  // namespace voxloom

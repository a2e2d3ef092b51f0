// graph/passes/push_views.h: moves slices, flips and transposes of elementwise results to the operands, down to leaves and reductions.
//   before: slice(exp(mul(x, y)))      after: exp(mul(slice(x), slice(y)))
// Less is computed, and kernels read leaves through index maps instead of storing what a view looks at.
// A view passes a node that has no other user or is cheap by its row; repeated elements (broadcasts) are never moved before the computation.
// needs: PassContext::view_of_operand. leaves: an equal graph. exact: elementwise nodes compute each element by itself.
// It ends because a view only ever moves towards the leaves; the nodes made are bounded by 8 times the graph.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

namespace voxloom {

VOXLOOM_API Graph push_views(const Graph& graph, PassContext& context);

}  // namespace voxloom

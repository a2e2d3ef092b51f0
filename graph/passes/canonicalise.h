// graph/passes/canonicalise.h: one form for what rows say is the same.
//   before: add(2, x), mul(y, x), dimshuffle(x) {pattern=[0, 1]}      after: add(x, 2), mul(x, y), x
// Operands of commutative rows: constants last, the others in the order of the graph. Views and reshapes that change nothing are dropped,
// and so are views that only repeat the elements of an elementwise operand.
// needs: a verified graph. leaves: sorted commutative operands, no identity views.
// exact: swapping changes nothing but the bits of NaNs, which count as equal; where it would change the result's type (order tag, axis
// names) operands stay. One sweep, operands first, is enough: nothing it does makes new work.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

namespace voxloom {

VOXLOOM_API Graph canonicalise(const Graph& graph, PassContext& context);

}  // namespace voxloom

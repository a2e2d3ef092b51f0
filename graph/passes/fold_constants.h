// graph/passes/fold_constants.h: computes nodes whose operands are all constants.
//   before: mul(x, exp(constant 1))      after: mul(x, constant 2.7182817)
// needs: PassContext::evaluate. leaves: no foldable node within the bounds.
// exact: the evaluator is the interpreter, which gives the bits of compiled code.
// Bounds: a result has 1 to 4096 elements, the operands together at most 65536; a view that repeats elements is not folded, since one
// value is cheaper than its copies. Each firing removes a node that is no constant.
#pragma once

#include <voxloom/graph/passes/pass_context.h>

namespace voxloom {

VOXLOOM_API Graph fold_constants(const Graph& graph, PassContext& context);

}  // namespace voxloom

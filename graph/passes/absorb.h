// graph/passes/absorb.h: lets library nodes take in the cheap operations around them, where nothing else uses their result.
//   before: add(mul(s, matmul(x, y)), z)      after: gemm(x, y, z, s, 1)
// needs: PassContext::absorb. leaves: a verified graph. class: exact. ends because: one sweep, operands first.
#pragma once

#include <voxloom/graph/graph.h>
#include <voxloom/graph/passes/pass_context.h>

namespace voxloom {

VOXLOOM_API Graph absorb(const Graph& graph, PassContext& context);

}  // namespace voxloom

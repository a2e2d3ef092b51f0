// ops/interpret_reduction.h: reductions in the interpreter.
#pragma once

#include <voxloom/ops/interpret.h>

namespace voxloom::ops {

/// Fills `out` with the reduction of `in` over the node's axes.
void interpret_reduction(const Node& node, const HostArray& in, HostArray& out);

}  // namespace voxloom::ops

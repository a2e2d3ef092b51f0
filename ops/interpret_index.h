// ops/interpret_index.h: indexed and scatter rows, for ops/interpret.cpp.
#pragma once

#include <voxloom/ops/interpret.h>

namespace voxloom::ops {

/// UserError for an index that lies outside of the source, or a slice that does not lie in its operand.
void interpret_indexed(const Node& node, std::span<const HostArray* const> operands, const DimBindings& bindings, HostArray& out);
/// The indices in order of their last axis fastest; all are checked before anything is written.
void interpret_scatter(const Node& node, std::span<const HostArray* const> operands, HostArray& out);

}  // namespace voxloom::ops

// ops/table.h: the op table: every op is one row.
#pragma once

#include <voxloom/graph/op_info.h>

#include <span>
#include <string_view>
#include <vector>

namespace voxloom {

/// The row of that name, or nullptr. Leaf rows (input, constant, ...) are found too, and custom_gradient, which ElemwiseOp makes.
VOXLOOM_API const OpInfo* find_op(std::string_view name);
/// All rows but the leaves, family by family, in the order of docs/ops.md.
VOXLOOM_API std::span<const OpInfo* const> all_ops();
/// The row of that name, or the one NumPy or Theano calls so ("absolute", "arcsin", "switch", "round"); nullptr for other names.
VOXLOOM_API const OpInfo* find_function(std::string_view name);
/// A row's other names, in the order of the table of aliases.
VOXLOOM_API std::vector<std::string_view> aliases_of(const OpInfo& row);
/// The row of that name; InternalError when there is none.
VOXLOOM_API const OpInfo& op(const char* name);

}  // namespace voxloom

// ops/table.h: the op table: every op is one row.
#pragma once

#include <voxloom/graph/op_info.h>

#include <span>
#include <string_view>

namespace voxloom {

/// The row of that name, or nullptr. Leaf rows (input, constant, ...) are found too.
VOXLOOM_API const OpInfo* find_op(std::string_view name);
/// All rows but the leaves, family by family, in the order of docs/ops.md.
VOXLOOM_API std::span<const OpInfo* const> all_ops();
/// The row of that name; InternalError when there is none.
VOXLOOM_API const OpInfo& op(const char* name);

}  // namespace voxloom

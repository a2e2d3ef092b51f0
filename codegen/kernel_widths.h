// codegen/kernel_widths.h: how many lanes each lanes value of a kernel has.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

namespace voxloom::codegen {

/// By id: 1 for uniform values, 0 for values of free vector loops (the back end chooses) and inside the combine block of a fold,
/// otherwise the fixed number of lanes. The kernel must be well formed.
std::vector<int> lane_widths(const Kernel& kernel);

}  // namespace voxloom::codegen

// codegen/llvm/perf_map.h: names of kernels for the Linux profiler perf.
#pragma once

#include <string>

namespace voxloom::codegen {

/// With VOXLOOM_PERF_MAP set, appends address, size and name of a loaded kernel to /tmp/perf-<pid>.map, where perf looks.
void note_for_perf(const std::string& object, const std::string& symbol, const std::string& name, const void* entry);

}  // namespace voxloom::codegen

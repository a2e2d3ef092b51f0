// api/config.h: defaults of the process.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/export.h>

#include <cstdint>
#include <string>

namespace voxloom {

/// Read when a function is compiled or called. Set before use; not synchronised.
struct Config {
  std::string target = "native";  ///< native, x86-64-v3 or x86-64-v4
  std::string cache_dir;          ///< of compiled kernels; empty: the user's cache folder; "off": none
  int64_t cache_size = int64_t{1} << 30;
  int threads = 0;     ///< 0: from affinity, cgroup, SLURM_CPUS_PER_TASK and OMP_NUM_THREADS
  int64_t memory = 0;  ///< bytes for a streamed run; 0: 80 % of what is available
  /// The debug ladder: what goes to the log (runtime/log.h) at level debug. 1: each kernel made ready, 2: passes with their times too,
  /// 3: the graph after every pass that changed it, 4: LLVM IR of the kernels, 5: every rule that fires. 0: nothing.
  int debug_level = 0;
};

/// The process's configuration.
VOXLOOM_API Config& config();

}  // namespace voxloom

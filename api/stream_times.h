// api/stream_times.h: where the time of a pass of blocks went, as rows of a profile. Internal.
#pragma once

#include <voxloom/runtime/profile.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace voxloom::detail {

/// Seconds and bytes of one file in one pass.
struct Traffic {
  double seconds = 0;
  int64_t bytes = 0;
};
void add(std::vector<Traffic>& total, const std::vector<Traffic>& block);

/// Of one pass, summed over threads.
struct Times {
  std::mutex mutex;
  std::vector<Traffic> read, write;  ///< per leaf, per output of the pass
  std::vector<StepRecord> kernels;   ///< per step of the program
  int64_t blocks = 0;
};

struct PassLabels {
  std::string prefix;              ///< "pass 2: ", empty for a single pass
  std::string detail;              ///< "12 blocks of 5 along z"
  std::vector<std::string> reads;  ///< per leaf, "read a.nii"; empty where it is no file
  struct Kernel {
    size_t step;
    bool after_stream;  ///< runs once, after the last block
  };
  std::vector<Kernel> kernels;      ///< in the order in which they run
  std::vector<std::string> writes;  ///< per output, "write o.nii"; empty where it is no file
};

/// One row per file read, one per kernel, one per file written. Seconds are divided by the threads that did blocks of their own.
std::vector<StepRecord> step_records(const Times& times, const PassLabels& labels, int workers);

}  // namespace voxloom::detail

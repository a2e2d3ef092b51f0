// api/stream_run.h: carries out a StreamPlan. Internal.
#pragma once

#include <voxloom/api/stream_plan.h>
#include <voxloom/io/sink.h>

#include <functional>
#include <memory>
#include <vector>

namespace voxloom::detail {

struct StreamRunOptions {
  int threads = 1;
  FunctionOptions function;
  const CancelToken* cancel = nullptr;
  std::function<void(double fraction)> progress;
  Profile* profile = nullptr;
  Values arguments = {};                       ///< of every input and shared variable
  std::vector<std::string> output_paths = {};  ///< for the profile; empty where an output stays in memory
};

/// Runs the plan. sinks[k] receives output k block by block; where it is null the output comes back as an array (others are empty Arrays).
/// Does not commit the sinks.
std::vector<Array> run_stream(const StreamPlan& plan, const std::vector<io::BlockSink*>& sinks, const StreamRunOptions& options);

}  // namespace voxloom::detail

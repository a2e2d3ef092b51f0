// cli/commands.h: the commands, one function each. They print results to standard output and throw voxloom's errors.
#pragma once

#include <voxloom/cli/options.h>
#include <voxloom/graph/error.h>

namespace voxloom::cli {

/// Thrown by a command that has printed its errors already: the process ends with this code.
struct Reported {
  ErrorCode code;
};

void info(const Options& options);
/// math, and its plan under explain.
void math(const Options& options);
/// mean, std, min and max, and their plans.
void reduction(const Options& options);
void png(const Options& options);
void ops(const Options& options);
void doctor(const Options& options);
void cache(const Options& options);
void show_config(const Options& options);
void devices(const Options& options);
void run_graph(const Options& options);

/// Applies --target, --threads and --memory to the configuration of the process.
void configure(const Options& options);

}  // namespace voxloom::cli

// cli/options.h: what the command line asks for.
#pragma once

#include <voxloom/graph/dtype.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace voxloom::cli {

struct Options {
  std::string command;              ///< "math", "info", ...
  bool explain = false;             ///< show the plan of the command, run nothing
  bool kernels = false;             ///< of explain: the kernels as C too
  int debug_level = 0;              ///< Config::debug_level
  std::string expression;           ///< of math
  std::vector<std::string> images;  ///< FILE or NAME=FILE
  std::string output;               ///< -o
  std::string outdir, suffix;       ///< of the reductions
  std::string axis;                 ///< "t", "x,y", "-1"; empty: all axes
  bool json = false, markdown = false;
  std::string subject;  ///< ops NAME, cache ACTION, run GRAPH
  int64_t volume = 0;   ///< of png

  std::string device = "auto", target, header_from;  // no target: the configuration's
  std::optional<DType> dtype;
  bool dtype_of_input = false;
  int64_t memory = 0;
  int threads = 0, gzip_level = 1, ddof = 0;
  bool no_fsync = false, no_clobber = false, progress = false, quiet = false, strict = false;
  std::string profile;  ///< empty: none; "-": a table on standard error; else a file
};

/// Either options, or a text to print and an exit code (help, version).
struct ParsedArguments {
  Options options;
  std::string text;
  int exit_code = -1;  ///< -1: run the command
};

/// UserError(usage) for wrong arguments; unknown commands and options get a suggestion.
ParsedArguments parse_arguments(std::vector<std::string> arguments);

}  // namespace voxloom::cli

// cli/terminal.h: what the command writes to its standard streams: results, one-line errors and warnings, the progress bar.
#pragma once

#include <voxloom/cli/options.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom::cli {

/// To standard output; RuntimeError(file) when it cannot be written.
void print(std::string_view text);
/// Pushes what was printed out, and checks that it arrived.
void flush_output();
/// "voxloom: error: TEXT" as one line, control bytes escaped.
void print_error(std::string_view text);
/// An internal error: the first line as print_error() has it, then the graph to report.
void print_report(std::string_view text);
/// "voxloom: warning: TEXT" lines; with --strict the first is a UserError(bad_input), with --quiet nothing.
void print_warnings(const std::vector<std::string>& warnings, const Options& options);
/// Also receives the warnings of the library.
void install_log(const Options& options);

/// A bar on standard error with rate and time left, once the work has taken a second.
class Progress {
 public:
  /// `bytes` of input, for the rate; shown on a terminal, or always with --progress, never with --quiet.
  Progress(const Options& options, int64_t bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void operator()(double fraction);

 private:
  using Clock = std::chrono::steady_clock;
  bool enabled_, terminal_, drawn_ = false;
  int64_t bytes_;
  Clock::time_point start_ = Clock::now(), last_ = {};
};

/// One line of the bar, `width` columns at most.
std::string progress_line(double fraction, double seconds, int64_t bytes, int width);

}  // namespace voxloom::cli

// cli/terminal.cpp: standard streams of the command.
#include <voxloom/cli/terminal.h>

#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace voxloom::cli {
namespace {

void line_to_stderr(std::string_view kind, std::string_view text) {
  const std::string line = fmt::format("voxloom: {}: {}\n", kind, io::escape_text(text));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void lines_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line = io::escape_text(text.substr(0, end)) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::clamp(seconds, 0.0, 3.6e6) + 0.5);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

int terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    fail_runtime(ErrorCode::file, "standard output", fmt::format("write failed (errno {})", errno));
}

void flush_output() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    fail_runtime(ErrorCode::file, "standard output", fmt::format("write failed (errno {})", errno));
}

void print_error(std::string_view text) { line_to_stderr("error", text); }

void print_report(std::string_view text) {
  const size_t end = text.find('\n');
  print_error(text.substr(0, end));
  if (end != std::string_view::npos) lines_to_stderr(text.substr(end + 1));
}

void print_warnings(const std::vector<std::string>& warnings, const Options& options) {
  for (const std::string& warning : warnings) {
    if (options.strict) fail_user(ErrorCode::bad_input, "", warning + " (an error under --strict)");
    if (!options.quiet) line_to_stderr("warning", warning);
  }
}

void install_log(const Options& options) {
  set_log(
      [quiet = options.quiet](LogLevel level, std::string_view text) {
        if (level == LogLevel::debug) lines_to_stderr(text);
        else if (level >= LogLevel::warning && !quiet) line_to_stderr("warning", text);
      },
      options.debug_level > 0 ? LogLevel::debug : LogLevel::warning);
}

Progress::Progress(const Options& options, int64_t bytes) : enabled_(!options.quiet), terminal_(isatty(STDERR_FILENO) == 1), bytes_(bytes) {
  enabled_ = enabled_ && (terminal_ || options.progress);
}

Progress::~Progress() {
  if (drawn_) std::fputs(terminal_ ? "\r\x1b[K" : "\n", stderr);
}

void Progress::operator()(double fraction) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (seconds < 1 || now - last_ < std::chrono::milliseconds(terminal_ ? 100 : 1000)) return;
  last_ = now;
  const std::string line = progress_line(fraction, seconds, bytes_, terminal_width() - 1);
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = terminal_;
}

std::string progress_line(double fraction, double seconds, int64_t bytes, int width) {
  fraction = std::clamp(fraction, 0.0, 1.0);
  std::string facts = fmt::format(" {:3.0f} %", 100 * fraction);
  if (bytes > 0 && seconds > 0)
    facts += fmt::format("  {}/s", format_size(static_cast<int64_t>(static_cast<double>(bytes) * fraction / seconds)));
  if (fraction > 0) facts += fmt::format("  {} left", duration(seconds / fraction - seconds));
  const int cells = std::min(40, width - static_cast<int>(facts.size()) - 2);
  if (cells < 4) return facts.substr(0, static_cast<size_t>(std::max(width, 0)));
  const auto full = static_cast<size_t>(fraction * cells);
  return "[" + std::string(full, '#') + std::string(static_cast<size_t>(cells) - full, ' ') + "]" + facts;
}

}  // namespace voxloom::cli

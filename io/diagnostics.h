// io/diagnostics.h: how io reports what is wrong with a file: one form of message, warnings, and texts made safe to print.
#pragma once

#include <voxloom/graph/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace voxloom::io {

/// Warnings in the order they were met, each "FILE: what was found and what is done about it".
using Warnings = std::vector<std::string>;

/// Control bytes, C1 controls and invalid UTF-8 become \n, \t or \xNN, so that a text of a file can go to a terminal.
VOXLOOM_API std::string escape_text(std::string_view text);
/// escape_text, with the middle of very long paths left out.
VOXLOOM_API std::string printable_path(std::string_view path);

/// Shortest text that reads back as the same number; "nan", "inf".
std::string number_text(double value);

/// Throws UserError(code) whose text is "FILE: FIELD = VALUE (allowed ALLOWED)"; op() of the error is FILE.
[[noreturn]] void fail_field(std::string_view path, std::string_view field, std::string_view value, std::string_view allowed,
                             ErrorCode code = ErrorCode::bad_input);
/// Throws UserError(bad_input) "FILE: TEXT".
[[noreturn]] void fail_input(std::string_view path, const std::string& text);
/// Throws RuntimeError(file) "FILE: ACTION: meaning of ERRNO (errno N)".
[[noreturn]] void fail_os(std::string_view path, std::string_view action, int error_number);

/// Collects the warnings about one file; in strict mode a warning is a UserError(bad_input).
class Reporter {
 public:
  Reporter(std::string path, Warnings& warnings, bool strict) : path_(std::move(path)), warnings_(&warnings), strict_(strict) {}
  void warn(const std::string& text) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Warnings* warnings_;
  bool strict_;
};

}  // namespace voxloom::io

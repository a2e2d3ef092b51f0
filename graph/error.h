// graph/error.h: the three error classes and the origins (source positions of the user's code) they carry.
#pragma once

#include <voxloom/graph/export.h>

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace voxloom {

/// Identifies one source position of the user's code in a side table; 0 means "unknown".
struct OriginId {
  uint32_t value = 0;
  friend bool operator==(OriginId, OriginId) = default;
};

/// Registers a C++ position. Thread-safe; the same position always yields the same id.
VOXLOOM_API OriginId origin_of(const std::source_location& where);

/// Registers a column (0-based) of a named text, e.g. an expression given on the command line.
VOXLOOM_API OriginId origin_of_text(std::string_view text_name, int column);

/// "file.cpp:12" or "expression:7"; empty for the unknown origin.
VOXLOOM_API std::string origin_text(OriginId id);

/// What kind of thing went wrong. The command maps these to its exit codes.
enum class ErrorCode : uint8_t {
  usage,      ///< the expression or the arguments (command: exit 2)
  shape,      ///< shapes or ranks that do not fit (2)
  dtype,      ///< dtypes that do not fit (2)
  index,      ///< an index out of range (2)
  bad_input,  ///< a malformed input file (3)
  file,       ///< the operating system refused: open, read, write, rename, disk full (4)
  device,     ///< a device is missing or failed (4)
  limit,      ///< a memory or size limit would be exceeded (5)
  cancelled,  ///< the call was cancelled (130)
  internal,   ///< our bug
};

/// Base of all errors voxloom throws. what() is one line: function, what was asked, the facts that clash, and the origin if known.
class VOXLOOM_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string op, const std::string& message, OriginId origin);
  ~Error() override;
  ErrorCode code() const noexcept { return code_; }
  /// The function or op that refused, e.g. "add" or "open".
  const std::string& op() const noexcept { return op_; }
  /// "file.cpp:12" of the user's line, or empty.
  std::string origin() const { return origin_text(origin_); }
  OriginId origin_id() const noexcept { return origin_; }

 private:
  ErrorCode code_;
  std::string op_;
  OriginId origin_;
};

/// The user's expression, shapes, dtypes or file are at fault.
class VOXLOOM_API UserError : public Error {
 public:
  using Error::Error;
  ~UserError() override;
};

/// A device, the disk or the memory failed.
class VOXLOOM_API RuntimeError : public Error {
 public:
  using Error::Error;
  ~RuntimeError() override;
};

/// A bug of voxloom; the text asks for a report.
class VOXLOOM_API InternalError : public Error {
 public:
  explicit InternalError(const std::string& message);
  ~InternalError() override;
};

/// Throws UserError "op: message".
[[noreturn]] VOXLOOM_API void fail_user(ErrorCode code, std::string_view op, const std::string& message, OriginId origin = {});
/// Throws RuntimeError "op: message".
[[noreturn]] VOXLOOM_API void fail_runtime(ErrorCode code, std::string_view op, const std::string& message);
/// Throws InternalError with the failing condition.
[[noreturn]] VOXLOOM_API void fail_internal(std::string_view condition,
                                            const std::source_location& where = std::source_location::current());

/// Checks one of our own invariants in every build type.
inline void internal_check(bool condition, std::string_view text, const std::source_location& where = std::source_location::current()) {
  if (!condition) fail_internal(text, where);
}

}  // namespace voxloom

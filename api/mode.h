// api/mode.h: how a function is compiled and how its calls are checked.
#pragma once

#include <voxloom/graph/export.h>

#include <string>
#include <string_view>
#include <vector>

namespace voxloom {

/// What NanGuardMode takes for an error in the arguments and in the value of every operation.
struct NanGuard {
  bool nan = true;
  bool inf = true;
  double big = 1e10;  ///< largest magnitude; 0: any finite number is right
  bool raise = true;  ///< false: a warning in the log
};

/// A mode by name, with passes switched on and off:
///   FAST_RUN      all passes, fused kernels
///   FAST_COMPILE  leaves out the passes that only make faster code (stabilise may then find less to improve)
///   DebugMode     every call checks every rewrite and every kernel against the interpreter, and that arguments stay as they are
///   NanGuardMode  one kernel per operation; every value is looked through, and the first bad one is an error with the user's line
///   ProfileMode   FAST_RUN that measures itself
struct VOXLOOM_API Mode {
  Mode() = default;
  /// UserError for an unknown name; the nearest one is suggested.
  Mode(std::string name);                              // NOLINT(google-explicit-constructor): modes are written as names
  Mode(const char* name) : Mode(std::string(name)) {}  // NOLINT(google-explicit-constructor)

  std::string name = "FAST_RUN";
  std::vector<std::string> excluded = {};
  NanGuard nan_guard = {};

  /// The mode without, or with, passes of these names; "fusion" is one. UserError for an unknown name.
  Mode excluding(const std::vector<std::string>& passes) const;
  Mode including(const std::vector<std::string>& passes) const;
};

/// NanGuardMode with other limits than its defaults.
VOXLOOM_API Mode nan_guard_mode(const NanGuard& guard);

/// UserError, naming `function`, unless a pass (or "fusion") has that name; the nearest one is suggested.
VOXLOOM_API void check_pass_name(std::string_view name, std::string_view function);

}  // namespace voxloom

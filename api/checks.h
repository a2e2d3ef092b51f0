// api/checks.h: calls that are looked over the shoulder: DebugMode and NanGuardMode. Internal to api/.
#pragma once

#include <voxloom/api/mode.h>
#include <voxloom/api/pipeline.h>
#include <voxloom/runtime/executor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace voxloom::detail {

/// One call being checked.
class CallCheck {
 public:
  virtual ~CallCheck() = default;
  /// The item of the program's order has just run; `bases` are the addresses of its slots.
  virtual void after(size_t order_index, const runtime::Binding& binding, std::byte* const* bases) = 0;
  /// The call is over; its arguments and outputs as the program has them.
  virtual void finish(std::span<const Array> arguments, std::span<const Array> outputs) = 0;
};

/// What a mode checks; one for all calls of a function.
class RunCheck {
 public:
  virtual ~RunCheck() = default;
  virtual std::unique_ptr<CallCheck> start(std::span<const Array> arguments) const = 0;
};

/// Every rewrite of the passes and every kernel against the interpreter, bit by bit (improving passes: within their tolerance). InternalError
/// names the pass and rule, or the kernel, and shows both values.
/// `may_change`: per input, whether the call may write over its argument.
std::shared_ptr<const RunCheck> debug_check(const std::string& function, const Compiled& compiled, std::vector<char> may_change);
/// Arguments and the value of every kernel are looked through. UserError names the first operation with a bad value, and its line.
std::shared_ptr<const RunCheck> nan_guard_check(const std::string& function, const Compiled& compiled, const NanGuard& guard);

/// The first bad element as text, "nan at [0, 3]"; empty if all are good.
std::string bad_value(const Array& array, const NanGuard& guard);
/// Slots that are complete when an item of the order has run, per item.
std::vector<std::vector<int>> completed_slots(const runtime::Program& program);
/// The slot of a bound program as an array over its memory.
Array slot_array(const runtime::Binding& binding, int slot, std::byte* base);

/// For tests: the rewrites alone.
void check_rewrites(const std::string& function, const std::vector<Rewrite>& rewrites, std::span<const Array> arguments);

}  // namespace voxloom::detail

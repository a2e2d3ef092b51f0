// python/src/interrupt.h: running without the GIL, stopped by Python's signals (Ctrl-C).
#pragma once

#include <voxloom/runtime/cancel.h>

#include <nanobind/nanobind.h>

#include <chrono>
#include <functional>

namespace voxloom::python {

/// Remembers the main thread, which alone handles Python's signals; once, when the module is initialised.
void install_interrupts();

/// Gives the GIL up for its life. On the main thread its token, when polled, lets Python handle signals every 20 ms; a handler that raises
/// cancels the call, and the exception waits as Python's current error.
class Unlocked {
 public:
  Unlocked();
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  /// nullptr on other threads.
  const CancelToken* token() const { return main_ ? &token_ : nullptr; }

 private:
  static bool poll(void* self);
  bool main_;
  unsigned long thread_;
  std::chrono::steady_clock::time_point next_;
  CancelToken token_;
  PyThreadState* state_;
};

/// Runs `body` without the GIL on a thread of its own while this one waits and lets Python handle signals: for work that polls the token
/// on other threads only. Rethrows what body throws; nb::python_error where a signal's handler raised.
void run_interruptibly(const std::function<void(const CancelToken* token)>& body);

}  // namespace voxloom::python

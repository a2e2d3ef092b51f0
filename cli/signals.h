// cli/signals.h: Ctrl-C and termination: running work is asked to stop, and temporary files never stay behind.
#pragma once

#include <voxloom/runtime/cancel.h>

namespace voxloom::cli {

/// SIGINT, SIGTERM and SIGHUP; a write beyond a size limit becomes an error instead of a signal.
void install_signals();

/// While it lives, the first signal only sets the token; a second one, or two seconds without an answer, ends the process with 130.
/// Outside, a signal ends the process at once. Temporaries are unlinked in every case.
class CancelScope {
 public:
  CancelScope();
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;
  const CancelToken* token() const;
};

}  // namespace voxloom::cli

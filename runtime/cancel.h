// runtime/cancel.h: a flag by which another thread asks a running call to stop.
#pragma once

#include <voxloom/graph/error.h>

#include <atomic>
#include <string_view>

namespace voxloom {

/// Shared between a call and whoever may stop it; must outlive the call. Calls poll it between chunks and between blocks.
class CancelToken {
 public:
  /// Safe from any thread and from a signal handler.
  void cancel() noexcept { flag_.store(true, std::memory_order_relaxed); }
  void reset() noexcept { flag_.store(false, std::memory_order_relaxed); }
  /// For code that polls a plain flag.
  const std::atomic<bool>* flag() const noexcept { return &flag_; }
  bool cancelled() const noexcept { return flag_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> flag_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

/// Throws RuntimeError(cancelled) if the token is set; no token never cancels.
inline void check(const CancelToken* token, std::string_view op) {
  if (token != nullptr && token->cancelled()) fail_runtime(ErrorCode::cancelled, op, "cancelled by the caller");
}

}  // namespace voxloom

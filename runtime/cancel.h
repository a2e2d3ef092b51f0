// runtime/cancel.h: a flag by which another thread asks a running call to stop.
#pragma once

#include <voxloom/graph/error.h>

#include <atomic>
#include <string_view>

namespace voxloom {

/// Shared between a call and whoever may stop it; must outlive the call. Calls poll it between chunks and between blocks.
class CancelToken {
 public:
  /// Asked by whoever polls, on the polling thread: true cancels. Must be quick and safe from any thread.
  using Poll = bool (*)(void* state);

  CancelToken() = default;
  CancelToken(Poll poll, void* state) : poll_(poll), state_(state) {}
  /// Safe from any thread and from a signal handler.
  void cancel() noexcept { flag_.store(true, std::memory_order_relaxed); }
  void reset() noexcept { flag_.store(false, std::memory_order_relaxed); }
  /// For code that polls a plain flag.
  const std::atomic<bool>* flag() const noexcept { return &flag_; }
  bool cancelled() const noexcept {
    if (flag_.load(std::memory_order_relaxed)) return true;
    if (poll_ == nullptr || !poll_(state_)) return false;
    flag_.store(true, std::memory_order_relaxed);
    return true;
  }

 private:
  mutable std::atomic<bool> flag_{false};
  Poll poll_ = nullptr;
  void* state_ = nullptr;
  static_assert(std::atomic<bool>::is_always_lock_free);
};

/// Throws RuntimeError(cancelled) if the token is set; no token never cancels.
inline void check(const CancelToken* token, std::string_view op) {
  if (token != nullptr && token->cancelled()) fail_runtime(ErrorCode::cancelled, op, "cancelled by the caller");
}

}  // namespace voxloom

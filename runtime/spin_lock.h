// runtime/spin_lock.h: a lock for sections of a few instructions.
#pragma once

#include <sched.h>
#include <atomic>

namespace voxloom::detail {

/// Tells the core that this is a waiting loop.
inline void pause_cpu() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Yields the core after a short spin, so that a preempted holder can go on.
class SpinLock {
 public:
  void lock() noexcept {
    for (int spins = 0; flag_.test_and_set(std::memory_order_acquire); ++spins) {
      if (spins < 64) {
        pause_cpu();
      } else {
        sched_yield();
      }
    }
  }
  void unlock() noexcept { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_;
};

}  // namespace voxloom::detail

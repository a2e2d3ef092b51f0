// runtime/float_env.h: sets the thread's floating-point environment to IEEE defaults for a scope.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace voxloom {

/// Round to nearest, no flush to zero, no traps; what the thread had comes back at the end. Some library of the host program may have set
/// flush-to-zero on one thread only, and results would then depend on which thread took which chunk.
class FloatEnvGuard {
 public:
#if defined(__x86_64__)
  FloatEnvGuard() noexcept : saved_(_mm_getcsr()) {
    if (saved_ != standard) _mm_setcsr(standard);
  }
  ~FloatEnvGuard() {
    if (_mm_getcsr() != saved_) _mm_setcsr(saved_);
  }

 private:
  static constexpr uint32_t standard = 0x1F80;  // all exceptions masked, flags clear
  uint32_t saved_;
#elif defined(__aarch64__)
  FloatEnvGuard() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(uint64_t{0}));
  }
  ~FloatEnvGuard() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }

 private:
  uint64_t saved_ = 0;
#else
  FloatEnvGuard() noexcept = default;
#endif
 public:
  FloatEnvGuard(const FloatEnvGuard&) = delete;
  FloatEnvGuard& operator=(const FloatEnvGuard&) = delete;
};

}  // namespace voxloom

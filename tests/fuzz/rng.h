// tests/fuzz/rng.h: the random choices of the fuzzer; one 64-bit seed gives one case, on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace voxloom::fuzz {

/// Distributions of <random> differ between libraries; these do not.
class Rng {
 public:
  explicit Rng(uint64_t seed) : engine_(seed) {}
  uint64_t bits() { return engine_(); }
  /// 0 <= result < n.
  int64_t below(int64_t n) { return n <= 1 ? 0 : static_cast<int64_t>(bits() % static_cast<uint64_t>(n)); }
  int64_t between(int64_t lo, int64_t hi) { return lo + below(hi - lo + 1); }
  bool chance(double p) { return unit() < p; }
  /// [0, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  template <class T> const T& pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(below(static_cast<int64_t>(from.size())))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace voxloom::fuzz

// python/wheel/arc4random.cpp: LLVM asks for arc4random, which glibc has since 2.36 only; a wheel brings its own, seen by nobody else.
#include <sys/random.h>
#include <cstdint>

extern "C" __attribute__((visibility("hidden"))) std::uint32_t arc4random() {
  std::uint32_t value = 0;
  while (getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) continue;
  return value;
}

// python/wheel/libc.cpp: what the archives inside a wheel ask of libc that libc has not, or not in a form they can use; hidden in the module.
#include <sys/random.h>
#include <cstdint>

#define VOXLOOM_HIDDEN __attribute__((visibility("hidden")))

extern "C" {

// LLVM asks for arc4random, which glibc has since 2.36 only.
VOXLOOM_HIDDEN std::uint32_t arc4random() {
  std::uint32_t value = 0;
  while (getrandom(&value, sizeof(value), 0) != static_cast<ssize_t>(sizeof(value))) continue;
  return value;
}

// Debian's libnifti2.a is compiled for programs: it reaches these variables where a shared object of libc cannot have them. (stdio.h is not
// included: it declares them as libc's.)
extern char _IO_2_1_stdin_[], _IO_2_1_stdout_[], _IO_2_1_stderr_[];
VOXLOOM_HIDDEN void* stdin = _IO_2_1_stdin_;
VOXLOOM_HIDDEN void* stdout = _IO_2_1_stdout_;
VOXLOOM_HIDDEN void* stderr = _IO_2_1_stderr_;
}

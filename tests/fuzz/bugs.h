// tests/fuzz/bugs.h: planted compiler bugs, each of which the fuzzer must find.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

#include <span>
#include <string_view>

namespace voxloom::fuzz {

struct Bug {
  std::string_view name;
  std::string_view what;
  void (*damage)(codegen::Kernel& kernel);
  bool in_layouts = false;  ///< shows only in kernels for unusual layouts
};
std::span<const Bug> all_bugs();

}  // namespace voxloom::fuzz

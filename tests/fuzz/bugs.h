// tests/fuzz/bugs.h: planted compiler bugs, each of which the fuzzer must find.
#pragma once

#include <voxloom/codegen/program_builder.h>

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

/// Plants a bug (none for nullptr) into what is compiled during its life.
class Planted {
 public:
  explicit Planted(const Bug* bug) { codegen::kernel_hook() = bug != nullptr ? bug->damage : nullptr; }
  ~Planted() { codegen::kernel_hook() = nullptr; }
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

}  // namespace voxloom::fuzz

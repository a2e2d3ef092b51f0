// tests/fuzz/bugs.h: planted compiler bugs, each of which the fuzzer must find.
#pragma once

#include <voxloom/codegen/program_builder.h>

#include <span>
#include <string_view>

namespace voxloom::fuzz {

struct Bug {
  std::string_view name;
  std::string_view what;
  void (*damage)(codegen::Kernel& kernel) = nullptr;
  bool in_layouts = false;  ///< shows only in kernels for unusual layouts
  void (*program)(runtime::Program&) = nullptr;
  Graph (*graph)(const Graph&) = nullptr;  ///< a wrong pass
};
std::span<const Bug> all_bugs();

/// Plants a bug (none for nullptr) into what is compiled during its life.
class Planted {
 public:
  explicit Planted(const Bug* bug) {
    if (bug != nullptr) codegen::test_hooks() = {bug->damage, bug->program};
  }
  ~Planted() { codegen::test_hooks() = {}; }
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

}  // namespace voxloom::fuzz

// codegen/program_builder.h: a graph -> the program that runs it.
#pragma once

#include <voxloom/codegen/compiler.h>
#include <voxloom/codegen/partition.h>
#include <voxloom/runtime/profile.h>
#include <voxloom/runtime/program.h>

#include <functional>
#include <memory>
#include <string>

namespace voxloom::codegen {

struct BuildOptions {
  CompileOptions compile;
  PartitionOptions partition;
  std::string name;
  /// Not empty: arrays arrive in blocks along axes whose size is this symbol; reductions over it are outputs and keep their
  /// states between blocks.
  std::string stream_symbol;
  /// Told of every kernel variant made ready, by the thread that needed it.
  std::function<void(const Kernel&, const KernelRecord&)> on_kernel = {};
};

/// `written` is the graph before the passes, if it differs: what a call must refuse is decided by it, since passes may drop the node
/// that would have refused.
std::shared_ptr<const runtime::Program> build_program(const Graph& graph, const BuildOptions& options, const Graph* written = nullptr);

/// Where the fuzzer plants its bugs; null in every other program. Set while nothing is compiled.
struct TestHooks {
  void (*kernel)(Kernel&) = nullptr;             ///< every kernel before it is compiled
  void (*program)(runtime::Program&) = nullptr;  ///< every program before it is used
};
TestHooks& test_hooks();

/// The kernels of a program as text, for explain: one entry per kernel step in order.
std::vector<Kernel> kernels_of(const Graph& graph, const BuildOptions& options);

}  // namespace voxloom::codegen

// api/pipeline.h: from a graph to a program, as straight lines. Internal to the library.
#pragma once

#include <voxloom/api/function.h>
#include <voxloom/codegen/program_builder.h>
#include <voxloom/graph/passes/pass_context.h>

#include <functional>
#include <memory>
#include <vector>

namespace voxloom::detail {

struct Compiled {
  Graph graph;  ///< after the passes
  std::shared_ptr<const runtime::Program> program;
  codegen::BuildOptions build;
  std::vector<PassRecord> passes;  ///< graph passes, partition
};

/// The graph passes alone.
Graph optimised(const Graph& graph, const FunctionOptions& options, std::vector<PassRecord>* records);
codegen::BuildOptions build_options(const FunctionOptions& options);
/// Everything: passes, partition, plan; kernels are compiled when the layouts of a call are known.
Compiled compile_graph(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build);
/// For tests: compiles with build options of their own (planted bugs, no fusion).
Function compile_with(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build);

/// Kernel steps with their loops, what they read and write.
std::string plan_text(const runtime::Program& program);
/// Optimised graph, plan, refused fusions.
std::string explain_text(const Compiled& compiled);

}  // namespace voxloom::detail

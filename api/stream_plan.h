// api/stream_plan.h: how a graph over files will run: whole in memory, or in passes of blocks along one axis. Internal.
#pragma once

#include <voxloom/api/compile_log.h>
#include <voxloom/api/function.h>
#include <voxloom/api/stream_analysis.h>
#include <voxloom/runtime/binding.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom::detail {

inline constexpr const char* stream_symbol = "@block";

/// Arrays that nodes stand for: arguments, values of shared variables, what has been computed.
using Values = std::unordered_map<const Node*, Array>;

/// One pass over the files.
struct StreamPass {
  Graph graph;                          ///< stream leaves, then arrays -> streamed outputs, then reductions
  std::vector<const Node*> leaves;      ///< original leaves that arrive in blocks: of files, and of arrays that have the axis
  std::vector<const Node*> arrays;      ///< original nodes (or whole leaves) that are arrays
  std::vector<int> outputs;             ///< original output numbers that leave in blocks
  std::vector<const Node*> reductions;  ///< original nodes finished after the last block
  std::shared_ptr<const runtime::Program> program;
  int64_t block = 0;                ///< positions per block
  bool blocks_in_parallel = false;  ///< each thread does its own blocks; otherwise all threads share one
  int64_t bytes = 0;                ///< predicted bytes while it runs, without what earlier passes left
};

struct StreamPlan {
  Graph graph;                     ///< optimised
  std::optional<StreamAxis> axis;  ///< none: everything in memory
  std::vector<StreamPass> passes;
  std::vector<std::string> reasons;  ///< why this axis, why these passes
  int64_t budget = 0;
  int64_t kept_bytes = 0;  ///< arrays kept between passes, results in memory, whole images
  int64_t io_bytes = 0;    ///< buffers of sources and sinks
  std::shared_ptr<CompileLog> log;
  int64_t peak() const;
};

struct StreamOptions {
  int64_t budget = 0;
  int threads = 1;
  FunctionOptions function;
  std::vector<char> to_file;   ///< per output: written block by block
  std::vector<char> in_order;  ///< per output: the file must be written in order
  int64_t sink_bytes = 0;
  Values arguments = {};  ///< of every input and shared variable
  int64_t block = 0;      ///< positions per block, for tests; 0: chosen by size, and a small run is one block
  std::shared_ptr<CompileLog> log = std::make_shared<CompileLog>();  ///< goes on in the plan and its run
};

/// The plan as text: reasons, how often each file is read, passes with their kernels, predicted peak.
std::string describe(const StreamPlan& plan, int threads, const ExplainOptions& options = {});

StreamPlan plan_stream(const Graph& graph, const StreamOptions& options);

/// Shape of a type with constant sizes.
std::vector<int64_t> constant_shape(const Type& type);
/// Nodes rebuilt on placeholders: every node in `known` becomes an input. Collects the placeholders in order of first use.
Graph cut_graph(const std::vector<const Node*>& outputs, const std::function<bool(const Node*)>& known, std::vector<const Node*>& used);

/// What the pass computes after `level` reductions over the axis.
StreamPass stream_pass(const Graph& graph, const StreamAxis& axis, int level);

runtime::Layout dense_layout(DType dtype, const std::vector<int64_t>& shape, Order order, bool swapped);
/// Layout of the array of a node: the one in `values`, otherwise dense.
runtime::Layout whole_layout(const Node& n, const Values& values);
/// The same for a leaf of a pass, with `length` positions and what it is read beyond them along the axis: a dense block of a file, a window of an array.
runtime::Layout leaf_layout(const Node& leaf, const StreamAxis& axis, int64_t length, const Values& values);

}  // namespace voxloom::detail

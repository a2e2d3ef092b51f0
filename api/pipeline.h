// api/pipeline.h: from a graph to a program, as straight lines. Internal to the library.
#pragma once

#include <voxloom/api/compile_log.h>
#include <voxloom/api/function.h>
#include <voxloom/codegen/program_builder.h>
#include <voxloom/graph/passes/pass_context.h>
#include <voxloom/runtime/executor.h>

#include <functional>
#include <memory>
#include <vector>

namespace voxloom::detail {

/// What one pass did; kept where a mode checks it.
struct Rewrite {
  struct Firing {
    std::string rule;
    Expr before, after;
  };
  std::string pass;
  Graph before, after;
  std::vector<Firing> firings;  ///< of rules, in order
};

struct Compiled {
  Graph graph;  ///< after the passes
  std::shared_ptr<const runtime::Program> program = {};
  codegen::BuildOptions build = {};
  std::shared_ptr<CompileLog> log = {};  ///< passes, and kernels as they are compiled
  std::vector<Rewrite> rewrites = {};    ///< of DebugMode: passes that changed something, in order
};

/// The graph passes alone. `log`, here and below: what receives their times; may be null. `rewrites`, where given: what they did.
Graph optimised(const Graph& graph, const FunctionOptions& options, CompileLog* log, std::vector<Rewrite>* rewrites = nullptr);
/// For tests that plant wrong rules: used in the place of op_rules() unless null.
const RuleSet*& planted_rules();
codegen::BuildOptions build_options(const FunctionOptions& options);
/// codegen::build_program(), with its time.
std::shared_ptr<const runtime::Program> build_timed(const Graph& graph, codegen::BuildOptions build, const std::shared_ptr<CompileLog>& log,
                                                    const Graph* written = nullptr);
/// Everything: passes, partition, plan; kernels are compiled when the layouts of a call are known.
Compiled compile_graph(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                       std::shared_ptr<CompileLog> log = nullptr);
/// Compiles with build options (tests: planted bugs, no fusion) and a log of one's own.
Function compile_with(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                      std::shared_ptr<CompileLog> log = nullptr);

/// to_text() that never throws.
std::string report_text(const Graph& graph);

/// Adds one run of a step to its record.
void add_run(StepRecord& record, const runtime::StepRun& run, const runtime::Binding& binding);

/// Kernel steps with their loops, what they read and write.
std::string plan_text(const runtime::Program& program);
/// Every kernel as C text, in the variant for dense arrays; `swapped`: arguments in the other byte order.
std::string kernels_text(const runtime::Program& program, const std::vector<char>& swapped = {});
/// Optimised graph, plan, refused fusions.
std::string explain_text(const Compiled& compiled, const ExplainOptions& options);

/// An InternalError on its way to the user: below its line stands the graph that was at work, for the report.
class GraphError final : public InternalError {
 public:
  GraphError(const InternalError& error, const std::string& graph) : InternalError(""), text_(std::string(error.what()) + "\n" + graph) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// Does `work`; an InternalError that leaves it gets the text of the graph, unless one further inside has done so.
template <class Work> decltype(auto) with_graph(const Graph& graph, Work&& work) {
  try {
    return work();
  } catch (const GraphError&) { throw; } catch (const InternalError& error) {
    throw GraphError(error, report_text(graph));
  }
}

}  // namespace voxloom::detail

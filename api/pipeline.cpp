// api/pipeline.cpp: the passes in order.
#include <voxloom/api/pipeline.h>

#include <voxloom/graph/passes/optimise.h>
#include <voxloom/graph/print.h>
#include <voxloom/ops/policy.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/runtime/log.h>

#include <chrono>

namespace voxloom::detail {
namespace {

PassContext pass_context(const FunctionOptions& options) {
  PassContext context;
  context.excluded = options.optimizer_excluding;
  use_op_rules(context);
  const WarnFloat64 warn = current_policy().warn_float64;
  context.float64 = warn == WarnFloat64::raise  ? Float64Check::raise
                    : warn == WarnFloat64::warn ? Float64Check::warn
                                                : Float64Check::ignore;
  context.warn = [](const std::string& message) { log(LogLevel::warning, message); };
  return context;
}

}  // namespace

Graph optimised(const Graph& graph, const FunctionOptions& options, std::vector<PassRecord>* records) {
  if (!options.optimise) return graph;
  PassContext context = pass_context(options);
  Graph result = optimise(graph, context);
  if (records) {
    for (const PassReport& r : context.reports) records->push_back({r.name, r.seconds, r.changed});
  }
  return result;
}

codegen::BuildOptions build_options(const FunctionOptions& options) {
  codegen::BuildOptions build;
  build.name = options.name;
  build.partition.fuse = options.fuse;
  build.compile.target = codegen::target_from_name(options.target.empty() ? config().target : options.target);
  if (config().cache_dir != "off") build.compile.cache_dir = config().cache_dir.empty() ? codegen::default_cache_dir() : config().cache_dir;
  build.compile.cache_bytes = config().cache_size;
  return build;
}

Compiled compile_graph(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build) {
  Compiled compiled{.graph = graph, .program = nullptr, .build = build, .passes = {}};
  compiled.graph = optimised(graph, options, &compiled.passes);
  const auto start = std::chrono::steady_clock::now();
  compiled.program = codegen::build_program(compiled.graph, build, &graph);
  compiled.passes.push_back({"partition and plan", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), true});
  return compiled;
}

std::string plan_text(const runtime::Program& program) {
  std::string text;
  for (const auto& item : program.order) {
    if (item.step < 0) continue;
    const auto& step = program.steps[static_cast<size_t>(item.step)];
    text += "  " + step.name + (step.extents.empty() ? "" : " over");
    for (size_t k = 0; k < step.extents.size(); ++k) text += std::string(" ") + step.roles[k] + ":" + step.extents[k].str();
    text += "\n";
    for (const auto& a : step.accesses) {
      const auto& slot = program.slots[static_cast<size_t>(a.slot)];
      text += std::string(a.written ? "    writes " : "    reads  ") + slot.label + " " + slot.type.str() + "\n";
    }
  }
  return text;
}

std::string explain_text(const Compiled& compiled) {
  std::string text = "optimised graph\n" + to_text(compiled.graph) + "\n\nkernels, in order\n" + plan_text(*compiled.program);
  if (!compiled.program->notes.empty()) text += "\nwhy some operations are not fused\n";
  for (const std::string& note : compiled.program->notes) text += "  " + note + "\n";
  return text;
}

}  // namespace voxloom::detail

// api/pipeline.cpp: the passes in order.
#include <voxloom/api/pipeline.h>

#include <voxloom/graph/passes/optimise.h>
#include <voxloom/graph/print.h>
#include <voxloom/ops/policy.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/runtime/dense_variant.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace voxloom::detail {
namespace {

Mode mode_of(const FunctionOptions& options) { return options.mode ? *options.mode : Mode(config().mode); }

/// Of the function, its mode and the configuration.
std::vector<std::string> excluded_passes(const FunctionOptions& options) {
  std::vector<std::string> names = mode_of(options).excluded;
  names.insert(names.end(), options.optimizer_excluding.begin(), options.optimizer_excluding.end());
  names.insert(names.end(), config().optimizer_excluding.begin(), config().optimizer_excluding.end());
  return names;
}

PassContext pass_context(const FunctionOptions& options) {
  PassContext context;
  context.excluded = excluded_passes(options);
  context.verify = context.verify || config().debug;
  use_op_rules(context);
  if (planted_rules() != nullptr) context.rules = planted_rules();
  const WarnFloat64 warn = current_policy().warn_float64;
  context.float64 = warn == WarnFloat64::raise  ? Float64Check::raise
                    : warn == WarnFloat64::warn ? Float64Check::warn
                                                : Float64Check::ignore;
  context.warn = [](const std::string& message) { log(LogLevel::warning, message); };
  if (config().debug_level >= 3) {
    context.on_change = [](const std::string& pass, const Graph&, const Graph& after) {
      log(LogLevel::debug, "after " + pass + "\n" + report_text(after));
    };
  }
  if (config().debug_level >= 5) {
    context.on_rule = [](const char* rule, const Expr& before, const Expr& after) {
      log(LogLevel::debug, std::string("rule ") + rule + ": " + std::string(before->op().name) + " -> " + std::string(after->op().name));
    };
  }
  return context;
}

void tell_pass(const PassReport& r) {
  log(LogLevel::debug, "pass " + r.name + ": " + format_seconds(r.seconds) + ", " + std::to_string(r.nodes_before) + " -> " +
                           std::to_string(r.nodes_after) + " nodes, " + std::to_string(r.firings) + " rules fired");
}

void tell_kernel(const codegen::Kernel& kernel, const KernelRecord& record, const codegen::Target& target) {
  log(LogLevel::debug, "kernel " + record.name + ": from " + std::string(name_of(record.origin)) + " in " + format_seconds(record.seconds) +
                           ", " + format_size(record.code_bytes) + " of code" + (record.why.empty() ? "" : " (" + record.why + ")"));
  if (config().debug_level >= 4) log(LogLevel::debug, codegen::llvm_ir_text(kernel, target));
}

}  // namespace

const RuleSet*& planted_rules() {
  static const RuleSet* rules = nullptr;
  return rules;
}

Graph optimised(const Graph& graph, const FunctionOptions& options, CompileLog* log, std::vector<Rewrite>* rewrites) {
  if (!options.optimise) return graph;
  PassContext context = pass_context(options);
  std::vector<Rewrite::Firing> firings;
  if (rewrites) {
    context.on_rule = [&, tell = context.on_rule](const char* rule, const Expr& before, const Expr& after) {
      firings.push_back({rule, before, after});
      if (tell) tell(rule, before, after);
    };
    context.on_change = [&, tell = context.on_change](const std::string& pass, const Graph& before, const Graph& after) {
      rewrites->push_back({pass, before, after, std::exchange(firings, {})});
      if (tell) tell(pass, before, after);
    };
  }
  Graph result = optimise(graph, context);
  for (const PassReport& r : context.reports) {
    if (log) log->add_pass(r.name, r.seconds, r.changed);
    if (config().debug_level >= 2) tell_pass(r);
  }
  return result;
}

codegen::BuildOptions build_options(const FunctionOptions& options) {
  codegen::BuildOptions build;
  build.name = options.name;
  const std::vector<std::string> excluded = excluded_passes(options);
  build.partition.fuse = options.fuse && std::find(excluded.begin(), excluded.end(), "fusion") == excluded.end();
  build.compile.target = codegen::target_from_name(options.target.empty() ? config().target : options.target);
  if (config().cache_dir != "off") build.compile.cache_dir = config().cache_dir.empty() ? codegen::default_cache_dir() : config().cache_dir;
  build.compile.cache_bytes = config().cache_size;
  return build;
}

std::shared_ptr<const runtime::Program> build_timed(const Graph& graph, codegen::BuildOptions build, const std::shared_ptr<CompileLog>& log,
                                                    const Graph* written) {
  build.on_kernel = [log, target = build.compile.target](const codegen::Kernel& kernel, const KernelRecord& record) {
    if (log) log->add_kernel(record);
    if (config().debug_level >= 1) tell_kernel(kernel, record, target);
  };
  const auto start = std::chrono::steady_clock::now();
  auto program = codegen::build_program(graph, build, written);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (log) log->add_pass("partition and plan", seconds, false);
  if (config().debug_level >= 2) voxloom::log(LogLevel::debug, "partition and plan: " + format_seconds(seconds));
  return program;
}

Compiled compile_graph(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                       std::shared_ptr<CompileLog> log) {
  Compiled compiled{.graph = graph, .build = build, .log = std::move(log)};
  if (!compiled.log) compiled.log = std::make_shared<CompileLog>();
  std::vector<Rewrite>* const rewrites = mode_of(options).name == "DebugMode" ? &compiled.rewrites : nullptr;
  with_graph(graph, [&] {
    compiled.graph = optimised(graph, options, compiled.log.get(), rewrites);
    compiled.program = build_timed(compiled.graph, build, compiled.log, &graph);
  });
  return compiled;
}

void add_run(StepRecord& record, const runtime::StepRun& run, const runtime::Binding& binding) {
  const runtime::BoundStep& bound = binding.steps[run.step];
  record.seconds += run.seconds;
  ++record.calls;
  record.bytes_read += bound.bytes_read;
  record.bytes_written += bound.bytes_written;
  record.flops += run.flops.f32 + run.flops.f64;
  record.flops_f64 += run.flops.f64;
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

std::string kernels_text(const runtime::Program& program, const std::vector<char>& swapped) {
  std::string text = "kernels as C, for dense arrays (other layouts get variants of their own)\n";
  int number = 0;
  for (const auto& item : program.order) {
    if (item.step < 0) continue;
    const auto& step = program.steps[static_cast<size_t>(item.step)];
    if (step.library) {
      text += "\n// " + step.name + ": a library function, no kernel\n";
      continue;
    }
    text += "\n" + step.text(runtime::dense_variant(program, step, swapped), "kernel_" + std::to_string(number++));
  }
  return text;
}

std::string report_text(const Graph& graph) {
  try {
    return to_text(graph);
  } catch (const std::exception& error) { return std::string("(the graph cannot be printed: ") + error.what() + ")"; }
}

std::string explain_text(const Compiled& compiled, const ExplainOptions& options) {
  std::string text = "optimised graph\n" + to_text(compiled.graph) + "\n\nkernels, in order\n" + plan_text(*compiled.program);
  if (!compiled.program->notes.empty()) text += "\nwhy some operations are not fused\n";
  for (const std::string& note : compiled.program->notes) text += "  " + note + "\n";
  if (options.kernels) text += "\n" + kernels_text(*compiled.program);
  return text;
}

}  // namespace voxloom::detail

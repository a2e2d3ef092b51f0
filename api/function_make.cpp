// api/function_make.cpp: from inputs, outputs, updates and givens to a function.
#include <voxloom/api/function_impl.h>

#include <voxloom/api/test_value.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/graph/safe_cast.h>
#include <voxloom/graph/substitute.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/log.h>

#include <algorithm>
#include <unordered_set>

namespace voxloom {
namespace {

using detail::FunctionParts;

/// One kernel that maps, with one result, and reads every argument at the index it writes: an element is read before it is overwritten.
/// (With two results the second one may read an argument that the first has been written over.)
bool maps_only(const runtime::Program& program) {
  if (program.steps.size() != 1 || program.output_slots.size() != 1) return false;
  const runtime::KernelStep& step = program.steps[0];
  if (!step.tiled || std::count(step.roles.begin(), step.roles.end(), 'O') != 0) return false;
  const std::vector<runtime::AxisTerm>* written = nullptr;
  for (const auto& access : step.accesses) {
    if (access.written) written = &access.terms;
  }
  return written != nullptr &&
         std::all_of(step.accesses.begin(), step.accesses.end(), [&](const auto& access) { return access.terms == *written; });
}

void check_updates(const FunctionOptions& options, std::span<const Expr> values) {
  std::unordered_set<const SharedValue*> seen;
  for (size_t k = 0; k < values.size(); ++k) {
    const Shared& variable = options.updates[k].first;
    if (!seen.insert(variable.value().get()).second) {
      fail_user(ErrorCode::usage, options.name, "the variable " + quoted(variable.name()) + " is updated twice", values[k]->origin());
    }
    const Type &have = values[k].type(), &want = variable.expr().type();
    if (have.dtype == want.dtype && have.rank() == want.rank()) continue;
    std::string text = "the update of " + variable.name() + " is " + have.str() + ", but the variable is " + want.str();
    if (have.dtype != want.dtype) text += "; cast the update, or make the variable " + std::string(name_of(have.dtype));
    fail_user(have.dtype != want.dtype ? ErrorCode::dtype : ErrorCode::shape, options.name, text, values[k]->origin());
  }
}

/// Inputs that nothing uses.
void check_unused(const FunctionOptions& options, std::span<const In> inputs, std::span<const Expr> values) {
  const OnUnusedInput what = options.on_unused_input.value_or(config().on_unused_input);
  if (what == OnUnusedInput::ignore) return;
  std::unordered_set<const Node*> used;
  for (const Expr& e : topological_order(values)) used.insert(e.get());
  for (const In& in : inputs) {
    if (used.contains(in.variable.get())) continue;
    const std::string text = "the input " + quoted(in.variable->name()) + " is not used by any output or update";
    if (what == OnUnusedInput::warn) {
      log(LogLevel::warning, options.name + ": " + text);
      continue;
    }
    fail_user(ErrorCode::usage, options.name, text + "; leave it out, or say on_unused_input=ignore", in.variable->origin());
  }
}

/// The default value of an input, as the function keeps it.
InOptions kept_options(const FunctionOptions& options, const In& in) {
  InOptions kept = in.options;
  if (kept.name.empty()) kept.name = in.variable->name();
  if (!kept.value.defined()) return kept;
  const Type& type = in.variable.type();
  if (kept.value.rank() != type.rank() || (kept.value.dtype() != type.dtype && !is_safe_cast(kept.value.dtype(), type.dtype))) {
    fail_user(kept.value.rank() != type.rank() ? ErrorCode::shape : ErrorCode::dtype, options.name,
              "the default value of " + quoted(kept.name) + " is " + std::string(name_of(kept.value.dtype())) + " " +
                  to_string(kept.value.shape()) + ", but its type is " + type.str(),
              in.variable->origin());
  }
  if (kept.value.dtype() != type.dtype) kept.value = kept.value.cast(type.dtype, type.order);
  else if (!kept.borrow) kept.value = kept.value.copy(type.order);
  return kept;
}

/// The input that an output is, if both are borrowed; -1 if it is computed.
int passed_input(const Expr& value, const OutOptions& out, std::span<const In> inputs) {
  if (!out.borrow) return -1;
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k].variable.same_as(value) && inputs[k].options.borrow) return static_cast<int>(k);
  }
  return -1;
}

Results::Names names_of(std::span<const Out> outputs, const std::string& function) {
  auto names = std::make_shared<std::vector<std::string>>();
  for (const Out& out : outputs) {
    if (out.name.empty() != outputs[0].name.empty()) fail_user(ErrorCode::usage, function, "either all outputs have names or none has");
    if (std::find(names->begin(), names->end(), out.name) != names->end() && !out.name.empty()) {
      fail_user(ErrorCode::usage, function, "two outputs are called " + quoted(out.name));
    }
    names->push_back(out.name);
  }
  if (names->empty() || names->front().empty()) return nullptr;
  return names;
}

codegen::BuildOptions resolved_build(FunctionOptions& options, const FunctionOptions& given) {
  options = given;
  if (!options.mode) options.mode = Mode(config().mode);
  for (const std::string& pass : options.optimizer_excluding) check_pass_name(pass, options.name);
  device_from_name(options.device.empty() ? config().device : options.device);
  return detail::build_options(options);
}

}  // namespace

void detail::complete(FunctionParts& parts) {
  const FunctionOptions& options = parts.options;
  const Mode& mode = *options.mode;
  parts.settings = {.profile = options.profile.value_or(config().profile || mode.name == "ProfileMode"),
                    .allow_gc = options.allow_gc.value_or(config().allow_gc),
                    .strict_borrow = options.strict_borrow.value_or(config().strict_borrow),
                    .threads = options.threads,
                    .memory = options.memory > 0 ? options.memory : config().memory};
  parts.in_dtypes.clear();
  std::vector<char> may_change;
  for (size_t k = 0; k < parts.ins.size(); ++k) {
    parts.in_dtypes.push_back(parts.written.inputs()[k].dtype());
    parts.any_mutable = parts.any_mutable || parts.ins[k].mutable_;
    may_change.push_back(parts.ins[k].mutable_ ? 1 : 0);
  }
  parts.borrowed.clear();
  for (size_t k = 0; k < parts.outs.size(); ++k) {
    if (parts.passed[k] < 0) parts.borrowed.push_back(parts.outs[k].borrow ? 1 : 0);
  }
  parts.borrowed.resize(parts.program_outputs(), 0);
  parts.map_only = maps_only(*parts.compiled.program);
  const bool passes = std::any_of(parts.passed.begin(), parts.passed.end(), [](int input) { return input >= 0; });
  parts.plain = parts.shared.empty() && parts.updated.empty() && !passes;
  if (mode.name == "DebugMode") parts.check = debug_check(options.name, parts.compiled, std::move(may_change));
  if (mode.name == "NanGuardMode") parts.check = nan_guard_check(options.name, parts.compiled, mode.nan_guard);
}

FunctionParts detail::parts_of(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                               std::shared_ptr<CompileLog> log) {
  const TestValuesOff off;
  FunctionParts parts;
  parts.options = options;
  if (!parts.options.mode) parts.options.mode = Mode(config().mode);
  parts.written = graph;
  parts.compiled = compile_graph(graph, parts.options, build, std::move(log));
  for (const Expr& input : graph.inputs()) parts.ins.push_back({.name = input->name()});
  parts.outs.resize(graph.outputs().size());
  parts.passed.assign(graph.outputs().size(), -1);
  return parts;
}

Function detail::compile_with(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                              std::shared_ptr<CompileLog> log) {
  FunctionParts parts = parts_of(graph, options, build, std::move(log));
  complete(parts);
  return FunctionAccess::make(std::move(parts));
}

Function compile(const Graph& graph, const FunctionOptions& given) {
  FunctionOptions options;
  const codegen::BuildOptions build = resolved_build(options, given);
  return detail::compile_with(graph, options, build);
}

Function function(std::vector<In> inputs, std::vector<Out> outputs, const FunctionOptions& given) {
  const TestValuesOff off;
  FunctionOptions options;
  const codegen::BuildOptions build = resolved_build(options, given);
  std::vector<Expr> values;
  for (const In& in : inputs) {
    if (!in.variable || !is_input_leaf(*in.variable)) {
      fail_user(ErrorCode::usage, options.name,
                "an input is not a variable but " + (in.variable ? std::string(in.variable->op().name) : "empty"),
                in.variable ? in.variable->origin() : OriginId{});
    }
  }
  for (const Out& out : outputs) values.push_back(out.value);
  for (const auto& update : options.updates) values.push_back(update.second);
  if (values.empty()) fail_user(ErrorCode::usage, options.name, "there is neither an output nor an update");
  values = substitute(values, options.givens, options.name);
  check_updates(options, std::span(values).subspan(outputs.size()));
  check_unused(options, inputs, values);

  std::vector<Expr> variables, computed;
  std::vector<int> passed;
  for (const In& in : inputs) variables.push_back(in.variable);
  for (size_t k = 0; k < values.size(); ++k) {
    const int from = k < outputs.size() ? passed_input(values[k], outputs[k].options, inputs) : -1;
    if (k < outputs.size()) passed.push_back(from);
    if (from < 0) computed.push_back(values[k]);
  }
  std::vector<std::shared_ptr<const SharedValue>> read;
  for (const Expr& e : topological_order(values)) {
    if (&e->op() == &image_op()) {
      fail_user(ErrorCode::usage, options.name,
                "the expression reads the image " + quoted(e->name()) +
                    ", but functions take arrays: save or evaluate the expression, or put a variable in its place",
                e->origin());
    }
    if (!shared_value_of(*e)) continue;
    variables.push_back(e);
    read.push_back(std::static_pointer_cast<const SharedValue>(e->payload()));
  }
  FunctionParts parts = detail::parts_of(Graph::make(variables, computed), options, build);
  parts.ins.clear();
  parts.outs.clear();
  for (const In& in : inputs) parts.ins.push_back(kept_options(options, in));
  for (const Out& out : outputs) parts.outs.push_back(out.options);
  parts.passed = std::move(passed);
  parts.names = names_of(outputs, options.name);
  parts.shared = std::move(read);
  for (const auto& update : options.updates) parts.updated.push_back(update.first.value());
  detail::complete(parts);
  return FunctionAccess::make(std::move(parts));
}

Array eval(const Expr& value, const std::vector<std::pair<Expr, Array>>& givens) {
  std::vector<In> inputs;
  std::vector<Array> arguments;
  for (const auto& [variable, array] : givens) {
    inputs.emplace_back(variable);
    arguments.push_back(array);
  }
  return function(inputs, {value}, {.name = "eval", .on_unused_input = OnUnusedInput::ignore}).call(arguments)[0];
}

}  // namespace voxloom

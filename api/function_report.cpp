// api/function_report.cpp: what a function tells about itself; its copies.
#include <voxloom/api/function_impl.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/graph/substitute.h>
#include <voxloom/runtime/roofline.h>

#include <algorithm>
#include <cstdio>

namespace voxloom {

Function::Impl::Impl(detail::FunctionParts parts) : FunctionParts(std::move(parts)) {
  profile.function = options.name;
  for (const auto& step : program().steps) profile.steps.push_back({.name = step.name});
}

std::vector<Array> Function::call(std::span<const Array> arguments, const CallOptions& options) const {
  std::vector<Array> outputs(impl_->outs.size());
  if (!options.out.empty()) {
    if (options.out.size() != outputs.size()) {
      fail_user(ErrorCode::usage, name(),
                "has " + std::to_string(outputs.size()) + " outputs, but out has " + std::to_string(options.out.size()));
    }
    std::copy(options.out.begin(), options.out.end(), outputs.begin());
  }
  call_into(arguments, outputs, options);
  return outputs;
}

void Function::call_into(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& options) const {
  detail::with_graph(graph(), [&] { impl_->call(arguments, outputs, options); });
}

std::vector<Array> Function::repeat(int64_t n, std::span<const Array> arguments, const CallOptions& options) const {
  std::vector<Array> outputs(impl_->outs.size());
  if (!options.out.empty() && options.out.size() != outputs.size()) {
    fail_user(ErrorCode::usage, name(),
              "has " + std::to_string(outputs.size()) + " outputs, but out has " + std::to_string(options.out.size()));
  }
  std::copy(options.out.begin(), options.out.end(), outputs.begin());
  detail::with_graph(graph(), [&] { impl_->repeat(n, arguments, outputs, options); });
  return outputs;
}

std::vector<Array> Function::call_named(std::span<const Array> arguments, std::span<const NamedArray> named,
                                        const CallOptions& options) const {
  const std::vector<std::string> names = input_names();
  std::vector<Array> all(arguments.begin(), arguments.end());
  if (all.size() < names.size()) all.resize(names.size());
  for (const auto& [input, array] : named) {
    const auto found = std::find(names.begin(), names.end(), input);
    if (found == names.end()) { fail_user(ErrorCode::usage, name(), "has no input called " + quoted(input) + did_you_mean(input, names)); }
    if (std::count(names.begin(), names.end(), input) > 1) {
      fail_user(ErrorCode::usage, name(), "has several inputs called " + quoted(input) + ": give them by position");
    }
    Array& place = all[static_cast<size_t>(found - names.begin())];
    if (place.defined()) fail_user(ErrorCode::usage, name(), "the argument " + quoted(input) + " is given twice");
    place = array;
  }
  while (all.size() > arguments.size() && !all.back().defined()) all.pop_back();
  return call(all, options);
}

namespace {

MemoryReport memory_of(const Function::Impl& impl, const std::vector<runtime::Layout>& layouts) {
  const int threads = impl.threads_of({});
  return Function::Impl::report(
      runtime::bind(impl.compiled.program, layouts, {.threads = threads, .block = {}, .outputs = {}, .output_aligned = {}}), threads);
}

}  // namespace

MemoryReport Function::memory(std::span<const Array> arguments) const {
  std::vector<Array> all = impl_->prepared(arguments);
  SharedValue::snapshot(impl_->shared, all.data() + impl_->ins.size());
  std::vector<runtime::Layout> layouts;
  for (const Array& a : all) layouts.push_back(runtime::layout_of(a));
  return memory_of(*impl_, layouts);
}

MemoryReport Function::memory(const std::map<std::string, int64_t>& dims) const {
  const DimBindings bindings(dims.begin(), dims.end());
  std::vector<runtime::Layout> layouts;
  for (size_t k = 0; k < impl_->ins.size(); ++k) {
    const Expr& input = graph().inputs()[k];
    Dims shape;
    for (const Dim& d : input.shape()) shape.push_back(d.evaluate(bindings));
    layouts.push_back({input.dtype(), shape, dense_strides(shape, size_of(input.dtype()), input.type().order == Order::F), false});
  }
  for (const auto& s : impl_->shared) layouts.push_back(runtime::layout_of(s->get()));
  return memory_of(*impl_, layouts);
}

const Graph& Function::graph() const { return impl_->compiled.graph; }
const Graph& Function::written() const { return impl_->written; }
const std::string& Function::name() const { return impl_->options.name; }
const Results::Names& Function::output_names() const { return impl_->names; }
size_t Function::outputs() const { return impl_->outs.size(); }

std::vector<std::string> Function::input_names() const {
  std::vector<std::string> names;
  for (const InOptions& in : impl_->ins) names.push_back(in.name);
  return names;
}

std::vector<InOptions> Function::inputs() const {
  std::vector<InOptions> inputs = impl_->ins;
  for (InOptions& in : inputs) in.allow_downcast = in.allow_downcast.value_or(impl_->options.allow_input_downcast);
  return inputs;
}

std::vector<Shared> Function::shared() const {
  std::vector<Shared> variables;
  for (size_t k = impl_->ins.size(); k < impl_->written.inputs().size(); ++k) variables.push_back(shared_of(impl_->written.inputs()[k]));
  for (const auto& [variable, value] : impl_->options.updates) {
    const bool known = std::any_of(variables.begin(), variables.end(), [&](const Shared& s) { return s.value() == variable.value(); });
    if (!known) variables.push_back(variable);
  }
  return variables;
}

const Array& Results::operator[](std::string_view name) const {
  if (names_) {
    const auto found = std::find(names_->begin(), names_->end(), name);
    if (found != names_->end()) return arrays_.at(static_cast<size_t>(found - names_->begin()));
    fail_user(ErrorCode::usage, "results", "no output is called " + quoted(name) + did_you_mean(name, *names_));
  }
  fail_user(ErrorCode::usage, "results", "the outputs have no names, but " + quoted(name) + " is asked for");
}

std::vector<std::string> Function::toposort() const {
  std::vector<std::string> names;
  for (const auto& item : impl_->program().order) {
    if (item.step < 0) continue;
    const auto& step = impl_->program().steps[static_cast<size_t>(item.step)];
    std::string text = step.name + "(";
    bool first = true;
    for (const auto& a : step.accesses) {
      if (a.written || a.part == 1) continue;
      text += (first ? "" : ", ") + impl_->program().slots[static_cast<size_t>(a.slot)].label;
      first = false;
    }
    names.push_back(text + ")");
  }
  return names;
}

void Plan::print() const { std::fputs(text.c_str(), stdout); }

namespace {

/// What calls may do with memory, one line each.
std::string memory_text(const Function::Impl& f) {
  std::string text;
  for (size_t k = 0; k < f.outs.size(); ++k) {
    const std::string output = "  output " + std::to_string(k);
    if (f.passed[k] >= 0) text += output + " is the argument " + f.ins[static_cast<size_t>(f.passed[k])].name + " itself\n";
    else if (f.outs[k].borrow) text += output + " is borrowed: its buffer is written again when nobody holds it\n";
  }
  for (const InOptions& in : f.ins) {
    if (in.mutable_ && f.map_only && f.borrowed[0])
      text += "  output 0 is written over the argument " + in.name +
              " if they look the same; it gets a buffer of its own where the argument shares memory with another one\n";
  }
  for (const auto& [variable, value] : f.options.updates) text += "  " + variable.name() + " is replaced when a call is done\n";
  return text;
}

}  // namespace

Plan Function::plan(const ExplainOptions& options) const {
  const std::string memory = memory_text(*impl_);
  return {detail::plan_text(impl_->program()) + (memory.empty() ? "" : "memory\n" + memory) +
          (options.kernels ? "\n" + detail::kernels_text(impl_->program()) : "")};
}

std::string Function::explain(const ExplainOptions& options) const {
  const std::string memory = memory_text(*impl_);
  return detail::explain_text(impl_->compiled, options) + (memory.empty() ? "" : "\nmemory\n" + memory);
}

Profile Function::profile() const {
  Profile p;
  {
    const std::lock_guard guard(impl_->profile_mutex);
    p = impl_->profile;
  }
  const int64_t held = impl_->held_buffers.load(), overlapping = impl_->overlapping_arguments.load();
  if (held > 0) p.counters.emplace_back("borrowed outputs in a new buffer because the old one was held", held);
  if (overlapping > 0) p.counters.emplace_back("mutable arguments kept because they share memory with another", overlapping);
  impl_->compiled.log->fill(p);
  p.roofline = measure_roofline();
  return p;
}

namespace {

/// The function with other shared variables, or without its updates, compiled anew.
detail::FunctionParts rebuilt(const detail::FunctionParts& from, const FunctionCopyOptions& how) {
  std::vector<Expr> inputs(from.written.inputs().begin(), from.written.inputs().end());
  std::vector<Expr> outputs(from.written.outputs().begin(), from.written.outputs().end());
  Updates updates = how.delete_updates ? Updates{} : from.options.updates;
  if (how.delete_updates) outputs.resize(outputs.size() - from.updated.size());
  std::vector<Replacement> replacements;
  for (const auto& [old_one, new_one] : how.swap) {
    bool found = false;
    for (size_t k = from.ins.size(); k < inputs.size(); ++k) {
      if (shared_of(inputs[k]).value() != old_one.value()) continue;
      replacements.emplace_back(inputs[k], new_one.expr());
      inputs[k] = new_one.expr();
      found = true;
    }
    for (auto& update : updates) {
      if (update.first.value() != old_one.value()) continue;
      update.first = new_one;
      found = true;
    }
    if (!found) fail_user(ErrorCode::usage, "copy", "the function uses no shared variable " + quoted(old_one.name()));
  }
  outputs = substitute(outputs, replacements, "copy");
  FunctionOptions options = from.options;
  options.updates = updates;
  options.givens = {};
  // A variable that only updates read is an argument no longer.
  std::vector<Expr> used;
  for (const Expr& e : topological_order(outputs)) {
    if (shared_value_of(*e)) used.push_back(e);
  }
  inputs.resize(from.ins.size());
  inputs.insert(inputs.end(), used.begin(), used.end());
  detail::FunctionParts parts = detail::parts_of(Graph::make(inputs, outputs), options, from.compiled.build);
  parts.ins = from.ins;
  parts.outs = from.outs;
  parts.passed = from.passed;
  parts.names = from.names;
  for (const Expr& e : used) parts.shared.push_back(std::static_pointer_cast<const SharedValue>(e->payload()));
  for (const auto& update : updates) parts.updated.push_back(update.first.value());
  detail::complete(parts);
  return parts;
}

}  // namespace

Function Function::copy(const FunctionCopyOptions& how) const {
  const bool other_program = how.delete_updates || !how.swap.empty();
  if (other_program && how.share_memory) {
    fail_user(ErrorCode::usage, "copy", "share_memory cannot go with swap or delete_updates, which make another program");
  }
  detail::FunctionParts parts = other_program ? rebuilt(*impl_, how) : static_cast<const detail::FunctionParts&>(*impl_);
  if (!how.name.empty()) parts.options.name = how.name;
  auto impl = std::make_shared<Impl>(std::move(parts));
  if (how.share_memory) impl->contexts = impl_->contexts;
  return Function(impl);
}

}  // namespace voxloom

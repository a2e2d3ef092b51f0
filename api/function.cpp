// api/function.cpp: calls: layouts, contexts, outputs, aliases.
#include <voxloom/api/function.h>

#include <voxloom/api/pipeline.h>
#include <voxloom/graph/error.h>
#include <voxloom/runtime/executor.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/roofline.h>
#include <voxloom/runtime/spin_lock.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <mutex>

namespace voxloom {
namespace {

constexpr size_t inline_arrays = 32;

int thread_count(const CallOptions& options) {
  if (options.threads > 0) return options.threads;
  if (config().threads > 0) return config().threads;
  static const int machine = default_threads();
  return machine;
}

bool fits(const runtime::Layout& layout, const Array& array) {
  return layout.dtype == array.dtype() && layout.swapped == array.swapped() && layout.shape == array.shape() &&
         layout.strides == array.strides();
}

bool is_aligned(const Array& a) { return reinterpret_cast<uintptr_t>(a.raw()) % 64 == 0; }

/// What one call at a time uses: sizes and memory of the last call, kept for the next one like it.
struct Context {
  runtime::Binding binding;
  runtime::Workspace workspace;
  std::vector<Array> borrowed;
  bool bound = false, dense_outputs = true, aligned_outputs = true;
  int threads = 0;
};

}  // namespace

Config& config() {
  static auto* const instance = new Config;  // outlives every function
  return *instance;
}

namespace {

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

}  // namespace

struct Function::Impl {
  detail::Compiled compiled;
  FunctionOptions options;
  std::vector<OutOptions> outs;
  std::vector<char> mutable_inputs;
  size_t own_inputs = 0, own_outputs = 0;                  // of the user; shared variables and updates follow them
  std::vector<std::shared_ptr<const SharedValue>> shared;  // read by the function, one argument each
  std::vector<std::shared_ptr<SharedValue>> updated;       // one output each
  bool map_only = true;                                    // the output may lie on an argument, element by element: see maps_only()

  detail::SpinLock lock;
  std::vector<std::unique_ptr<Context>> idle;
  std::mutex profile_mutex;
  Profile profile;

  std::unique_ptr<Context> lease() {
    const std::lock_guard guard(lock);
    if (idle.empty()) return std::make_unique<Context>();
    auto context = std::move(idle.back());
    idle.pop_back();
    return context;
  }
  void give_back(std::unique_ptr<Context> context) {
    const std::lock_guard guard(lock);
    if (idle.size() < 64) idle.push_back(std::move(context));
  }

  const runtime::Program& program() const { return *compiled.program; }

  void rebind(Context& context, std::span<const Array> arguments, std::span<const Array> outputs, int threads) const {
    std::vector<runtime::Layout> layouts;
    for (const Array& a : arguments) layouts.push_back(runtime::layout_of(a));
    runtime::BindOptions bind_options{.threads = threads, .block = {}, .outputs = {}, .output_aligned = {}};
    context.bound = false;
    context.binding = runtime::bind(compiled.program, layouts, bind_options);
    context.dense_outputs = context.aligned_outputs = true;
    bool given = false;
    for (const Array& out : outputs) given = given || out.defined();
    if (given) {
      std::vector<runtime::Layout> wanted;
      for (size_t k = 0; k < outputs.size(); ++k) {
        wanted.push_back(outputs[k].defined() ? runtime::layout_of(outputs[k]) : context.binding.outputs[k]);
        context.dense_outputs = context.dense_outputs && wanted.back() == context.binding.outputs[k];
        bind_options.output_aligned.push_back(!outputs[k].defined() || is_aligned(outputs[k]));
        context.aligned_outputs = context.aligned_outputs && bind_options.output_aligned.back();
      }
      bind_options.outputs = wanted;
      context.binding = runtime::bind(compiled.program, layouts, bind_options);
    }
    context.threads = threads;
    context.bound = true;
  }

  static bool still_fits(const Context& context, std::span<const Array> arguments, std::span<const Array> outputs, int threads) {
    if (!context.bound || context.threads != threads || context.binding.arguments.size() != arguments.size()) return false;
    for (size_t k = 0; k < arguments.size(); ++k) {
      if (!fits(context.binding.arguments[k], arguments[k])) return false;
    }
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined()) {
        if (!context.dense_outputs) return false;  // a fresh one would not have the layout that was bound for another call's out=
        continue;
      }
      if (!fits(context.binding.outputs[k], outputs[k]) || (context.aligned_outputs && !is_aligned(outputs[k]))) return false;
    }
    return true;
  }

  Array fresh_output(Context& context, size_t k) const {
    const runtime::Layout& layout = context.binding.outputs[k];
    const Order order = program().slots[static_cast<size_t>(program().output_slots[k])].type.order;
    if (!outs[k].borrow) return Array::empty(layout.shape, layout.dtype, order);
    context.borrowed.resize(outs.size());
    Array& kept = context.borrowed[k];
    if (!kept.defined() || !kept.buffer().unique() || kept.shape() != layout.shape) kept = Array::empty(layout.shape, layout.dtype, order);
    return kept;
  }

  // An output given by the caller that shares bytes with an argument or another output.
  bool needs_copy(std::span<const Array> arguments, const Array& out) const {
    for (const Array& a : arguments) {
      if (!may_overlap(a, out)) continue;
      const bool same = a.raw() == out.raw() && a.strides() == out.strides() && a.shape() == out.shape() && a.dtype() == out.dtype();
      if (!same || !map_only) return true;
    }
    return false;
  }

  void check_outputs(std::span<const Array> outputs) const {
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined()) continue;
      if (outputs[k].read_only()) fail_user(ErrorCode::usage, options.name, "out[" + std::to_string(k) + "] is read-only");
      for (size_t j = 0; j < k; ++j) {
        if (outputs[j].defined() && may_overlap(outputs[j], outputs[k])) {
          fail_user(ErrorCode::usage, options.name, "out[" + std::to_string(j) + "] and out[" + std::to_string(k) + "] share memory");
        }
      }
    }
  }

  void call(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options) {
    if (outputs.size() != own_outputs) {
      fail_user(ErrorCode::usage, options.name,
                "has " + std::to_string(own_outputs) + " outputs, but " + std::to_string(outputs.size()) + " were asked for");
    }
    for (const Array& a : arguments) {
      if (!a.defined()) fail_user(ErrorCode::usage, options.name, "an argument is an empty Array");
    }
    if (shared.empty() && updated.empty()) {
      call_program(arguments, outputs, call_options);
      return;
    }
    if (arguments.size() != own_inputs) {
      fail_user(ErrorCode::usage, options.name,
                "takes " + std::to_string(own_inputs) + " arguments, but " + std::to_string(arguments.size()) + " were given");
    }
    // Calls that update the same variables follow one another; the order of locking is the order of addresses.
    std::vector<std::unique_lock<std::mutex>> locks;
    std::vector<SharedValue*> ordered;
    for (const auto& s : updated) ordered.push_back(s.get());
    std::sort(ordered.begin(), ordered.end(), std::less<>());
    for (SharedValue* s : ordered) locks.emplace_back(s->update_mutex());
    std::vector<Array> all(arguments.begin(), arguments.end()), results(outputs.begin(), outputs.end());
    for (const auto& s : shared) all.push_back(s->get());
    results.resize(outputs.size() + updated.size());
    call_program(all, results, call_options);
    // All or nothing: everything has been computed, and a swap cannot fail.
    for (size_t k = 0; k < updated.size(); ++k) updated[k]->set(results[outputs.size() + k]);
    std::copy_n(results.begin(), outputs.size(), outputs.begin());
  }

  // A borrowed output may be written over a mutable argument that looks the same, where every kernel only maps.
  void write_over_arguments(std::span<const Array> arguments, std::span<Array> outputs) const {
    if (!map_only || std::count(mutable_inputs.begin(), mutable_inputs.end(), 1) == 0) return;
    std::vector<char> taken(arguments.size(), 0);
    for (size_t k = 0; k < outputs.size() && k < outs.size(); ++k) {
      const Type& type = program().slots[static_cast<size_t>(program().output_slots[k])].type;
      for (size_t j = 0; j < arguments.size() && j < mutable_inputs.size(); ++j) {
        const Array& a = arguments[j];
        const bool dense = type.order == Order::C ? a.is_c_contiguous() : a.is_f_contiguous();
        const bool fits_type = program().slots[static_cast<size_t>(program().argument_slots[j])].type.shape == type.shape;
        if (outputs[k].defined() || !outs[k].borrow || !mutable_inputs[j] || taken[j] || !dense || !fits_type || a.swapped() ||
            a.read_only() || a.dtype() != type.dtype)
          continue;
        outputs[k] = a;
        taken[j] = 1;
      }
    }
  }

  void call_program(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options) {
    write_over_arguments(arguments, outputs);
    auto context = lease();
    const int threads = thread_count(call_options);
    std::array<Array, inline_arrays> temporaries;  // results that are copied to their place afterwards
    bool given = false, copied = false;
    for (const Array& out : outputs) given = given || out.defined();
    if (given) {
      check_outputs(outputs);
      internal_check(outputs.size() <= inline_arrays, "call: more than 32 outputs with out=");
      for (size_t k = 0; k < outputs.size(); ++k) {
        if (outputs[k].defined() && needs_copy(arguments, outputs[k])) {
          temporaries[k] = outputs[k];
          outputs[k] = Array();
          copied = true;
        }
      }
    }
    if (!still_fits(*context, arguments, outputs, threads)) rebind(*context, arguments, outputs, threads);
    if (call_options.memory > 0) check_budget(context->binding, threads, call_options.memory);
    context->workspace.reserve(context->binding, threads);
    execute(*context, arguments, outputs, call_options, threads);
    if (copied) {
      for (size_t k = 0; k < outputs.size(); ++k) {
        if (!temporaries[k].defined()) continue;
        temporaries[k].assign(outputs[k]);
        outputs[k] = temporaries[k];
      }
    }
    give_back(std::move(context));
  }

  static MemoryReport report(const runtime::Binding& binding, int threads) {
    MemoryReport r;
    for (const runtime::Layout& l : binding.outputs) r.outputs += l.shape.product() * static_cast<int64_t>(size_of(l.dtype));
    r.temporaries = binding.arena_bytes + binding.state_bytes;
    r.scratch = static_cast<int64_t>(binding.scratch_bytes) * threads;
    return r;
  }

  void check_budget(const runtime::Binding& binding, int threads, int64_t budget) const {
    const int64_t peak = report(binding, threads).peak();
    if (peak > budget) {
      fail_runtime(ErrorCode::limit, options.name,
                   "needs " + format_size(peak) + " for results and temporaries, but the limit is " + format_size(budget));
    }
  }

  void execute(Context& context, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options, int threads) {
    std::array<std::byte*, 2 * inline_arrays> pointers;
    std::vector<std::byte*> many;
    std::byte** in = pointers.data();
    if (arguments.size() + outputs.size() > pointers.size()) {
      many.resize(arguments.size() + outputs.size());
      in = many.data();
    }
    std::byte** out = in + arguments.size();
    for (size_t k = 0; k < arguments.size(); ++k) in[k] = arguments[k].raw();
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined()) outputs[k] = fresh_output(context, k);
      out[k] = outputs[k].raw();
    }
    runtime::RunOptions run_options{
        .threads = threads, .cancel = call_options.cancel, .block = {}, .after_stream = false, .observer = nullptr};
    if (call_options.progress && !options.profile) {
      size_t done = 0;
      const runtime::StepObserver report = [&](const runtime::StepRun&) {
        call_options.progress(static_cast<double>(++done) / static_cast<double>(program().steps.size()));
      };
      run_options.observer = &report;
      runtime::run(context.binding, in, out, context.workspace, run_options);
      return;
    }
    if (!options.profile) {
      runtime::run(context.binding, in, out, context.workspace, run_options);
      return;
    }
    run_profiled(context, in, out, run_options);
  }

  void run_profiled(Context& context, std::byte** in, std::byte** out, runtime::RunOptions& run_options) {
    const runtime::StepObserver observer = [&](const runtime::StepRun& run) {
      const std::lock_guard guard(profile_mutex);
      detail::add_run(profile.steps[run.step], run, context.binding);
    };
    run_options.observer = &observer;
    const auto start = std::chrono::steady_clock::now();
    runtime::run(context.binding, in, out, context.workspace, run_options);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::lock_guard guard(profile_mutex);
    ++profile.calls;
    profile.seconds += seconds;
    profile.threads = run_options.threads;
    profile.peak_planned = std::max(profile.peak_planned, report(context.binding, run_options.threads).peak());
  }
};

std::vector<Array> Function::call(std::span<const Array> arguments, const CallOptions& options) const {
  std::vector<Array> outputs(impl_->own_outputs);
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

MemoryReport Function::memory(std::span<const Array> arguments) const {
  std::vector<runtime::Layout> layouts;
  for (const Array& a : arguments) layouts.push_back(runtime::layout_of(a));
  const int threads = thread_count({});
  return Impl::report(
      runtime::bind(impl_->compiled.program, layouts, {.threads = threads, .block = {}, .outputs = {}, .output_aligned = {}}), threads);
}

MemoryReport Function::memory(const std::map<std::string, int64_t>& dims) const {
  DimBindings bindings(dims.begin(), dims.end());
  std::vector<runtime::Layout> layouts;
  for (const Expr& input : graph().inputs()) {
    Dims shape;
    for (const Dim& d : input.shape()) shape.push_back(d.evaluate(bindings));
    layouts.push_back({input.dtype(), shape, dense_strides(shape, size_of(input.dtype()), input.type().order == Order::F), false});
  }
  const int threads = thread_count({});
  return Impl::report(
      runtime::bind(impl_->compiled.program, layouts, {.threads = threads, .block = {}, .outputs = {}, .output_aligned = {}}), threads);
}

const Graph& Function::graph() const { return impl_->compiled.graph; }
const std::string& Function::name() const { return impl_->options.name; }

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

Plan Function::plan(const ExplainOptions& options) const {
  return {detail::plan_text(impl_->program()) + (options.kernels ? "\n" + detail::kernels_text(impl_->program()) : "")};
}

std::string Function::explain(const ExplainOptions& options) const { return detail::explain_text(impl_->compiled, options); }

Profile Function::profile() const {
  const std::lock_guard guard(impl_->profile_mutex);
  Profile p = impl_->profile;
  impl_->compiled.log->fill(p);
  p.roofline = measure_roofline();
  return p;
}

Function detail::compile_with(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                              std::shared_ptr<CompileLog> log) {
  auto impl = std::make_shared<Function::Impl>();
  impl->options = options;
  impl->compiled = compile_graph(graph, options, build, std::move(log));
  impl->outs.resize(graph.outputs().size());
  impl->own_outputs = graph.outputs().size();
  impl->own_inputs = graph.inputs().size();
  const runtime::Program& program = impl->program();
  impl->map_only = maps_only(program);
  impl->profile.function = options.name;
  for (const auto& step : program.steps) impl->profile.steps.push_back({.name = step.name});
  return Function(impl);
}

Function compile(const Graph& graph, const FunctionOptions& options) {
  return detail::compile_with(graph, options, detail::build_options(options));
}

Function function(std::vector<In> inputs, std::vector<Out> outputs, const FunctionOptions& options) {
  std::vector<Expr> variables, values;
  for (const In& in : inputs) variables.push_back(in.variable);
  for (const Out& out : outputs) values.push_back(out.value);
  for (const auto& [variable, value] : options.updates) {
    if (value.dtype() != variable.expr().dtype() || value.rank() != variable.expr().rank()) {
      fail_user(ErrorCode::dtype, options.name,
                "the update of " + variable.expr()->name() + " is " + value.type().str() + ", but the variable is " +
                    variable.expr().type().str(),
                value->origin());
    }
    values.push_back(value);
  }
  std::vector<std::shared_ptr<const SharedValue>> read;
  for (const Expr& e : topological_order(values)) {
    if (!shared_value_of(*e)) continue;
    variables.push_back(e);
    read.push_back(std::static_pointer_cast<const SharedValue>(e->payload()));
  }
  Function f = compile(Graph::make(variables, values), options);
  f.set_options(inputs, outputs);
  f.impl_->shared = read;
  for (const auto& [variable, value] : options.updates) {
    f.impl_->updated.push_back(
        std::const_pointer_cast<SharedValue>(std::static_pointer_cast<const SharedValue>(variable.expr()->payload())));
  }
  return f;
}

void Function::set_options(const std::vector<In>& inputs, const std::vector<Out>& outputs) {
  impl_->own_inputs = inputs.size();
  impl_->own_outputs = outputs.size();
  for (const In& in : inputs) impl_->mutable_inputs.push_back(in.options.mutable_ ? 1 : 0);
  for (size_t k = 0; k < outputs.size(); ++k) impl_->outs[k] = outputs[k].options;
}

}  // namespace voxloom

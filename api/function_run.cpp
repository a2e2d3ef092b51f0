// api/function_run.cpp: one run of a function's program: layouts, outputs, aliases.
#include <voxloom/api/function_impl.h>

#include <voxloom/graph/error.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace voxloom {
namespace {

using detail::Context;

constexpr size_t inline_arrays = 32;

bool fits(const runtime::Layout& layout, const Array& array) {
  return layout.dtype == array.dtype() && layout.swapped == array.swapped() && layout.shape == array.shape() &&
         layout.strides == array.strides();
}

bool is_aligned(const Array& a) { return reinterpret_cast<uintptr_t>(a.raw()) % 64 == 0; }

bool still_fits(const Context& context, std::span<const Array> arguments, std::span<const Array> outputs, int threads) {
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

}  // namespace

int Function::Impl::threads_of(const CallOptions& call_options) const {
  if (call_options.threads > 0) return call_options.threads;
  if (settings.threads > 0) return settings.threads;
  if (const int wanted = config().threads; wanted > 0) return wanted;
  static const int machine = default_threads();
  return machine;
}

void Function::Impl::rebind(Context& context, std::span<const Array> arguments, std::span<const Array> outputs, int threads) const {
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

Array Function::Impl::fresh_output(Context& context, size_t k) {
  const runtime::Layout& layout = context.binding.outputs[k];
  const Order order = program().slots[static_cast<size_t>(program().output_slots[k])].type.order;
  if (!borrowed[k]) return Array::empty(layout.shape, layout.dtype, order);
  context.borrowed.resize(borrowed.size());
  Array& kept = context.borrowed[k];
  if (kept.defined() && kept.shape() == layout.shape) {
    if (kept.buffer().unique()) return kept;
    if (settings.strict_borrow) {
      fail_user(ErrorCode::usage, options.name,
                "output " + std::to_string(k) +
                    " is borrowed and the result of an earlier call is still held; let go of it, copy it, or make the output an owned one");
    }
    held_buffers.fetch_add(1, std::memory_order_relaxed);
  }
  kept = Array::empty(layout.shape, layout.dtype, order);
  return kept;
}

// An output given by the caller that shares bytes with an argument or another output.
bool Function::Impl::needs_copy(std::span<const Array> arguments, const Array& out) const {
  for (const Array& a : arguments) {
    if (!may_overlap(a, out)) continue;
    const bool same = a.raw() == out.raw() && a.strides() == out.strides() && a.shape() == out.shape() && a.dtype() == out.dtype();
    if (!same || !map_only) return true;
  }
  return false;
}

void Function::Impl::check_outputs(std::span<const Array> outputs) const {
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

bool Function::Impl::shares_memory(std::span<const Array> arguments, std::span<const Array> outputs, size_t argument) const {
  for (const Array& out : outputs) {
    if (out.defined() && may_overlap(out, arguments[argument])) return true;
  }
  for (size_t j = 0; j < arguments.size(); ++j) {
    if (j != argument && may_overlap(arguments[j], arguments[argument])) return true;
  }
  return false;
}

// A borrowed output may be written over a mutable argument that looks the same, where every kernel only maps. Bytes that another argument
// (or a shared variable) sees too stay as they are: the output gets a buffer of its own.
void Function::Impl::write_over_arguments(std::span<const Array> arguments, std::span<Array> outputs) {
  if (!map_only || !borrowed[0] || outputs[0].defined()) return;
  const Type& type = program().slots[static_cast<size_t>(program().output_slots[0])].type;
  for (size_t j = 0; j < ins.size(); ++j) {
    const Array& a = arguments[j];
    const bool dense = type.order == Order::C ? a.is_c_contiguous() : a.is_f_contiguous();
    const bool fits_type = program().slots[static_cast<size_t>(program().argument_slots[j])].type.shape == type.shape;
    if (!ins[j].mutable_ || !dense || !fits_type || a.swapped() || a.read_only() || a.dtype() != type.dtype) continue;
    if (shares_memory(arguments, outputs, j)) {
      if (settings.strict_borrow) {
        fail_user(ErrorCode::usage, options.name,
                  "the mutable argument " + label(j) + " shares memory with another argument and cannot be written over");
      }
      overlapping_arguments.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    outputs[0] = a;
    return;
  }
}

MemoryReport Function::Impl::report(const runtime::Binding& binding, int threads) {
  MemoryReport r;
  for (const runtime::Layout& l : binding.outputs) r.outputs += l.shape.product() * static_cast<int64_t>(size_of(l.dtype));
  r.temporaries = binding.arena_bytes + binding.state_bytes;
  r.scratch = static_cast<int64_t>(binding.scratch_bytes) * threads;
  return r;
}

void Function::Impl::check_budget(const runtime::Binding& binding, int threads, int64_t budget) const {
  const int64_t peak = report(binding, threads).peak();
  if (peak > budget) {
    fail_runtime(ErrorCode::limit, options.name,
                 "needs " + format_size(peak) + " for results and temporaries, but the limit is " + format_size(budget));
  }
}

void Function::Impl::run(Context& context, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options,
                         bool may_overwrite) {
  if (any_mutable && may_overwrite) write_over_arguments(arguments, outputs);
  const int threads = threads_of(call_options);
  std::vector<Array> places;  // of results that are computed elsewhere and copied there afterwards
  bool given = false;
  for (const Array& out : outputs) given = given || out.defined();
  if (given) {
    check_outputs(outputs);
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (!outputs[k].defined() || !needs_copy(arguments, outputs[k])) continue;
      places.resize(outputs.size());
      places[k] = std::exchange(outputs[k], Array());
    }
  }
  if (!still_fits(context, arguments, outputs, threads)) rebind(context, arguments, outputs, threads);
  if (const int64_t limit = call_options.memory > 0 ? call_options.memory : settings.memory; limit > 0) {
    check_budget(context.binding, threads, limit);
  }
  context.workspace.reserve(context.binding, threads);
  execute(context, arguments, outputs, call_options, threads);
  if (settings.allow_gc) context.workspace.release();
  for (size_t k = 0; k < places.size(); ++k) {
    if (!places[k].defined()) continue;
    places[k].assign(outputs[k]);
    outputs[k] = places[k];
  }
}

void Function::Impl::execute(Context& context, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options,
                             int threads) {
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
      .threads = threads, .cancel = call_options.cancel, .block = {}, .after_stream = false, .observer = nullptr, .inspector = nullptr};
  runtime::StepObserver observer;
  size_t done = 0;
  if (settings.profile || call_options.progress) {
    observer = [&](const runtime::StepRun& run) {
      if (settings.profile) record(context, run);
      if (call_options.progress) call_options.progress(static_cast<double>(++done) / static_cast<double>(program().steps.size()));
    };
    run_options.observer = &observer;
  }
  if (settings.profile || check) return run_watched(context, arguments, outputs, in, run_options);
  runtime::run(context.binding, in, out, context.workspace, run_options);
}

void Function::Impl::run_watched(Context& context, std::span<const Array> arguments, std::span<Array> outputs, std::byte** in,
                                 runtime::RunOptions& run_options) {
  const auto call_check = check ? check->start(arguments) : nullptr;
  const runtime::SlotInspector inspector = [&](size_t item, std::byte* const* bases) { call_check->after(item, context.binding, bases); };
  if (call_check) run_options.inspector = &inspector;
  const auto start = std::chrono::steady_clock::now();
  runtime::run(context.binding, in, in + arguments.size(), context.workspace, run_options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (call_check) call_check->finish(arguments, outputs);
  if (!settings.profile) return;
  const std::lock_guard guard(profile_mutex);
  ++profile.calls;
  profile.seconds += seconds;
  profile.threads = run_options.threads;
  profile.peak_planned = std::max(profile.peak_planned, report(context.binding, run_options.threads).peak());
}

void Function::Impl::record(const Context& context, const runtime::StepRun& run) {
  const std::lock_guard guard(profile_mutex);
  detail::add_run(profile.steps[run.step], run, context.binding);
}

}  // namespace voxloom

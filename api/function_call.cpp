// api/function_call.cpp: calls: arguments by position, name and default; shared variables, their updates, and repeated steps.
#include <voxloom/api/function_impl.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/safe_cast.h>

#include <algorithm>
#include <functional>

namespace voxloom {

detail::UpdateLocks::UpdateLocks(std::span<const std::shared_ptr<SharedValue>> updated) {
  std::vector<SharedValue*> ordered;
  for (const auto& s : updated) ordered.push_back(s.get());
  std::sort(ordered.begin(), ordered.end(), std::less<>());  // one order for all functions: none waits for another in a circle
  for (SharedValue* s : ordered) locks_.emplace_back(s->update_mutex());
}

std::string Function::Impl::label(size_t input) const {
  const std::string& name = ins[input].name;
  return "argument " + std::to_string(input) + (name.empty() ? "" : " (" + name + ")");
}

Array Function::Impl::convert(size_t k, const Array& argument) const {
  const DType wanted = in_dtypes[k];
  if (argument.dtype() == wanted) return argument;
  const InOptions& in = ins[k];
  const bool down = in.allow_downcast.value_or(options.allow_input_downcast) && (is_complex(wanted) || !is_complex(argument.dtype()));
  const Expr& variable = written.inputs()[k];
  if (!in.strict && (down || is_safe_cast(argument.dtype(), wanted))) return argument.cast(wanted, variable.type().order);
  const std::string have(name_of(argument.dtype())), want(name_of(wanted));
  std::string text = label(k) + " is " + have + ", but its type is " + variable.type().str();
  if (in.strict) text += " and strict";
  fail_user(ErrorCode::dtype, options.name,
            text + ": convert it with cast(" + want +
                "), let the function convert it with allow_input_downcast=True, or declare the input as " + have +
                " (dtype, or floatX in the configuration)",
            variable->origin());
}

std::vector<Array> Function::Impl::prepared(std::span<const Array> arguments) const {
  const size_t n = ins.size();
  if (arguments.size() > n) {
    fail_user(ErrorCode::usage, options.name,
              "takes " + std::to_string(n) + " arguments, but " + std::to_string(arguments.size()) + " were given");
  }
  std::vector<Array> all;
  all.reserve(n + shared.size());
  for (size_t k = 0; k < n; ++k) {
    const bool given = k < arguments.size();
    if (given && arguments[k].defined()) {
      all.push_back(convert(k, arguments[k]));
    } else if (ins[k].value.defined()) {
      all.push_back(ins[k].mutable_ ? ins[k].value.copy(written.inputs()[k].type().order) : ins[k].value.as_read_only());
    } else if (given) {
      fail_user(ErrorCode::usage, options.name, label(k) + " is an empty Array and has no default value");
    } else {
      fail_user(ErrorCode::usage, options.name,
                "takes " + std::to_string(n) + " arguments, but " + std::to_string(arguments.size()) + " were given, and " + label(k) +
                    " has no default value");
    }
  }
  all.resize(n + shared.size());
  return all;
}

void Function::Impl::call(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options) {
  if (outputs.size() != outs.size()) {
    fail_user(ErrorCode::usage, options.name,
              "has " + std::to_string(outs.size()) + " outputs, but " + std::to_string(outputs.size()) + " were asked for");
  }
  bool ready = plain && arguments.size() == ins.size();
  for (size_t k = 0; ready && k < arguments.size(); ++k) ready = arguments[k].defined() && arguments[k].dtype() == in_dtypes[k];
  if (!ready) return call_with_state(arguments, outputs, call_options);
  detail::Lease context(*contexts);
  run(*context, arguments, outputs, call_options, true);
}

namespace {

/// Outputs that the program computes, with room for the updates.
std::vector<Array> program_results(const detail::FunctionParts& parts, std::span<const Array> outputs) {
  std::vector<Array> results;
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (parts.passed[k] < 0) results.push_back(outputs[k]);
  }
  results.resize(parts.program_outputs());
  return results;
}

void hand_out(const detail::FunctionParts& parts, std::span<const Array> arguments, std::span<const Array> results,
              std::span<Array> outputs) {
  size_t at = 0;
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (parts.passed[k] < 0) {
      outputs[k] = results[at++];
      continue;
    }
    const Array& argument = arguments[static_cast<size_t>(parts.passed[k])];
    if (outputs[k].defined()) outputs[k].assign(argument);
    else outputs[k] = argument;
  }
}

/// The updates of repeated steps. Two buffers per variable take turns: the value that a commit gives back is written again if the step
/// before committed it and nobody else holds it. The first value, which may be the user's memory, never is.
class StepBuffers {
 public:
  explicit StepBuffers(std::span<const std::shared_ptr<SharedValue>> updated)
      : updated_(updated), committed_(updated.size(), nullptr), shapes_(updated.size()) {}

  /// Commits, and leaves in `values` the buffers that the next step may write. False: sizes change, nothing may be kept.
  bool commit(std::span<Array> values) {
    const std::vector<const std::byte*> before = committed_;
    for (size_t k = 0; k < values.size(); ++k) {
      shapes_[k] = values[k].shape();
      committed_[k] = values[k].raw();
    }
    SharedValue::commit(updated_, values.data());
    bool steady = true;
    for (size_t k = 0; k < values.size(); ++k) steady = steady && values[k].shape() == shapes_[k];
    for (size_t k = 0; k < values.size(); ++k) {
      if (!steady || values[k].raw() != before[k] || !values[k].buffer().unique()) values[k] = Array();
    }
    return steady;
  }

 private:
  std::span<const std::shared_ptr<SharedValue>> updated_;
  std::vector<const std::byte*> committed_;
  std::vector<Dims> shapes_;
};

}  // namespace

void Function::Impl::call_with_state(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options) {
  std::vector<Array> all = prepared(arguments);
  const detail::UpdateLocks locks(updated);
  SharedValue::snapshot(shared, all.data() + ins.size());
  std::vector<Array> results = program_results(*this, outputs);
  {
    detail::Lease context(*contexts);
    run(*context, all, results, call_options, true);
  }
  hand_out(*this, all, results, outputs);
  // All or nothing: everything has been computed, and a swap cannot fail.
  SharedValue::commit(updated, results.data() + (results.size() - updated.size()));
}

void Function::Impl::repeat(int64_t n, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options) {
  if (n < 1) fail_user(ErrorCode::usage, options.name, "repeat needs at least 1 step, not " + std::to_string(n));
  std::vector<Array> all = prepared(arguments);
  const detail::UpdateLocks locks(updated);
  const std::vector<Array> places = program_results(*this, outputs);
  std::vector<Array> results = places;
  const std::span<Array> updates = std::span(results).last(updated.size());
  StepBuffers buffers(updated);
  CallOptions step_options = call_options;
  step_options.progress = {};
  detail::Lease context(*contexts);
  for (int64_t step = 0; step < n; ++step) {
    voxloom::check(call_options.cancel, options.name);
    SharedValue::snapshot(shared, all.data() + ins.size());
    run(*context, all, results, step_options, false);
    for (size_t k = ins.size(); k < all.size(); ++k) all[k] = Array();  // so that a buffer that a commit gives back is known to be free
    const bool steady = buffers.commit(updates);
    if (!steady && step + 1 < n) std::copy_n(places.begin(), places.size() - updates.size(), results.begin());
    if (call_options.progress) call_options.progress(static_cast<double>(step + 1) / static_cast<double>(n));
  }
  hand_out(*this, all, results, outputs);
}

}  // namespace voxloom

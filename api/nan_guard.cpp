// api/nan_guard.cpp: every value of a call looked through for NaN, infinity and big numbers (NanGuardMode).
#include <voxloom/api/checks.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/runtime/log.h>

#include <cmath>

namespace voxloom::detail {
namespace {

template <class T> std::string bad_part(const Array& array, const NanGuard& guard) {
  const Array dense = array.copy();
  const auto* values = reinterpret_cast<const T*>(dense.raw());
  const int64_t parts = is_complex(array.dtype()) ? 2 : 1;
  for (int64_t k = 0; k < dense.size() * parts; ++k) {
    const auto v = static_cast<double>(values[k]);
    std::string what;
    if (guard.nan && std::isnan(v)) what = "nan";
    else if (guard.inf && std::isinf(v)) what = v > 0 ? "inf" : "-inf";
    else if (guard.big > 0 && std::isfinite(v) && std::fabs(v) > guard.big) what = "the big value " + std::to_string(v);
    if (what.empty()) continue;
    int64_t flat = k / parts;
    std::string index;
    for (int axis = array.rank() - 1; axis >= 0; --axis) {
      index = std::to_string(flat % array.shape(axis)) + (index.empty() ? "" : ", ") + index;
      flat /= array.shape(axis);
    }
    return what + (array.rank() == 0 ? "" : " at [" + index + "]");
  }
  return {};
}

class NanGuardCall final : public CallCheck {
 public:
  NanGuardCall(const std::string& function, const Compiled& compiled, const NanGuard& guard, const std::vector<std::vector<int>>& completed)
      : function_(function), compiled_(compiled), guard_(guard), completed_(completed) {}

  void check_arguments(std::span<const Array> arguments) const {
    for (size_t k = 0; k < arguments.size(); ++k) {
      const Expr& input = compiled_.graph.inputs()[k];
      const std::string name = input->name().empty() ? std::to_string(k) : quoted(input->name());
      report(std::string(k < arguments.size() && input->payload() ? "the shared variable " : "the argument ") + name + " holds ",
             arguments[k], *input);
    }
  }

  void after(size_t order_index, const runtime::Binding& binding, std::byte* const* bases) override {
    for (const int slot : completed_[order_index]) {
      const runtime::Slot& s = compiled_.program->slots[static_cast<size_t>(slot)];
      if (binding.slots[static_cast<size_t>(slot)].shape.product() == 0) continue;
      const Node& node = *compiled_.graph.nodes()[static_cast<size_t>(s.node)];
      report(std::string(node.op().name) + " gives ", slot_array(binding, slot, bases[slot]), node);
    }
  }

  void finish(std::span<const Array>, std::span<const Array>) override {}

 private:
  void report(const std::string& who, const Array& value, const Node& node) const {
    const std::string bad = bad_value(value, guard_);
    if (bad.empty()) return;
    const std::string text = "NanGuardMode: " + who + bad;
    if (guard_.raise) fail_user(ErrorCode::usage, function_, text, node.origin());
    const std::string where = origin_text(node.origin());
    log(LogLevel::warning, function_ + ": " + text + (where.empty() ? "" : " [at " + where + "]"));
  }

  const std::string& function_;
  const Compiled& compiled_;
  const NanGuard& guard_;
  const std::vector<std::vector<int>>& completed_;
};

class NanGuardCheck final : public RunCheck {
 public:
  NanGuardCheck(std::string function, const Compiled& compiled, const NanGuard& guard)
      : function_(std::move(function)), compiled_(compiled), guard_(guard), completed_(completed_slots(*compiled.program)) {}

  std::unique_ptr<CallCheck> start(std::span<const Array> arguments) const override {
    auto call = std::make_unique<NanGuardCall>(function_, compiled_, guard_, completed_);
    call->check_arguments(arguments);
    return call;
  }

 private:
  std::string function_;
  Compiled compiled_;
  NanGuard guard_;
  std::vector<std::vector<int>> completed_;
};

}  // namespace

std::string bad_value(const Array& array, const NanGuard& guard) {
  switch (real_part_of(array.dtype())) {
    case DType::f32: return bad_part<float>(array, guard);
    case DType::f64: return bad_part<double>(array, guard);
    default: return {};
  }
}

std::shared_ptr<const RunCheck> nan_guard_check(const std::string& function, const Compiled& compiled, const NanGuard& guard) {
  return std::make_shared<NanGuardCheck>(function, compiled, guard);
}

}  // namespace voxloom::detail

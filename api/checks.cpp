// api/checks.cpp: values of a call against the interpreter (DebugMode).
#include <voxloom/api/checks.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/literal.h>
#include <voxloom/graph/passes/optimise.h>
#include <voxloom/ops/interpret.h>

#include <cmath>
#include <cstring>
#include <optional>

namespace voxloom::detail {
namespace {

double part_value(DType part, const std::byte* at) {
  if (part == DType::f32) {
    float v = 0;
    std::memcpy(&v, at, sizeof v);
    return static_cast<double>(v);
  }
  double v = 0;
  std::memcpy(&v, at, sizeof v);
  return v;
}

uint64_t bits_at(size_t bytes, const std::byte* at) {
  uint64_t bits = 0;
  std::memcpy(&bits, at, bytes);  // little-endian: the low bytes
  return bits;
}

/// How values of one pass may differ.
enum class Allowed : uint8_t { no_bit, improving };

bool same_part(DType part, const std::byte* a, const std::byte* b, Allowed allowed) {
  if (std::memcmp(a, b, size_of(part)) == 0) return true;
  if (!is_float(part)) return false;
  const double x = part_value(part, a), y = part_value(part, b);
  if (std::isnan(x) && std::isnan(y)) return true;
  if (allowed == Allowed::no_bit) return false;
  if (!std::isfinite(x)) return true;  // what has become finite has become better
  const double tolerance = part == DType::f32 ? 1e-3 : 1e-7;
  return std::fabs(x - y) <= tolerance * (1 + std::fabs(x) + std::fabs(y));
}

std::string element_text(DType dtype, const std::byte* at) {
  const DType part = real_part_of(dtype);
  std::string real = literal_text(part, bits_at(size_of(part), at));
  if (!is_complex(dtype)) return real;
  return "(" + real + ", " + literal_text(part, bits_at(size_of(part), at + size_of(part))) + ")";
}

std::string index_text(const Dims& shape, int64_t flat) {
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[static_cast<size_t>(axis)] = flat % shape[axis];
    flat /= shape[axis];
  }
  std::string text = "[";
  for (size_t k = 0; k < index.size(); ++k) text += (k > 0 ? ", " : "") + std::to_string(index[k]);
  return text + "]";
}

struct Difference {
  std::string index, first, second;
};

std::optional<Difference> first_difference(const Array& a, const Array& b, Allowed allowed) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    return Difference{"all", std::string(name_of(a.dtype())) + " " + to_string(a.shape()),
                      std::string(name_of(b.dtype())) + " " + to_string(b.shape())};
  }
  if (a.size() == 0) return std::nullopt;
  const Array x = a.copy(), y = b.copy();
  const size_t item = size_of(a.dtype()), part = size_of(real_part_of(a.dtype()));
  for (int64_t k = 0; k < a.size(); ++k) {
    const std::byte *p = x.raw() + static_cast<size_t>(k) * item, *q = y.raw() + static_cast<size_t>(k) * item;
    bool same = true;
    for (size_t at = 0; at < item; at += part) same = same && same_part(real_part_of(a.dtype()), p + at, q + at, allowed);
    if (!same) return Difference{index_text(a.shape(), k), element_text(a.dtype(), p), element_text(a.dtype(), q)};
  }
  return std::nullopt;
}

Array array_of(const HostArray& host) { return Array::view(host.view()); }

std::string line_of(const Node& node) {
  const std::string where = origin_text(node.origin());
  return where.empty() ? "" : " [at " + where + "]";
}

std::vector<HostArray> values_of(const Graph& graph, std::span<const Array> arguments) {
  std::vector<StridedView> views;
  for (const Array& a : arguments) views.push_back(a.view());
  return interpret(graph, views, [&](const Node& leaf) {
    for (size_t k = 0; k < graph.inputs().size(); ++k) {
      if (graph.inputs()[k].get() == &leaf) return HostArray::copy(views[k], leaf.type().order);
    }
    fail_user(ErrorCode::usage, leaf.op().name, "DebugMode needs all values in memory, but " + quoted(leaf.name()) + " is in a file",
              leaf.origin());
  });
}

/// The first rule whose result differs from what it replaced; empty if the pass is no set of rules, or no single one is to blame.
std::string guilty_rule(const Rewrite& rewrite, std::span<const Array> arguments, Allowed allowed) {
  const std::vector<Expr> inputs(rewrite.before.inputs().begin(), rewrite.before.inputs().end());
  for (const Rewrite::Firing& firing : rewrite.firings) {
    const auto values = values_of(Graph::make(inputs, {firing.before, firing.after}), arguments);
    if (first_difference(array_of(values[0]), array_of(values[1]), allowed)) return " (rule " + firing.rule + ")" + line_of(*firing.before);
  }
  return {};
}

class DebugCall final : public CallCheck {
 public:
  DebugCall(const std::string& function, const Compiled& compiled, const std::vector<std::vector<int>>& completed,
            const std::vector<char>& may_change, const Graph& all_nodes, std::span<const Array> arguments)
      : function_(function), compiled_(compiled), completed_(completed), may_change_(may_change), values_(values_of(all_nodes, arguments)) {
    for (const Array& a : arguments) before_.push_back(a.copy());
  }

  void after(size_t order_index, const runtime::Binding& binding, std::byte* const* bases) override {
    for (const int slot : completed_[order_index]) {
      const runtime::Slot& s = compiled_.program->slots[static_cast<size_t>(slot)];
      const HostArray& expected = values_[static_cast<size_t>(s.node)];
      if (expected.size() == 0) continue;
      const auto difference = first_difference(array_of(expected), slot_array(binding, slot, bases[slot]), Allowed::no_bit);
      if (!difference) continue;
      const Node& node = *compiled_.graph.nodes()[static_cast<size_t>(s.node)];
      const int step = compiled_.program->order[order_index].step;
      throw InternalError("DebugMode: " + function_ + ": " +
                          (step >= 0 ? "the kernel " + compiled_.program->steps[static_cast<size_t>(step)].name : "a view") + " gives " +
                          difference->second + " at " + difference->index + " for " + node.op().name + ", but the interpreter gives " +
                          difference->first + line_of(node));
    }
  }

  void finish(std::span<const Array> arguments, std::span<const Array> outputs) override {
    for (size_t k = 0; k < arguments.size(); ++k) {
      bool given_away = k < may_change_.size() && may_change_[k] != 0;
      for (const Array& out : outputs) given_away = given_away || may_overlap(arguments[k], out);
      if (given_away) continue;
      if (const auto difference = first_difference(before_[k], arguments[k], Allowed::no_bit)) {
        throw InternalError("DebugMode: " + function_ + ": the call has changed argument " + std::to_string(k) + " at " +
                            difference->index + " from " + difference->first + " to " + difference->second);
      }
    }
  }

 private:
  const std::string& function_;
  const Compiled& compiled_;
  const std::vector<std::vector<int>>& completed_;
  const std::vector<char>& may_change_;
  std::vector<HostArray> values_;  // of every node of the optimised graph
  std::vector<Array> before_;
};

class DebugCheck final : public RunCheck {
 public:
  DebugCheck(std::string function, const Compiled& compiled, std::vector<char> may_change)
      : function_(std::move(function)),
        compiled_(compiled),
        completed_(completed_slots(*compiled.program)),
        may_change_(std::move(may_change)),
        all_nodes_(Graph::make({compiled.graph.inputs().begin(), compiled.graph.inputs().end()},
                               {compiled.graph.nodes().begin(), compiled.graph.nodes().end()})) {}

  std::unique_ptr<CallCheck> start(std::span<const Array> arguments) const override {
    check_rewrites(function_, compiled_.rewrites, arguments);
    return std::make_unique<DebugCall>(function_, compiled_, completed_, may_change_, all_nodes_, arguments);
  }

 private:
  std::string function_;
  Compiled compiled_;
  std::vector<std::vector<int>> completed_;
  std::vector<char> may_change_;
  Graph all_nodes_;
};

}  // namespace

std::vector<std::vector<int>> completed_slots(const runtime::Program& program) {
  std::vector<int> last(program.slots.size(), -1);
  for (size_t k = 0; k < program.order.size(); ++k) {
    const runtime::OrderItem& item = program.order[k];
    if (item.alias_slot >= 0) last[static_cast<size_t>(item.alias_slot)] = static_cast<int>(k);
    if (item.step < 0) continue;
    for (const auto& access : program.steps[static_cast<size_t>(item.step)].accesses) {
      if (access.written) last[static_cast<size_t>(access.slot)] = static_cast<int>(k);
    }
  }
  std::vector<std::vector<int>> completed(program.order.size());
  for (size_t slot = 0; slot < last.size(); ++slot) {
    if (last[slot] >= 0 && program.slots[slot].node >= 0) completed[static_cast<size_t>(last[slot])].push_back(static_cast<int>(slot));
  }
  return completed;
}

Array slot_array(const runtime::Binding& binding, int slot, std::byte* base) {
  const runtime::Layout& layout = binding.slots[static_cast<size_t>(slot)];
  const Array array = Array::view(static_cast<void*>(base), layout.shape, layout.dtype, layout.strides);
  return layout.swapped ? array.as_swapped() : array;
}

void check_rewrites(const std::string& function, const std::vector<Rewrite>& rewrites, std::span<const Array> arguments) {
  for (const Rewrite& rewrite : rewrites) {
    const Allowed allowed = is_exact_pass(rewrite.pass) ? Allowed::no_bit : Allowed::improving;
    const auto before = values_of(rewrite.before, arguments), after = values_of(rewrite.after, arguments);
    for (size_t k = 0; k < before.size(); ++k) {
      const auto difference = first_difference(array_of(before[k]), array_of(after[k]), allowed);
      if (!difference) continue;
      throw InternalError("DebugMode: " + function + ": the pass " + rewrite.pass + guilty_rule(rewrite, arguments, allowed) +
                          " changes output " + std::to_string(k) + " at " + difference->index + ": " + difference->first + " before, " +
                          difference->second + " after");
    }
  }
}

std::shared_ptr<const RunCheck> debug_check(const std::string& function, const Compiled& compiled, std::vector<char> may_change) {
  return std::make_shared<DebugCheck>(function, compiled, std::move(may_change));
}

}  // namespace voxloom::detail

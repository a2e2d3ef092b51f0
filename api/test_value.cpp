// api/test_value.cpp: test values of nodes, computed as they are made.
#include <voxloom/api/test_value.h>

#include <voxloom/api/config.h>
#include <voxloom/api/shared.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/node_hook.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/runtime/log.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace voxloom {
namespace {

struct TestValue {
  HostArray value;
  DimBindings dims;  // of the symbols that the value's operands have given sizes
};

/// The values of nodes that have one. A node whose only reference is the table's is dropped at the next sweep; sweeps come when the table
/// has doubled.
class Table {
 public:
  std::shared_ptr<const TestValue> find(const Node& node) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(node.id());
    return found == entries_.end() ? nullptr : found->second.value;
  }
  void set(const Expr& node, std::shared_ptr<const TestValue> value) {
    const std::lock_guard lock(mutex_);
    entries_.insert_or_assign(node->id(), Entry{node, std::move(value)});
    if (entries_.size() < next_sweep_) return;
    // Users have higher numbers than their operands: from the last to the first, one sweep finds whole dead expressions.
    for (auto it = entries_.end(); it != entries_.begin();) {
      --it;
      if (use_count(it->second.node) == 1) it = entries_.erase(it);
    }
    next_sweep_ = std::max<size_t>(1024, 2 * entries_.size());
  }

 private:
  struct Entry {
    Expr node;
    std::shared_ptr<const TestValue> value;
  };
  std::mutex mutex_;
  std::map<uint64_t, Entry> entries_;  // by Node::id()
  size_t next_sweep_ = 1024;
};

Table& table() {
  static auto* const instance = new Table;  // outlives every expression
  return *instance;
}

thread_local int switched_off = 0;

/// Sizes of the symbols in the type; UserError if the value does not fit it.
DimBindings sizes_of(const Node& node, const HostArray& value) {
  DimBindings dims;
  for (size_t axis = 0; axis < node.type().shape.size(); ++axis) {
    const Dim& d = node.type().shape[axis];
    const int64_t size = value.shape[axis];
    if (d.is_symbol() && dims.try_emplace(d.symbols()[0], size).first->second == size) continue;
    if (!d.is_symbol() && d.evaluate(dims) == size) continue;
    fail_user(ErrorCode::shape, "test_value",
              "the test value of " + quoted(node.name()) + " has size " + std::to_string(size) + " on axis " + std::to_string(axis) +
                  ", but its type is " + node.type().str(),
              node.origin());
  }
  return dims;
}

std::shared_ptr<const TestValue> value_of(const Node& node) {
  if (constant_of(node) != nullptr) return std::make_shared<TestValue>(TestValue{interpret_node(node, {}, {}), {}});
  if (const SharedValue* shared = shared_value_of(node)) {  // as it is now
    HostArray array = HostArray::copy(shared->get().view(), node.type().order);
    DimBindings dims = sizes_of(node, array);
    return std::make_shared<TestValue>(TestValue{std::move(array), std::move(dims)});
  }
  return table().find(node);
}

void merge(const Node& node, DimBindings& into, const DimBindings& from) {
  for (const auto& [symbol, size] : from) {
    const int64_t known = into.try_emplace(symbol, size).first->second;
    if (known == size) continue;
    fail_user(
        ErrorCode::shape, node.op().name,
        "the test values of its operands have two sizes for " + symbol + ": " + std::to_string(known) + " and " + std::to_string(size),
        node.origin());
  }
}

void report_missing(const Node& node, const Node& operand, ComputeTestValue what) {
  if (what == ComputeTestValue::ignore) return;
  const std::string text = (operand.name().empty() ? std::string("an operand") : quoted(operand.name())) +
                           " has no test value; give it one with set_test_value(), or set compute_test_value=off";
  if (what == ComputeTestValue::raise) fail_user(ErrorCode::usage, node.op().name, text, node.origin());
  const std::string where = origin_text(node.origin());
  log(LogLevel::warning, std::string(node.op().name) + ": " + text + (where.empty() ? "" : " [at " + where + "]"));
}

void compute(const Expr& made) {
  if (switched_off > 0) return;
  const ComputeTestValue what = config().compute_test_value;
  if (what == ComputeTestValue::off) return;
  const Node& node = *made;
  std::vector<std::shared_ptr<const TestValue>> operands;
  TestValue result;
  for (const Expr& input : node.inputs()) {
    operands.push_back(value_of(*input));
    if (!operands.back()) return report_missing(node, *input, what);
    merge(node, result.dims, operands.back()->dims);
  }
  std::vector<const HostArray*> arrays;
  for (const auto& operand : operands) arrays.push_back(&operand->value);
  result.value = interpret_node(node, arrays, result.dims);
  table().set(made, std::make_shared<const TestValue>(std::move(result)));
}

[[maybe_unused]] const bool hooked = [] {
  set_node_hook(compute);
  return true;
}();

}  // namespace

void set_test_value(const Expr& variable, const Array& value) {
  if (!variable || !is_input_leaf(*variable)) {
    fail_user(ErrorCode::usage, "test_value", "only variables are given test values", variable ? variable->origin() : OriginId{});
  }
  if (!value.defined() || value.dtype() != variable.dtype() || value.rank() != variable.rank()) {
    fail_user(value.defined() && value.dtype() == variable.dtype() ? ErrorCode::shape : ErrorCode::dtype, "test_value",
              "the test value of " + quoted(variable->name()) + " is " +
                  (value.defined() ? std::string(name_of(value.dtype())) + " " + to_string(value.shape()) : "an empty Array") +
                  ", but its type is " + variable.type().str(),
              variable->origin());
  }
  HostArray array = HostArray::copy(value.view(), variable.type().order);
  DimBindings dims = sizes_of(*variable, array);
  table().set(variable, std::make_shared<const TestValue>(TestValue{std::move(array), std::move(dims)}));
}

Array test_value(const Expr& expression) {
  if (!expression) return {};
  const auto value = value_of(*expression);
  return value ? Array::view(value->value.view()).copy(expression.type().order) : Array();
}

TestValuesOff::TestValuesOff() { ++switched_off; }
TestValuesOff::~TestValuesOff() { --switched_off; }

}  // namespace voxloom

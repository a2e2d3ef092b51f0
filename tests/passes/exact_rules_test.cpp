// tests/passes/exact_rules_test.cpp: every exact rule of elementwise ops, built from its own pattern, gives the same bits on and off.
#include "harness.h"

#include <voxloom/graph/constant.h>
#include <voxloom/graph/passes/fold_constants.h>

#include <catch2/catch.hpp>

#include <functional>

using namespace voxloom;
using namespace passes_test;

namespace {

// Expressions of one rule: variables become inputs of rank 1, constant variables and numbers become constants of one element.
struct Instance {
  std::map<std::string, Expr> variables;
  std::vector<Expr> inputs;
  Expr root;
};

Expr number(DType dtype, double value) {
  const Expr scalar = make_scalar(dtype, value);
  return make_constant(scalar->op(),
                       std::make_shared<const ConstantPayload>(dtype, std::vector<int64_t>{1}, constant_of(*scalar)->bytes()));
}

bool representable(DType dtype, double value) {
  if (is_float(dtype)) return true;
  if (std::isinf(value) || std::signbit(value)) return value == -1 && is_signed_int(dtype);
  return dtype != boolean || value <= 1;
}

// `choice` gives the dtype of each variable; UserError when an op does not take them.
Expr build(const Pattern& p, Instance& instance, DType main, const std::function<DType(const std::string&)>& choice, double constant) {
  if (p.kind == Pattern::Kind::number) {
    const DType dtype = choice("number");
    if (!representable(dtype, p.value)) fail_user(ErrorCode::dtype, "test", "no such value");
    return number(dtype, p.value);
  }
  if (p.kind == Pattern::Kind::constant_variable) return number(main, constant);
  if (p.kind == Pattern::Kind::variable) {
    auto [it, is_new] = instance.variables.try_emplace(p.name);
    if (is_new) {
      it->second = make_leaf(op("input"), Type{choice(p.name), {Dim::symbol("n")}}, p.name, nullptr);
      instance.inputs.push_back(it->second);
    }
    return it->second;
  }
  std::vector<Expr> args;
  for (const Pattern& arg : p.args) args.push_back(build(arg, instance, main, choice, constant));
  return make_node(*p.op, std::move(args));
}

template <class T> HostArray values_of(size_t variable, size_t count) {
  std::vector<T> v = special_values<T>();
  if (count == 3) v.resize(10);
  size_t period = 1, total = 1;
  for (size_t k = 0; k < count; ++k) total *= v.size();
  for (size_t k = 0; k < variable; ++k) period *= v.size();
  HostArray array = HostArray::of(dtype_of<T>, {static_cast<int64_t>(total)});
  for (size_t i = 0; i < total; ++i) std::memcpy(array.bytes.data() + i * sizeof(T), &v[i / period % v.size()], sizeof(T));
  return array;
}

template <class T> HostArray input_values(DType dtype, size_t variable, size_t count) {
  if (dtype != boolean) return values_of<T>(variable, count);
  const HostArray like = values_of<T>(variable, count);
  HostArray array = HostArray::of(boolean, like.shape);
  for (size_t i = 0; i < array.bytes.size(); ++i) array.bytes[i] = std::byte((i * 2654435761u) >> 7 & 1);
  return array;
}

bool all_elementwise(const Pattern& p) {
  if (p.kind != Pattern::Kind::op) return true;
  return p.op->kind == OpKind::elementwise && p.op->name != std::string("cast") &&
         std::all_of(p.args.begin(), p.args.end(), all_elementwise);
}

// Runs the rule for one dtype; returns how often it fired.
template <class T> int check_rule(const Rule& rule) {
  const Pattern pattern = parse_pattern(rule.pattern, find_op);
  const RuleSet::Compiled compiled{&rule, pattern, parse_pattern(rule.result, find_op)};
  int fired = 0;
  for (unsigned booleans = 0; booleans < 16; ++booleans) {
    for (const double constant : {2.0, -3.0, 0.25, 5.0, 0x1p-120, 1.0}) {
      if (!representable(dtype_of<T>, std::trunc(constant)) || (!std::is_floating_point_v<T> && std::trunc(constant) != constant)) continue;
      Instance instance;
      const auto choice = [&](const std::string& name) {
        return (booleans >> (name == "number" ? 3 : name[0] - 'x') & 1) != 0 ? boolean : dtype_of<T>;
      };
      try {
        instance.root = build(pattern, instance, dtype_of<T>, choice, constant);
      } catch (const UserError&) { continue; }
      const Expr result = apply_rule(compiled, instance.root);
      if (!result) continue;
      ++fired;
      std::vector<HostArray> values;
      for (size_t k = 0; k < instance.inputs.size(); ++k)
        values.push_back(input_values<T>(instance.inputs[k].dtype(), k, instance.inputs.size()));
      const HostArray off = value_of(Graph::make(instance.inputs, {instance.root}), values),
                      on = value_of(Graph::make(instance.inputs, {result}), values);
      CAPTURE(rule.name, name_of(dtype_of<T>), constant, to_text(Graph::make(instance.inputs, {result})));
      CHECK(same_bits(off, on));
      if (std::string(rule.pattern).find('$') == std::string::npos) break;
    }
  }
  return fired;
}

}  // namespace

TEST_CASE("every exact rule of elementwise ops keeps the bits, and fires for some dtype") {
  size_t rules = 0;
  for (const Rule* rule : op_rules().all()) {
    if (rule->cls != RuleClass::exact || !all_elementwise(parse_pattern(rule->pattern, find_op))) continue;
    ++rules;
    CAPTURE(rule->name);
    CHECK(check_rule<float>(*rule) + check_rule<double>(*rule) + check_rule<int8_t>(*rule) + check_rule<int32_t>(*rule) +
              check_rule<uint8_t>(*rule) + check_rule<int64_t>(*rule) >
          (rule->name == std::string("real_complex") || rule->name == std::string("imag_complex") ||
                   rule->name == std::string("conj_conj") ||
                   rule->name == std::string("custom_gradient")  // needs attributes: tests/ops/elemwise_op_test.cpp
               ? -1
               : 0));
  }
  CHECK(rules > 50);
}

TEST_CASE("what is false for floats is not done") {
  PassContext c = context();
  const Expr x = fvector("x"), y = fvector("y");
  for (const Expr& raw :
       {x * 0, x - x, x + 0, x / x, (x + 2) + 3, (x * 3) * 5, -(x - y), eq(x, x), ge(x, x), logical_not(x < y), x / 3, exp(log(x))}) {
    const Graph g = fold_constants(Graph::make({x, y}, {raw}), c);
    const Graph done = apply_rules(g, c, RuleClass::exact);
    CAPTURE(to_text(g), to_text(done));
    CHECK(done.outputs()[0]->op().name == std::string(raw->op().name));
    CHECK(done.size() == g.size());
  }
}

TEST_CASE("every rule has a unique name and says its algebra") {
  std::set<std::string> names;
  for (const Rule* rule : op_rules().all()) {
    CHECK(names.insert(rule->name).second);
    CHECK(std::string(rule->algebra).size() > 4);
  }
}

TEST_CASE("casts: the middle one goes exactly when it changes nothing") {
  std::set<std::string> fired;
  PassContext c = context(&fired);
  const std::vector<DType> dtypes = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64};
  int dropped = 0;
  for (const DType a : dtypes) {
    const Expr x = tensor("x", a, {"n"});
    HostArray values = HostArray::of(a, {64});
    for (size_t i = 0; i < values.bytes.size(); ++i)
      values.bytes[i] = a == boolean ? std::byte(i % 2) : std::byte((i * 2654435761u) >> 5 & 0xff);
    for (const DType b : dtypes) {
      for (const DType to : dtypes) {
        const Expr e = cast(cast(x, b), to);
        const Graph off = Graph::make({x}, {e}), on = apply_rules(off, c, RuleClass::exact);
        dropped += on.size() < off.size() ? 1 : 0;
        CAPTURE(name_of(a), name_of(b), name_of(to));
        CHECK(same_bits(value_of(off, {values}), value_of(on, {values})));
      }
    }
  }
  CHECK(dropped > 300);
  const Expr d = tensor("d", f64, {"n"}), i = tensor("i", i32, {"n"});
  CHECK(apply_rules(Graph::make({d}, {cast(cast(d, f32), f64)}), c, RuleClass::exact).size() == 3);
  CHECK(apply_rules(Graph::make({i}, {cast(cast(i, f64), i8)}), c, RuleClass::exact).size() == 3);
}

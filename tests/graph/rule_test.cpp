// tests/graph/rule_test.cpp: patterns match what they say, and only rules that end are accepted.
#include "rows.h"

#include <voxloom/graph/passes/rule.h>

#include <catch2/catch.hpp>

using namespace voxloom;

namespace {

const char* const precedence[] = {"neg", "add", "sub", "mul", "exp"};

Expr apply(const Rule& rule, const Expr& node) {
  const RuleSet set({std::span(&rule, 1)}, precedence, rows::lookup);
  const auto compiled = set.rules_of(node->op());
  return compiled.empty() ? Expr() : apply_rule(compiled[0], node);
}

Rule rule(const char* pattern, const char* result) { return {.name = "test", .pattern = pattern, .result = result, .algebra = "test"}; }

void accept(const char* pattern, const char* result) {
  const Rule r = rule(pattern, result);
  CAPTURE(pattern, result);
  CHECK_NOTHROW(RuleSet({std::span(&r, 1)}, precedence, rows::lookup));
}
void refuse(const char* pattern, const char* result) {
  const Rule r = rule(pattern, result);
  CAPTURE(pattern, result);
  CHECK_THROWS_AS(RuleSet({std::span(&r, 1)}, precedence, rows::lookup), InternalError);
}

const Expr a = rows::vector("a"), b = rows::vector("b");
Expr neg(const Expr& x) { return make_node(rows::neg, {x}); }
Expr add(const Expr& x, const Expr& y) { return make_node(rows::add, {x, y}); }
Expr sub(const Expr& x, const Expr& y) { return make_node(rows::sub, {x, y}); }
Expr mul(const Expr& x, const Expr& y) { return make_node(rows::mul, {x, y}); }

}  // namespace

TEST_CASE("variables, repeated variables and constants") {
  CHECK(apply(rule("neg(neg(x))", "x"), neg(neg(a))).same_as(a));
  CHECK_FALSE(apply(rule("neg(neg(x))", "x"), neg(a)));
  CHECK(apply(rule("sub(x, x)", "x"), sub(a, a)).same_as(a));
  CHECK_FALSE(apply(rule("sub(x, x)", "x"), sub(a, b)));
  CHECK(apply(rule("mul(x, 1)", "x"), mul(a, rows::number(1))).same_as(a));
  CHECK_FALSE(apply(rule("mul(x, 1)", "x"), mul(a, rows::number(2))));
  CHECK(apply(rule("mul(x, $c)", "x"), mul(a, rows::number(2))).same_as(a));
  CHECK_FALSE(apply(rule("mul(x, $c)", "x"), mul(a, b)));
}

TEST_CASE("the sign of zero counts") {
  CHECK(apply(rule("add(x, -0)", "x"), add(a, rows::number(-0.0))).same_as(a));
  CHECK_FALSE(apply(rule("add(x, -0)", "x"), add(a, rows::number(0.0))));
  CHECK_FALSE(apply(rule("add(x, 0)", "x"), add(a, rows::number(-0.0))));
}

TEST_CASE("operands of commutative rows match in both orders") {
  CHECK(apply(rule("mul(x, 1)", "x"), mul(rows::number(1), a)).same_as(a));
  CHECK_FALSE(apply(rule("sub(x, 1)", "x"), sub(rows::number(1), a)));
  CHECK(apply(rule("add(mul(x, y), x)", "y"), add(a, mul(b, a))).same_as(b));
}

TEST_CASE("a result of another type does not replace the node") {
  const Expr one = rows::number(1);
  const Expr wide =
      make_constant(constant_op(), std::make_shared<const ConstantPayload>(f32, std::vector<int64_t>{2}, std::vector<std::byte>(8)));
  CHECK_FALSE(apply(rule("mul(x, $c)", "x"), mul(one, wide)));
}

TEST_CASE("results are built with the root's attributes and origin") {
  const OriginId line = origin_of_text("expr", 5);
  const Expr root = make_node(rows::sub, {a, neg(b)}, {}, line);
  const Expr sum = apply(rule("mul(x, neg(y))", "add(x, y)"), make_node(rows::mul, {a, neg(b)}, {}, line));
  REQUIRE(sum);
  CHECK(&sum->op() == &rows::add);
  CHECK(sum->origin() == line);
  CHECK(uniform_value(*apply(rule("sub(x, neg(y))", "add(x, 2)"), root)->input(1)) == 2.0);
}

TEST_CASE("guards and builders") {
  Rule r = rule("neg(neg(x))", "x");
  r.guard = [](const Match& m) { return m["x"]->name() == "b"; };
  CHECK_FALSE(apply(r, neg(neg(a))));
  CHECK(apply(r, neg(neg(b))).same_as(b));
  r.guard = nullptr;
  r.build = [](const Match& m) { return m.node(1).input(0); };
  CHECK(apply(r, neg(neg(a))).same_as(a));
  r.build = [](const Match&) { return Expr(); };
  CHECK_FALSE(apply(r, neg(neg(a))));
}

TEST_CASE("only rules that lower the measure are accepted") {
  accept("neg(neg(x))", "x");
  accept("mul(x, mul(y, z))", "add(x, neg(y))");
  accept("exp(x)", "mul(x, x)");
  accept("add(add(x, $c), $d)", "add(x, 1)");
  accept("mul(x, add(y, z))", "add(mul(x, y), mul(x, z))");
  refuse("mul(x, y)", "mul(y, x)");
  refuse("add(x, y)", "sub(x, neg(y))");
  refuse("neg(x)", "neg(neg(x))");
  refuse("add(x, add(y, z))", "add(add(x, y), z)");
  refuse("mul(x, y)", "exp(x)");
  refuse("mul(x, x)", "y");
  refuse("mul(x, y)", "sum(x)");
}

TEST_CASE("rules with unknown ops or bad text are refused") {
  CHECK_THROWS(parse_pattern("sin(x)", rows::lookup));
  CHECK_THROWS(parse_pattern("neg(x", rows::lookup));
  CHECK_THROWS(parse_pattern("neg(x) y", rows::lookup));
}

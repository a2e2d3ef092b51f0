// tests/graph/rule_engine_test.cpp: rules applied to whole graphs.
#include "rows.h"

#include <voxloom/graph/passes/rule_engine.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>

#include <catch2/catch.hpp>

using namespace voxloom;

namespace {

const Rule rules[] = {
    {.name = "neg_neg", .pattern = "neg(neg(x))", .result = "x", .algebra = "-(-x) = x"},
    {.name = "mul_one", .pattern = "mul(x, 1)", .result = "x", .algebra = "x * 1 = x"},
    {.name = "sub_neg", .pattern = "sub(x, neg(y))", .result = "add(x, y)", .algebra = "x - (-y) = x + y"},
    {.name = "exp_neg", .cls = RuleClass::improving, .pattern = "exp(neg(x))", .result = "neg(x)", .algebra = "for the test"},
    {.name = "twice", .pattern = "add(x, x)", .result = "neg(neg(neg(neg(x))))", .algebra = "for the test"},
};
const char* const precedence[] = {"neg", "add", "sub", "mul", "exp"};

const Expr a = rows::vector("a"), b = rows::vector("b");
Expr neg(const Expr& x) { return make_node(rows::neg, {x}); }

Graph run(const Graph& g, RuleClass cls = RuleClass::exact) {
  const RuleSet set({std::span(rules)}, precedence, rows::lookup);
  PassContext context;
  context.rules = &set;
  const Graph result = apply_rules(g, context, cls);
  CHECK(verify(result).empty());
  return result;
}

}  // namespace

TEST_CASE("rules cascade") {
  const Expr e =
      make_node(rows::mul, {neg(neg(make_node(rows::sub, {a, neg(make_node(rows::mul, {b, rows::number(1)}))}))), rows::number(1)});
  const Graph g = run(Graph::make({a, b}, {e}));
  CHECK(structurally_equal(g, Graph::make({a, b}, {make_node(rows::add, {a, b})})));
}

TEST_CASE("what a rule makes below the root is simplified too") {
  const Graph g = run(Graph::make({a}, {make_node(rows::add, {neg(neg(a)), a})}));
  CHECK(g.outputs()[0].same_as(a));
}

TEST_CASE("nodes that became equal are seen as one") {
  const Expr x = make_node(rows::exp, {neg(neg(a))}), y = make_node(rows::exp, {a});
  const Graph g = run(Graph::make({a}, {make_node(rows::add, {x, y})}));
  CHECK(structurally_equal(g, Graph::make({a}, {y})));
}

TEST_CASE("classes are kept apart, nothing to do returns the same nodes, and a second run changes nothing") {
  const Graph g = Graph::make({a}, {make_node(rows::exp, {neg(a)})});
  CHECK(run(g).outputs()[0].same_as(g.outputs()[0]));
  const Graph improved = run(g, RuleClass::improving);
  CHECK(&improved.outputs()[0]->op() == &rows::neg);
  CHECK(run(improved, RuleClass::improving).outputs()[0].same_as(improved.outputs()[0]));
}

TEST_CASE("firings are counted and reported; names of results stay") {
  const RuleSet set({std::span(rules)}, precedence, rows::lookup);
  PassContext context;
  context.rules = &set;
  std::string fired;
  context.on_rule = [&](const char* name, const Expr&, const Expr&) { fired += std::string(name) + " "; };
  const Expr e = with_name(*make_node(rows::sub, {a, neg(b)}), "result");
  const Graph g = apply_rules(Graph::make({a, b}, {e}), context, RuleClass::exact);
  CHECK(fired == "sub_neg ");
  CHECK(context.firings == 1);
  CHECK(g.outputs()[0]->name() == "result");
}

TEST_CASE("a chain of 100 000 nodes is simplified under a small stack") {
  size_t size = 0;
  rows::on_small_stack([&] {
    Expr x = a;
    for (int i = 0; i < 100000; ++i) x = neg(x);
    size = run(Graph::make({a}, {x})).size();
  });
  CHECK(size == 1);
}

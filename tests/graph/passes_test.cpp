// tests/graph/passes_test.cpp: run_pass, canonicalise, fold_constants, push_views and check_float64 over local rows.
#include "rows.h"

#include <voxloom/graph/passes/canonicalise.h>
#include <voxloom/graph/passes/check_float64.h>
#include <voxloom/graph/passes/fold_constants.h>
#include <voxloom/graph/passes/optimise.h>
#include <voxloom/graph/passes/push_views.h>
#include <voxloom/graph/passes/run_pass.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>

#include <catch2/catch.hpp>

#include <bit>
#include <cstring>

using namespace voxloom;

namespace {

const Expr a = rows::vector("a"), b = rows::vector("b");
const Dim n = Dim::symbol("n");
Expr neg(const Expr& x) { return make_node(rows::neg, {x}); }
Expr add(const Expr& x, const Expr& y) { return make_node(rows::add, {x, y}); }
Expr exp(const Expr& x) { return make_node(rows::exp, {x}); }

// Negation of float constants, enough of an interpreter for these tests.
std::shared_ptr<const ConstantPayload> evaluate(const Node& node) {
  if (&node.op() != &rows::neg) return nullptr;
  const ConstantPayload& x = *constant_of(*node.input(0));
  std::vector<std::byte> bytes = x.bytes();
  for (size_t k = 3; k < bytes.size(); k += 4) bytes[k] ^= std::byte{0x80};
  return std::make_shared<const ConstantPayload>(f32, x.shape(), bytes);
}

Expr view_of_operand(const Node& view, const Expr& operand, const Type& result) {
  if (operand.shape()[0].is_one()) return operand;
  if (!(operand.shape() == result.shape)) return {};
  return make_node(view.op(), {operand}, view.attrs(), view.origin());
}

Graph push(const Graph& g) {
  PassContext context;
  context.view_of_operand = view_of_operand;
  const Graph result = push_views(g, context);
  CHECK(verify(result).empty());
  return result;
}

}  // namespace

TEST_CASE("run_pass reports, shows changes, verifies and can be switched off") {
  PassContext context;
  std::string changed;
  context.on_change = [&](const std::string& name, const Graph&, const Graph&) { changed += name; };
  const Graph g = Graph::make({a, b}, {add(rows::number(1), a)});
  const Graph result = run_pass("canonicalise", g, context, canonicalise);
  CHECK(changed == "canonicalise");
  CHECK(constant_of(*result.outputs()[0]->input(1)) != nullptr);
  run_pass("canonicalise", result, context, canonicalise);
  CHECK(changed == "canonicalise");
  REQUIRE(context.reports.size() == 2);
  CHECK(context.reports[0].changed);
  CHECK(context.reports[0].firings == 1);
  CHECK_FALSE(context.reports[1].changed);
  context.excluded = {"canonicalise"};
  CHECK(run_pass("canonicalise", g, context, canonicalise).outputs()[0].same_as(g.outputs()[0]));
  CHECK(context.reports.size() == 2);
}

TEST_CASE("run_pass refuses a pass that changes the interface") {
  PassContext context;
  const Graph g = Graph::make({a}, {neg(a)});
  CHECK_THROWS_AS(run_pass("bad", g, context, [](const Graph&, PassContext&) { return Graph::make({a}, {make_node(rows::sum, {a})}); }),
                  InternalError);
  CHECK_THROWS_AS(run_pass("bad", g, context, [](const Graph&, PassContext&) { return Graph::make({a, b}, {neg(a)}); }), InternalError);
}

TEST_CASE("canonicalise orders commutative operands, so that equal sums become one") {
  PassContext context;
  const Graph g = canonicalise(Graph::make({a, b}, {add(a, b), add(b, a), make_node(rows::sub, {b, a})}), context);
  CHECK(g.outputs()[0].same_as(g.outputs()[1]));
  CHECK(g.outputs()[2]->input(0).same_as(b));
  CHECK(canonicalise(g, context).outputs()[0].same_as(g.outputs()[0]));
}

TEST_CASE("canonicalise keeps operands whose order decides the type") {
  const Expr c = make_input("c", Type{f32, {n}, Order::C}), f = make_input("f", Type{f32, {n}, Order::F});
  PassContext context;
  const Graph g = canonicalise(Graph::make({c, f}, {add(f, c)}), context);
  CHECK(g.outputs()[0]->input(0).same_as(f));
}

TEST_CASE("canonicalise drops views that change nothing") {
  PassContext context;
  CHECK(canonicalise(Graph::make({a}, {rows::take(a, 0, n)}), context).outputs()[0].same_as(a));
  CHECK(canonicalise(Graph::make({a}, {rows::take(a, 1, n - 1)}), context).size() == 2);
}

TEST_CASE("fold_constants computes what is known, within bounds") {
  PassContext context;
  context.evaluate = evaluate;
  const Graph g = fold_constants(Graph::make({a}, {add(a, neg(neg(neg(rows::number(2)))))}), context);
  CHECK(g.size() == 3);
  CHECK(uniform_value(*g.outputs()[0]->input(1)) == -2.0);
  std::vector<float> many(5000, 1.0f);
  const StridedView view{reinterpret_cast<std::byte*>(many.data()), f32, {5000}, {4}, false};
  CHECK(fold_constants(Graph::make({}, {neg(make_constant(constant_op(), view))}), context).size() == 2);
  const Graph untouched = Graph::make({a}, {exp(rows::number(1))});
  CHECK(fold_constants(untouched, context).outputs()[0].same_as(untouched.outputs()[0]));
  context.evaluate = [](const Node&) -> std::shared_ptr<const ConstantPayload> { fail_user(ErrorCode::shape, "op", "no elements"); };
  CHECK(fold_constants(Graph::make({}, {neg(rows::number(1))}), context).size() == 2);
}

TEST_CASE("push_views moves views to the leaves") {
  const auto first = [&](const Expr& x) { return rows::take(x, 1, n - 1); };
  const Graph g = push(Graph::make({a, b}, {first(exp(add(neg(a), add(b, rows::number(2)))))}));
  CHECK(structurally_equal(g, Graph::make({a, b}, {exp(add(neg(first(a)), add(first(b), rows::number(2))))})));
}

TEST_CASE("push_views leaves shared work alone unless it is cheap") {
  const Expr costly = exp(a), cheap = add(a, b);
  const auto part = [&](const Expr& x) { return rows::take(x, 0, 3); };
  const Graph g = Graph::make({a}, {part(costly), costly});
  CHECK(push(g).outputs()[0].same_as(g.outputs()[0]));
  const Graph h = push(Graph::make({a, b}, {part(cheap), cheap}));
  CHECK(structurally_equal(h, Graph::make({a, b}, {add(part(a), part(b)), cheap})));
}

TEST_CASE("push_views moves a view through a chain of 100 000 nodes under a small stack, and its work is bounded") {
  size_t size = 0, nested = 0;
  rows::on_small_stack([&] {
    Expr x = a;
    for (int i = 0; i < 100000; ++i) x = exp(x);
    const Graph g = push(Graph::make({a}, {rows::take(x, 0, 1)}));
    size = g.size();
    CHECK(&g.nodes()[1]->op() == &rows::part);
    Expr y = a;
    for (int i = 0; i < 2000; ++i) y = exp(rows::take(exp(y), 0, n));
    nested = push(Graph::make({a}, {y})).size();
  });
  CHECK(size == 100002);
  CHECK(nested <= 6001);
}

TEST_CASE("check_float64 names the node and the line") {
  const OpInfo widen = rows::make_row("widen", 1, OpKind::elementwise, [](const OpInfo&, std::span<const Expr> in, const Attrs&, OriginId) {
    Type type = in[0].type();
    type.dtype = f64;
    return type;
  });
  const Expr e = make_node(widen, {make_node(widen, {a}, {}, origin_of_text("model.cpp", 12))});
  const Graph g = Graph::make({a}, {e});
  PassContext context;
  std::vector<std::string> warnings;
  context.warn = [&](const std::string& text) { warnings.push_back(text); };
  check_float64(g, context);
  CHECK(warnings.empty());
  context.float64 = Float64Check::warn;
  check_float64(g, context);
  CHECK(warnings == std::vector<std::string>{"widen gives f64[n] from float32 [at model.cpp:12]"});
  context.float64 = Float64Check::raise;
  CHECK_THROWS_WITH(check_float64(g, context), Catch::Contains("widen: gives f64[n]") && Catch::Contains("model.cpp:12"));
}

TEST_CASE("the whole pipeline runs without rules, keeps names of passes and is idempotent") {
  PassContext context;
  context.evaluate = evaluate;
  context.view_of_operand = view_of_operand;
  const Graph g = Graph::make({a, b}, {add(neg(rows::number(1)), rows::take(add(b, a), 0, n))});
  const Graph once = optimise(g, context);
  CHECK(structurally_equal(once, Graph::make({a, b}, {add(add(a, b), rows::number(-1))})));
  CHECK(structurally_equal(optimise(once, context), once));
  for (const PassReport& report : context.reports) {
    CHECK(std::find(pass_names().begin(), pass_names().end(), report.name) != pass_names().end());
  }
  context.excluded.assign(pass_names().begin(), pass_names().end());
  CHECK(optimise(g, context).outputs()[0].same_as(g.outputs()[0]));
}

// tests/graph/canonicalise_test.cpp: order of operands, views that change nothing.
#include "pass_rows.h"

#include <voxloom/graph/passes/canonicalise.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace pass_rows;

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

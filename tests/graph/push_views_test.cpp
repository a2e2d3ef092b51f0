// tests/graph/push_views_test.cpp: views move to the leaves.
#include "pass_rows.h"

#include <voxloom/graph/passes/push_views.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace pass_rows;

namespace {

Graph push(const Graph& g) {
  PassContext context;
  context.view_of_operand = view_of_operand;
  const Graph result = push_views(g, context);
  CHECK(verify(result).empty());
  return result;
}

}  // namespace

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

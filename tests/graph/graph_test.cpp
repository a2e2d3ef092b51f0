// tests/graph/graph_test.cpp: interning, order, hash and rewriting of graphs.
#include "rows.h"

#include <catch2/catch.hpp>

using namespace voxloom;

TEST_CASE("equal nodes become one") {
  const Expr a = rows::vector("a"), b = rows::vector("b");
  const Expr s1 = make_node(rows::add, {a, b}), s2 = make_node(rows::add, {a, b}), other = make_node(rows::add, {b, a});
  const Graph g = Graph::make({a, b}, {make_node(rows::mul, {s1, s2}), other});
  CHECK(g.size() == 5);
  const Node& product = *g.outputs()[0];
  CHECK(product.input(0).same_as(product.input(1)));
  CHECK(g.nodes()[0].same_as(a));
  CHECK(g.nodes()[1].same_as(b));
}

TEST_CASE("constants are equal by content, variables only to themselves") {
  const Expr a = rows::vector("a"), twin = rows::vector("a");
  const Expr one = make_scalar(f32, 1.0), uno = make_scalar(f32, 1.0), wide = make_scalar(f64, 1.0), zero = make_scalar(f32, 0.0),
             minus = make_scalar(f32, -0.0);
  CHECK(Graph::make({}, {one, uno}).size() == 1);
  CHECK(Graph::make({}, {one, wide}).size() == 2);
  CHECK(Graph::make({}, {zero, minus}).size() == 2);
  CHECK(Graph::make({a, twin}, {make_node(rows::add, {a, a}), make_node(rows::add, {twin, twin})}).size() == 4);
}

TEST_CASE("attributes keep nodes apart") {
  const Expr a = rows::vector("a");
  const auto sum = [&](int64_t ddof) { return make_node(rows::sum, {a}, {{"ddof", ddof}}); };
  CHECK(Graph::make({a}, {sum(0), sum(1), sum(0)}).size() == 3);
}

TEST_CASE("an unlisted variable is named") {
  const Expr a = rows::vector("a"), b = rows::vector("beta");
  CHECK_THROWS_WITH(Graph::make({a}, {make_node(rows::add, {a, b})}), Catch::Contains("\"beta\"") && Catch::Contains("not listed"));
  CHECK_THROWS_WITH(Graph::make({a, a}, {a}), Catch::Contains("twice"));
  CHECK_THROWS_WITH(Graph::make({make_scalar(f32, 1)}, {a}), Catch::Contains("not a variable"));
  CHECK_THROWS_AS(Graph::make({}, {Expr()}), UserError);
}

TEST_CASE("the structural hash sees structure and nothing else") {
  const auto build = [](int origin_line, double constant, const char* dim) {
    const Expr a = make_input("a", Type{f32, {Dim::symbol(dim)}});
    const Expr s = make_node(rows::add, {a, a}, {}, origin_of_text("t", origin_line));
    return Graph::make({a}, {make_node(rows::mul, {s, make_constant(constant_op(), std::make_shared<const ConstantPayload>(
                                                                                       *constant_of(*make_scalar(f32, constant))))})});
  };
  const Graph g = build(1, 2.0, "n");
  CHECK(g.structural_hash() == build(2, 2.0, "n").structural_hash());
  CHECK_FALSE(g.structural_hash() == build(1, 3.0, "n").structural_hash());
  CHECK_FALSE(g.structural_hash() == build(1, 2.0, "m").structural_hash());
  CHECK(structurally_equal(g, build(2, 2.0, "n")));
  CHECK_FALSE(structurally_equal(g, build(1, 3.0, "n")));
}

TEST_CASE("rewrite returns the same nodes when nothing changes and rebuilds what does") {
  const Expr a = rows::vector("a");
  const Expr n1 = make_node(rows::neg, {a});
  const Graph g = Graph::make({a}, {make_node(rows::mul, {n1, n1}), make_node(rows::sum, {a})});
  const auto keep = [](const Expr& node, std::span<const Expr> in) {
    for (size_t k = 0; k < in.size(); ++k) {
      if (!in[k].same_as(node->input(k))) return with_inputs(*node, {in.begin(), in.end()});
    }
    return node;
  };
  const Graph same = rewrite(g, keep);
  CHECK(same.outputs()[0].same_as(g.outputs()[0]));
  const Graph dropped =
      rewrite(g, [&](const Expr& node, std::span<const Expr> in) { return &node->op() == &rows::neg ? in[0] : keep(node, in); });
  CHECK(dropped.outputs()[0]->input(0).same_as(a));
  CHECK(dropped.outputs()[1].same_as(g.outputs()[1]));
}

TEST_CASE("100 000 nodes, deep and shared, are made and freed under a small stack") {
  size_t chain = 0, dag = 0;
  rows::on_small_stack([&] {
    const Expr a = rows::vector("a");
    Expr x = a, y = a;
    for (int i = 0; i < 100000; ++i) {
      x = make_node(rows::neg, {x});
      y = i % 2 == 0 ? make_node(rows::add, {y, y}) : make_node(rows::mul, {y, y});
    }
    chain = Graph::make({a}, {x}).size();
    dag = Graph::make({a}, {y}).size();
  });
  CHECK(chain == 100001);
  CHECK(dag == 100001);
}

TEST_CASE("axis maps of an elementwise row") {
  const Expr row = make_input("row", Type{f32, {1, Dim::symbol("n")}}),
             all = make_input("m", Type{f32, {Dim::symbol("k"), Dim::symbol("n")}});
  const Expr sum = make_node(rows::add, {all, row});
  const auto maps = axis_maps(*sum, 1);
  CHECK(maps[0].relation == AxisRelation::broadcast);
  CHECK(maps[1].relation == AxisRelation::map);
  CHECK(maps[1].out_axis == 1);
}

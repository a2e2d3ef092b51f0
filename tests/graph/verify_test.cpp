// tests/graph/verify_test.cpp: each broken invariant is found.
#include "rows.h"

#include <voxloom/graph/verify.h>

#include <catch2/catch.hpp>

namespace voxloom {

struct GraphAccess {
  static std::vector<Expr>& nodes(Graph& g) { return g.nodes_; }
  static std::vector<Expr>& inputs(Graph& g) { return g.inputs_; }
  static std::vector<Expr>& outputs(Graph& g) { return g.outputs_; }
  static void renumber(Graph& g) {
    g.index_.clear();
    for (size_t i = 0; i < g.nodes_.size(); ++i) g.index_[g.nodes_[i].get()] = static_cast<int>(i);
  }
};

}  // namespace voxloom

using namespace voxloom;

namespace {

std::string faults(const Graph& g) {
  std::string text;
  for (const std::string& line : verify(g)) text += line + "\n";
  return text;
}

struct Sample {
  Expr a = rows::vector("a"), b = rows::vector("b");
  Expr product = make_node(rows::mul, {a, b});
  Expr sum = make_node(rows::sum, {product});
  Graph g = Graph::make({a, b}, {sum});
};

bool lying = false;
Type lying_type(const OpInfo&, std::span<const Expr> in, const Attrs&, OriginId) {
  Type type = in[0].type();
  if (lying) type.dtype = f64;
  return type;
}
const OpInfo lying_row = rows::make_row("liar", 1, OpKind::library, lying_type);

}  // namespace

TEST_CASE("a sound graph has no faults") { CHECK(faults(Sample().g).empty()); }

TEST_CASE("order and closure") {
  Sample s;
  std::swap(GraphAccess::nodes(s.g)[2], GraphAccess::nodes(s.g)[3]);
  CHECK_THAT(faults(s.g), Catch::Contains("index_of()"));
  GraphAccess::renumber(s.g);
  CHECK_THAT(faults(s.g), Catch::Contains("stands before one of its operands"));

  Sample t;
  GraphAccess::nodes(t.g).erase(GraphAccess::nodes(t.g).begin() + 2);
  GraphAccess::renumber(t.g);
  CHECK_THAT(faults(t.g), Catch::Contains("not in the graph"));

  Sample u;
  GraphAccess::nodes(u.g).push_back(make_node(rows::neg, {u.a}));
  GraphAccess::renumber(u.g);
  CHECK_THAT(faults(u.g), Catch::Contains("not reachable"));
}

TEST_CASE("inputs") {
  Sample s;
  GraphAccess::inputs(s.g).pop_back();
  CHECK_THAT(faults(s.g), Catch::Contains("\"b\" is not listed"));
  Sample t;
  GraphAccess::inputs(t.g)[1] = t.a;
  CHECK_THAT(faults(t.g), Catch::Contains("listed twice"));
  Sample u;
  GraphAccess::outputs(u.g).push_back(make_node(rows::neg, {u.a}));
  CHECK_THAT(faults(u.g), Catch::Contains("an output is not a node"));
}

TEST_CASE("equal nodes") {
  Sample s;
  GraphAccess::nodes(s.g).push_back(make_node(rows::mul, {s.a, s.b}));
  GraphAccess::outputs(s.g).push_back(GraphAccess::nodes(s.g).back());
  GraphAccess::renumber(s.g);
  CHECK_THAT(faults(s.g), Catch::Contains("equal to an earlier node"));
}

TEST_CASE("types that the row does not infer") {
  Sample s;
  lying = true;
  const Graph g = Graph::make({s.a}, {make_node(lying_row, {s.a})});
  lying = false;
  CHECK_THAT(faults(g), Catch::Contains("has the type f64[n], but its row infers f32[n]"));
  CHECK_THROWS_WITH(check_graph(g, "a test"), Catch::Contains("broken after a test") && Catch::Contains("liar(%a)"));
}

TEST_CASE("leaves") {
  const Expr two =
      make_leaf(constant_op(), Type{f32, {2}}, "", constant_of(*make_scalar(f32, 1)) != nullptr ? make_scalar(f32, 1)->payload() : nullptr);
  CHECK_THAT(faults(Graph::make({}, {two})), Catch::Contains("constant of another type"));
  const Expr negative = make_input("x", Type{f32, {-2}});
  CHECK_THAT(faults(Graph::make({negative}, {negative})), Catch::Contains("negative size"));
  const Expr twins = make_input("x", Type{f32, {2, 2}, Order::C, {"x", "x"}});
  CHECK_THAT(faults(Graph::make({twins}, {twins})), Catch::Contains("two axes of one name"));
}

TEST_CASE("sub-graphs are verified too") {
  Sample s;
  Graph inner = Graph::make({s.a, s.b}, {s.product});
  GraphAccess::inputs(inner).pop_back();
  const Graph g = Graph::make({s.a}, {make_node(rows::loop, {s.a}, {{"body", std::make_shared<const Graph>(inner)}})});
  CHECK_THAT(faults(g), Catch::Contains("in body of node 1: ") && Catch::Contains("\"b\" is not listed"));
}

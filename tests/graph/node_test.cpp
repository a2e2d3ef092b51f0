// tests/graph/node_test.cpp: making nodes, attributes, release of deep chains.
#include "rows.h"

#include <catch2/catch.hpp>

using namespace voxloom;

TEST_CASE("make_node checks the arity and infers the type") {
  const Expr a = rows::vector("a");
  CHECK(make_node(rows::add, {a, a}).type() == a.type());
  CHECK_THROWS_WITH(make_node(rows::add, {a}), Catch::Contains("add: takes 2 operands, got 1"));
  CHECK_THROWS_WITH(make_node(rows::add, {a, Expr()}), Catch::Contains("empty expression"));
  const Expr i = make_input("i", Type{i32, {}});
  CHECK_THROWS_AS(make_node(rows::add, {a, i}), UserError);
  CHECK_THROWS_AS(make_input("deep", Type{f32, std::vector<Dim>(9, 1)}), UserError);
}

TEST_CASE("attributes are sorted and read by key") {
  const Expr a = rows::vector("a");
  const Expr s = make_node(rows::sum, {a}, {{"keepdims", false}, {"axes", std::vector<int64_t>{0}}, {"ddof", int64_t{1}}});
  CHECK(s->attrs()[0].key == "axes");
  CHECK(s->attr_ints("axes") == std::vector<int64_t>{0});
  CHECK(s->attr_int("ddof") == 1);
  CHECK_FALSE(s->attr_bool("keepdims", true));
  CHECK(s->attr_bool("absent", true));
  CHECK_THROWS_AS(s->attr_int("absent"), InternalError);
  CHECK_THROWS_AS(s->attr_int("axes"), InternalError);
  CHECK_THROWS_AS(make_node(rows::sum, {a}, {{"k", false}, {"k", true}}), InternalError);
}

TEST_CASE("attributes compare by bits") {
  CHECK(equal_attrs({{"x", 0.0}}, {{"x", 0.0}}));
  CHECK_FALSE(equal_attrs({{"x", 0.0}}, {{"x", -0.0}}));
  CHECK(equal_attrs({{"x", std::numeric_limits<double>::quiet_NaN()}}, {{"x", std::numeric_limits<double>::quiet_NaN()}}));
  CHECK_FALSE(equal_attrs({{"x", int64_t{1}}}, {{"x", true}}));
}

TEST_CASE("with_inputs and with_name keep the rest") {
  const Expr a = rows::vector("a"), b = rows::vector("b");
  const Expr s = with_name(*make_node(rows::add, {a, a}, {{"k", int64_t{3}}}), "total");
  const Expr t = with_inputs(*s, {a, b});
  CHECK(t->name() == "total");
  CHECK(t->attr_int("k") == 3);
  CHECK(t->input(1).same_as(b));
  CHECK(t->id() > s->id());
  const Expr wide = make_input("w", Type{f64, {2, 2}});
  CHECK(with_inputs(*s, {wide, wide}).type() == wide.type());
}

TEST_CASE("a chain of 100 000 nodes is released under a small stack") {
  rows::on_small_stack([] {
    Expr x = rows::vector("a");
    for (int i = 0; i < 100000; ++i) x = make_node(rows::neg, {x});
  });
  SUCCEED();
}

TEST_CASE("sub-graphs inside sub-graphs are bounded") {
  const Expr a = rows::vector("a");
  const auto wrap = [&](int levels) {
    auto inner = std::make_shared<const Graph>(Graph::make({a}, {a}));
    for (int i = 0; i < levels; ++i)
      inner = std::make_shared<const Graph>(Graph::make({a}, {make_node(rows::loop, {a}, {{"body", inner}})}));
    return inner->nesting();
  };
  CHECK(wrap(60) == 60);
  CHECK_THROWS_AS(wrap(70), UserError);
}

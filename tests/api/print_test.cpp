// tests/api/print_test.cpp: debugprint, pprint and DOT.
#include <voxloom/api/voxloom.h>

#include <catch2/catch.hpp>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

TEST_CASE("debugprint of an expression: each node once, types, lines") {
  const auto x = vl::fvector("x", {"n"});
  const auto e = vl::exp(x) + 2;
  const auto twice = e * e;
  CHECK(vl::debugprint(twice) ==
        "mul [A] <f32[n]>\n"
        " |add [B] <f32[n]>\n"
        " | |exp [C] <f32[n]>\n"
        " | | |x [D] <f32[n]>\n"
        " | |dimshuffle{pattern=[-1]} [E] <f32[1]>\n"
        " | | |2 [F] <f32[]>\n"
        " |add [B] <f32[n]> ...\n");
  CHECK(vl::debugprint(twice, {.depth = 1, .print_type = false}) == "mul [A]\n");
  CHECK_THAT(vl::debugprint(twice, {.print_origin = true}), Contains("print_test.cpp:"));
  CHECK_THROWS_AS(vl::debugprint(vl::Expr()), vl::UserError);
}

TEST_CASE("debugprint of a function: kernels, memory, views, what is destroyed, updates") {
  const auto x = vl::fvector("x"), y = vl::fmatrix("y");
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  const vl::Function f = vl::function({x}, {vl::Out(vl::exp(x) * w, {.borrow = true})}, {.updates = {{w, w + x}}});
  const std::string text = vl::debugprint(f);
  CHECK_THAT(text, Contains("kernel 0") && Contains("argument 0") && Contains("shared") && Contains("output 0 (borrowed)") &&
                       Contains("update of w"));
  const vl::Function g = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(vl::exp(x), {.borrow = true})});
  CHECK_THAT(vl::debugprint(g), Contains("may be destroyed by output 0"));
  const vl::Function h = vl::function({y}, {vl::exp(vl::flip(vl::reshape(y, {-1}), 0))});
  CHECK_THAT(vl::debugprint(h), Contains("view"));
}

TEST_CASE("pprint writes the formula with the parentheses it needs") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  CHECK(vl::pprint(x + y * 2) == "x + y * 2");
  CHECK(vl::pprint((x + y) * 2) == "(x + y) * 2");
  CHECK(vl::pprint(x - (y - 2)) == "x - (y - 2)");
  CHECK(vl::pprint(x - y - 2) == "x - y - 2");
  CHECK(vl::pprint(-(x + y)) == "-(x + y)");
  CHECK(vl::pprint(vl::pow(-x, y)) == "(-x) ** y");
  CHECK(vl::pprint(1 / (1 + vl::exp(-x))) == "1 / (1 + exp(-x))");
  CHECK_THAT(vl::pprint(vl::sum(x * y)), Contains("sum(x * y, "));
  vl::Expr deep = x;
  for (int k = 0; k < 100000; ++k) deep = vl::sin(deep);
  CHECK_THAT(vl::pprint(deep), Contains("..."));
  CHECK(vl::debugprint(deep, {.print_type = false}).size() > 1000000);
  vl::Expr wide = x;
  for (int k = 0; k < 40; ++k) wide = wide * wide + 1;  // a tree of 2^40 leaves
  CHECK(vl::pprint(wide).size() < 200000);
}

TEST_CASE("DOT: kernels in boxes, leaves and outputs by kind, text quoted") {
  const auto x = vl::fvector("x \"1\"");
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  const vl::Function f = vl::function({x}, {vl::exp(x) + w, vl::sum(vl::flip(vl::exp(x), 0) * w)});
  const std::string dot = vl::to_dot(f);
  CHECK_THAT(dot, Contains("digraph voxloom {") && Contains("cluster_0") && Contains("on cpu") && Contains("x \\\"1\\\"") &&
                      Contains("\"output 1\"") && Contains(" -> "));
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
  CHECK_THAT(vl::to_dot(vl::exp(x)), Contains("\"result\""));
}

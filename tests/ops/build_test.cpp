// tests/ops/build_test.cpp: operators, host numbers, broadcasting by position and by name, and the messages when operands do not fit.
#include "check.h"

#include <voxloom/graph/constant.h>
#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>
#include <voxloom/ops/gradient.h>

#include <catch2/catch.hpp>

#include <complex>

using namespace voxloom;
using namespace voxloom::test;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
Expr bold() { return image_input("bold", DType::i16, {4, 5, 6, "n"}, {"x", "y", "z", "t"}); }

}  // namespace

TEST_CASE("variables have floatX, prefixes their dtypes") {
  CHECK(matrix("x").dtype() == DType::f32);
  CHECK(dmatrix("x").dtype() == DType::f64);
  CHECK(ultensor3("x").dtype() == DType::u64);
  CHECK(zscalar("x").rank() == 0);
  CHECK(matrix("x", {"n", 784}).type().str() == "f32[n, 784]");
  CHECK(row("r").shape()[0].is_one());
  CHECK(col("c").shape()[1].is_one());
  CHECK_FALSE(matrix("x").shape()[0] == matrix("x").shape()[0]);  // no shape given: symbols of their own
  CHECK(bold().type().str() == "i16[x:4, y:5, z:6, t:n]F");
  const PolicyScope scope({.floatX = DType::f64});
  CHECK(vector("x").dtype() == DType::f64);
}

TEST_CASE("host numbers are weak") {
  CHECK((fvector("x") * 2.5).dtype() == DType::f32);
  CHECK((dvector("x") * 2.5f).dtype() == DType::f64);
  CHECK((ivector("x") + 1).dtype() == DType::i32);
  CHECK((bvector("x") + 1).dtype() == DType::i8);
  CHECK((bvector("x") + 1000).dtype() == DType::i16);
  CHECK((ubvector("x") - 1).dtype() == DType::u8);
  CHECK((ubvector("x") + -1).dtype() == DType::i16);
  CHECK((ulvector("x") + 1).dtype() == DType::u64);
  CHECK(has(user_error([&] { ulvector("x") + -1; }), "-1 meets uint64"));
  CHECK((ivector("x") * 0.5).dtype() == DType::f32);
  CHECK((ivector("x") / 2).dtype() == DType::f32);
  CHECK((lvector("x") > 0.5).dtype() == DType::boolean);
  CHECK((cvector("x") * 2).dtype() == DType::c64);
  CHECK((fvector("x") * std::complex<double>(0, 1)).dtype() == DType::c64);
  CHECK(maximum(1, 2).dtype() == DType::i64);
  CHECK(maximum(1, 2.5).dtype() == DType::f32);
  const Expr x = fvector("x") + 1;
  CHECK(uniform_value(*x->input(1)->input(0)).value() == 1.0);
}

TEST_CASE("integer voxels of images") {
  const Expr a = bold(), wide = image_input("w", DType::i32, {4}, {"x"}), u = image_input("u", DType::u8, {4}, {"x"});
  for (const Expr& e : {a + a, a - 1, a * 2, a / 2, -a, abs(a), sqrt(a)}) CHECK(e.dtype() == DType::f32);
  for (const Expr& e : {wide + wide, wide / 2, sqrt(wide), wide * 0.5}) CHECK(e.dtype() == DType::f64);
  CHECK((wide * fscalar("f")).dtype() == DType::f64);
  CHECK((a * fscalar("f")).dtype() == DType::f32);
  CHECK((a % 2).dtype() == DType::i16);
  CHECK(floordiv(a, 2).dtype() == DType::i16);
  CHECK(maximum(a, 0).dtype() == DType::i16);
  CHECK(where(a > 3, a, 0).dtype() == DType::i16);
  CHECK(sum(a).dtype() == DType::i64);
  CHECK(max(a, "t").dtype() == DType::i16);
  CHECK(mean(a, "t").dtype() == DType::f32);
  CHECK(mean(wide).dtype() == DType::f64);
  CHECK(voxloom::std(a, "t").dtype() == DType::f32);
  CHECK((u + u).dtype() == DType::f32);
  CHECK((u > 300).dtype() == DType::boolean);
}

TEST_CASE("shapes broadcast by NumPy's rule, explicitly") {
  const Expr x = fmatrix("x", {3, 4}), v = fvector("v", {4}), s = fscalar("s");
  CHECK((x + v).type().str() == "f32[3, 4]");
  CHECK(std::string((x + v)->input(1)->op().name) == "dimshuffle");
  CHECK((s + x).type().str() == "f32[3, 4]");
  CHECK((fcol("c", {3, 1}) + frow("r", {1, 4})).type().str() == "f32[3, 4]");
  CHECK((fmatrix("a", {"n", "m"}) + fmatrix("b", {"k", 4})).type().str() == "f32[n, 4]");
  const std::string text = user_error([&] { x + fmatrix("y", {4, 3}); });
  CHECK(has(text, "add: shapes [3, 4] and [4, 3] do not broadcast"));
  CHECK(has(text, "build_test.cpp:"));
  CHECK(has(user_error([&] { fvector("a", {"n"}) - fvector("b", {Dim::symbol("n") + Dim(1)}); }), "do not broadcast"));
}

TEST_CASE("images align by name") {
  const Expr a = bold(), m = mean(a, "t");
  CHECK(m.type().str() == "f32[x:4, y:5, z:6]F");
  CHECK((a - m).type().str() == "f32[x:4, y:5, z:6, t:n]F");
  CHECK((m - a).type().str() == "f32[x:4, y:5, z:6, t:n]F");
  const Expr t = mean(a, {"x", "y", "z"});
  CHECK(t.type().str() == "f32[t:n]F");
  CHECK((a * t).type().str() == "f32[x:4, y:5, z:6, t:n]F");
  CHECK((m * t).type().str() == "f32[x:4, y:5, z:6, t:n]F");
  CHECK((a + 1).type().order == Order::F);
  CHECK((fscalar("s") * a).type().order == Order::F);
  const Expr other = image_input("o", DType::f32, {6, 5, 4}, {"z", "y", "x"});
  CHECK((m + other).type().str() == "f32[x:4, y:5, z:6]F");
  CHECK(has(user_error([&] { m + image_input("o", DType::f32, {4, 5, 7}, {"x", "y", "z"}); }), "(x y z)"));
  CHECK((a + fvector("v", {"n"})).type().str() == "f32[x:4, y:5, z:6, t:n]F");  // without names: NumPy's rule
}

TEST_CASE("reductions: axes, keepdims, dtypes") {
  const Expr x = ftensor3("x", {2, 3, 4});
  CHECK(sum(x).type().str() == "f32[]");
  CHECK(sum(x, -1).type().str() == "f32[2, 3]");
  CHECK(sum(x, {0, 2}).type().str() == "f32[3]");
  CHECK(sum(x, {0, 2}, {.keepdims = true}).type().str() == "f32[1, 3, 1]");
  CHECK(sum(x, {}, {.dtype = DType::f64}).dtype() == DType::f64);
  CHECK(sum(x)->attr_dtype("acc_dtype") == DType::f64);
  CHECK(sum(x, {}, {.acc_dtype = DType::f32})->attr_dtype("acc_dtype") == DType::f32);
  CHECK(sum(ubvector("x")).dtype() == DType::i64);
  CHECK(sum(ulvector("x")).dtype() == DType::u64);
  CHECK(sum(ivector("x") > 0).dtype() == DType::i64);
  CHECK(mean(ivector("x")).dtype() == DType::f32);
  CHECK(mean(ivector("x"))->attr_dtype("acc_dtype") == DType::i64);
  CHECK(mean(lvector("x"))->attr_dtype("acc_dtype") == DType::f64);
  CHECK(argmax(x, 0).dtype() == DType::i64);
  CHECK(any(x, 1).dtype() == DType::boolean);
  CHECK(sum(fscalar("s")).type().str() == "f32[]");
  CHECK(has(user_error([&] { sum(x, 3); }), "sum: axis 3 of an operand of rank 3"));
  CHECK(has(user_error([&] { sum(x, {1, -2}); }), "axis 1 is given twice"));
  CHECK(has(user_error([&] { sum(x, "t"); }), "no axis is named t (it has no axis names)"));
  CHECK(has(user_error([&] { mean(bold(), "q"); }), "its axes are x, y, z, t"));
  CHECK(has(user_error([&] { max(cvector("c")); }), "max: complex64 is not supported"));
}

TEST_CASE("images are stacked along a new axis with a name") {
  const Expr a = image_input("a", DType::f32, {4, 5, 6}, {"x", "y", "z"}), m = matrix("m", {2, 3});
  const Expr series = stack({a, a}, "t");
  CHECK(series.type().str() == "f32[x:4, y:5, z:6, t:2]F");
  CHECK(stack({a, a}, 3).type() == series.type());
  CHECK(stack({a, a}).type().str() == "f32[t:2, x:4, y:5, z:6]F");
  CHECK(stack({series, series}, -1).type().str() == "f32[x:4, y:5, z:6, t:2, u:2]F");
  CHECK(mean(series, "t").type() == a.type());
  CHECK(stack({m, m}).type().str() == "f32[2, 2, 3]");
  CHECK(has(user_error([&] { stack({series, series}, "t"); }), "t is an axis of f32[x:4, y:5, z:6, t:2]F already; concatenate"));
  CHECK(has(user_error([&] { stack({m, m}, "t"); }), "has no axis names"));
  CHECK(has(user_error([&] { stack({a, series}, "u"); }), "f32[x:4, y:5, z:6]F and f32[x:4, y:5, z:6, t:2]F have other axes"));
  CHECK(has(user_error([&] { stack({a, transpose(a)}, "t"); }), "have other axes"));
  const Expr u = stack({series, series}, "u"), v = stack({u, u}, "v"), w = stack({v, v}, "w");
  CHECK(has(user_error([&] { stack({w, w}); }), "at most the axes x y z t u v w"));

  const Expr g = grad(sum(sqr(stack({a, 3 * a}, "t"))), a);
  CHECK(g.type() == a.type());
  const Graph graph = Graph::make({a}, {series, g});
  CHECK(verify(graph).empty());
  CHECK(to_text(parse_graph(to_text(graph), find_op)) == to_text(graph));
  std::vector<float> given, wanted;
  for (int k = 0; k < 120; ++k) given.push_back(static_cast<float>(k - 50)), wanted.push_back(20 * given.back());
  CHECK(values<float>(g, {{a, array<float>(given, {4, 5, 6})}}) == wanted);
}

TEST_CASE("what a row refuses it names") {
  const Expr b = fvector("x") > 0;
  CHECK(has(user_error([&] { b - b; }), "sub: bool is not supported"));
  CHECK(has(user_error([&] { -b; }), "neg: bool is not supported"));
  CHECK(has(user_error([&] { fvector("x") & 1; }), "bit_and: float32 is not supported"));
  CHECK(has(user_error([&] { cvector("x") < 1; }), "lt: complex64 is not supported"));
  CHECK(has(user_error([&] { Expr() + 1; }), "the expression is empty"));
  CHECK(has(user_error([&] { tensor("x", DType::f16, {3}); }), "float16 is not supported"));
  CHECK(has(user_error([&] { image_input("x", DType::f32, {3, 3}, {"x", "x"}); }), "two axes are named x"));
}

TEST_CASE("every node keeps the user's line") {
  const Expr x = fvector("x");
  const Expr y = 1 / (1 + x);
  const std::string line = std::to_string(__LINE__ - 1);
  CHECK(origin_text(y->origin()).find("build_test.cpp:" + line) != std::string::npos);
  CHECK(origin_text(y->input(1)->origin()).find("build_test.cpp:" + line) != std::string::npos);
}

TEST_CASE("an image that loses its named axes is an array") {
  const Expr rgb = image_input("rgb", DType::u8, {4, 5, 3}, {"x", "y", ""});
  const Expr m = mean(rgb, {"x", "y"});
  CHECK(m.type().str() == "f32[3]F");
  CHECK((rgb - m).type().names == std::vector<std::string>{"x", "y", ""});
  CHECK((rgb - m).shape()[2] == Dim(3));
}

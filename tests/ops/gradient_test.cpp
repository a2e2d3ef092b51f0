// tests/ops/gradient_test.cpp: the gradient of every row against central differences, and what rows promise at kinks and gaps.
#include "check.h"

#include <voxloom/graph/passes/optimise.h>
#include <voxloom/ops/gradient.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/verify_grad.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <map>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Reals = std::vector<double>;
using Variables = std::vector<Expr>;
using Function = std::function<Expr(const Variables&)>;

/// Points of an elementwise row, away from kinks; one list per operand.
const std::map<std::string, std::vector<Reals>>& points() {
  static const Reals any = {-2.3, -0.7, 0.4, 1.9}, other = {0.8, -1.1, 2.2, -0.6}, positive = {0.3, 0.9, 1.7, 4.2},
                     inside = {-0.9, -0.3, 0.2, 0.8};
  static const std::map<std::string, std::vector<Reals>> table = {
      {"add", {any, other}},
      {"sub", {any, other}},
      {"mul", {any, other}},
      {"div", {any, other}},
      {"floordiv", {any, other}},
      {"mod", {any, other}},
      {"neg", {any}},
      {"abs", {any}},
      {"reciprocal", {any}},
      {"sign", {any}},
      {"minimum", {any, other}},
      {"maximum", {any, other}},
      {"fmin", {any, other}},
      {"fmax", {any, other}},
      {"clip", {{-2.3, 0.1, 0.4, 3.0}, {-1, -1, 0.6, -1}, {1, 1, 0.2, 1.5}}},
      {"copysign", {any, other}},
      {"pow", {positive, other}},
      {"sqr", {any}},
      {"sqrt", {positive}},
      {"cbrt", {any}},
      {"hypot", {any, other}},
      {"exp", {any}},
      {"exp2", {any}},
      {"exp_shifted", {any, other}},
      {"expm1", {any}},
      {"log", {positive}},
      {"log2", {positive}},
      {"log10", {positive}},
      {"log1p", {positive}},
      {"log1mexp", {{-3, -1.2, -0.4, -0.05}}},
      {"logaddexp", {any, other}},
      {"xlogy", {any, positive}},
      {"sin", {any}},
      {"cos", {any}},
      {"tan", {any}},
      {"asin", {inside}},
      {"acos", {inside}},
      {"atan", {any}},
      {"atan2", {any, other}},
      {"sinh", {any}},
      {"cosh", {any}},
      {"tanh", {any}},
      {"asinh", {any}},
      {"acosh", {{1.1, 1.5, 3, 8}}},
      {"atanh", {inside}},
      {"deg2rad", {any}},
      {"rad2deg", {any}},
      {"floor", {any}},
      {"ceil", {any}},
      {"trunc", {any}},
      {"rint", {any}},
      {"round_half_away", {any}},
      {"erf", {any}},
      {"erfc", {any}},
      {"sigmoid", {any}},
      {"softplus", {any}},
      {"cast", {any}},
      {"identity", {any}},
      {"second", {any, other}},
      {"real", {any}},
      {"imag", {any}},
      {"conj", {any}},
      {"angle", {any}},
      {"complex", {any, other}},
      {"where", {}},
      {"zero_grad", {}},
      {"grad_clip", {}},
      {"grad_scale", {}},
  };
  return table;
}

/// Elementwise rows that take complex numbers.
const std::vector<std::string> complex_rows = {"add",  "sub", "mul", "div",      "neg",  "abs",  "reciprocal", "sqr",
                                               "sqrt", "exp", "log", "identity", "real", "imag", "conj",       "angle"};

template <class T> HostArray narrowed(const Reals& values, std::vector<int64_t> shape) {
  return array<T>(std::vector<T>(values.begin(), values.end()), std::move(shape));
}

Expr node_of(const OpInfo& row, const Variables& x) {
  if (std::string(row.name) == "cast") return cast(x[0], x[0].dtype() == DType::f64 ? DType::f32 : DType::f64);
  return elementwise(row, std::vector<Operand>(x.begin(), x.end()));
}

void differences_agree(const Function& f, const std::vector<HostArray>& at, VerifyGradOptions options = {}) {
  CHECK_NOTHROW(verify_grad(f, at, options));
}
void differences_agree(const Function& f, const Reals& values, std::vector<int64_t> shape) {
  differences_agree(f, {narrowed<double>(values, std::move(shape))});
}

const Reals twelve = {0.3, -1.2, 2.1, 0.7, -0.4, 1.6, 0.9, -2.2, 1.1, 0.5, -0.8, 1.4};

}  // namespace

TEST_CASE("every elementwise row with a gradient agrees with differences, in float64 and float32") {
  for (const OpInfo* row : all_ops()) {
    if (row->kind != OpKind::elementwise || row->no_gradient) continue;
    INFO(row->name);
    const auto found = points().find(row->name);
    REQUIRE(found != points().end());
    if (found->second.empty()) continue;  // has a test of its own
    std::vector<HostArray> wide, narrow;
    for (const Reals& values : found->second) {
      wide.push_back(narrowed<double>(values, {2, 2}));
      narrow.push_back(narrowed<float>(values, {2, 2}));
    }
    const bool to_float32 = std::string(row->name) == "cast";
    differences_agree([&](const Variables& x) { return node_of(*row, x); }, wide,
                      to_float32 ? VerifyGradOptions{.eps = 1e-2, .abs_tol = 1e-4} : VerifyGradOptions{});
    differences_agree([&](const Variables& x) { return node_of(*row, x); }, narrow, {.eps = 3e-3, .abs_tol = 2e-2, .rel_tol = 1e-2});
  }
}

TEST_CASE("second derivatives of elementwise rows agree with differences") {
  for (const OpInfo* row : all_ops()) {
    if (row->kind != OpKind::elementwise || row->no_gradient || std::string(row->name) == "cast") continue;
    INFO(row->name);
    std::vector<HostArray> at;
    for (const Reals& values : points().at(row->name)) at.push_back(narrowed<double>(values, {4}));
    if (at.empty()) continue;
    differences_agree(
        [&](const Variables& x) {
          const Expr f = node_of(*row, x);
          const Expr cost = is_complex(f.dtype()) ? sum(real(f) + imag(f)) : sum(f);
          Expr total = constant(0.0, DType::f64);
          for (const Expr& g : grad(cost, x, {.disconnected_inputs = Disconnected::ignore})) total = total + sum(sin(g + total));
          return total;
        },
        at, {.abs_tol = 1e-5, .rel_tol = 1e-5});
  }
}

TEST_CASE("complex rows: dL/dRe + i dL/dIm, by differences along both") {
  const HostArray z = array<std::complex<double>>({{0.5, 1.2}, {-1.3, 0.4}, {0.8, -0.9}, {-0.6, -1.7}}),
                  w = array<std::complex<double>>({{1.5, 0.2}, {-0.3, 1.4}, {0.9, 0.7}, {-1.6, -0.7}});
  for (const std::string& name : complex_rows) {
    INFO(name);
    const OpInfo& row = op(name.c_str());
    std::vector<HostArray> at = {z};
    if (row.min_arity == 2) at.push_back(w);
    differences_agree([&](const Variables& x) { return node_of(row, x); }, at);
  }
  differences_agree([](const Variables& x) { return sum(x[0], 0); }, {z});
  differences_agree([](const Variables& x) { return mean(x[0]); }, {z});
  differences_agree([](const Variables& x) { return prod(x[0]); }, {z});
  differences_agree([](const Variables& x) { return cast(x[0], DType::c128) * x[1]; }, {narrowed<double>({1, 2, 3, 4}, {4}), w});
  differences_agree([](const Variables& x) { return where(real(x[0]) > 0, x[0] * x[0], x[0]); }, {z});
  const Expr v = zvector("v", {4});
  CHECK(values<std::complex<double>>(grad(sum(sqr(abs(v))), v), {{v, z}}) ==
        std::vector<std::complex<double>>{{1, 2.4}, {-2.6, 0.8}, {1.6, -1.8}, {-1.2, -3.4}});
}

TEST_CASE("reductions agree with differences") {
  const std::vector<std::pair<const char*, Function>> cases = {
      {"sum", [](const Variables& x) { return sum(x[0], 0) * sum(x[0], {0}); }},
      {"sum keepdims", [](const Variables& x) { return exp(sum(x[0], 1, {.keepdims = true})) * x[0]; }},
      {"mean", [](const Variables& x) { return sqr(mean(x[0], 1)); }},
      {"mean of all", [](const Variables& x) { return sqr(x[0] - mean(x[0])); }},
      {"prod", [](const Variables& x) { return prod(x[0], 1); }},
      {"min", [](const Variables& x) { return min(x[0], 0); }},
      {"max", [](const Variables& x) { return max(x[0], 1, {.keepdims = true}) * x[0]; }},
      {"var", [](const Variables& x) { return var(x[0], 1); }},
      {"var ddof", [](const Variables& x) { return var(x[0], {0, 1}, {.ddof = 1}); }},
      {"std", [](const Variables& x) { return voxloom::std(x[0], 0, {.ddof = 1}); }},
      {"z-score",
       [](const Variables& x) { return (x[0] - mean(x[0], 1, {.keepdims = true})) / voxloom::std(x[0], 1, {.keepdims = true}); }},
      {"softmax", [](const Variables& x) { return exp(x[0]) / sum(exp(x[0]), 1, {.keepdims = true}); }},
      {"over no axis", [](const Variables& x) { return sum(x[0], Axes(std::vector<Axis>{})); }},
      {"ptp", [](const Variables& x) { return ptp(x[0], 0); }},
  };
  for (const auto& [name, f] : cases) {
    INFO(name);
    differences_agree(f, twelve, {3, 4});
  }
}

TEST_CASE("moves and broadcasts agree with differences") {
  const std::vector<std::pair<const char*, Function>> cases = {
      {"transpose", [](const Variables& x) { return transpose(x[0]) * transpose(x[0]); }},
      {"new axes", [](const Variables& x) { return expand_dims(x[0], 1) * x[0]; }},
      {"squeeze", [](const Variables& x) { return squeeze(index(x[0], {Slice{0, 1}})); }},
      {"broadcast_to", [](const Variables& x) { return sqr(broadcast_to(index(x[0], {0}), {5, 4})); }},
      {"row", [](const Variables& x) { return x[0] * index(x[0], {1}); }},
      {"scalar", [](const Variables& x) { return x[0] * index(x[0], {1, 2}); }},
      {"slice", [](const Variables& x) { return sqr(index(x[0], {Slice{1}, Slice{0, 3}})); }},
      {"slice with step", [](const Variables& x) { return sqr(index(x[0], {ellipsis, Slice{{}, {}, 2}})); }},
      {"slice with step 3", [](const Variables& x) { return sqr(index(x[0], {ellipsis, Slice{1, {}, 3}})); }},
      {"backwards", [](const Variables& x) { return sqr(index(x[0], {Slice{{}, {}, -1}, Slice{3, 0, -2}})); }},
      {"empty", [](const Variables& x) { return concatenate({index(x[0], {ellipsis, Slice{2, 2}}), x[0]}, 1); }},
      {"last", [](const Variables& x) { return exp(index(x[0], {-1})); }},
      {"differences", [](const Variables& x) { return sqr(index(x[0], {ellipsis, Slice{1}}) - index(x[0], {ellipsis, Slice{{}, -1}})); }},
      {"flip", [](const Variables& x) { return flip(x[0]) * x[0]; }},
      {"reshape", [](const Variables& x) { return reshape(x[0], {2, 6}) * reshape(x[0], {2, -1}); }},
      {"ravel of a transpose", [](const Variables& x) { return sqr(ravel(transpose(x[0]))); }},
      {"concatenate", [](const Variables& x) { return sqr(concatenate({x[0], exp(x[0]), x[0]}, 1)); }},
      {"stack", [](const Variables& x) { return sqr(stack({x[0], sin(x[0])}, 1)); }},
  };
  for (const auto& [name, f] : cases) {
    INFO(name);
    differences_agree(f, twelve, {3, 4});
  }
}

TEST_CASE("sizes known only at the call") {
  const Expr x = dmatrix("x", {"n", "m"});
  const HostArray at = narrowed<double>(twelve, {3, 4});
  const auto g = [&](const Expr& cost) { return values<double>(grad(cost, x), {{x, at}}); };
  CHECK(g(mean(x)) == Reals(12, 1.0 / 12));
  CHECK(g(sum(index(x, {Slice{{}, {}, 2}, Slice{{}, {}, -3}}))) == Reals{1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(g(sum(index(x, {Slice{2, 2, -1}}))) == Reals(12, 0.0));
  CHECK(g(sum(sqr(index(x, {Slice{-1, 100, -1}, Slice{9, 12, 2}}))) + sum(x)) == Reals(12, 1.0));
  CHECK(g(sum(index(x, {-1, Slice{1}}))) == Reals{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1});
  CHECK(g(sum(mean(x, 0))) == Reals(12, 1.0 / 3));
  const Reals variance = g(sum(var(x, 1)));
  CHECK(variance[0] == Approx(2.0 / 4 * (0.3 - (0.3 - 1.2 + 2.1 + 0.7) / 4)));
  CHECK(g(sum(reshape(x, {-1}) * reshape(x, {-1})))[1] == -2.4);
  const Expr b = dvector("b", {"k"});  // k = m is found out at the call
  CHECK(values<double>(grad(sum(x * b), b), {{x, at}, {b, narrowed<double>({1, 2, 3, 4}, {4})}})[0] == Approx(0.3 - 0.4 + 1.1));
  CHECK(grad(sum(x * b), b).type() == b.type());
}

TEST_CASE("the gradient of a view is a view where it can be") {
  const Expr x = dvector("x", {"n"}), y = dvector("y", {"n"}), m = dmatrix("m", {"n", "k"}), k = dmatrix("k", {"k", "n"});
  const auto simplified = [](const Expr& e, const Variables& inputs) {
    PassContext context;
    use_op_rules(context);
    return optimise(Graph::make(inputs, {e}), context);
  };
  const auto same = [&](const Expr& a, const Expr& b, const Variables& inputs) {
    CHECK(structurally_equal(simplified(a, inputs), simplified(b, inputs)));
  };
  same(grad(sum(flip(x) * y), x), flip(y), {x, y});
  same(grad(sum(transpose(m) * k), m), transpose(k), {m, k});
  same(grad(sum(sum(m, 1) * x), m), broadcast_to(expand_dims(x, 1), {"n", "k"}), {m, x});
}

TEST_CASE("ties share no gradient: each gets it all, as in Theano") {
  const Expr x = dvector("x", {3});
  const HostArray at = array<double>({2, 1, 2});
  CHECK(values<double>(grad(max(x), x), {{x, at}}) == Reals{1, 0, 1});
  CHECK(values<double>(grad(sum(maximum(x, 2)), x), {{x, at}}) == Reals{1, 0, 1});
  CHECK(values<double>(grad(sum(clip(x, 1, 2)), x), {{x, at}}) == Reals{1, 1, 1});
  CHECK(values<double>(grad(sum(abs(x - 2)), x), {{x, at}}) == Reals{0, -1, 0});
}

TEST_CASE("zeros among factors") {
  const Expr x = dvector("x", {4});
  const auto g = [&](const Reals& at) { return values<double>(grad(prod(x), x), {{x, array<double>(at)}}); };
  CHECK(g({2, 3, 4, 5}) == Reals{60, 40, 30, 24});
  CHECK(g({2, 0, 4, 5}) == Reals{0, 40, 0, 0});
  CHECK(g({2, 0, 0, 5}) == Reals{0, 0, 0, 0});
  CHECK(values<double>(grad(sum(pow(x, 0)), x, {.disconnected_inputs = Disconnected::ignore}), {{x, array<double>({0, 1, 2, 3})}}) ==
        Reals{0, 0, 0, 0});
  CHECK(values<double>(grad(sum(pow(x, 3)), x), {{x, array<double>({0, 1, -2, 3})}}) == Reals{0, 3, 12, 27});
  CHECK(values<double>(grad(sum(pow(2.0, x)), x), {{x, array<double>({0, 1, 2, 3})}})[3] == Approx(8 * std::log(2.0)));
  CHECK(values<double>(grad(sum(sqrt(sqr(x))), x), {{x, array<double>({0, 1, -2, 3})}}) == Reals{0, 1, -1, 1});
}

TEST_CASE("what where does not choose has no effect, not even as NaN") {
  const Expr x = dvector("x", {3});
  const HostArray at = array<double>({0, 1, 4});
  const auto g = [&](const Expr& e) { return values<double>(grad(sum(e), x), {{x, at}}); };
  CHECK(g(where(x > 0, log(x), 0)) == Reals{0, 1, 0.25});
  CHECK(g(where(x > 0, sqrt(x), x)) == Reals{1, 0.5, 0.25});
  CHECK(g(where(x <= 0, 0, x / sqrt(x) * sqrt(sqr(sqrt(x))))) == Reals{0, 1, 1});
  CHECK(g(where(x > 0, flip(log(flip(x))), 0)) == Reals{0, 1, 0.25});
  CHECK(g(where(x > 0, reshape(log(reshape(x, {3, 1})), {3}), 0)) == Reals{0, 1, 0.25});
  CHECK(g(where(index(x, {Slice{1}}) > 0, index(log(x), {Slice{1}}), 0)) == Reals{0, 1, 0.25});
  const Expr m = dmatrix("m", {2, 2});
  CHECK(values<double>(grad(sum(where(min(m, 1) > 0, sum(log(m), 1), 0)), m), {{m, array<double>({0, 1, 2, 4}, {2, 2})}}) ==
        Reals{0, 0, 0.5, 0.25});
  CHECK(values<double>(grad(sum(where(transpose(m) > 0, transpose(log(m)), 0)), m), {{m, array<double>({0, 1, 2, 4}, {2, 2})}}) ==
        Reals{0, 1, 0.5, 0.25});
  // Both branches of one choice, each infinite where the other is taken.
  CHECK(g(where(x > 0, log(x), log(1 - x))) == Reals{-1, 1, 0.25});
  const HostArray zero = array<double>({0, 3, 0}), nought = array<double>({0, 4, 0});
  const Expr y = dvector("y", {3});
  CHECK(values<double>(grad(sum(hypot(x, y)), x), {{x, zero}, {y, nought}}) == Reals{0, 0.6, 0});
}

TEST_CASE("ops that change gradients only") {
  const Expr x = dvector("x", {3}), y = dvector("y", {3});
  const Bound at = {{x, array<double>({-2, 1, 4})}, {y, array<double>({1, 2, 3})}};
  CHECK(values<double>(grad(sum(grad_clip(sqr(x), -1, 1) * 3), x), at) == Reals{-4, 2, 8});
  CHECK(values<double>(grad(sum(sqr(grad_clip(x, -1, 3))), x), at) == Reals{-1, 2, 3});
  CHECK(values<double>(grad(sum(grad_scale(x, -0.5) * y), x), at) == Reals{-0.5, -1, -1.5});
  CHECK(values<double>(grad(sum(zero_grad(x) * x), x), at) == Reals{-2, 1, 4});
  CHECK(values<double>(grad(sum(disconnected_grad(x) * x), x), at) == Reals{-2, 1, 4});
  CHECK(values<double>(grad(sum(zero_grad(x)), x), at) == Reals{0, 0, 0});
  CHECK_THROWS_AS(grad(sum(disconnected_grad(x)), x), UserError);
  CHECK(values<double>(sum(grad_clip(x, -1, 1) + disconnected_grad(x) + zero_grad(x) + grad_scale(x, 2)), at) == Reals{12});
  CHECK(values<double>(grad(sum(consider_constant(x) * y), y), at) == Reals{-2, 1, 4});
  // The optimizer takes them away.
  PassContext context;
  use_op_rules(context);
  const Graph g = optimise(Graph::make({x}, {grad_clip(exp(disconnected_grad(x)), -1.0, 1.0)}), context);
  CHECK(structurally_equal(g, Graph::make({x}, {exp(x)})));
}

TEST_CASE("images keep their names and order") {
  const Expr img = image_input("img", DType::f64, {"x", "t"}, {"x", "t"}), w = dvector("w", {"x"}), row = dvector("r", {"t"});
  const HostArray values_of = HostArray::copy(narrowed<double>({1, 2, 3, 4, 5, 6}, {3, 2}).view(), Order::F);
  const Expr cost = sum(sqr(img - mean(img, "t"))) + sum(sum(img, "t") * w) + sum(img * row);
  const Bound at = {{img, values_of}, {w, array<double>({1, 10, 100})}, {row, array<double>({1000, 2000})}};
  const std::vector<Expr> g = grad(cost, {img, w, row});
  CHECK(g[0].type() == img.type());
  CHECK(g[1].type() == w.type());
  CHECK(g[2].type() == row.type());
  CHECK(values<double>(g[0], at) == Reals{1000, 2002, 1009, 2011, 1099, 2101});
  CHECK(values<double>(g[1], at) == Reals{3, 7, 11});
  CHECK(values<double>(g[2], at) == Reals{9, 12});
  const Expr flat = sum(sqr(reshape(img, {-1})) * reshape(img * 2, {-1}));
  CHECK(grad(flat, img).type() == img.type());
  CHECK(values<double>(grad(flat, img), at)[1] == 24);
  CHECK(values<double>(grad(sum(sqr(ravel(row + sum(img, "x")))), row), at) == Reals{2018, 4024});
  const Expr moving = sum(sqr(slice(img, "t", Slice{1}) - slice(img, "t", Slice{{}, -1})));
  CHECK(values<double>(grad(moving, img), at) == Reals{-2, 2, -2, 2, -2, 2});
  CHECK(grad(moving, img).type() == img.type());
}

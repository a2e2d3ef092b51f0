// tests/ops/gradient_walk_test.cpp: composite graphs, options, Lop, Rop, jacobian, hessian, verify_grad, deep graphs.
#include "../graph/rows.h"
#include "check.h"

#include <voxloom/ops/gradient.h>
#include <voxloom/ops/verify_grad.h>

#include <catch2/catch.hpp>

#include <cmath>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Reals = std::vector<double>;
using Variables = std::vector<Expr>;

HostArray reals(const Reals& values, std::vector<int64_t> shape) { return array<double>(values, std::move(shape)); }

Expr rows_times(const Expr& X, const Expr& w) { return sum(X * w, 1); }

}  // namespace

TEST_CASE("logistic regression: the gradient written by hand, and differences") {
  const Expr X = dmatrix("X", {"n", "m"}), w = dvector("w", {"m"}), y = dvector("y", {"n"}), b = dscalar("b");
  const Expr p = 1 / (1 + exp(-rows_times(X, w) - b));
  const Expr xent = -y * log(p) - (1 - y) * log(1 - p), cost = mean(xent) + 0.01 * sum(sqr(w));
  const std::vector<Expr> g = grad(cost, {w, b});
  const Expr slope = sigmoid(rows_times(X, w) + b) - y;
  const Expr hand_w = mean(X * expand_dims(slope, 1), 0) + 0.02 * w, hand_b = mean(slope);
  const Bound at = {{X, reals({0.5, -1, 2, 1.5, 0.3, -0.7, -2, 1, 0.1, 0.4, 0.9, -1.2}, {4, 3})},
                    {w, reals({0.3, -0.8, 1.1}, {3})},
                    {y, reals({1, 0, 1, 0}, {4})},
                    {b, reals({0.2}, {})}};
  const Reals ours = values<double>(g[0], at), hand = values<double>(hand_w, at);
  for (size_t k = 0; k < 3; ++k) CHECK(ours[k] == Approx(hand[k]).epsilon(1e-13));
  CHECK(values<double>(g[1], at)[0] == Approx(values<double>(hand_b, at)[0]).epsilon(1e-13));
  CHECK(g[0].type() == w.type());
  CHECK(g[1].type() == b.type());
  CHECK_NOTHROW(verify_grad(
      [](const Variables& v) {
        const Expr q = 1 / (1 + exp(-rows_times(v[0], v[1]) - v[2]));
        return mean(-v[3] * log(q) - (1 - v[3]) * log(1 - q)) + 0.01 * sum(sqr(v[1]));
      },
      {at[0].second, at[1].second, at[3].second, reals({0.9, 0.2, 0.7, 0.1}, {4})}));
}

TEST_CASE("a node used in many places, and results on the way") {
  const Expr x = dvector("x", {3});
  const Bound at = {{x, reals({1, 2, 3}, {3})}};
  const Expr t = sqr(x), u = t * x + exp(t) / t, cost = sum(u * t);
  const std::vector<Expr> g = grad(cost, {x, t, u});
  const Reals gx = values<double>(g[0], at), gt = values<double>(g[1], at);
  for (size_t k = 0; k < 3; ++k) {
    const double v = static_cast<double>(k) + 1, s = v * v;
    CHECK(gx[k] == Approx(5 * std::pow(v, 4) + std::exp(s) * 2 * v));
    CHECK(gt[k] == Approx(s * (v + std::exp(s) / s - std::exp(s) / (s * s)) + s * v + std::exp(s) / s));
  }
  CHECK(values<double>(g[2], at) == Reals{1, 4, 9});
  CHECK(values<double>(grad(cost, cost), at) == Reals{1});
  // Equal nodes made twice are two: the gradient goes through the one that is asked for.
  const Expr first = exp(x), second = exp(x);
  CHECK(values<double>(grad(sum(first * 2 + second * 3), first), at) == Reals{2, 2, 2});
  // What is asked for stays itself when stabilisation would take it into a function.
  const Expr p = sigmoid(x);
  CHECK(values<double>(grad(sum(log(1 - p)), p), at)[1] == Approx(-1 / (1 - 1 / (1 + std::exp(-2.0)))));
}

TEST_CASE("consider_constant and known_grads") {
  const Expr x = dvector("x", {2}), y = dvector("y", {2});
  const Bound at = {{x, reals({3, 4}, {2})}, {y, reals({5, 6}, {2})}};
  const Expr t = sqr(x);
  CHECK(values<double>(grad(sum(t * x), x, {.consider_constant = {t}}), at) == Reals{9, 16});
  CHECK(values<double>(grad(sum(x * y), y, {.consider_constant = {x}}), at) == Reals{3, 4});
  CHECK_THROWS_AS(grad(sum(x * y), x, {.consider_constant = {x}}), UserError);
  CHECK(values<double>(grad(sum(t * 7), x, {.known_grads = {{t, y}}}), at) == Reals{30, 48});
  CHECK(values<double>(Lop(t, x, y), at) == Reals{30, 48});
}

TEST_CASE("gradients with respect to values made of constants alone") {
  const Expr c = constant(3.0, DType::f64), two = c * 2.0;
  CHECK(values<double>(grad(sqr(c), c), {}) == Reals{6});
  CHECK(values<double>(grad(sqr(two), two), {}) == Reals{12});
  CHECK(values<double>(grad(sqr(two), c), {}) == Reals{24});
}

TEST_CASE("integers, comparisons and positions have no gradient") {
  const Expr x = dvector("x", {3}), k = ivector("k", {3});
  const HostArray at = reals({1, 2, 3}, {3}), ints = array<int32_t>({1, 2, 3});
  CHECK(values<double>(grad(sum(x * k), x), {{x, at}, {k, ints}}) == Reals{1, 2, 3});
  const std::vector<Expr> g = grad(sum(x * k), {x, k}, {.disconnected_inputs = Disconnected::ignore});
  CHECK(g[1].dtype() == DType::f32);
  CHECK(values<float>(g[1], {{x, at}, {k, ints}}) == std::vector<float>{0, 0, 0});
  CHECK(values<double>(grad(sum(cast(x, DType::i32) * x), x), {{x, at}}) == Reals{1, 2, 3});
  CHECK(values<double>(grad(sum(floor(x) * x), x), {{x, at}}) == Reals{1, 2, 3});
  std::string warned;
  const Expr zeros = grad(sum(cast(x > 1, DType::f64)), x,
                          {.disconnected_inputs = Disconnected::warn, .warn = [&](const std::string& text) { warned = text; }});
  CHECK(values<double>(zeros, {{x, at}}) == Reals{0, 0, 0});
  CHECK(warned.find("the variable x") != std::string::npos);
}

TEST_CASE("gradients have the dtype of the variable") {
  const Expr a = fvector("a", {2}), b = dvector("b", {2});
  const std::vector<Expr> g = grad(sum(a * b), {a, b});
  CHECK(g[0].dtype() == DType::f32);
  CHECK(g[1].dtype() == DType::f64);
  CHECK(grad(mean(a), a).dtype() == DType::f32);
  CHECK(grad(var(a), a).dtype() == DType::f32);
}

TEST_CASE("Lop and Rop are the Jacobian from the left and from the right") {
  const Expr x = dvector("x", {3}), v = dvector("v", {3}), u = dvector("u", {2});
  const Expr f = stack({x * exp(flip(x)), sqr(x)}), s = sum(f, 1);
  const Bound at = {{x, reals({0.5, -1, 2}, {3})}, {v, reals({1, 2, -1}, {3})}, {u, reals({3, -2}, {2})}};
  const Reals J = values<double>(jacobian(s, x), at);
  const Reals left = values<double>(Lop(s, x, u), at), right = values<double>(Rop(s, x, v), at);
  REQUIRE(J.size() == 6);
  for (size_t k = 0; k < 3; ++k) CHECK(left[k] == Approx(3 * J[k] - 2 * J[3 + k]));
  for (size_t k = 0; k < 2; ++k) CHECK(right[k] == Approx(J[3 * k] + 2 * J[3 * k + 1] - J[3 * k + 2]));
  CHECK(J[3] == 1);
  CHECK(J[4] == -2);
  const std::vector<Expr> both = Rop({sum(x * v), x * 2}, {x, v}, {v, x});
  CHECK(values<double>(both[0], at)[0] == Approx(1 + 4 + 1 + 0.25 + 1 + 4));
  CHECK(values<double>(both[1], at) == Reals{2, 4, -2});
  CHECK(values<double>(Rop(where(x > 0, log(x), 0), x, v), at) == Reals{2, 0, -0.5});
}

TEST_CASE("jacobian and hessian of vectors of any size") {
  const Expr x = dvector("x", {"n"}), A = dmatrix("A", {"n", "n"});
  const Bound at = {{x, reals({1, 2, 3}, {3})}, {A, reals({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3})}};
  CHECK(values<double>(jacobian(sqr(x), x), at) == Reals{2, 0, 0, 0, 4, 0, 0, 0, 6});
  CHECK(values<double>(jacobian(rows_times(A, x), x), at) == Reals{1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Reals H = values<double>(hessian(sum(x * rows_times(A, x)), x), at);
  CHECK(H == Reals{2, 6, 10, 6, 10, 14, 10, 14, 18});
  CHECK(values<double>(hessian(prod(x), x), at) == Reals{0, 3, 2, 3, 0, 1, 2, 1, 0});
  CHECK(values<double>(hessian(sum(x), x), at) == Reals(9, 0.0));
  CHECK(values<double>(jacobian(sum(sqr(x)), x), at) == Reals{2, 4, 6});
  const Expr J = jacobian(rows_times(A, x), A);
  CHECK(J.rank() == 3);
  CHECK(values<double>(J, at)[12] == 1);
  CHECK(values<double>(jacobian(flip(ravel(concatenate({x, exp(index(x, {Slice{1}}))}))), x), at).size() == 15);
  const std::vector<Expr> H2 = hessian(sum(sqr(x) * sqr(x)), {x, x});
  CHECK(values<double>(H2[1], at) == Reals{12, 0, 0, 0, 48, 0, 0, 0, 108});
  // The same row by row, for images, whose reshape cannot take the new axis.
  const Expr img = image_input("img", DType::f64, {2, 2}, {"x", "t"});
  const HostArray voxels = HostArray::copy(reals({1, 2, 3, 4}, {2, 2}).view(), Order::F);
  const Reals rows = values<double>(jacobian(sqr(ravel(img)), img), {{img, voxels}});
  CHECK(rows == Reals{2, 0, 0, 0, 0, 0, 6, 0, 0, 4, 0, 0, 0, 0, 0, 8});
}

TEST_CASE("verify_grad sees a gradient that is wrong") {
  const HostArray at = reals({1, 2, 3}, {3});
  CHECK_NOTHROW(verify_grad([](const Variables& x) { return sqr(x[0]); }, {at}));
  CHECK_THROWS_WITH(verify_grad([](const Variables& x) { return grad_scale(sqr(x[0]), 1.001); }, {at}),
                    Catch::Contains("argument 0") && Catch::Contains("differences give"));
  CHECK_THROWS_AS(verify_grad([](const Variables& x) { return zero_grad(x[0]); }, {at}), UserError);
  CHECK_THROWS_AS(verify_grad([](const Variables& x) { return sqrt(x[0]); }, {reals({-1, 2, 3}, {3})}), UserError);  // NaN
  CHECK_THROWS_AS(verify_grad([](const Variables& x) { return x[0] > 1; }, {at}), UserError);
  CHECK_THROWS_AS(verify_grad([](const Variables& x) { return x[0]; }, {array<int32_t>({1})}), UserError);
}

TEST_CASE("100 000 nodes are differentiated under a small stack") {
  size_t chain = 0, wide = 0;
  rows::on_small_stack([&] {
    const Expr x = fvector("x");
    Expr y = x, z = x;
    for (int i = 0; i < 100000; ++i) y = i % 2 == 0 ? sin(y) : y + x;
    for (int i = 0; i < 20000; ++i) z = where(z > 0.5f, z * x, exp(z));
    const Expr g = grad(sum(y), x);
    chain = Graph::make({x}, {g}).size();
    wide = Graph::make({x}, {grad(sum(z), x)}).size();
  });
  CHECK(chain > 200000);
  CHECK(wide > 100000);
}

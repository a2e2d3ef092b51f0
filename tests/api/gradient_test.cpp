// tests/api/gradient_test.cpp: gradients in compiled functions: the same bits as the interpreter, shared variables, how they fuse.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

Array pattern(vl::Dims shape, int seed, vl::DType dtype = vl::f32) {
  Array a = Array::empty(shape, vl::f64);
  auto values = a.span<double>();
  for (size_t k = 0; k < values.size(); ++k) values[k] = std::sin(static_cast<double>(k) * 1.7 + seed);
  return a.cast(dtype);
}

/// Compiled, fused or not, with and without passes of the optimizer that keep bits, against the interpreter.
void same_as_interpreted(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays) {
  const vl::Graph graph = vl::Graph::make(inputs, outputs);
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(graph, views);
  for (const bool fuse : {true, false}) {
    const vl::Function f = vl::compile(graph, {.optimise = false, .fuse = fuse});
    for (const int threads : {1, 3}) {
      const auto results = f.call(arrays, {.threads = threads});
      for (size_t k = 0; k < results.size(); ++k) {
        INFO("output " << k << " fused " << fuse << "\n" << f.explain());
        REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
      }
    }
  }
}

size_t kernels_of(const vl::Function& f) {
  const std::string text = f.plan().text;
  size_t count = 0;
  for (size_t at = text.find("Fused{"); at != std::string::npos; at = text.find("Fused{", at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("compiled gradients have the interpreter's bits") {
  const Expr x = vl::fmatrix("x"), w = vl::fvector("w"), y = vl::fvector("y");
  const std::vector<Array> at = {pattern({37, 19}, 1), pattern({19}, 2), pattern({37}, 3)};
  const Expr p = vl::sigmoid(vl::sum(x * w, 1));
  const Expr xent = vl::mean(-y * vl::log(p) - (1 - y) * vl::log(1 - p)) + 0.01 * vl::sum(vl::sqr(w));
  same_as_interpreted({x, w, y}, vl::grad(xent, {w, x, y}), at);
  const Expr soft = vl::exp(x) / vl::sum(vl::exp(x), 1, {.keepdims = true});
  same_as_interpreted({x}, {soft, vl::grad(vl::sum(vl::log(soft) * vl::log(soft)), x)}, {at[0]});
  const Expr moved = vl::index(x, {vl::Slice{{}, {}, -2}, vl::Slice{1, {}, 3}});
  same_as_interpreted({x}, {vl::grad(vl::sum(vl::sqr(moved)) + vl::mean(x) * vl::max(x), x)}, {at[0]});
  same_as_interpreted({x}, {vl::grad(vl::sum(vl::var(x, 0)) + vl::sum(vl::std(x, 1)) + vl::prod(vl::mean(x, 0)), x)}, {at[0]});
  same_as_interpreted({w}, {vl::jacobian(vl::exp(w) * vl::flip(w), w), vl::hessian(vl::sum(vl::exp(w)) * vl::sum(w), w)}, {at[1]});
  same_as_interpreted({x}, {vl::grad(vl::sum(vl::where(x > 0, vl::log(x), 0)), x)}, {at[0]});
}

TEST_CASE("verify_grad compiles") {
  CHECK_NOTHROW(vl::verify_grad([](const std::vector<Expr>& v) { return vl::exp(v[0]) / vl::sum(vl::exp(v[0])); },
                                std::vector<Array>{pattern({5}, 1, vl::f64)}));
  CHECK_NOTHROW(vl::verify_grad([](const std::vector<Expr>& v) { return vl::tanh(v[0] * v[1]); },
                                std::vector<Array>{pattern({3, 2}, 1), pattern({2}, 2)}));
  CHECK_THROWS_AS(
      vl::verify_grad([](const std::vector<Expr>& v) { return vl::grad_scale(v[0], 2); }, std::vector<Array>{pattern({3}, 1, vl::f64)}),
      vl::UserError);
}

TEST_CASE("logistic regression trains on shared variables") {
  const auto x = vl::fmatrix("x", {"n", 8}), y = vl::fvector("y", {"n"});
  const auto w = vl::shared(Array::zeros({8}, vl::f32), "w");
  const auto b = vl::shared(0.0f, "b");
  const Expr p = 1 / (1 + vl::exp(-vl::sum(x * w, 1) - b));
  const Expr cost = vl::mean(-y * vl::log(p) - (1 - y) * vl::log(1 - p)) + 0.01 * vl::sum(vl::sqr(w));
  const auto g = vl::grad(cost, {w, b});
  CHECK(g[0].type() == w.expr().type());
  const auto train = vl::function({x, y}, {cost}, {.updates = {{w, w - 0.5f * g[0]}, {b, b - 0.5f * g[1]}}, .name = "train"});
  const Array X = pattern({64, 8}, 1);
  Array Y = Array::zeros({64}, vl::f32);
  const auto rows = X.span<const float>();
  for (size_t i = 0; i < 64; ++i) Y.span<float>()[i] = rows[i * 8] - rows[i * 8 + 3] > 0.1f ? 1.0f : 0.0f;
  const float first = Array(train(X, Y)).item<float>();
  float last = 0;
  for (int step = 0; step < 200; ++step) last = Array(train(X, Y)).item<float>();
  CHECK(first == Approx(std::log(2.0)));
  CHECK(last < 0.6f * first);
}

TEST_CASE("far out in float32, compiled with a cost that is written naively") {
  const auto x = vl::fvector("x");
  const Expr f = vl::log(1 - 1 / (1 + vl::exp(-x)));
  const auto both = vl::function({x}, {f, vl::grad(vl::sum(f), x)});
  const auto out = both(Array::from({-1000.0f, 0.0f, 1000.0f}));
  CHECK(out[0].to_string() == Array::from({-0.0f, -0.6931472f, -1000.0f}).to_string());
  CHECK(out[1].to_string() == Array::from({-0.0f, -0.5f, -1.0f}).to_string());
}

TEST_CASE("a training step reads its data once") {
  const auto x = vl::fmatrix("x", {"n", 784}), y = vl::fvector("y", {"n"});
  const auto w = vl::fvector("w", {784}), b = vl::fscalar("b");
  const Expr p = 1 / (1 + vl::exp(-vl::sum(x * w, 1) - b));
  const Expr cost = vl::mean(-y * vl::log(p) - (1 - y) * vl::log(1 - p)) + 0.01 * vl::sum(vl::sqr(w));
  const auto g = vl::grad(cost, {w, b});
  const auto step = vl::function({x, y, w, b}, {w - 0.1f * g[0], b - 0.1f * g[1]});
  INFO(step.plan().text);
  INFO(step.explain());
  CHECK(kernels_of(step) <= 2);
}

// tests/passes/gradient_test.cpp: stabilisation before and after differentiation: right in float32 at +-1000, as the functions users write.
#include "harness.h"

#include <voxloom/ops/gradient.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace passes_test;

namespace {

using Function = std::function<Expr(const Expr&)>;
using Truth = std::function<long double(long double)>;

HostArray floats(const std::vector<float>& values) {
  HostArray a = HostArray::of(f32, {static_cast<int64_t>(values.size())});
  std::memcpy(a.bytes.data(), values.data(), a.bytes.size());
  return a;
}
std::vector<float> floats_of(const HostArray& a) {
  std::vector<float> values(static_cast<size_t>(a.size()));
  std::memcpy(values.data(), a.bytes.data(), a.bytes.size());
  return values;
}

/// The optimised expressions at x.
std::vector<std::vector<float>> optimised_values(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs,
                                                 const std::vector<HostArray>& at) {
  PassContext passes = context();
  const Graph g = optimise(Graph::make(inputs, outputs), passes);
  std::vector<StridedView> views;
  for (const HostArray& a : at) views.push_back(a.view());
  std::vector<std::vector<float>> result;
  for (const HostArray& a : interpret(g, views)) result.push_back(floats_of(a));
  return result;
}

const std::vector<float> far = {-1000, -200, -90, -30, -17, -1, -1e-4f, 0, 1e-4f, 1, 17, 30, 90, 200, 1000};

void right_everywhere(const char* name, const Function& f, const Truth& value, const Truth& slope, const std::vector<float>& at = far) {
  const Expr x = fvector("x");
  const auto results = optimised_values({x}, {f(x), grad(sum(f(x)), x)}, {floats(at)});
  for (size_t k = 0; k < at.size(); ++k) {
    for (int which = 0; which < 2; ++which) {
      const auto truth = static_cast<double>((which == 0 ? value : slope)(at[k]));
      CAPTURE(name, at[k], which == 0 ? "value" : "gradient", truth, results[static_cast<size_t>(which)][k]);
      if (std::abs(truth) < 1e-37) CHECK(std::abs(results[static_cast<size_t>(which)][k]) < 1e-37);
      else CHECK(results[static_cast<size_t>(which)][k] == Approx(truth).epsilon(2e-6));
    }
  }
}

long double logistic(long double x) { return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x)); }
long double soft(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }

}  // namespace

TEST_CASE("log(1 - sigmoid(x)) and its gradient at +-1000 in float32") {
  const Truth value = [](long double x) { return -soft(x); }, slope = [](long double x) { return -logistic(x); };
  right_everywhere("log(1 - sigmoid(x))", [](const Expr& x) { return log(1 - sigmoid(x)); }, value, slope);
  right_everywhere("written out", [](const Expr& x) { return log(1 - 1 / (1 + exp(-x))); }, value, slope);
  right_everywhere("log1p", [](const Expr& x) { return log1p(-sigmoid(x)); }, value, slope);
  right_everywhere("by its complement", [](const Expr& x) { return log(exp(-x) / (1 + exp(-x))); }, value, slope);
}

TEST_CASE("sigmoid, softplus and their gradients, as users write them") {
  const Truth slope = [](long double x) { return logistic(x) * logistic(-x); };
  right_everywhere("sigmoid", [](const Expr& x) { return sigmoid(x); }, logistic, slope);
  right_everywhere("1/(1+e^-x)", [](const Expr& x) { return 1 / (1 + exp(-x)); }, logistic, slope);
  right_everywhere("e^x/(1+e^x)", [](const Expr& x) { return exp(x) / (1 + exp(x)); }, logistic, slope);
  right_everywhere("softplus", [](const Expr& x) { return log(1 + exp(x)); }, soft, logistic);
  right_everywhere("log1p", [](const Expr& x) { return log1p(exp(x)); }, soft, logistic);
  right_everywhere("log sigmoid", [](const Expr& x) { return -log(sigmoid(-x)); }, soft, logistic);
  right_everywhere(
      "logaddexp", [](const Expr& x) { return log(exp(x) + exp(x * 0.5f)); }, [](long double x) { return x / 2 + soft(x / 2); },
      [](long double x) { return 0.5L + logistic(x / 2) / 2; });
  right_everywhere(
      "tanh", [](const Expr& x) { return tanh(x); }, [](long double x) { return tanhl(x); },
      [](long double x) { return 1 / (coshl(x) * coshl(x)); });
}

TEST_CASE("cross-entropy written naively, and its gradient, where sigmoid is 0 or 1") {
  const Expr x = fvector("x", {"n"}), y = fvector("y", {"n"});
  const Expr p = 1 / (1 + exp(-x));
  const Expr cost = -y * log(p) - (1 - y) * log(1 - p);
  const std::vector<float> at = {-1000, -1000, -20, -20, 0, 20, 20, 1000, 1000}, truth = {0, 1, 0, 1, 0.5f, 0, 1, 0, 1};
  const auto results = optimised_values({x, y}, {cost, grad(sum(cost), x)}, {floats(at), floats(truth)});
  for (size_t k = 0; k < at.size(); ++k) {
    CAPTURE(at[k], truth[k]);
    const long double value = truth[k] * soft(-at[k]) + (1 - truth[k]) * soft(at[k]);
    CHECK(results[0][k] == Approx(static_cast<double>(value)).epsilon(1e-6).margin(1e-30));
    const long double slope = truth[k] * -logistic(-at[k]) + (1 - truth[k]) * logistic(at[k]);
    CHECK(results[1][k] == Approx(static_cast<double>(slope)).epsilon(1e-6).margin(1e-30));
  }
}

TEST_CASE("log of a sum of exponentials, log-softmax and softmax of large numbers") {
  const Expr x = fmatrix("x", {2, 3});
  const std::vector<float> at = {1000, 999, -1000, -1000, -1001, -1002};
  HostArray a = floats(at);
  a.shape = {2, 3};
  const Expr total = log(sum(exp(x), 1)), logs = log(exp(x) / sum(exp(x), 1, {.keepdims = true})),
             soft_max = exp(x) / sum(exp(x), 1, {.keepdims = true});
  const auto results = optimised_values(
      {x}, {total, grad(sum(total), x), logs, grad(sum(logs * logs), x), soft_max, grad(sum(soft_max * soft_max), x)}, {a});
  for (const auto& list : results)
    for (const float v : list) CHECK(std::isfinite(v));
  CHECK(results[0][0] == Approx(1000.31326168752));
  CHECK(results[0][1] == Approx(-1000 + 0.407605964444));
  CHECK(results[1][0] == Approx(0.731058578630));
  CHECK(results[1][3] == Approx(0.665240955775));
  CHECK(results[2][1] == Approx(-1.31326168752).epsilon(1e-4));
  CHECK(results[2][2] == Approx(-2000.31326168752));
  CHECK(results[4][0] == Approx(0.731058578630));
  CHECK(results[4][5] == Approx(0.0900305731704));
}

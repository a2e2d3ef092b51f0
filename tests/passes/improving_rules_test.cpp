// tests/passes/improving_rules_test.cpp: no improving rule makes the largest error larger, and finite truths stay finite.
#include "harness.h"

#include <voxloom/graph/passes/fold_constants.h>

#include <catch2/catch.hpp>

#include <functional>

using namespace voxloom;
using namespace passes_test;

namespace {

using Truth = std::function<long double(long double)>;

long double sigmoid_truth(long double x) { return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x)); }
long double softplus_truth(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }
long double log1mexp_truth(long double x) { return x > -0.5L ? logl(-expm1l(x)) : log1pl(-expl(x)); }

struct Case {
  const char* rule;
  std::function<Expr(const Expr&)> expression;
  Truth truth;
  long double low, high;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list = {
      {"sigmoid_div", [](const Expr& x) { return 1 / (1 + exp(-x)); }, sigmoid_truth, -740, 80},
      {"sigmoid_reciprocal", [](const Expr& x) { return reciprocal(1 + exp(-x)); }, sigmoid_truth, -740, 80},
      {"sigmoid_minus_div", [](const Expr& x) { return 1 / (1 + exp(x)); }, [](long double x) { return sigmoid_truth(-x); }, -80, 740},
      {"sigmoid_exp_div", [](const Expr& x) { return exp(x) / (1 + exp(x)); }, sigmoid_truth, -80, 800},
      {"one_minus_sigmoid", [](const Expr& x) { return 1 - sigmoid(x); }, [](long double x) { return sigmoid_truth(-x); }, -740, 80},
      {"log_sigmoid", [](const Expr& x) { return log(sigmoid(x)); }, [](long double x) { return -softplus_truth(-x); }, -1000, 80},
      {"log_exp", [](const Expr& x) { return log(exp(x)); }, [](long double x) { return x; }, -1000, 1000},
      {"log_add_exp", [](const Expr& x) { return log(exp(x) + exp(x * 0.5)); }, [](long double x) { return x / 2 + softplus_truth(x / 2); },
       -300, 1000},
      {"log_one_plus_exp", [](const Expr& x) { return log(1 + exp(x)); }, softplus_truth, -80, 1000},
      {"log_one_plus", [](const Expr& x) { return log(1 + x); }, [](long double x) { return log1pl(x); }, -1, 100},
      {"log_one_minus", [](const Expr& x) { return log(1 - x); }, [](long double x) { return log1pl(-x); }, -100, 1},
      {"log_minus_expm1", [](const Expr& x) { return log(-expm1(x)); }, log1mexp_truth, -80, 0},
      {"log1p_exp", [](const Expr& x) { return log1p(exp(x)); }, softplus_truth, -80, 1000},
      {"log1p_minus_exp", [](const Expr& x) { return log1p(-exp(x)); }, log1mexp_truth, -80, 0},
      {"log1p_minus_sigmoid", [](const Expr& x) { return log1p(-sigmoid(x)); }, [](long double x) { return -softplus_truth(x); }, -80,
       1000},
      {"exp_minus_one", [](const Expr& x) { return exp(x) - 1; }, [](long double x) { return expm1l(x); }, -80, 80},
      {"one_minus_exp", [](const Expr& x) { return 1 - exp(x); }, [](long double x) { return -expm1l(x); }, -80, 80},
      {"exp_plus_minus_one", [](const Expr& x) { return exp(x) + (-1); }, [](long double x) { return expm1l(x); }, -80, 80},
      {"one_minus_erf", [](const Expr& x) { return 1 - erf(x); }, [](long double x) { return erfcl(x); }, -9, 9},
      {"one_minus_erfc", [](const Expr& x) { return 1 - erfc(x); }, [](long double x) { return erfl(x); }, -9, 9},
      {"sqrt_sqr", [](const Expr& x) { return sqrt(sqr(x)); }, [](long double x) { return fabsl(x); }, -1e30L, 1e30L},
      {"pow_two", [](const Expr& x) { return pow(x, 2); }, [](long double x) { return x * x; }, -1e15L, 1e15L},
      {"pow_one", [](const Expr& x) { return pow(x, 1); }, [](long double x) { return x; }, -1e30L, 1e30L},
      {"pow_minus_one", [](const Expr& x) { return pow(x, -1); }, [](long double x) { return 1 / x; }, -1e30L, 1e30L},
  };
  return list;
}

// Points of every magnitude inside the interval.
template <class T> std::vector<T> grid(long double low, long double high) {
  std::vector<T> points;
  for (int i = 0; i <= 400; ++i) points.push_back(static_cast<T>(low + (high - low) * i / 400));
  for (int e = -60; e <= 100; ++e) {
    for (const long double m : {1.0L, 1.37L, -1.0L, -1.61L}) points.push_back(static_cast<T>(ldexpl(m, e / 2)));
  }
  std::erase_if(points, [&](T x) { return !(x > low && x < high) || x == 0; });
  return points;
}

struct Errors {
  long double worst = 0;
  int not_finite = 0;
};

// Errors in units of the last place of the truth.
template <class T> Errors errors_of(const HostArray& values, const std::vector<T>& points, const Truth& truth) {
  Errors errors;
  for (size_t i = 0; i < points.size(); ++i) {
    T value;
    std::memcpy(&value, values.bytes.data() + i * sizeof(T), sizeof(T));
    const long double want = truth(points[i]);
    if (!(fabsl(want) <= std::numeric_limits<T>::max()) || fabsl(want) < std::numeric_limits<T>::denorm_min()) continue;
    if (!std::isfinite(value)) {
      ++errors.not_finite;
      continue;
    }
    const auto near = static_cast<T>(fabsl(want));
    const long double ulp = static_cast<long double>(std::nextafter(near, std::numeric_limits<T>::infinity())) - near;
    errors.worst = std::max(errors.worst, fabsl(value - want) / ulp);
  }
  return errors;
}

// Constants aligned to the rank of their partners are dimshuffles until they are folded.
Graph fold(const Graph& g, PassContext& passes) { return fold_constants(g, passes); }

template <class T> void check_case(const Case& c) {
  const Expr x = tensor("x", dtype_of<T>, {"n"});
  std::set<std::string> fired;
  PassContext passes = context(&fired);
  const Graph off = fold(Graph::make({x}, {c.expression(x)}), passes);
  const Graph on = apply_rules(off, passes, RuleClass::improving);
  CAPTURE(c.rule, name_of(dtype_of<T>), to_text(on));
  CHECK(fired.count(c.rule) == 1);
  const std::vector<T> points = grid<T>(c.low, c.high);
  HostArray values = HostArray::of(dtype_of<T>, {static_cast<int64_t>(points.size())});
  std::memcpy(values.bytes.data(), points.data(), values.bytes.size());
  const Errors before = errors_of(value_of(off, {values}), points, c.truth), after = errors_of(value_of(on, {values}), points, c.truth);
  CAPTURE(static_cast<double>(before.worst), static_cast<double>(after.worst), before.not_finite, after.not_finite);
  CHECK(after.not_finite == 0);
  CHECK((after.worst <= before.worst || after.worst <= 0.500001L || before.not_finite > 0));
}

}  // namespace

TEST_CASE("improving rules never enlarge the largest error") {
  for (const Case& c : cases()) {
    check_case<float>(c);
    check_case<double>(c);
  }
}

TEST_CASE("every improving rule is tested") {
  // Rules of reductions have tests of their own, here and in gradient_test.cpp.
  std::set<std::string> tested = {"variance", "log_sum_exp", "share_of_exp", "share_of_exp_spread", "log_share", "log_share_spread"};
  for (const Case& c : cases()) tested.insert(c.rule);
  for (const Rule* rule : op_rules().all()) {
    if (rule->cls != RuleClass::improving) continue;
    CAPTURE(rule->name);
    CHECK(tested.count(rule->name) == 1);
  }
}

TEST_CASE("log(1 - sigmoid(x)) and its companions become softplus") {
  PassContext passes = context();
  const Expr x = fvector("x");
  for (const Expr& e : {log(1 - sigmoid(x)), log(1 - 1 / (1 + exp(-x)))}) {
    const Graph g = optimise(Graph::make({x}, {e}), passes);
    CHECK(structurally_equal(g, Graph::make({x}, {-softplus(x)})));
  }
}

TEST_CASE("the spelled-out variance becomes var, and is right where it cancelled") {
  PassContext passes = context();
  const Expr x = fmatrix("x", {"r", "c"});
  const Graph off = Graph::make({x}, {mean(sqr(x), 1) - sqr(mean(x, 1))}), on = optimise(off, passes);
  CHECK(on.outputs()[0]->op().name == std::string("var"));
  HostArray values = HostArray::of(f32, {1, 4});
  const float data[] = {10000.25f, 10000.5f, 10000.75f, 10001.0f};
  std::memcpy(values.bytes.data(), data, sizeof data);
  float result = 0;
  std::memcpy(&result, value_of(on, {values}).bytes.data(), 4);
  CHECK(result == Approx(0.078125));
}

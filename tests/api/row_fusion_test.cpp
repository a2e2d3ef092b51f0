// tests/api/row_fusion_test.cpp: what is joined by map and reduce along the rows runs in one pass: steps, memory, and bits for any number of threads.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <catch2/catch.hpp>
#include <random>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

Array random_array(vl::Dims shape, uint32_t seed, vl::DType dtype = vl::f32) {
  Array a = Array::empty(shape, vl::f64);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (double& v : a.span<double>()) v = uniform(rng);
  return a.cast(dtype);
}

/// The bits that the interpreter gives for the graph after the passes (stabilisation may have improved it), for every number of threads.
void check_same(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays) {
  const vl::Function f = vl::compile(vl::Graph::make(inputs, outputs));
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(f.graph(), views);
  for (const int threads : {1, 2, 3, 8}) {
    const auto results = f.call(arrays, {.threads = threads});
    for (size_t k = 0; k < results.size(); ++k) {
      INFO("output " << k << ", " << threads << " threads, argument 0 " << vl::to_string(arrays[0].shape()) << "\n" << f.explain());
      REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
    }
  }
}

size_t readers_of(const vl::Function& f, const std::string& name) {
  size_t count = 0;
  for (const std::string& step : f.toposort())
    count += step.find('(' + name) != std::string::npos || step.find(", " + name) != std::string::npos;
  return count;
}

/// A step of a logistic regression: the prediction, the cross-entropy, and the new w and b.
std::vector<Expr> training_step(const Expr& x, const Expr& y, const Expr& w, const Expr& b) {
  const Expr p = 1 / (1 + vl::exp(-vl::dot(x, w) - b));
  const Expr xent = -y * vl::log(p) - (1 - y) * vl::log(1 - p);
  const auto g = vl::grad(vl::mean(xent) + 0.01 * vl::sum(vl::sqr(w)), {w, b});
  return {p > 0.5, xent, w - 0.01f * g[0], b - 0.01f * g[1]};
}

struct Regression {
  vl::Shared w = vl::shared(random_array({784}, 7), "w"), b = vl::shared(0.f, "b");
  vl::Function train;

  Regression() : train(make(w, b)) {}
  static vl::Function make(const vl::Shared& w, const vl::Shared& b) {
    const Expr x = vl::fmatrix("x"), y = vl::fvector("y");
    const auto step = training_step(x, y, w, b);
    return vl::function({x, y}, {step[0], step[1]}, {.updates = {{w, step[2]}, {b, step[3]}}, .name = "train"});
  }
};

Array labels(int64_t n) {
  const Array y = random_array({n}, 9);
  for (float& v : y.span<float>()) v = v > 0 ? 1.f : 0.f;
  return y;
}

}  // namespace

TEST_CASE("a training step is one kernel over X and one over w, and nothing else has the size of X") {
  const vl::Function train = Regression().train;
  INFO(train.explain());
  REQUIRE(train.toposort().size() == 2);
  CHECK(readers_of(train, "x") == 1);
  CHECK(readers_of(train, "w") <= 2);
  for (const int64_t n : {400, 1000, 100000}) {
    const Array X = Array::zeros({n, 784}, vl::f32), Y = Array::zeros({n}, vl::f32);
    const vl::MemoryReport memory = train.memory({X, Y});
    CHECK(memory.temporaries + memory.scratch < X.bytes() / 8);
    CHECK(memory.outputs < n * 5 + 784 * 4 + 64);
  }
}

TEST_CASE("a training step has the same bits for any number of threads, step after step") {
  const Array X = random_array({400, 784}, 1), Y = labels(400);
  std::vector<Array> w, b, xent;
  for (const int threads : {1, 2, 3, 8}) {
    const Regression r;
    r.train.call({X, Y}, {.threads = threads});
    const auto last = r.train.repeat(20, {X, Y}, {.threads = threads});
    w.push_back(r.w.get_value());
    b.push_back(r.b.get_value());
    xent.push_back(last[1]);
    CHECK(vl::same_bits(w.back(), w.front()));
    CHECK(vl::same_bits(b.back(), b.front()));
    CHECK(vl::same_bits(xent.back(), xent.front()));
  }
}

TEST_CASE("a training step has the interpreter's bits, for few and many rows and columns") {
  for (const auto& [n, m] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 3}, {1, 1}, {31, 2}, {32, 33}, {33, 784}, {70, 0}, {400, 784}, {513, 100}, {70000, 5}, {40, 5000}}) {
    const Expr x = vl::fmatrix("x", {"n", "m"}), y = vl::fvector("y", {"n"}), w = vl::fvector("w", {"m"}), b = vl::fscalar("b");
    check_same({x, y, w, b}, training_step(x, y, w, b), {random_array({n, m}, 1), labels(n), random_array({m}, 2), Array::scalar(0.25f)});
  }
}

TEST_CASE("rows and columns reduced together, in every kind of state") {
  const Expr x = vl::fmatrix("x", {"n", "m"});
  const Expr row = vl::max(x, 1), shifted = x - vl::dimshuffle(row, {0, -1});
  for (const auto& [n, m] : std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {33, 65}, {520, 40}, {300000, 2}}) {
    const std::vector<Array> at = {random_array({n, m}, 5)};
    check_same({x}, {vl::sum(shifted, 0), row, shifted}, at);                                 // stored along the way
    check_same({x}, {vl::var(shifted, 0), vl::argmax(shifted, 0), vl::min(shifted, 0)}, at);  // several components
    check_same({x}, {vl::sum(shifted, 0), vl::sum(row), vl::argmin(row), vl::std(row)}, at);  // of rows too
    check_same({x}, {vl::exp(vl::mean(shifted, 0)) * vl::mean(row), vl::mean(row) + 1}, at);  // and what follows
  }
  const Expr z = vl::zmatrix("z", {"n", "m"});
  const Expr part = vl::sum(z, 1);
  check_same({z}, {vl::sum(z * vl::dimshuffle(part, {0, -1}), 0), vl::sum(part)}, {random_array({100, 37}, 6, vl::c128)});
}

TEST_CASE("columns reduced over many rows have the interpreter's bits, whatever threads split") {
  const Expr x = vl::fmatrix("x", {"n", "m"});
  for (const auto& [n, m] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 3}, {1, 7}, {33, 5000}, {517, 301}, {4099, 40}, {70001, 3}, {1100, 2500}}) {
    const Array at = random_array({n, m}, 5);
    check_same({x}, {vl::sum(x, 0)}, {at});
    check_same({x}, {vl::mean(vl::exp(x), 0), x + 1, vl::sum(vl::sqr(x), 0) * 2}, {at});  // stored along the way, and what follows
    if (n > 0) check_same({x}, {vl::var(x, 0), vl::argmax(x, 0), vl::min(x, 0)}, {at});   // several components
  }
  const Array wide = random_array({3000, 120}, 6);
  check_same({x}, {vl::sum(x, 0)}, {wide.flip(0).slice(1, {}, {}, 3)});
  check_same({x}, {vl::sum(x, 0)}, {random_array({120, 3000}, 7).transpose()});
  const Expr y = vl::ftensor4("y"), z = vl::zmatrix("z");
  check_same({y}, {vl::mean(y, {0, 1, 2})}, {random_array({9, 90, 71, 3}, 8)});
  check_same({y}, {vl::sum(y, {0, 1})}, {random_array({40, 70, 20, 3}, 8)});
  check_same({y}, {vl::max(y, 0)}, {random_array({700, 8, 11, 3}, 8).slice(1, 1, 7)});
  check_same({z}, {vl::sum(z, 0)}, {random_array({5000, 30}, 9, vl::c128)});
}

TEST_CASE("many rows of few columns are split at leaves, few rows at columns, and both are one step") {
  const Expr x = vl::fmatrix("x", {"n", "m"});
  for (const int threads : {1, 2}) {
    const vl::Function f = vl::function({x}, {vl::sum(x, 0)}, {.profile = true, .threads = threads});
    CHECK(f.toposort() == std::vector<std::string>{"Fused{sum}(x)"});
    const auto temporaries = [&](int64_t n, int64_t m) { return f.memory({{"n", n}, {"m", m}}).temporaries; };
    CHECK(temporaries(100, 10) == 0);
    CHECK(temporaries(31, 1'000'000) == 0);
    CHECK(temporaries(500, 1'000'000) == 0);
    CHECK(temporaries(100'000, 64) == (threads == 1 ? 0 : 25 * 64 * 8));  // leaves of 4096 rows, float64
    f.call({random_array({100'000, 64}, 3)});
    const auto steps = f.profile().steps;
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].calls == 1);
    CHECK(steps[0].bytes_read == 100'000 * 64 * 4);
    CHECK(steps[0].bytes_written == 64 * 4);
    CHECK(steps[0].flops >= 100'000 * 64);
    CHECK(steps[0].flops < 100'000 * 65);
  }
}

// bench/products.cpp: matrix products (NumPy beside them in bench/run.py), and a training step of a logistic regression beside one pass by hand.
#include "hand.h"
#include "harness.h"

#include <voxloom/api/voxloom.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vl = voxloom;

namespace bench {
namespace {

vl::Array uniform(vl::Dims shape, uint64_t seed) {
  vl::Array a = vl::Array::empty(shape, vl::f32);
  uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (float& v : a.span<float>()) {  // in [-1, 1)
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    v = static_cast<float>(state >> 40) * (2.0f / 16777216.0f) - 1.0f;
  }
  return a;
}

void matmul(const Options& options, Report& report, const Wanted& wanted, int64_t n) {
  const std::string name = "matmul_" + std::to_string(n);
  if (!wanted(name)) return;
  const int64_t size = options.quick ? 64 : n;
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  const vl::Function f = vl::function({x, y}, {vl::Out(vl::dot(x, y), {.borrow = true})});
  const vl::Array a = uniform({size, size}, 1), b = uniform({size, size}, 2);
  vl::Array result;
  const auto samples = alternate({{"voxloom", [&] { result = vl::Array(), result = f(a, b); }}}, options.repeat > 0 ? options.repeat
                                                                                                 : n <= 256         ? 301
                                                                                                 : n <= 1024        ? 41
                                                                                                                    : 9);
  report.times(name, samples, 0);
  report.detail("GFLOP/s", 2.0 * std::pow(static_cast<double>(size), 3) / samples[0].median / 1e9);
  const vl::Array again = f.call({a, b}, {.threads = 1})[0];
  report.detail("result", vl::same_bits(result, again) ? "the bits of one thread" : "other bits than one thread");
}

/// 1000 steps of w -= 0.1 * gradient over 400 x 784 samples.
void logistic(const Options& options, Report& report, const Wanted& wanted) {
  if (!wanted("logistic_1000_steps")) return;
  constexpr int64_t rows = 400, columns = 784;
  const int steps = options.quick ? 10 : 1000;
  auto x = vl::fmatrix("x"), y = vl::fvector("y"), w = vl::fvector("w");
  const auto p = 1 / (1 + vl::exp(-vl::dot(x, w)));
  const auto gradient = vl::dot(vl::transpose(x), (p - y) / 400);
  const vl::Function f = vl::function({x, y, w}, {w - 0.1 * gradient});
  const vl::Array X = uniform({rows, columns}, 3), Y = uniform({rows}, 4).cast(vl::f32), start = uniform({columns}, 5);
  for (float& v : Y.span<float>()) v = v > 0 ? 1.0f : 0.0f;
  vl::Array weights, room = vl::Array::empty({columns}, vl::f32), hand_weights = start.copy(), sums = vl::Array::empty({columns}, vl::f32);
  const auto samples = alternate({{"voxloom",
                                   [&] {
                                     weights = start.copy();
                                     for (int i = 0; i < steps; ++i) {
                                       vl::Array out[] = {room};
                                       f.call_into(std::array{X, Y, weights}, out);
                                       std::swap(weights, room);
                                     }
                                   }},
                                  {"hand",
                                   [&] {
                                     std::copy_n(start.data<const float>(), columns, hand_weights.data<float>());
                                     for (int i = 0; i < steps; ++i)
                                       hand_loops().logistic_step(X.data<const float>(), Y.data<const float>(), hand_weights.data<float>(),
                                                                  sums.data<float>(), rows, columns, 0.1f);
                                   }}},
                                 options.repeat > 0 ? options.repeat : 11);
  report.times("logistic_1000_steps", samples, 0);
  report.detail("kernels", static_cast<double>(f.toposort().size()));
  double worst = 0;
  for (int64_t k = 0; k < columns; ++k)
    worst = std::max(worst, static_cast<double>(std::abs(weights.data<const float>()[k] - hand_weights.data<const float>()[k])));
  report.detail("largest distance from the hand-written loop", worst);
}

}  // namespace

void run_products(const Options& options, Report& report, const Wanted& wanted) {
  for (const int64_t n : {256, 1024, 2048}) matmul(options, report, wanted, n);
  logistic(options, report, wanted);
}

}  // namespace bench

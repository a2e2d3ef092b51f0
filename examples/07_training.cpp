// examples/07_training.cpp: lesson 7: state. A logistic regression that trains and predicts: shared variables, updates that are all or nothing,
// many steps in one call, saved functions. 07_training.py prints the same.
#include <voxloom/voxloom.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace vl = voxloom;

namespace {

constexpr int64_t samples = 400, features = 784;

/// Numbers between -1 and 1 that look random.
std::vector<float> noise(size_t count, uint32_t first) {
  std::vector<float> values(count);
  for (float& v : values) {
    uint32_t h = first++ * 0x9E3779B9u;
    h = (h ^ h >> 15) * 0x85EBCA6Bu;
    v = static_cast<float>((h ^ h >> 13) >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

template <class T> void print_first(const char* what, const vl::Array& values) {
  std::printf("%s", what);
  for (int64_t k = 0; k < 20; ++k) std::printf(" %d", static_cast<int>(values.at<T>(k)));
  std::printf(" ...\n");
}

}  // namespace

int main() {
  const vl::Array X = vl::Array::from(noise(samples * features, 1), vl::Dims{samples, features});
  std::vector<float> labels = noise(samples, 1u << 20);
  for (float& v : labels) v = v > 0 ? 1.f : 0.f;
  const vl::Array Y = vl::Array::from(labels);

  // w and b live between calls. Expressions of them see the value that they have when a function is called.
  const auto x = vl::matrix("x"), y = vl::vector("y");
  const auto w = vl::shared(vl::Array::from(noise(features, 1u << 21)), "w"), b = vl::shared(0.f, "b");
  const auto p = 1 / (1 + vl::exp(-vl::dot(x, w) - b));          // probability of a one
  const auto prediction = p > 0.5f;                              // 0 or 1
  const auto xent = -y * vl::log(p) - (1 - y) * vl::log(1 - p);  // cross-entropy
  const auto cost = vl::mean(xent) + 0.01f * vl::sum(vl::sqr(w));
  const auto g = vl::grad(cost, {w, b});

  // Both updates are computed from the old values and committed together when the call has succeeded.
  const auto train = vl::function({x, y}, {prediction, xent}, {.updates = {{w, w - 0.01f * g[0]}, {b, b - 0.01f * g[1]}}, .name = "train"});
  const auto predict = vl::function({x}, {prediction}, {.name = "predict"});
  const auto steps = train.toposort();
  const auto readers = std::count_if(steps.begin(), steps.end(), [](const auto& s) { return s.find("(x") != s.npos; });
  std::printf("%d kernels, %d over x, forward and backward\n", static_cast<int>(steps.size()), static_cast<int>(readers));

  for (int i = 0; i < 1000; ++i) train(X, Y);
  train.repeat(9000, X, Y);  // update steps inside one call
  print_first<float>("target values", Y);
  print_first<bool>("prediction   ", predict(X));
  const vl::Array predicted = predict(X);
  int right = 0;
  for (int64_t k = 0; k < samples; ++k) right += predicted.at<bool>(k) == (Y.at<float>(k) > 0) ? 1 : 0;
  std::printf("%d of %d right\n", right, static_cast<int>(samples));

  // A saved function is its graph and the values of its variables; there is no code in the file.
  const vl::Function loaded = vl::load_function_bytes(vl::save_function_bytes(train));
  const bool same = vl::same_bits(loaded(X, Y)[1], train(X, Y)[1]);
  std::printf("the loaded function goes on where this one is: %s\n", same ? "yes" : "no");
  return steps.size() == 2 && readers == 1 && right == samples && same ? 0 : 1;
}

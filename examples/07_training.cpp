// examples/07_training.cpp: lesson 7: state. Shared variables, updates that are all or nothing, many steps in one call, saved functions.
#include <voxloom/voxloom.h>

#include <cstdio>
#include <vector>

namespace vl = voxloom;

namespace {

constexpr int64_t samples = 400, features = 784;

/// Numbers between -1 and 1 that look random.
std::vector<float> noise(size_t count, uint32_t state) {
  std::vector<float> values(count);
  for (float& v : values) {
    state = state * 1664525u + 1013904223u;
    v = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

}  // namespace

int main() {
  const vl::Array X = vl::Array::from(noise(samples * features, 1), vl::Dims{samples, features});
  std::vector<float> labels = noise(samples, 2);
  for (float& v : labels) v = v > 0 ? 1.f : 0.f;
  const vl::Array Y = vl::Array::from(labels);

  // w and b live between calls. Expressions of them see the value that they have when a function is called.
  const auto x = vl::matrix("x"), y = vl::vector("y");
  const auto w = vl::shared(vl::Array::zeros({features}, vl::f32), "w"), b = vl::shared(0.f, "b");
  const auto p = 1 / (1 + vl::exp(-vl::sum(x * w, 1) - b));
  const auto xent = -y * vl::log(p) - (1 - y) * vl::log(1 - p);
  const auto cost = vl::mean(xent) + 0.01f * vl::sum(vl::sqr(w));
  const auto g = vl::grad(cost, {w, b});

  // Both updates are computed from the old values and committed together when the call has succeeded.
  const auto train = vl::function({x, y}, {{"cost", cost}}, {.updates = {{w, w - 0.1f * g[0]}, {b, b - 0.1f * g[1]}}, .name = "train"});
  const auto predict = vl::function({x}, {p > 0.5f}, {.name = "predict"});
  std::printf("one kernel reads x, forward and backward:\n");
  int readers = 0;
  for (const std::string& step : train.toposort()) {
    std::printf("  %s\n", step.c_str());
    readers += step.find("(x") != std::string::npos ? 1 : 0;
  }

  const float before = train(X, Y)["cost"].item<float>();
  const float after = train.repeat(500, X, Y)["cost"].item<float>();  // 500 update steps inside one call
  const vl::Array predicted = predict(X);
  int right = 0;
  for (int64_t k = 0; k < samples; ++k) right += predicted.at<bool>(k) == (labels[static_cast<size_t>(k)] > 0) ? 1 : 0;
  std::printf("cost %.4f, after training %.4f; %d of %d right\n", before, after, right, static_cast<int>(samples));

  // A saved function is its graph and the values of its variables; there is no code in the file.
  const vl::Function loaded = vl::load_function_bytes(vl::save_function_bytes(train));
  const bool same = vl::same_bits(loaded(X, Y)[0], train(X, Y)[0]);
  std::printf("the loaded function goes on where this one is: %s\n", same ? "yes" : "no");
  return readers == 1 && after < before / 2 && right >= samples * 95 / 100 && same ? 0 : 1;
}

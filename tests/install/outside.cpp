// tests/install/outside.cpp: what a user's first program looks like, compiled by the two outside projects.
#include <voxloom/voxloom.h>

#include <cmath>
#include <cstdio>
#include <string>

namespace vl = voxloom;

int main() {
  auto x = vl::vector("x");
  auto f = vl::function({x}, {1 / (1 + vl::exp(-x))});
  const vl::Array in = vl::Array::from({-1.0f, 0.0f, 2.0f});
  const vl::Array out = f(in);
  for (int k = 0; k < 3; ++k) {
    const double expected = 1 / (1 + std::exp(-static_cast<double>(in.at<float>(k))));
    if (std::abs(static_cast<double>(out.at<float>(k)) - expected) > 1e-6) {
      std::printf("element %d: %g, expected %g\n", k, static_cast<double>(out.at<float>(k)), expected);
      return 1;
    }
  }
  // Errors cross the library's border as their own class and name the line of this file.
  try {
    f(vl::Array::from({1.0, 2.0}));
  } catch (const vl::UserError& error) {
    std::printf("voxloom %s: %s\n", VOXLOOM_VERSION, error.what());
    return 0;
  }
  std::printf("a float64 argument for a float32 variable was taken\n");
  return 1;
}

// examples/01_expression.cpp: lesson 1: write an expression, compile it, call it.
#include <voxloom/voxloom.h>

#include <cmath>
#include <cstdio>
#include <vector>

namespace vl = voxloom;

int main() {
  // A variable has a dtype (float32 by default) and a rank; sizes may have names. Operators and functions build a graph, nothing is computed.
  const auto x = vl::matrix("x", {"n", 784});
  const auto y = vl::exp(-x / 2);

  // function() rewrites the graph, fuses it into kernels and compiles them for this machine.
  const auto f = vl::function({x}, {y}, {.name = "decay"});
  std::printf("%s\n", f.explain().c_str());

  // Any array fits that has the right dtype and rank: n is known at the call.
  std::vector<float> values(3 * 784);
  for (size_t k = 0; k < values.size(); ++k) values[k] = 0.001f * static_cast<float>(k);
  const vl::Array result = f(vl::Array::from(values, vl::Dims{3, 784}));
  std::printf("%s\n", result.to_string().c_str());

  for (size_t k = 0; k < values.size(); ++k) {
    const double expected = std::exp(-0.5 * static_cast<double>(values[k]));
    if (std::abs(static_cast<double>(result.span<float>()[k]) / expected - 1) > 1e-6) {
      std::printf("wrong at element %zu\n", k);
      return 1;
    }
  }

  // What does not fit is an error that names the function, the argument and both facts.
  try {
    f(vl::Array::zeros({3, 783}, vl::f32));
  } catch (const vl::UserError& error) {
    std::printf("refused, as it should be: %s\n", error.what());
    return 0;
  }
  std::printf("783 columns were taken for 784\n");
  return 1;
}

// examples/03_two_outputs.cpp: lesson 3: several results from one pass over the data.
#include <voxloom/voxloom.h>

#include <cstdio>
#include <vector>

namespace vl = voxloom;

int main() {
  const auto x = vl::vector("x"), y = vl::vector("y");

  // Both outputs need the same elements, so they become one kernel: x and y are read once.
  const auto f = vl::function({x, y}, {x + y, x - y}, {.name = "sum and difference"});
  for (const std::string& step : f.toposort()) std::printf("%s\n", step.c_str());
  if (f.toposort().size() != 1) {
    std::printf("expected one kernel\n");
    return 1;
  }

  // Outputs may have shapes of their own: the sum of squares leaves the same loop as a scalar. The second step only adds up what the
  // leaves of the sum left behind, in an order that does not depend on the number of threads.
  const auto g = vl::function({x, y}, {x - y, vl::sum(vl::sqr(x - y))});
  int readers = 0;
  for (const std::string& step : g.toposort()) {
    std::printf("%s\n", step.c_str());
    readers += step.find("(x") != std::string::npos ? 1 : 0;
  }
  if (readers != 1) {
    std::printf("expected one kernel that reads x\n");
    return 1;
  }

  std::vector<float> a(100001), b(100001);
  for (size_t k = 0; k < a.size(); ++k) {
    a[k] = static_cast<float>(k % 1000);
    b[k] = static_cast<float>(k % 7);
  }
  const std::vector<vl::Array> both = f(vl::Array::from(a), vl::Array::from(b));
  const std::vector<vl::Array> results = g(vl::Array::from(a), vl::Array::from(b));
  double squares = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    const auto i = static_cast<int64_t>(k);
    if (both[0].at<float>(i) != a[k] + b[k] || both[1].at<float>(i) != a[k] - b[k] || results[0].at<float>(i) != a[k] - b[k]) {
      std::printf("wrong at %zu\n", k);
      return 1;
    }
    squares += static_cast<double>(a[k] - b[k]) * static_cast<double>(a[k] - b[k]);
  }
  // Sums of float32 accumulate in float64 and are rounded once.
  std::printf("sum of squares %g, expected %g\n", static_cast<double>(results[1].item<float>()), squares);
  return results[1].item<float>() == static_cast<float>(squares) ? 0 : 1;
}

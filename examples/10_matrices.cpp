// examples/10_matrices.cpp: lesson 10: matrices: products element by element, two results of one kernel, arguments in any layout.
// 10_matrices.py prints the same.
#include <voxloom/voxloom.h>

#include <cstdio>
#include <string>
#include <vector>

namespace vl = voxloom;

namespace {

/// first, first + 1, ... row by row.
vl::Array count_from(float first, int64_t rows, int64_t columns) {
  const vl::Array a = vl::Array::zeros({rows, columns}, vl::f32);
  for (float& v : a.span<float>()) v = first++;
  return a;
}

int wrong = 0;
template <class F> void check(const vl::Array& result, F&& expected) {
  for (int64_t i = 0; i < result.shape(0); ++i) {
    for (int64_t k = 0; k < result.shape(1); ++k) wrong += result.at<float>(i, k) == expected(i, k) ? 0 : 1;
  }
}

void show(const char* what, const vl::Function& f, const vl::Array& r) {
  std::string steps;
  for (const std::string& step : f.toposort()) steps += " " + step;
  std::printf("%-6s%s: %d x %d, %g %g ... %g\n", what, steps.c_str(), static_cast<int>(r.shape(0)), static_cast<int>(r.shape(1)),
              r.at<float>(0, 0), r.at<float>(0, 1), r.at<float>(r.shape(0) - 1, r.shape(1) - 1));
}

}  // namespace

int main() {
  const auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  const vl::Array a = count_from(1, 20, 10), b = count_from(200, 20, 10);

  // Twice each element, of 4 x 5 and of 20 x 10: one function serves every size.
  const auto twice = vl::function({x}, {2 * x});
  const vl::Array ones = vl::Array::from(std::vector<float>(20, 1), vl::Dims{4, 5});
  show("2*x", twice, twice(ones));
  check(twice(ones), [](auto, auto) { return 2.f; });
  show("2*x", twice, twice(a));
  check(twice(a), [&](auto i, auto k) { return 2 * a.at<float>(i, k); });

  const auto product = vl::function({x, y}, {x * y});
  show("x*y", product, product(a, b));
  check(product(a, b), [&](auto i, auto k) { return a.at<float>(i, k) * b.at<float>(i, k); });

  // Both results need the same elements: one kernel reads x and y once and writes both.
  const auto both = vl::function({x, y}, {x + y, x - y});
  const auto results = both(a, b);
  show("x+y", both, results[0]);
  show("x-y", both, results[1]);
  check(results[0], [&](auto i, auto k) { return a.at<float>(i, k) + b.at<float>(i, k); });
  check(results[1], [&](auto i, auto k) { return a.at<float>(i, k) - b.at<float>(i, k); });

  // Every second column of the rows from last to first, and a transposed matrix: read where they lie, nothing is copied.
  const vl::Array strided = a.flip(0).slice(1, {}, {}, 2), transposed = count_from(0, 5, 20).transpose();
  const auto sums = both(strided, transposed);
  show("x+y", both, sums[0]);
  check(sums[0], [&](auto i, auto k) { return a.at<float>(19 - i, 2 * k) + static_cast<float>(20 * k + i); });
  const vl::MemoryReport memory = both.memory({strided, transposed});
  std::printf("bytes of results %d, of temporaries %d\n", static_cast<int>(memory.outputs), static_cast<int>(memory.temporaries));
  return wrong == 0 && both.toposort().size() == 1 && memory.temporaries == 0 ? 0 : 1;
}

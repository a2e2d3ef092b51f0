// examples/08_shared_exp.cpp: lesson 8: exp of a shared vector, a thousand times: which device computed it, and who owns the result.
// 08_shared_exp.py prints the same.
#include <voxloom/voxloom.h>

#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

namespace vl = voxloom;

namespace {

constexpr int64_t length = 10 * 30 * 768;
constexpr int iterations = 1000;

/// In how many different places the results of the calls lie, the last result in `result`.
size_t call_often(const vl::Function& f, vl::Array& result) {
  std::set<const std::byte*> places;
  for (int i = 0; i < iterations; ++i) {
    result = vl::Array();  // lets go of the one before
    result = f();
    places.insert(result.raw());
  }
  return places.size();
}

}  // namespace

int main() {
  std::vector<float> values(length);
  for (size_t k = 0; k < values.size(); ++k) values[k] = static_cast<float>(k) / static_cast<float>(length);
  const auto x = vl::shared(vl::Array::from(values), "x");

  const auto f = vl::function({}, {vl::exp(x)});
  const std::vector<std::string> steps = f.toposort();
  for (const std::string& step : steps) std::printf("%s\n", step.c_str());
  vl::Array owned;
  call_often(f, owned);
  std::printf("%d calls, result %.6f %.6f ... %.6f\n", iterations, owned.at<float>(0), owned.at<float>(1), owned.at<float>(length - 1));
  // What runs on a GPU begins with a copy of the data to it.
  bool gpu = false;
  for (const std::string& step : steps) gpu = gpu || step.find("HostToDevice") != std::string::npos;
  std::printf("Used the %s\n", gpu ? "gpu" : "cpu");

  // A borrowed result may lie where the one before lay; what somebody still holds is never written over.
  const auto borrowing = vl::function({}, {vl::Out(vl::exp(x), {.borrow = true})});
  vl::Array borrowed;
  const size_t places = call_often(borrowing, borrowed);
  std::printf("borrowed: %s bits, %zu buffer for all calls\n", vl::same_bits(owned, borrowed) ? "the same" : "other", places);
  const vl::Array next = borrowing();
  std::printf("while a result is held, the next one is written %s\n", next.raw() == borrowed.raw() ? "over it" : "elsewhere");

  // A new value is seen by every function that reads the variable.
  x.set_value(vl::Array::zeros({3}, vl::f32));
  const vl::Array ones = f();
  std::printf("after set_value: %g %g %g\n", ones.at<float>(0), ones.at<float>(1), ones.at<float>(2));

  bool right = steps.size() == 1 && places == 1 && vl::same_bits(owned, borrowed) && next.raw() != borrowed.raw() && ones.size() == 3;
  for (int64_t k = 0; k < length; ++k) {
    const double expected = std::exp(static_cast<double>(values[static_cast<size_t>(k)]));
    right = right && std::abs(static_cast<double>(owned.at<float>(k)) / expected - 1) < 1.2e-7;
  }
  return right ? 0 : 1;
}

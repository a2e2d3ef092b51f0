// tests/api/test_value_test.cpp: test values refuse what does not fit on the line that builds it.
#include <voxloom/api/voxloom.h>

#include <catch2/catch.hpp>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

struct TestValues {
  explicit TestValues(vl::ComputeTestValue what) { vl::config().compute_test_value = what; }
  ~TestValues() { vl::config().compute_test_value = vl::ComputeTestValue::off; }
};

}  // namespace

TEST_CASE("sizes that types leave open are checked where the expression is built") {
  const TestValues on(vl::ComputeTestValue::raise);
  const auto x = vl::fmatrix("x"), y = vl::fvector("y");
  vl::set_test_value(x, Array::zeros({5, 3}, vl::f32));
  vl::set_test_value(y, Array::from({1.f, 2.f, 3.f}));
  const auto sum = vl::exp(x) + y;
  CHECK(vl::test_value(sum).at<float>(4, 2) == 4);
  CHECK(vl::test_value(vl::sum(sum, 1) * 2).at<float>(0) == 18);
  const auto z = vl::fvector("z");
  vl::set_test_value(z, Array::zeros({4}, vl::f32));
  const int line = __LINE__ + 1;
  CHECK_THROWS_WITH(x + z, Contains("add") && Contains("3") && Contains("4") && Contains("test_value_test.cpp:" + std::to_string(line)));
  CHECK_THROWS_WITH(vl::index(z, {7}), Contains("7"));
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  CHECK(vl::test_value(w + y).at<float>(2) == 3);
  CHECK_NOTHROW(vl::function({x, y}, {sum}));  // compiling computes none
}

TEST_CASE("one symbol, two sizes") {
  const TestValues on(vl::ComputeTestValue::raise);
  const auto a = vl::fvector("a", {"n"}), b = vl::fmatrix("b", {"n", 2});
  vl::set_test_value(a, Array::zeros({3}, vl::f32));
  vl::set_test_value(b, Array::zeros({4, 2}, vl::f32));
  CHECK_THROWS_WITH(a + vl::sum(b, 1), Contains("two sizes for n: 3 and 4"));
  CHECK_THROWS_WITH(vl::set_test_value(b, Array::zeros({4, 3}, vl::f32)), Contains("size 3 on axis 1"));
}

TEST_CASE("what is missing or wrong") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  {
    const TestValues on(vl::ComputeTestValue::raise);
    CHECK_THROWS_WITH(vl::exp(x), Contains("\"x\" has no test value") && Contains("test_value_test.cpp:"));
    CHECK_THROWS_WITH(vl::set_test_value(x, Array::zeros({2}, vl::f64)), Contains("float64 (2,)"));
    CHECK_THROWS_WITH(vl::set_test_value(x, Array::zeros({2, 2}, vl::f32)), Contains("float32 (2, 2)"));
    CHECK_THROWS_WITH(vl::set_test_value(x, Array()), Contains("an empty Array"));
  }
  {
    const TestValues on(vl::ComputeTestValue::warn);
    std::string warned;
    vl::set_log([&](vl::LogLevel, std::string_view text) { warned = text; });
    CHECK_NOTHROW(vl::exp(x));
    vl::set_log({});
    CHECK_THAT(warned, Contains("\"x\" has no test value"));
  }
  {
    const TestValues on(vl::ComputeTestValue::ignore);
    vl::set_test_value(y, Array::zeros({2}, vl::f32));
    CHECK_FALSE(vl::test_value(x + y).defined());
    CHECK(vl::test_value(vl::exp(y)).at<float>(0) == 1);
    CHECK_THROWS_AS(vl::set_test_value(x + y, Array::zeros({2}, vl::f32)), vl::UserError);
  }
  CHECK_FALSE(vl::test_value(vl::exp(y)).defined());  // off
}

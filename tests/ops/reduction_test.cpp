// tests/ops/reduction_test.cpp: values of reductions worked out by hand.
#include "check.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace voxloom;
using namespace voxloom::test;

namespace {

constexpr float nan_ = std::numeric_limits<float>::quiet_NaN();
using Floats = std::vector<float>;
using Longs = std::vector<int64_t>;
Expr grid() { return constant<float>({1, 2, 3, 4, 5, 6}, {2, 3}); }

}  // namespace

TEST_CASE("sum, prod, mean along axes") {
  CHECK(values<float>(sum(grid())) == Floats{21});
  CHECK(values<float>(sum(grid(), 0)) == Floats{5, 7, 9});
  CHECK(values<float>(sum(grid(), -1)) == Floats{6, 15});
  CHECK(values<float>(prod(grid(), 1)) == Floats{6, 120});
  CHECK(values<float>(mean(grid(), 0)) == Floats{2.5f, 3.5f, 4.5f});
  CHECK(values<float>(mean(grid(), 1, {.keepdims = true})) == Floats{2, 5});
  CHECK(values<float>(grid() - mean(grid(), 1, {.keepdims = true})) == Floats{-1, 0, 1, -1, 0, 1});
}

TEST_CASE("accumulators are wide") {
  const Floats tenth(1000000, 0.1f);
  CHECK(values<float>(sum(vec(tenth)))[0] == static_cast<float>(1000000 * static_cast<double>(0.1f)));
  CHECK(values<int64_t>(sum(vec<uint8_t>(std::vector<uint8_t>(1000, 255))))[0] == 255000);
  CHECK(values<int64_t>(sum(vec<int32_t>({INT32_MAX, INT32_MAX})))[0] == 2 * int64_t{INT32_MAX});
  CHECK(values<int64_t>(sum(vec<int64_t>({INT64_MAX, 1})))[0] == INT64_MIN);
  CHECK(values<float>(prod(vec<float>({1e30f, 1e30f, 1e-30f})))[0] == 1e30f);
  CHECK(values<float>(mean(vec<int32_t>({INT32_MAX, INT32_MAX, 0})))[0] == static_cast<float>(2.0 / 3 * INT32_MAX));
  CHECK(values<float>(mean(vec<uint64_t>({UINT64_MAX, UINT64_MAX})))[0] == 0x1p64f);
  CHECK(values<int64_t>(sum(vec<float>({1.9f, 2.9f}), {}, {.dtype = DType::i64}))[0] == 3);
  CHECK(values<double>(sum(vec<int32_t>({1, 2}), {}, {.dtype = DType::f64}))[0] == 3);
  CHECK(std::signbit(values<float>(sum(vec<float>({-0.0f, -0.0f})))[0]));
}

TEST_CASE("min and max") {
  CHECK(values<float>(min(grid(), 0)) == Floats{1, 2, 3});
  CHECK(values<float>(max(grid(), 1)) == Floats{3, 6});
  CHECK(std::isnan(values<float>(max(vec<float>({1, nan_, 3})))[0]));
  CHECK(std::signbit(values<float>(min(vec<float>({0.0f, -0.0f})))[0]));
  CHECK(values<uint8_t>(min(vec<uint8_t>({7, 3, 9})))[0] == 3);
  CHECK(values<int8_t>(max(vec<int8_t>({-7, -3, -128})))[0] == -3);
  CHECK(values<int64_t>(min(vec<int64_t>({INT64_MAX})))[0] == INT64_MAX);
  CHECK(values<uint64_t>(max(vec<uint64_t>({0, UINT64_MAX})))[0] == UINT64_MAX);
  CHECK(values<float>(ptp(grid())) == Floats{5});
}

TEST_CASE("positions: the first of equals, the first NaN before all") {
  CHECK(values<int64_t>(argmax(vec<float>({1, 3, 3, 2})))[0] == 1);
  CHECK(values<int64_t>(argmin(vec<float>({4, 1, 1, 2})))[0] == 1);
  CHECK(values<int64_t>(argmax(vec<float>({1, nan_, 9, nan_})))[0] == 1);
  CHECK(values<int64_t>(argmin(vec<float>({1, nan_, 0, nan_})))[0] == 1);
  CHECK(values<int64_t>(argmax(grid(), 0)) == Longs{1, 1, 1});
  CHECK(values<int64_t>(argmin(grid(), 1)) == Longs{0, 0});
  CHECK(values<int64_t>(argmax(vec<int32_t>({INT32_MIN, INT32_MIN})))[0] == 0);
  CHECK(values<int64_t>(argmax(vec<int32_t>({0, 1}) > 0))[0] == 1);
  CHECK(values<int64_t>(argmin(vec<int32_t>({1, 0, 0}) > 0))[0] == 1);
  Floats many(5000, 1.0f);
  many[77] = many[3000] = 2.0f;
  CHECK(values<int64_t>(argmax(vec(many)))[0] == 77);
  CHECK(values<int64_t>(argmin(vec(many)))[0] == 0);
}

TEST_CASE("any and all") {
  const Expr x = constant<int32_t>({0, 2, 0, 0, 1, 1}, {3, 2});
  CHECK(values<bool>(any(x, 1)) == std::vector<bool>{true, false, true});
  CHECK(values<bool>(all(x, 1)) == std::vector<bool>{false, false, true});
  CHECK(values<bool>(any(vec<float>({nan_})))[0]);
}

TEST_CASE("variance and deviation") {
  CHECK(values<float>(var(grid(), 0)) == Floats{2.25f, 2.25f, 2.25f});
  CHECK(values<float>(voxloom::std(grid(), 0)) == Floats{1.5f, 1.5f, 1.5f});
  CHECK(values<float>(var(grid(), 1, {.ddof = 1})) == Floats{1, 1});
  CHECK(values<float>(var(vec<uint8_t>({1, 2, 3, 4})))[0] == 1.25f);
  CHECK(std::isnan(values<float>(var(vec<float>({5}), {}, {.ddof = 1}))[0]));
  CHECK(values<float>(var(vec<float>({5})))[0] == 0);
}

TEST_CASE("complex sums and products") {
  using C = std::complex<float>;
  const Expr x = vec<C>({{1, 2}, {3, -1}, {0, 1}});
  CHECK(values<C>(sum(x))[0] == C(4, 2));
  CHECK(values<C>(prod(x))[0] == C(-5, 5));
  CHECK(values<C>(mean(x))[0] == C(static_cast<float>(4.0 / 3), static_cast<float>(2.0 / 3)));
}

TEST_CASE("an image reduces along named axes, x fastest") {
  const Expr a = image_input("a", DType::i16, {2, 2, 2}, {"x", "y", "t"});
  const HostArray data = array<int16_t>({1, 5, 2, 6, 3, 7, 4, 9}, {2, 2, 2});
  const Bound bound = {{a, data}};
  CHECK(values<float>(mean(a, "t"), bound) == Floats{3, 4, 5, 6.5f});
  CHECK(values<int64_t>(sum(a, {"x", "y"}), bound) == Longs{10, 27});
  CHECK(values<float>((a - mean(a, "t")) / voxloom::std(a, "t"), bound) == Floats{-1, 1, -1, 1, -1, 1, -1, 1});
  CHECK(values<int64_t>(argmax(a), bound)[0] == 7);
}

TEST_CASE("an extremum of no elements is an error only where there is a result") {
  const Expr x = dmatrix("x");
  CHECK_FALSE(user_error([&] { eval(max(x, 1), {{x, array<double>({}, {2, 0})}}); }).empty());
  CHECK(eval(max(x, 1), {{x, array<double>({}, {0, 0})}}).shape == std::vector<int64_t>{0});
}

// tests/ops/values_test.cpp: values worked out by hand: arithmetic, NumPy's rules for integers, comparisons, bits, casts.
#include "check.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace voxloom;
using namespace voxloom::test;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity(), nan_ = std::numeric_limits<float>::quiet_NaN();
using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Ints = std::vector<int32_t>;
using Bytes = std::vector<uint8_t>;
using Bools = std::vector<bool>;

/// Equal values and signs of zero; NaN equals NaN.
template <class T> bool same(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (size_t k = 0; k < a.size(); ++k) {
    if (std::isnan(a[k]) && std::isnan(b[k])) continue;
    if (a[k] != b[k] || std::signbit(a[k]) != std::signbit(b[k])) return false;
  }
  return true;
}
Expr ints(const Ints& v) { return vec(v); }
Expr floats(const Floats& v) { return vec(v); }

}  // namespace

TEST_CASE("arithmetic of floats") {
  const Expr x = floats({1, -2, 0.5f}), y = floats({3, 4, -0.25f});
  CHECK(values<float>(x + y) == Floats{4, 2, 0.25f});
  CHECK(values<float>(x - y) == Floats{-2, -6, 0.75f});
  CHECK(values<float>(x * y) == Floats{3, -8, -0.125f});
  CHECK(values<float>(y / x) == Floats{3, -2, -0.5f});
  CHECK(same(values<float>(-floats({1, 0, nan_})), {-1, -0.0f, nan_}));
  CHECK(same(values<float>(abs(floats({-1, -0.0f, -inf}))), {1, 0, inf}));
  CHECK(same(values<float>(reciprocal(floats({4, 0, -0.0f}))), {0.25f, inf, -inf}));
  CHECK(same(values<float>(sign(floats({-3, -0.0f, nan_, inf}))), {-1, 0, nan_, 1}));
  CHECK(values<float>(sqr(x)) == Floats{1, 4, 0.25f});
  CHECK(same(values<float>(sqrt(floats({4, -1, -0.0f}))), {2, nan_, -0.0f}));
  CHECK(same(values<float>(copysign(floats({3, -3, nan_}), floats({-0.0f, 1, 1}))), {-3, 3, nan_}));
  CHECK(same(values<float>(copysign(floats({3, -3}), floats({-nan_, nan_}))), {3, 3}));
}

TEST_CASE("extrema and NaN") {
  const Expr x = floats({1, nan_, -0.0f, nan_}), y = floats({2, 1, 0, nan_});
  CHECK(same(values<float>(minimum(x, y)), {1, nan_, -0.0f, nan_}));
  CHECK(same(values<float>(maximum(x, y)), {2, nan_, 0, nan_}));
  CHECK(same(values<float>(fmin(x, y)), {1, 1, -0.0f, nan_}));
  CHECK(same(values<float>(fmax(x, y)), {2, 1, 0, nan_}));
  CHECK(same(values<float>(clip(floats({-5, 0.5f, 5, nan_}), 0, 1)), {0, 0.5f, 1, nan_}));
  CHECK(values<int32_t>(clip(ints({-5, 3, 9}), 0, 5)) == Ints{0, 3, 5});
  CHECK(values<bool>(maximum(vec<int32_t>({0, 1}) > 0, vec<int32_t>({1, 0}) > 0)) == Bools{true, true});
}

TEST_CASE("// and % of integers are Python's, and defined at 0 and INT_MIN") {
  const Expr x = ints({7, -7, 7, -7, 5, INT32_MIN, INT32_MIN}), y = ints({2, 2, -2, -2, 0, -1, 0});
  CHECK(values<int32_t>(floordiv(x, y)) == Ints{3, -4, -4, 3, 0, INT32_MIN, 0});
  CHECK(values<int32_t>(x % y) == Ints{1, 1, -1, -1, 0, 0, 0});
  CHECK(values<uint8_t>(floordiv(vec<uint8_t>({250, 3}), 4)) == Bytes{62, 0});
  CHECK(values<int32_t>(-ints({INT32_MIN, 3})) == Ints{INT32_MIN, -3});
  CHECK(values<int32_t>(ints({INT32_MAX}) + 1) == Ints{INT32_MIN});
  CHECK(values<uint8_t>(vec<uint8_t>({3}) - 5) == Bytes{254});
  CHECK(values<float>(ints({7, -1}) / 2) == Floats{3.5f, -0.5f});
}

TEST_CASE("// and % of floats") {
  const Expr x = floats({7.5f, -7.5f, 7.5f, -7.5f, 6, -6}), y = floats({2, 2, -2, -2, 3, 3});
  CHECK(same(values<float>(floordiv(x, y)), {3, -4, -4, 3, 2, -2}));
  CHECK(same(values<float>(x % y), {1.5f, 0.5f, -0.5f, -1.5f, 0, 0}));
  const Expr a = floats({5, 5, -5, 5, inf, nan_, 0}), b = floats({0, inf, inf, -inf, 2, 1, -3});
  CHECK(same(values<float>(a % b), {nan_, 5, inf, -inf, nan_, nan_, -0.0f}));
  CHECK(same(values<float>(floordiv(a, b)), {inf, 0, -1, -1, nan_, nan_, -0.0f}));
  // The remainder is exact although 1 / 0.1 rounds to 10.
  CHECK(values<double>(mod(vec<double>({1.0}), vec<double>({0.1})))[0] == std::fmod(1.0, 0.1));
  CHECK(values<double>(floordiv(vec<double>({1.0}), vec<double>({0.1})))[0] == 9);
  CHECK(values<double>(mod(vec<double>({1e300}), vec<double>({3.0})))[0] == 0);
}

TEST_CASE("comparisons and logic") {
  const Expr x = floats({1, 2, nan_}), y = floats({2, 2, nan_});
  CHECK(values<bool>(x < y) == Bools{true, false, false});
  CHECK(values<bool>(x <= y) == Bools{true, true, false});
  CHECK(values<bool>(x > y) == Bools{false, false, false});
  CHECK(values<bool>(x >= y) == Bools{false, true, false});
  CHECK(values<bool>(eq(x, y)) == Bools{false, true, false});
  CHECK(values<bool>(ne(x, y)) == Bools{true, false, true});
  const Expr p = ints({0, 3, 0, 4}), q = ints({0, 0, 5, 6});
  CHECK(values<bool>(logical_and(p, q)) == Bools{false, false, false, true});
  CHECK(values<bool>(logical_or(p, q)) == Bools{false, true, true, true});
  CHECK(values<bool>(logical_xor(p, q)) == Bools{false, true, true, false});
  CHECK(values<bool>(logical_not(floats({0, nan_, 1}))) == Bools{true, false, false});
  CHECK(values<bool>((p > 0) + (q > 0)) == Bools{false, true, true, true});
  CHECK(values<bool>((p > 0) * (q > 0)) == Bools{false, false, false, true});
  CHECK(values<bool>(~(p > 0)) == Bools{true, false, true, false});
  CHECK(same(values<float>(where(floats({0, 1, nan_}), floats({1, 2, 3}), nan_)), {nan_, 2, 3}));
  CHECK(values<bool>(isnan(floats({1, nan_, inf}))) == Bools{false, true, false});
  CHECK(values<bool>(isinf(floats({1, nan_, -inf}))) == Bools{false, false, true});
  CHECK(values<bool>(isfinite(floats({1, nan_, inf}))) == Bools{true, false, false});
  CHECK(values<bool>(isfinite(p)) == Bools{true, true, true, true});
}

TEST_CASE("bits and shifts") {
  const Expr x = ints({12, -1, 5}), y = ints({10, 7, 0});
  CHECK(values<int32_t>(x & y) == Ints{8, 7, 0});
  CHECK(values<int32_t>(x | y) == Ints{14, -1, 5});
  CHECK(values<int32_t>(x ^ y) == Ints{6, -8, 5});
  CHECK(values<int32_t>(~x) == Ints{-13, 0, -6});
  CHECK(values<int32_t>(ints({1, 1, 1, 1}) << ints({4, 31, 32, -1})) == Ints{16, INT32_MIN, 0, 0});
  CHECK(values<int32_t>(ints({-8, 8, -8, 8}) >> ints({1, 2, 40, -1})) == Ints{-4, 2, -1, 0});
  CHECK(values<uint8_t>(vec<uint8_t>({200, 200}) >> 3) == Bytes{25, 25});
}

TEST_CASE("casts wrap integers and saturate floats") {
  CHECK(values<int32_t>(cast(vec<double>({1.9, -1.9, 1e20, -1e20, std::nan("")}), DType::i32)) == Ints{1, -1, INT32_MAX, INT32_MIN, 0});
  CHECK(values<uint8_t>(cast(floats({-3, 300, 255.9f}), DType::u8)) == Bytes{0, 255, 255});
  CHECK(values<uint8_t>(cast(ints({-1, 256, 300}), DType::u8)) == Bytes{255, 0, 44});
  CHECK(values<bool>(cast(floats({0, -0.0f, nan_, 0.5f}), DType::boolean)) == Bools{false, false, true, true});
  CHECK(values<float>(cast(vec<double>({1e300, 0.1}), DType::f32)) == Floats{inf, 0.1f});
  CHECK(values<float>(cast(vec<int64_t>({16777217}), DType::f32)) == Floats{16777216});
  CHECK(values<float>(cast(ints({3}) > 2, DType::f32)) == Floats{1});
  const Expr x = ints({1});
  CHECK(cast(x, DType::i32).same_as(x));
}

TEST_CASE("rounding") {
  const Expr x = floats({0.5f, 1.5f, -0.5f, -2.5f, 2.7f});
  CHECK(same(values<float>(rint(x)), {0, 2, -0.0f, -2, 3}));
  CHECK(same(values<float>(round_half_away(x)), {1, 2, -1, -3, 3}));
  CHECK(same(values<float>(floor(x)), {0, 1, -1, -3, 2}));
  CHECK(same(values<float>(ceil(x)), {1, 2, -0.0f, -2, 3}));
  CHECK(same(values<float>(trunc(x)), {0, 1, -0.0f, -2, 2}));
  CHECK(values<float>(round_half_away(floats({0.49999997f}))) == Floats{0});
  CHECK(values<float>(round(floats({1.25f, 1.375f}), 1)) == Floats{1.2f, 1.4f});
  CHECK(values<float>(round(floats({123, 155}), -1)) == Floats{120, 160});
  CHECK(values<int32_t>(floor(ints({-3, 4}))) == Ints{-3, 4});
  CHECK(same(values<float>(nan_to_num(floats({nan_, inf, -inf, 1}), 0, 9, -9)), {0, 9, -9, 1}));
}

TEST_CASE("identity and fill keep the bits of NaN") {
  std::vector<uint32_t> payload = {0x7fc12345u, 0xff800001u};
  Floats data(2);
  std::memcpy(data.data(), payload.data(), 8);
  for (const Expr& e :
       {identity(floats(data)), second(floats({1, 2}), floats(data)), flip(flip(floats(data))), where(true, floats(data), 0)}) {
    const HostArray a = eval(e);
    CHECK(std::memcmp(a.bytes.data(), payload.data(), 8) == 0);
  }
}

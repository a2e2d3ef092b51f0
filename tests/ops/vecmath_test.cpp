// tests/ops/vecmath_test.cpp: signs of zero, special values and identities of vector math, complex functions, integer powers, huge angles.
#include <voxloom/ops/rare.h>
#include <voxloom/ops/vecmath.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>

using namespace voxloom;
using namespace voxloom::ops;

namespace {
ScalarBuilder b;
const double inf = std::numeric_limits<double>::infinity(), not_number = std::numeric_limits<double>::quiet_NaN();
Scalar num(DType t, double x) { return b.lit(t, x); }
Cx<Scalar> cx(DType t, double re, double im) { return {num(t, re), num(t, im)}; }
bool is_minus_zero(Scalar x) { return to_double(x) == 0 && std::signbit(to_double(x)); }
std::complex<double> value(Cx<Scalar> z) { return {to_double(z.re), to_double(z.im)}; }
void check_close(Cx<Scalar> got, std::complex<double> want, double tolerance) {
  CHECK(std::abs(value(got) - want) <= tolerance * std::abs(want));
}
}  // namespace

TEST_CASE("odd functions keep the sign of zero") {
  for (DType t : {f32, f64}) {
    const Scalar zero = num(t, -0.0);
    CHECK(is_minus_zero(sin_(b, zero)));
    CHECK(is_minus_zero(tan_(b, zero)));
    CHECK(is_minus_zero(tanh_(b, zero)));
    CHECK(is_minus_zero(sinh_(b, zero)));
    CHECK(is_minus_zero(asin_(b, zero)));
    CHECK(is_minus_zero(atan_(b, zero)));
    CHECK(is_minus_zero(asinh_(b, zero)));
    CHECK(is_minus_zero(atanh_(b, zero)));
    CHECK(is_minus_zero(erf_(b, zero)));
    CHECK(is_minus_zero(expm1_(b, zero)));
    CHECK(is_minus_zero(log1p_(b, zero)));
    CHECK(is_minus_zero(cbrt_(b, zero)));
    CHECK_FALSE(is_minus_zero(sin_(b, num(t, 0))));
    CHECK_FALSE(is_minus_zero(expm1_(b, num(t, 0))));
    CHECK_FALSE(is_minus_zero(log_(b, num(t, 1))));
    CHECK(to_double(log_(b, zero)) == -inf);
  }
}

TEST_CASE("pow and atan2 give the signs that C asks for") {
  for (DType t : {f32, f64}) {
    CHECK(is_minus_zero(pow_(b, num(t, -0.0), num(t, 3))));
    CHECK_FALSE(is_minus_zero(pow_(b, num(t, -0.0), num(t, 2))));
    CHECK(to_double(pow_(b, num(t, -0.0), num(t, -3))) == -inf);
    CHECK(to_double(pow_(b, num(t, -0.0), num(t, -2.5))) == inf);
    CHECK(to_double(pow_(b, num(t, -inf), num(t, 3))) == -inf);
    CHECK(to_double(pow_(b, num(t, -1), num(t, inf))) == 1);
    CHECK(to_double(pow_(b, num(t, 1), num(t, not_number))) == 1);
    CHECK(to_double(pow_(b, num(t, not_number), num(t, 0))) == 1);
    CHECK(std::isnan(to_double(pow_(b, num(t, -8), num(t, 1.0 / 3)))));
    CHECK(to_double(pow_(b, num(t, -3), num(t, 3))) == -27);
    CHECK(is_minus_zero(atan2_(b, num(t, -0.0), num(t, 1))));
    CHECK(to_double(atan2_(b, num(t, -0.0), num(t, -0.0))) == to_double(num(t, -0x1.921fb54442d18p+1)));
    CHECK(to_double(atan2_(b, num(t, inf), num(t, -inf))) == to_double(num(t, 0x1.2d97c7f3321d2p+1)));
  }
}

TEST_CASE("whole results are exact") {
  for (DType t : {f32, f64}) {
    const int least = t == DType::f32 ? -149 : -1074, most = t == DType::f32 ? 127 : 1023;
    for (int k = least; k <= most; ++k) {
      CHECK(to_double(exp2_(b, num(t, k))) == std::ldexp(1.0, k));
      CHECK(to_double(log2_(b, num(t, std::ldexp(1.0, k)))) == k);
    }
    for (int k = 1; k <= 100; ++k) {
      CHECK(to_double(cbrt_(b, num(t, k * k * k))) == k);
      CHECK(to_double(hypot_(b, num(t, 3 * k), num(t, 4 * k))) == 5 * k);
      CHECK(to_double(pow_(b, num(t, k), num(t, 2))) == k * k);
    }
    for (int k = 0; k <= (t == DType::f32 ? 10 : 22); ++k) CHECK(to_double(log10_(b, num(t, std::pow(10.0, k)))) == k);
  }
}

TEST_CASE("stabilised functions keep both ends") {
  for (DType t : {f32, f64}) {
    CHECK(to_double(tanh_(b, num(t, inf))) == 1);
    CHECK(to_double(tanh_(b, num(t, -25))) == -1);
    CHECK(to_double(sigmoid_(b, num(t, -inf))) == 0);
    CHECK(to_double(sigmoid_(b, num(t, inf))) == 1);
    CHECK(to_double(sigmoid_(b, num(t, -88.9))) > 0);
    CHECK(to_double(softplus_(b, num(t, -inf))) == 0);
    CHECK(to_double(softplus_(b, num(t, 1000))) == 1000);
    CHECK(to_double(logaddexp_(b, num(t, -inf), num(t, -inf))) == -inf);
    CHECK(to_double(logaddexp_(b, num(t, inf), num(t, inf))) == inf);
    CHECK(to_double(logaddexp_(b, num(t, inf), num(t, -inf))) == inf);
    CHECK(std::isnan(to_double(logaddexp_(b, num(t, not_number), num(t, inf)))));
    CHECK(to_double(xlogy_(b, num(t, 0), num(t, 0))) == 0);
    CHECK(std::isnan(to_double(xlogy_(b, num(t, 0), num(t, not_number)))));
    CHECK(to_double(hypot_(b, num(t, not_number), num(t, -inf))) == inf);
  }
}

TEST_CASE("angles beyond the fast reduction take the exact path") {
  CHECK(to_double(sin_(b, num(f64, 1e22))) == Approx(-0.8522008497671888).epsilon(1e-15));
  CHECK(to_double(cos_(b, num(f64, 1e22))) == Approx(0.5232147853951389).epsilon(1e-15));
  CHECK(to_double(sin_(b, num(f64, -1.7976931348623157e308))) == Approx(-0.004961954789184062).epsilon(1e-15));
  // The double closest to a multiple of pi/2.
  CHECK(to_double(cos_(b, num(f64, 6381956970095103.0 * 0x1p797))) == Approx(-4.687165924254627611e-19).epsilon(1e-15));
  CHECK(rare_count == 3);
  for (int i = 0; i < rare_count; ++i) CHECK(std::isnan(rare_table[i].function(inf)));
  // Both paths agree where both hold.
  for (double x = 1; x < 1e5; x *= 1.37) CHECK(rare_table[rare_sin].function(x) == Approx(to_double(sin_(b, num(f64, x)))).epsilon(1e-15));
}

TEST_CASE("integer powers") {
  for (DType t : {i8, i16, i32, i64, u8, u16, u32, u64}) {
    for (int64_t x = -3; x <= 3; ++x) {
      uint64_t want = 1;
      for (int64_t n = 0; n < 40; ++n) {
        const Scalar base = b.lit_int(t, x);
        CHECK(ipow_(b, base, b.lit_int(t, n)).bits == b.lit_int(t, static_cast<int64_t>(want)).bits);
        CHECK(ipow_const_(b, base, static_cast<uint64_t>(n)).bits == b.lit_int(t, static_cast<int64_t>(want)).bits);
        want *= static_cast<uint64_t>(x);
      }
    }
  }
  CHECK(to_int(ipow_(b, b.lit_int(i32, 2), b.lit_int(i32, -1))) == 0);
  CHECK(to_int(ipow_(b, b.lit_int(i32, -1), b.lit_int(i32, -3))) == -1);
  CHECK(to_double(ipow_const_(b, num(f64, 1.5), 5)) == 7.59375);
}

TEST_CASE("complex functions") {
  for (DType t : {f32, f64}) {
    const double eps = t == DType::f32 ? 0x1p-22 : 0x1p-51;
    const auto x = cx(t, 1.5, -2.25), y = cx(t, -0.75, 0.5);
    const std::complex<double> vx = value(x), vy = value(y);
    check_close(cadd_(b, x, y), vx + vy, eps);
    check_close(csub_(b, x, y), vx - vy, eps);
    check_close(cmul_(b, x, y), vx * vy, eps);
    check_close(cdiv_(b, x, y), vx / vy, eps);
    check_close(cexp_(b, x), std::exp(vx), 2 * eps);
    check_close(clog_(b, x), std::log(vx), 2 * eps);
    check_close(csqrt_(b, x), std::sqrt(vx), 2 * eps);
    check_close(csqrt_(b, cneg_(b, x)), std::sqrt(-vx), 2 * eps);
    CHECK(value(cconj_(b, x)) == std::conj(vx));
    CHECK(to_double(cmul_(b, x, cconj_(b, x)).im) == 0);
    // Neither the squares nor the products of such numbers fit.
    const double big = t == DType::f32 ? 3e38 : 1.5e308, tiny = t == DType::f32 ? 3e-45 : 1.5e-323;
    check_close(cdiv_(b, cx(t, big, big), cx(t, big, big)), 1.0, eps);
    check_close(cdiv_(b, cx(t, tiny, 0), cx(t, tiny, 0)), 1.0, eps);
    CHECK(std::isfinite(to_double(clog_(b, cx(t, big, big)).re)));
    CHECK(std::isfinite(to_double(csqrt_(b, cx(t, big, big)).re)));
    CHECK(value(csqrt_(b, cx(t, -4, 0))) == std::complex<double>(0, 2));
    CHECK(value(csqrt_(b, cx(t, -4, -0.0))) == std::complex<double>(0, -2));
    CHECK(to_double(csqrt_(b, cx(t, -inf, 1)).im) == inf);
    CHECK(to_double(cexp_(b, cx(t, inf, 0)).im) == 0);
    CHECK(to_double(clog_(b, cx(t, 0, 0)).re) == -inf);
    // |z| close to 1: the real part is far below the rounding error of |z|.
    CHECK(to_double(clog_(b, cx(t, 1, 0x1p-10)).re) == Approx(0.5 * std::log1p(0x1p-20)).epsilon(1e-6));
  }
}

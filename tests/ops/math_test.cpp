// tests/ops/math_test.cpp: rows over vector math: values, promotion, NaN and the edges of domains. Error bounds are tested beside vecmath.
#include "check.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <complex>
#include <limits>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Doubles = std::vector<double>;
using C = std::complex<double>;
const double inf = std::numeric_limits<double>::infinity(), nan_ = std::numeric_limits<double>::quiet_NaN();

/// Within 4 ulp in float64 of C's function; NaN with NaN, infinities and zeros exactly.
void check_like(Expr (*f)(const Operand&), double (*reference)(double), const Doubles& points) {
  const Doubles found = values<double>(f(vec(points)));
  for (size_t k = 0; k < points.size(); ++k) {
    const double expected = reference(points[k]);
    INFO("at " << points[k] << ": " << found[k] << " for " << expected);
    if (std::isnan(expected)) CHECK(std::isnan(found[k]));
    else if (std::isinf(expected) || expected == 0) CHECK(found[k] == expected);
    else CHECK(std::abs(found[k] - expected) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(expected));
  }
}

}  // namespace

TEST_CASE("exponentials and logarithms") {
  const Doubles points = {0, 1, -1, 0.5, 20, -700, 1e-10, 800, -800, inf, -inf, nan_};
  check_like(exp, std::exp, points);
  check_like(exp2, std::exp2, points);
  check_like(expm1, std::expm1, points);
  const Doubles positive = {1, 2, 0.5, 1e300, 1e-300, 10, 0, inf, -1, nan_};
  check_like(log, std::log, positive);
  check_like(log2, std::log2, positive);
  check_like(log10, std::log10, positive);
  check_like(log1p, std::log1p, {0, 1, -0.5, 1e-15, -1, -2, inf, nan_});
  CHECK(values<double>(logaddexp(vec<double>({1000, -inf}), vec<double>({1000, -inf})))[0] == Approx(1000 + std::log(2.0)));
  CHECK(values<double>(logaddexp(vec<double>({-inf}), vec<double>({-inf})))[0] == -inf);
  CHECK(values<double>(xlogy(vec<double>({0, 2}), vec<double>({0, 4})))[0] == 0);
  CHECK(values<double>(xlogy(vec<double>({2}), vec<double>({4})))[0] == Approx(2 * std::log(4.0)));
  CHECK(std::isnan(values<double>(xlogy(vec<double>({0}), vec<double>({nan_})))[0]));
  CHECK(values<double>(log1mexp(vec<double>({-1e-20})))[0] == Approx(std::log(1e-20)));
}

TEST_CASE("circular and hyperbolic functions") {
  const Doubles angles = {0, 0.5, -1, 3, 100, -1e6, inf, nan_};
  check_like(sin, std::sin, angles);
  check_like(cos, std::cos, angles);
  check_like(tan, std::tan, angles);
  check_like(sin, std::sin, {1e22, -1e300});
  const Doubles unit = {0, 0.5, -0.5, 0.99, 1, -1, 1.5, nan_};
  check_like(asin, std::asin, unit);
  check_like(acos, std::acos, unit);
  check_like(atan, std::atan, {0, 0.5, -3, 1e10, inf, -inf, nan_});
  check_like(sinh, std::sinh, {0, 0.5, -3, 20, 1000, nan_});
  check_like(cosh, std::cosh, {0, 0.5, -3, 20, 1000, nan_});
  check_like(tanh, std::tanh, {0, 0.5, -3, 20, inf, nan_});
  check_like(asinh, std::asinh, {0, 0.5, -3, 1e10, inf, nan_});
  check_like(acosh, std::acosh, {1, 1.5, 3, 1e10, 0.5, inf, nan_});
  check_like(atanh, std::atanh, {0, 0.5, -0.99, 1, 2, nan_});
  CHECK(values<double>(atan2(vec<double>({1}), vec<double>({-1})))[0] == Approx(3 * std::atan(1.0)));
  CHECK(values<double>(atan2(vec<double>({0}), vec<double>({-0.0})))[0] == Approx(4 * std::atan(1.0)));
  CHECK(values<double>(deg2rad(vec<double>({180})))[0] == Approx(4 * std::atan(1.0)));
  CHECK(values<double>(rad2deg(vec<double>({1})))[0] == Approx(45 / std::atan(1.0)));
}

TEST_CASE("powers") {
  CHECK(values<double>(pow(vec<double>({2, 2, -8, 0, 4}), vec<double>({10, -1, 1.0 / 3, 0, 0.5})))[0] == 1024);
  CHECK(std::isnan(values<double>(pow(vec<double>({-8}), 0.5))[0]));
  CHECK(values<double>(pow(vec<double>({nan_}), 0))[0] == 1);
  CHECK(values<int32_t>(pow(vec<int32_t>({3, -2, 0, 10}), 3)) == std::vector<int32_t>{27, -8, 0, 1000});
  CHECK(values<int32_t>(pow(vec<int32_t>({3, -1, 1, 2, 0}), vec<int32_t>({4, -3, -5, -1, 0}))) == std::vector<int32_t>{81, -1, 1, 0, 1});
  CHECK(values<uint8_t>(pow(vec<uint8_t>({16, 3}), vec<uint8_t>({2, 5}))) == std::vector<uint8_t>{0, 243});
  CHECK(values<int64_t>(pow(vec<int32_t>({0, 1}) > 0, 2)) == std::vector<int64_t>{0, 1});
  CHECK(user_error([&] { pow(ivector("x"), -1); }).find("negative integer power") != std::string::npos);
  CHECK(user_error([&] { pow(ivector("x"), constant(-2, DType::i32)); }).find("negative integer power") != std::string::npos);
  CHECK(pow(image_input("a", DType::i16, {3}, {"x"}), 2).dtype() == DType::f32);
  check_like(cbrt, std::cbrt, {8, -27, 0, 1e300, 1e-310, inf, nan_});
  CHECK(values<double>(hypot(vec<double>({3, 1e200}), vec<double>({4, 1e200})))[1] == Approx(std::sqrt(2.0) * 1e200));
  CHECK(values<double>(hypot(vec<double>({nan_}), vec<double>({inf})))[0] == inf);
}

TEST_CASE("special functions") {
  check_like(erf, std::erf, {0, 0.5, -1, 3, inf, -inf, nan_});
  CHECK(values<double>(erfc(vec<double>({5})))[0] == Approx(std::erfc(5.0)).epsilon(1e-13));
  CHECK(values<double>(sigmoid(vec<double>({0, -800, 800}))) == Doubles{0.5, 0, 1});
  CHECK(values<double>(softplus(vec<double>({0})))[0] == Approx(std::log(2.0)));
  CHECK(values<double>(softplus(vec<double>({1000})))[0] == 1000);
  CHECK(values<float>(exp(vec<int32_t>({0, 1})))[1] == Approx(std::exp(1.0)));  // integers compute in floatX
}

TEST_CASE("complex numbers") {
  const Expr z = vec<C>({{3, 4}, {-1, 0}}), w = vec<C>({{1, -2}, {0, 2}});
  CHECK(values<C>(z + w) == std::vector<C>{{4, 2}, {-1, 2}});
  CHECK(values<C>(z - w) == std::vector<C>{{2, 6}, {-1, -2}});
  CHECK(values<C>(z * w) == std::vector<C>{{11, -2}, {0, -2}});
  CHECK(values<C>(z / w)[0] == C(-1, 2));
  CHECK(values<C>(-z)[0] == C(-3, -4));
  CHECK(values<C>(sqr(z))[0] == C(-7, 24));
  CHECK(values<C>(reciprocal(w))[1] == C(0, -0.5));
  CHECK(values<double>(abs(z)) == Doubles{5, 1});
  CHECK(values<double>(real(z)) == Doubles{3, -1});
  CHECK(values<double>(imag(z)) == Doubles{4, 0});
  CHECK(values<C>(conj(z))[0] == C(3, -4));
  CHECK(values<double>(angle(z))[1] == Approx(std::acos(-1.0)));
  CHECK(values<double>(angle(vec<double>({-2, 2}))) == Doubles{std::acos(-1.0), 0});
  CHECK(values<C>(complex(vec<double>({1}), vec<double>({2})))[0] == C(1, 2));
  CHECK(complex(fvector("x"), 1).dtype() == DType::c64);
  CHECK(values<bool>(eq(z, z)) == std::vector<bool>{true, true});
  CHECK(values<bool>(ne(z, real(z))) == std::vector<bool>{true, false});
  CHECK(values<C>(where(vec<int32_t>({1, 0}), z, w)) == std::vector<C>{{3, 4}, {0, 2}});
  CHECK(values<double>(cast(z, DType::f64)) == Doubles{3, -1});
  CHECK(values<C>(cast(vec<double>({7}), DType::c128))[0] == C(7, 0));
  const C e = values<C>(exp(z))[0], l = values<C>(log(z))[0], r = values<C>(sqrt(z))[0];
  CHECK(std::abs(e - std::exp(C(3, 4))) < 1e-14 * std::abs(e));
  CHECK(std::abs(l - std::log(C(3, 4))) < 1e-15 * std::abs(l));
  CHECK(std::abs(r - C(2, 1)) < 1e-15);
  CHECK(values<C>(sqrt(z))[1] == C(0, 1));
  CHECK(values<C>(z * std::complex<double>(0, 1))[0] == C(-4, 3));
  CHECK(user_error([&] { sin(z); }).find("sin: complex128 is not supported (floats are)") == 0);
}

// tests/ops/vecmath_cases.h: the functions of ops/vecmath.h with their MPFR references, published bounds, and the measurement of their
// error.
#pragma once

#include <voxloom/ops/vecmath.h>

#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom::ops::testing {

/// A multiple-precision number that cleans up after itself.
class Real {
 public:
  Real() { mpfr_init2(v_, 240); }
  explicit Real(double x) : Real() { mpfr_set_d(v_, x, MPFR_RNDN); }
  ~Real() { mpfr_clear(v_); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  operator mpfr_ptr() { return v_; }
  operator mpfr_srcptr() const { return v_; }

 private:
  mpfr_t v_;
};

struct Unary {
  const char* name;
  Scalar (*scalar)(ScalarBuilder&, Scalar);
  Value (*record)(RecordBuilder&, Value);
  void (*reference)(mpfr_ptr, mpfr_srcptr);
  double low, high;         ///< where half of the samples lie; the other half has random bits
  double bound32, bound64;  ///< published error bounds in ulp
};
struct Binary {
  const char* name;
  Scalar (*scalar)(ScalarBuilder&, Scalar, Scalar);
  Value (*record)(RecordBuilder&, Value, Value);
  void (*reference)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr);
  double low_x, high_x, low_y, high_y, bound32, bound64;
  int least = -100000;  ///< errors count in units of numbers of this exponent at least (results that cancel)
};

namespace reference {
using Out = mpfr_ptr;
using In = mpfr_srcptr;
inline void sigmoid(Out o, In x) {
  mpfr_neg(o, x, MPFR_RNDN);
  mpfr_exp(o, o, MPFR_RNDN);
  mpfr_add_ui(o, o, 1, MPFR_RNDN);
  mpfr_ui_div(o, 1, o, MPFR_RNDN);
}
inline void softplus(Out o, In x) {
  if (mpfr_cmp_d(x, 1000) > 0) {
    mpfr_set(o, x, MPFR_RNDN);
  } else {
    mpfr_exp(o, x, MPFR_RNDN);
    mpfr_log1p(o, o, MPFR_RNDN);
  }
}
inline void log1mexp(Out o, In x) {
  mpfr_expm1(o, x, MPFR_RNDN);
  mpfr_neg(o, o, MPFR_RNDN);
  mpfr_log(o, o, MPFR_RNDN);
  if (mpfr_cmp_d(x, -1) < 0) {
    mpfr_exp(o, x, MPFR_RNDN);
    mpfr_neg(o, o, MPFR_RNDN);
    mpfr_log1p(o, o, MPFR_RNDN);
  }
}
inline void logaddexp(Out o, In x, In y) {
  const bool less = mpfr_less_p(x, y) != 0;
  const In a = less ? y : x, b = less ? x : y;
  mpfr_sub(o, b, a, MPFR_RNDN);
  if (mpfr_equal_p(x, y) != 0) mpfr_set_zero(o, 1);
  softplus(o, o);
  mpfr_add(o, o, a, MPFR_RNDN);
}
inline void xlogy(Out o, In x, In y) {
  mpfr_log(o, y, MPFR_RNDN);
  if (mpfr_zero_p(x) != 0 && mpfr_nan_p(y) == 0) mpfr_set_zero(o, 1);
  else mpfr_mul(o, o, x, MPFR_RNDN);
}
}  // namespace reference

#define VOXLOOM_UNARY(fn, ref, low, high, b32, b64)                                                                     \
  Unary {                                                                                                               \
    #fn, [](ScalarBuilder& b, Scalar x) { return fn##_(b, x); }, [](RecordBuilder& b, Value x) { return fn##_(b, x); }, \
        [](mpfr_ptr o, mpfr_srcptr x) { ref(o, x); }, low, high, b32, b64                                               \
  }
#define VOXLOOM_BINARY(fn, ref, lx, hx, ly, hy, b32, b64)                     \
  Binary{#fn,                                                                 \
         [](ScalarBuilder& b, Scalar x, Scalar y) { return fn##_(b, x, y); }, \
         [](RecordBuilder& b, Value x, Value y) { return fn##_(b, x, y); },   \
         [](mpfr_ptr o, mpfr_srcptr x, mpfr_srcptr y) { ref(o, x, y); },      \
         lx,                                                                  \
         hx,                                                                  \
         ly,                                                                  \
         hy,                                                                  \
         b32,                                                                 \
         b64,                                                                 \
         std::string_view(#fn) == "logaddexp" ? 1 : -100000}
#define VOXLOOM_MPFR(fn) [](mpfr_ptr o, auto... x) { mpfr_##fn(o, x..., MPFR_RNDN); }

inline const std::vector<Unary>& unary_cases() {
  static const std::vector<Unary> cases = {
      VOXLOOM_UNARY(exp, VOXLOOM_MPFR(exp), -110, 95, 1, 2),       VOXLOOM_UNARY(exp2, VOXLOOM_MPFR(exp2), -155, 130, 1, 2),
      VOXLOOM_UNARY(expm1, VOXLOOM_MPFR(expm1), -3, 3, 1, 2),      VOXLOOM_UNARY(log, VOXLOOM_MPFR(log), 0.3, 3, 1, 2),
      VOXLOOM_UNARY(log2, VOXLOOM_MPFR(log2), 0.3, 3, 1, 2),       VOXLOOM_UNARY(log10, VOXLOOM_MPFR(log10), 0.3, 3, 1, 2),
      VOXLOOM_UNARY(log1p, VOXLOOM_MPFR(log1p), -0.99, 3, 1, 2),   VOXLOOM_UNARY(sin, VOXLOOM_MPFR(sin), -50, 50, 1, 2),
      VOXLOOM_UNARY(cos, VOXLOOM_MPFR(cos), -50, 50, 1, 2),        VOXLOOM_UNARY(tan, VOXLOOM_MPFR(tan), -50, 50, 1, 2),
      VOXLOOM_UNARY(atan, VOXLOOM_MPFR(atan), -4, 4, 1, 2),        VOXLOOM_UNARY(tanh, VOXLOOM_MPFR(tanh), -3, 3, 1, 2),
      VOXLOOM_UNARY(erf, VOXLOOM_MPFR(erf), -4, 4, 1, 2),          VOXLOOM_UNARY(cbrt, VOXLOOM_MPFR(cbrt), -8, 8, 1, 2),
      VOXLOOM_UNARY(asin, VOXLOOM_MPFR(asin), -1, 1, 1.5, 1.5),    VOXLOOM_UNARY(acos, VOXLOOM_MPFR(acos), -1, 1, 1.5, 1.5),
      VOXLOOM_UNARY(sinh, VOXLOOM_MPFR(sinh), -4, 4, 2, 3),        VOXLOOM_UNARY(cosh, VOXLOOM_MPFR(cosh), -9, 9, 2, 3),
      VOXLOOM_UNARY(asinh, VOXLOOM_MPFR(asinh), -3, 3, 2.5, 2.5),  VOXLOOM_UNARY(acosh, VOXLOOM_MPFR(acosh), 1, 3, 3, 3),
      VOXLOOM_UNARY(atanh, VOXLOOM_MPFR(atanh), -1, 1, 2.5, 2.5),  VOXLOOM_UNARY(erfc, VOXLOOM_MPFR(erfc), -4, 10, 5, 5),
      VOXLOOM_UNARY(sigmoid, reference::sigmoid, -20, 20, 3, 4),   VOXLOOM_UNARY(softplus, reference::softplus, -20, 20, 2, 3),
      VOXLOOM_UNARY(log1mexp, reference::log1mexp, -5, 0, 2.5, 3),
  };
  return cases;
}
inline const std::vector<Binary>& binary_cases() {
  static const std::vector<Binary> cases = {
      VOXLOOM_BINARY(pow, VOXLOOM_MPFR(pow), 0, 4, -60, 60, 1, 2),
      VOXLOOM_BINARY(atan2, VOXLOOM_MPFR(atan2), -2, 2, -2, 2, 1.5, 2),
      VOXLOOM_BINARY(hypot, VOXLOOM_MPFR(hypot), -2, 2, -2, 2, 1.5, 1.5),
      VOXLOOM_BINARY(logaddexp, reference::logaddexp, -10, 10, -10, 10, 2.5, 3),  // In units of numbers of 1 at least.
      VOXLOOM_BINARY(xlogy, reference::xlogy, -3, 3, 0, 3, 2, 2),
  };
  return cases;
}
#undef VOXLOOM_MPFR
#undef VOXLOOM_BINARY
#undef VOXLOOM_UNARY

/// splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
  }
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

/// Alternately a number of [low, high] and any bit pattern.
inline Scalar sample(Random& random, DType t, double low, double high, bool any) {
  if (!any) return {t, bits_of(t, random.uniform(low, high))};
  return {t, t == DType::f32 ? random.bits() >> 32 : random.bits()};
}

inline const std::vector<double>& special_values() {
  static const double inf = HUGE_VAL, nan = std::nan("");
  static const std::vector<double> values = {0.0,
                                             -0.0,
                                             1,
                                             -1,
                                             inf,
                                             -inf,
                                             nan,
                                             0.5,
                                             -0.5,
                                             2,
                                             -2,
                                             3,
                                             -3,
                                             2.5,
                                             -2.5,
                                             1e-45,
                                             -1e-45,
                                             5e-324,
                                             -5e-324,
                                             1e-40,
                                             1e-310,
                                             0x1p-126,
                                             0x1p-1022,
                                             3.4028234e38,
                                             -3.4028234e38,
                                             1.7976931348623157e308,
                                             -1.7976931348623157e308,
                                             16777217,
                                             -16777217,
                                             9007199254740993.0,
                                             0.99999994,
                                             1.0000001,
                                             0.9999999999999999,
                                             1.0000000000000002,
                                             88.72283,
                                             88.72284,
                                             -87.33655,
                                             -103.97208,
                                             -103.97209,
                                             709.782712893384,
                                             709.7827128933841,
                                             -708.3964185322641,
                                             -745.1332191019411,
                                             -745.1332191019412,
                                             1023.9999999999999,
                                             128,
                                             -126,
                                             -149,
                                             -150,
                                             1024,
                                             -1022,
                                             -1074,
                                             -1075,
                                             1e5,
                                             1.0001e5,
                                             1e7,
                                             1.01e7,
                                             1e22,
                                             1e30,
                                             -1e30,
                                             1e-30,
                                             1.5707964,
                                             3.1415927,
                                             0.98,
                                             3.92,
                                             6,
                                             0.7853982,
                                             64,
                                             18};
  return values;
}

/// |got - want| in units of the last place that `want` has in dtype t, or that a number of exponent `least` has if that is larger; 0 where
/// both are NaN, or both the same infinity or zero; a huge number where one is NaN. An infinity stands for the number just beyond the
/// largest.
inline double ulp_error(DType t, Scalar got, mpfr_srcptr want, int least = -100000) {
  const double value = to_double(got);
  if (std::isnan(value) || mpfr_nan_p(want) != 0) return std::isnan(value) && mpfr_nan_p(want) != 0 ? 0 : 1e30;
  if (mpfr_zero_p(want) != 0) return value == 0 ? 0 : 1e30;
  const int digits = t == DType::f32 ? 24 : 53, lowest = t == DType::f32 ? -125 : -1021, highest = t == DType::f32 ? 128 : 1024;
  if (std::isinf(value) && (mpfr_inf_p(want) != 0 || mpfr_get_exp(want) > highest)) return (value > 0) == (mpfr_sgn(want) > 0) ? 0 : 1e30;
  if (mpfr_inf_p(want) != 0) return 1e30;
  Real difference;
  if (std::isinf(value)) mpfr_set_si_2exp(difference, value > 0 ? 1 : -1, highest, MPFR_RNDN);
  else mpfr_set_d(difference, value, MPFR_RNDN);
  mpfr_sub(difference, difference, want, MPFR_RNDN);
  const mpfr_exp_t exponent = std::max<mpfr_exp_t>({mpfr_get_exp(want), lowest, least});
  mpfr_mul_2si(difference, difference, static_cast<long>(digits - exponent), MPFR_RNDN);
  const double error = std::fabs(mpfr_get_d(difference, MPFR_RNDN));
  return std::isinf(value) && error <= 0.5 ? 0 : error;
}

/// The worst error found, and where.
struct Worst {
  double error = 0, x = 0, y = 0;
  void take(double e, double at_x, double at_y = 0) {
    if (e > error) *this = {e, at_x, at_y};
  }
};

inline Worst measure(const Unary& f, DType t, int samples, uint64_t seed) {
  Worst worst;
  Random random(seed);
  ScalarBuilder b;
  Real want;
  const auto& special = special_values();
  const int n_special = static_cast<int>(special.size());
  for (int i = 0; i < n_special + samples; ++i) {
    const Scalar x = i < n_special ? Scalar{t, bits_of(t, special[static_cast<size_t>(i)])} : sample(random, t, f.low, f.high, i % 2 == 0);
    const double value = to_double(x);
    f.reference(want, Real(value));
    worst.take(ulp_error(t, f.scalar(b, x), want), value);
  }
  return worst;
}

inline Worst measure(const Binary& f, DType t, int samples, uint64_t seed) {
  Worst worst;
  Random random(seed);
  ScalarBuilder b;
  Real want;
  const auto& special = special_values();
  const int n = static_cast<int>(special.size()), pairs = n * n;
  for (int i = 0; i < pairs + samples; ++i) {
    const bool any = i % 4 == 0;
    const Scalar x = i < pairs ? Scalar{t, bits_of(t, special[static_cast<size_t>(i / n)])} : sample(random, t, f.low_x, f.high_x, any);
    const Scalar y = i < pairs ? Scalar{t, bits_of(t, special[static_cast<size_t>(i % n)])} : sample(random, t, f.low_y, f.high_y, any);
    const double vx = to_double(x), vy = to_double(y);
    f.reference(want, Real(vx), Real(vy));
    worst.take(ulp_error(t, f.scalar(b, x, y), want, f.least), vx, vy);
  }
  return worst;
}

}  // namespace voxloom::ops::testing

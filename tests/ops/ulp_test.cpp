// tests/ops/ulp_test.cpp: error of every function of ops/vecmath.h against MPFR: special values, a dense domain, all exponents.
#include "vecmath_cases.h"

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace voxloom::ops;
using namespace voxloom::ops::testing;

namespace {
constexpr int samples32 = 12000, samples64 = 8000;
}

TEST_CASE("unary functions stay within their published bounds") {
  for (const Unary& f : unary_cases()) {
    for (DType t : {f32, f64}) {
      const Worst worst = measure(f, t, t == f32 ? samples32 : samples64, 7);
      INFO(f.name << " " << name_of(t) << " at " << worst.x);
      CHECK(worst.error <= (t == f32 ? f.bound32 : f.bound64));
    }
  }
}

TEST_CASE("binary functions stay within their published bounds") {
  for (const Binary& f : binary_cases()) {
    for (DType t : {f32, f64}) {
      const Worst worst = measure(f, t, t == f32 ? samples32 : samples64, 8);
      INFO(f.name << " " << name_of(t) << " at " << worst.x << ", " << worst.y);
      CHECK(worst.error <= (t == f32 ? f.bound32 : f.bound64));
    }
  }
}

// ops/rows_trigonometric.cpp: circular and hyperbolic functions and their inverses.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "trigonometric";

/// pi / 180 and 180 / pi, in float64, rounded once to the dtype.
constexpr auto deg2rad = [](auto& b, auto x) { return b.mul(x, b.lit(x.dtype, 0.017453292519943295)); };
constexpr auto rad2deg = [](auto& b, auto x) { return b.mul(x, b.lit(x.dtype, 57.29577951308232)); };

// clang-format off
const OpInfo rows[] = {
    {.name = "sin", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return sin_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * apply("cos", {x}); }>,
     .doc = "sine of radians", .domain = "NaN at infinities; arguments of any size are reduced exactly", .family = family},
    {.name = "cos", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return cos_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return -(g * apply("sin", {x})); }>,
     .doc = "cosine of radians", .domain = "NaN at infinities; arguments of any size are reduced exactly", .family = family},
    {.name = "tan", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return tan_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T r) { return g * (r * r + 1); }>,
     .doc = "tangent of radians", .domain = "NaN at infinities; arguments of any size are reduced exactly", .family = family},
    {.name = "asin", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return asin_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / apply("sqrt", {(1 - x) * (x + 1)}); }>,
     .doc = "arc sine, in [-pi/2, pi/2]", .domain = "NaN outside [-1, 1]", .family = family},
    {.name = "acos", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return acos_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return -(g / apply("sqrt", {(1 - x) * (x + 1)})); }>,
     .doc = "arc cosine, in [0, pi]", .domain = "NaN outside [-1, 1]", .family = family},
    {.name = "atan", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return atan_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / (x * x + 1); }>,
     .doc = "arc tangent, in [-pi/2, pi/2]", .domain = "+-pi/2 at infinities", .family = family},
    {.name = "atan2", .min_arity = 2, .max_arity = 2, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return atan2_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { const Term h = apply("hypot", {x, y}), s = g / h; return {s * (y / h), -(s * (x / h))}; }>,
     .doc = "angle of the point (y, x): atan2(y, x), in [-pi, pi]", .domain = "zeros and infinities as in C", .family = family},
    {.name = "sinh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return sinh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * apply("cosh", {x}); }>,
     .doc = "hyperbolic sine", .domain = "overflows to infinity", .family = family},
    {.name = "cosh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return cosh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * apply("sinh", {x}); }>,
     .doc = "hyperbolic cosine", .domain = "overflows to infinity", .family = family},
    {.name = "tanh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return tanh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / apply("sqr", {apply("cosh", {x})}); }>,
     .doc = "hyperbolic tangent", .domain = "+-1 at infinities", .family = family},
    {.name = "asinh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return asinh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / apply("hypot", {x, number(x, 1)}); }>,
     .doc = "inverse hyperbolic sine", .domain = "infinities stay", .family = family},
    {.name = "acosh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return acosh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / (apply("sqrt", {x - 1}) * apply("sqrt", {x + 1})); }>,
     .doc = "inverse hyperbolic cosine", .domain = "NaN below 1", .family = family},
    {.name = "atanh", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return atanh_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / ((1 - x) * (x + 1)); }>,
     .doc = "inverse hyperbolic tangent", .domain = "+-infinity at +-1; NaN outside [-1, 1]", .family = family},
    {.name = "deg2rad", .flags = {.cheap = true}, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, deg2rad>(),
     .gradient = gradient<1, [](T g, T, T) { return g * 0.017453292519943295; }>,
     .doc = "x * (pi / 180)", .domain = "none", .family = family},
    {.name = "rad2deg", .flags = {.cheap = true}, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, rad2deg>(),
     .gradient = gradient<1, [](T g, T, T) { return g * 57.29577951308232; }>,
     .doc = "x * (180 / pi)", .domain = "none", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> trigonometric_rows() { return rows; }

}  // namespace voxloom::ops

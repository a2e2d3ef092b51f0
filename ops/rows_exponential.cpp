// ops/rows_exponential.cpp: exp, log and their relatives.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "exponential";

// clang-format off
const OpInfo rows[] = {
    {.name = "exp", .promotion = Promotion::floating, .infer = infer_same<FC>,
     .elementwise = either<1, [](auto& b, auto x) { return exp_(b, x); }, [](auto& b, auto x) { return cexp_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T r) { return g * conjugate(r); }>,
     .doc = "e ** x", .domain = "overflows to infinity, underflows through subnormals to 0", .family = family},
    {.name = "exp_shifted", .min_arity = 2, .max_arity = 2, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return exp_(b, b.sub(x, y)); }>(),
     .gradient = gradient<2, [](T g, T, T, T r) -> Two { return {g * r, -(g * r)}; }>,
     .doc = "exp(x - y); stabilisation makes it, with y the peak of x", .domain = "as exp", .family = family},
    {.name = "exp2", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return exp2_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T r) { return g * (r * 0.6931471805599453); }>,
     .doc = "2 ** x", .domain = "exact for integers in range", .family = family},
    {.name = "expm1", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return expm1_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * apply("exp", {x}); }>,
     .doc = "exp(x) - 1, accurate near 0", .domain = "-1 at -infinity", .family = family},
    {.name = "log", .promotion = Promotion::floating, .infer = infer_same<FC>,
     .elementwise = either<1, [](auto& b, auto x) { return log_(b, x); }, [](auto& b, auto x) { return clog_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / conjugate(x); }>,
     .doc = "natural logarithm", .domain = "log(0) = -infinity; NaN below 0 (complex: the principal branch)", .family = family},
    {.name = "log2", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return log2_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / (x * 0.6931471805599453); }>,
     .doc = "logarithm to base 2", .domain = "log2(0) = -infinity; NaN below 0; exact for powers of 2", .family = family},
    {.name = "log10", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return log10_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / (x * 2.302585092994046); }>,
     .doc = "logarithm to base 10", .domain = "log10(0) = -infinity; NaN below 0", .family = family},
    {.name = "log1p", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return log1p_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g / (x + 1); }>,
     .doc = "log(1 + x), accurate near 0", .domain = "-infinity at -1; NaN below", .family = family},
    {.name = "log1mexp", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return log1mexp_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return -(g / apply("expm1", {-x})); }>,
     .doc = "log(1 - exp(x)), accurate near 0 and far from it", .domain = "for x <= 0: -infinity at 0, NaN above", .family = family},
    {.name = "logaddexp", .min_arity = 2, .max_arity = 2, .flags = {.commutative = true}, .promotion = Promotion::floating,
     .infer = infer_same<F>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return logaddexp_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { return {g * apply("sigmoid", {x - y}), g * apply("sigmoid", {y - x})}; }>,
     .doc = "log(exp(x) + exp(y)) without overflow", .domain = "-infinity with -infinity gives -infinity", .family = family},
    {.name = "xlogy", .min_arity = 2, .max_arity = 2, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return xlogy_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { return {g * apply("log", {y}), only_where(apply("ne", {x, zero(x)}), g * (x / y))}; }>,
     .doc = "x * log(y)", .domain = "0 where x is 0 and y is not NaN", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> exponential_rows() { return rows; }

}  // namespace voxloom::ops

// ops/rows_special.cpp: error function and the functions of logistic models.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "special";

// clang-format off
const OpInfo rows[] = {
    {.name = "erf", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return erf_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * (apply("exp", {-(x * x)}) * 1.1283791670955126); }>,
     .doc = "error function", .domain = "+-1 at infinities", .family = family},
    {.name = "erfc", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return erfc_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return -(g * (apply("exp", {-(x * x)}) * 1.1283791670955126)); }>,
     .doc = "1 - erf(x), accurate for large x", .domain = "underflows through subnormals to 0", .family = family},
    {.name = "sigmoid", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return sigmoid_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T r) { return g * (r * apply("sigmoid", {-x})); }>,
     .doc = "1 / (1 + exp(-x))", .domain = "0 and 1 at infinities", .family = family},
    {.name = "softplus", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return softplus_(b, x); }>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * apply("sigmoid", {x}); }>,
     .doc = "log(1 + exp(x)) without overflow", .domain = "0 and infinity at infinities", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> special_rows() { return rows; }

}  // namespace voxloom::ops

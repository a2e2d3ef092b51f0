// ops/rows_power.cpp: powers and roots.
#include <voxloom/graph/constant.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

#include <optional>

namespace voxloom::ops {
namespace {

constexpr const char* family = "powers";

/// The value of a constant exponent, seen through the views that align it.
std::optional<double> constant_exponent(const Expr& y) {
  const Node* exponent = y.get();
  while (exponent->op().kind == OpKind::view) exponent = exponent->input(0).get();
  return uniform_value(*exponent);
}

/// Integer powers are exact modulo 2^width either way; a constant exponent needs fewer products.
struct Power {
  template <class B> static void run(B& b, const Node& node, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    const auto x = in[0].re, y = in[1].re;
    if (is_float(x.dtype)) {
      out->re = pow_(b, x, y);
      return;
    }
    const auto n = constant_exponent(node.input(1));
    out->re = n && *n >= 0 ? ipow_const_(b, x, static_cast<uint64_t>(*n)) : ipow_(b, x, y);
  }
};
constexpr auto complex_square = [](auto& b, auto x) { return cmul_(b, x, x); };

/// y x^(y-1), which is 0 where y is, and x^y log(x), which is 0 where x is.
constexpr auto power_gradient = [](T g, T x, T y, T r) -> Two {
  const Term by_y = only_where(apply("ne", {x, zero(x)}), g * (r * apply("log", {x})));
  if (const auto n = constant_exponent(y.expr())) {
    if (*n == 0) return {zero(x), by_y};
    return {g * (apply("pow", {x, number(x, *n - 1)}) * *n), by_y};
  }
  return {only_where(apply("ne", {y, zero(y)}), g * (y * apply("pow", {x, y - 1}))), by_y};
};

// clang-format off
const OpInfo rows[] = {
    {.name = "pow", .min_arity = 2, .max_arity = 2, .promotion = Promotion::power, .infer = infer_same<IF>,
     .elementwise = elementwise_fns<Power>(),
     .gradient = gradient<2, power_gradient>,
     .doc = "x ** y", .domain = "floats as C's pow; integers wrap, a negative y gives 0 except for x = 1 and x = -1", .family = family},
    {.name = "sqr", .flags = {.cheap = true}, .promotion = Promotion::power, .infer = infer_same<IFC>,
     .elementwise = either<1, [](auto& b, auto x) { return b.mul(x, x); }, complex_square>(),
     .gradient = gradient<1, [](T g, T x, T) { return g * conjugate(x * 2); }>,
     .doc = "x * x", .domain = "integers wrap", .family = family},
    {.name = "sqrt", .promotion = Promotion::floating, .infer = infer_same<FC>,
     .elementwise = either<1, [](auto& b, auto x) { return b.sqrt(x); }, [](auto& b, auto x) { return csqrt_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T r) { return g / conjugate(r * 2); }>,
     .doc = "square root, correctly rounded", .domain = "NaN below 0 (complex: the principal branch); sqrt(-0) = -0", .family = family},
    {.name = "cbrt", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return cbrt_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T r) { return g / (r * r * 3); }>,
     .doc = "cube root", .domain = "defined for negative x", .family = family},
    {.name = "hypot", .min_arity = 2, .max_arity = 2, .flags = {.commutative = true}, .promotion = Promotion::floating,
     .infer = infer_same<F>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return hypot_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T r) -> Two { const Term defined = apply("ne", {r, zero(r)}); return {only_where(defined, g * (x / r)), only_where(defined, g * (y / r))}; }>,
     .doc = "sqrt(x * x + y * y) without overflow", .domain = "infinite if either is infinite", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> power_rows() { return rows; }

}  // namespace voxloom::ops

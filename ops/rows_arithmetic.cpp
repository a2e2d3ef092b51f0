// ops/rows_arithmetic.cpp: + - * / // % and what is built from them alone.
#include <voxloom/ops/float_mod.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "arithmetic";
constexpr OpFlags ring{.commutative = true, .associative = true, .cheap = true};
constexpr OpFlags lattice{.commutative = true, .associative = true, .idempotent = true, .cheap = true};
constexpr OpFlags cheap{.cheap = true};

constexpr auto add = [](auto& b, auto x, auto y) { return x.dtype == DType::boolean ? b.bit_or(x, y) : b.add(x, y); };
constexpr auto mul = [](auto& b, auto x, auto y) { return x.dtype == DType::boolean ? b.bit_and(x, y) : b.mul(x, y); };
constexpr auto floordiv = [](auto& b, auto x, auto y) { return is_float(x.dtype) ? float_divmod(b, x, y).quotient : b.idiv(x, y); };
constexpr auto mod = [](auto& b, auto x, auto y) { return is_float(x.dtype) ? float_divmod(b, x, y).remainder : b.imod(x, y); };
constexpr auto absolute = [](auto& b, auto x) { return x.dtype == DType::boolean || is_unsigned_int(x.dtype) ? x : b.abs(x); };
constexpr auto reciprocal = [](auto& b, auto x) { return b.div(b.lit(x.dtype, 1.0), x); };
/// 1 / z through the scaled quotient.
constexpr auto complex_reciprocal = [](auto& b, auto z) {
  return cdiv_(b, decltype(z){b.lit(z.re.dtype, 1.0), b.lit(z.re.dtype, 0.0)}, z);
};
constexpr auto sign = [](auto& b, auto x) {
  const auto zero = b.lit(x.dtype, 0), one = b.lit(x.dtype, 1);
  if (is_unsigned_int(x.dtype)) return b.select(b.eq(x, zero), zero, one);
  const auto of_others = b.select(b.eq(x, zero), zero, x);  // 0 for both zeros, NaN for NaN
  return b.select(b.lt(zero, x), one, b.select(b.lt(x, zero), b.lit(x.dtype, -1), of_others));
};
/// x where y is NaN and y where x is NaN, otherwise the extremum.
constexpr auto ignoring_nan = [](auto& b, auto x, auto y, auto extremum) {
  return b.select(b.is_nan(x), y, b.select(b.is_nan(y), x, extremum));
};
constexpr auto fmin = [](auto& b, auto x, auto y) { return is_float(x.dtype) ? ignoring_nan(b, x, y, b.minimum(x, y)) : b.minimum(x, y); };
constexpr auto fmax = [](auto& b, auto x, auto y) { return is_float(x.dtype) ? ignoring_nan(b, x, y, b.maximum(x, y)) : b.maximum(x, y); };
constexpr auto clip = [](auto& b, auto x, auto low, auto high) { return b.minimum(b.maximum(x, low), high); };
/// All bits but the sign from x, the sign bit from y. A NaN has no sign here: that of a computed one is not defined.
constexpr auto copysign = [](auto& b, auto x, auto y) {
  const DType bits = x.dtype == DType::f32 ? DType::u32 : DType::u64;
  const uint64_t sign_bit = x.dtype == DType::f32 ? uint64_t{1} << 31 : uint64_t{1} << 63;
  const auto magnitude = b.bit_and(b.bitcast(bits, x), b.lit_bits(bits, sign_bit - 1));
  const auto sign = b.bit_and(b.bitcast(bits, b.select(b.is_nan(y), b.lit(y.dtype, 0.0), y)), b.lit_bits(bits, sign_bit));
  return b.bitcast(x.dtype, b.bit_or(magnitude, sign));
};

/// z / |z| for complex numbers, 0 at 0.
constexpr auto absolute_gradient = [](T g, T x, T r) -> Term {
  if (!x.is_complex()) return g * apply("sign", {x});
  return only_where(apply("ne", {r, zero(r)}), cast_to(g, x.dtype()) * (x / cast_to(r, x.dtype())));
};
/// To x within the bounds (them included), otherwise to the bound that is the result.
constexpr auto clip_gradient = [](T g, T x, T low, T high, T) -> Three {
  const Term raised = apply("maximum", {x, low}), above = apply("lt", {high, raised}), below = apply("lt", {x, low});
  const Term within = apply("logical_not", {apply("logical_or", {above, below})});
  return {only_where(within, g), only_where(apply("logical_and", {below, apply("logical_not", {above})}), g), only_where(above, g)};
};

// clang-format off
const OpInfo rows[] = {
    {.name = "add", .min_arity = 2, .max_arity = 2, .flags = ring, .promotion = Promotion::arithmetic, .infer = infer_same<BIFC>,
     .elementwise = either<2, add, [](auto& b, auto x, auto y) { return cadd_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T, T, T) -> Two { return {g, g}; }>,
     .identity = "-0", .doc = "x + y; logical or of booleans", .domain = "integers wrap", .family = family},
    {.name = "sub", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::arithmetic, .infer = infer_same<IFC>,
     .elementwise = either<2, [](auto& b, auto x, auto y) { return b.sub(x, y); },
                             [](auto& b, auto x, auto y) { return csub_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T, T, T) -> Two { return {g, -g}; }>,
     .doc = "x - y", .domain = "integers wrap; booleans are refused, as in NumPy", .family = family},
    {.name = "mul", .min_arity = 2, .max_arity = 2, .flags = ring, .promotion = Promotion::arithmetic, .infer = infer_same<BIFC>,
     .elementwise = either<2, mul, [](auto& b, auto x, auto y) { return cmul_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { return {g * conjugate(y), g * conjugate(x)}; }>,
     .identity = "1", .doc = "x * y; logical and of booleans", .domain = "integers wrap", .family = family},
    {.name = "div", .min_arity = 2, .max_arity = 2, .promotion = Promotion::division, .infer = infer_same<FC>,
     .elementwise = either<2, [](auto& b, auto x, auto y) { return b.div(x, y); },
                             [](auto& b, auto x, auto y) { return cdiv_(b, x, y); }>(),
     .gradient = gradient<2, [](T g, T, T y, T r) -> Two { const Term q = g / conjugate(y); return {q, -(q * conjugate(r))}; }>,
     .doc = "x / y, true division: integers become floats", .domain = "x / 0 is infinite, 0 / 0 is NaN", .family = family},
    {.name = "floordiv", .min_arity = 2, .max_arity = 2, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<2, floordiv>(),
     .gradient = flat_gradient,
     .doc = "x // y, rounded towards minus infinity",
     .domain = "integers: x // 0 = 0, INT_MIN // -1 = INT_MIN; floats: x / y where y is 0", .family = family},
    {.name = "mod", .min_arity = 2, .max_arity = 2, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<2, mod>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { return {g, -(g * apply("floordiv", {x, y}))}; }>,
     .doc = "x % y = x - x // y * y, with the sign of y",
     .domain = "integers: x % 0 = 0; floats: exact while |x / y| < 2^53, 0 beyond, NaN where y is 0", .family = family},
    {.name = "neg", .flags = cheap, .promotion = Promotion::arithmetic, .infer = infer_same<IFC>,
     .elementwise = either<1, [](auto& b, auto x) { return b.neg(x); }, [](auto& b, auto x) { return cneg_(b, x); }>(),
     .gradient = gradient<1, [](T g, T, T) { return -g; }>,
     .doc = "-x", .domain = "integers wrap: -INT_MIN = INT_MIN; booleans are refused (use ~)", .family = family},
    {.name = "abs", .flags = {.idempotent = true, .cheap = true}, .promotion = Promotion::arithmetic, .infer = infer_real<BIFC>,
     .elementwise = either<1, absolute, [](auto& b, auto x) { return cabs_(b, x); }>(),
     .gradient = gradient<1, absolute_gradient>,
     .doc = "|x|; of a complex number its length, a real", .domain = "abs(INT_MIN) = INT_MIN", .family = family},
    {.name = "reciprocal", .promotion = Promotion::floating, .infer = infer_same<FC>,
     .elementwise = either<1, reciprocal, complex_reciprocal>(),
     .gradient = gradient<1, [](T g, T, T r) { return -(g * conjugate(r * r)); }>,
     .doc = "1 / x", .domain = "1 / 0 is infinite", .family = family},
    {.name = "sign", .flags = {.idempotent = true, .cheap = true}, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, sign>(),
     .gradient = flat_gradient,
     .doc = "-1, 0 or 1", .domain = "NaN gives NaN; both zeros give 0", .family = family},
    {.name = "minimum", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.minimum(x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T r) -> Two { return {only_where(apply("eq", {x, r}), g), only_where(apply("eq", {y, r}), g)}; }>,
     .identity = "inf", .doc = "the smaller one", .domain = "NaN if either is; -0 < 0", .family = family},
    {.name = "maximum", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.maximum(x, y); }>(),
     .gradient = gradient<2, [](T g, T x, T y, T r) -> Two { return {only_where(apply("eq", {x, r}), g), only_where(apply("eq", {y, r}), g)}; }>,
     .identity = "-inf", .doc = "the larger one", .domain = "NaN if either is; -0 < 0", .family = family},
    {.name = "fmin", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BIF>,
     .elementwise = real<2, fmin>(),
     .gradient = gradient<2, [](T g, T x, T y, T r) -> Two { return {only_where(apply("eq", {x, r}), g), only_where(apply("eq", {y, r}), g)}; }>,
     .doc = "the smaller one, ignoring NaN", .domain = "NaN only if both are", .family = family},
    {.name = "fmax", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BIF>,
     .elementwise = real<2, fmax>(),
     .gradient = gradient<2, [](T g, T x, T y, T r) -> Two { return {only_where(apply("eq", {x, r}), g), only_where(apply("eq", {y, r}), g)}; }>,
     .doc = "the larger one, ignoring NaN", .domain = "NaN only if both are", .family = family},
    {.name = "clip", .min_arity = 3, .max_arity = 3, .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<BIF>,
     .elementwise = real<3, clip>(),
     .gradient = gradient<3, clip_gradient>,
     .doc = "minimum(maximum(x, low), high)", .domain = "NaN if any is; high where low > high", .family = family},
    {.name = "copysign", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<2, copysign>(),
     .gradient = gradient<2, [](T g, T x, T y, T) -> Two { return {g * apply("sign", {x}) * apply("copysign", {number(y, 1), y}), zero(y)}; }>,
     .doc = "|x| with the sign of y", .domain = "the sign of a zero counts, a NaN counts as positive",
     .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> arithmetic_rows() { return rows; }

}  // namespace voxloom::ops

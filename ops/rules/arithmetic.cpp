// ops/rules/arithmetic.cpp: exact rules of sums, products, quotients, signs, extrema and bits.
//
// Not here, because they are false for floats: x * 0 = 0 (NaN, infinities, the sign of 0), x - x = 0, x + 0 = x (-0 + 0 = 0), x / x = 1,
// -(x - y) = y - x (the sign of 0), (x + c) + d = x + (c + d).
#include <voxloom/graph/constant.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

#include <bit>
#include <cmath>

namespace voxloom::rules {
namespace {

uint64_t negated(DType dtype, uint64_t bits) {
  if (dtype == DType::f32) return bits ^ (uint64_t{1} << 31);
  if (dtype == DType::f64) return bits ^ (uint64_t{1} << 63);
  return uint64_t{0} - bits;
}

Expr times_negated_constant(const Match& m) {
  return make_node(m.node().op(), {m["x"], with_bits(m["$c"], negated)}, m.node().attrs(), m.node().origin());
}

// The reciprocal of a power of two is exact if it does not leave the exponents of normal numbers.
template <class Float> bool has_exact_reciprocal(double value) {
  int exponent = 0;
  const auto narrow = static_cast<Float>(value);
  return std::fabs(std::frexp(narrow, &exponent)) == Float{0.5} && std::isnormal(narrow) && std::isnormal(Float{1} / narrow);
}

bool divides_exactly(const Match& m) {
  const auto c = uniform_value(*m["$c"]);
  return m.dtype() == DType::f32 ? has_exact_reciprocal<float>(*c) : m.dtype() == DType::f64 && has_exact_reciprocal<double>(*c);
}

uint64_t reciprocal_bits(DType dtype, uint64_t bits) {
  if (dtype == DType::f32) return std::bit_cast<uint32_t>(1.0f / std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return std::bit_cast<uint64_t>(1.0 / std::bit_cast<double>(bits));
}

Expr times_reciprocal(const Match& m) { return make_node(op("mul"), {m["x"], with_bits(m["$c"], reciprocal_bits)}, {}, m.node().origin()); }

// (x + c) + d and (x * c) * d of wrapping integers with the constants combined.
Expr with_combined_constants(const Match& m) {
  const ConstantPayload &c = *constant_of(*m["$c"]), &d = *constant_of(*m["$d"]);
  if (c.shape() != d.shape() || !(m["$c"].type() == m["$d"].type())) return {};
  const bool sum = &m.node().op() == &op("add");
  const uint64_t bits = sum ? c.bits(0) + d.bits(0) : c.bits(0) * d.bits(0);
  const Expr scalar = make_scalar_bits(m.dtype(), bits);
  std::vector<std::byte> bytes;
  for (int64_t k = 0; k < c.size(); ++k)
    bytes.insert(bytes.end(), constant_of(*scalar)->bytes().begin(), constant_of(*scalar)->bytes().end());
  auto payload = std::make_shared<const ConstantPayload>(m.dtype(), c.shape(), std::move(bytes));
  const Type& type = m["$c"].type();
  return make_node(m.node().op(), {m["x"], make_constant(m["$c"]->op(), std::move(payload), type.order, type.names)}, {},
                   m.node().origin());
}

// The negative of an unsigned number is another size.
bool signed_reals(const Match& m) { return of_reals(m) && !is_unsigned_int(m.dtype()); }

// A sign of as many elements as the result has: fewer are negated more cheaply where they are. (Of a complex product the sign of a zero differs.)
bool negated_in_full(const Match& m) { return of_reals(m) && m.node(1).type().shape == m.node().type().shape; }

Expr zero(const Match& m) { return filled(m, 0); }

const Rule table[] = {
    // signs
    {.name = "neg_neg", .pattern = "neg(neg(x))", .result = "x", .algebra = "-(-x) = x: the sign bit flips twice; integers wrap"},
    {.name = "abs_neg", .pattern = "abs(neg(x))", .result = "abs(x)", .algebra = "|-x| = |x|", .guard = signed_reals},
    {.name = "abs_abs", .pattern = "abs(abs(x))", .result = "abs(x)", .algebra = "||x|| = |x|"},
    {.name = "sign_sign", .pattern = "sign(sign(x))", .result = "sign(x)", .algebra = "the sign of -1, 0, 1 and NaN is itself"},
    {.name = "sqr_neg", .pattern = "sqr(neg(x))", .result = "sqr(x)", .algebra = "(-x)(-x) = x x", .guard = of_reals},
    {.name = "sqr_abs", .pattern = "sqr(abs(x))", .result = "sqr(x)", .algebra = "|x||x| = x x", .guard = of_reals},
    {.name = "mul_neg_neg",
     .pattern = "mul(neg(x), neg(y))",
     .result = "mul(x, y)",
     .algebra = "(-x)(-y) = x y: signs are multiplied apart from sizes"},
    {.name = "div_neg_neg", .pattern = "div(neg(x), neg(y))", .result = "div(x, y)", .algebra = "(-x)/(-y) = x/y", .guard = of_reals},
    {.name = "mul_neg_constant",
     .pattern = "mul(neg(x), $c)",
     .result = "mul(x, 1)",
     .algebra = "(-x) c = x (-c)",
     .build = times_negated_constant},
    {.name = "div_neg_constant",
     .pattern = "div(neg(x), $c)",
     .result = "div(x, 1)",
     .algebra = "(-x)/c = x/(-c)",
     .build = times_negated_constant},
    {.name = "sub_neg",
     .pattern = "sub(x, neg(y))",
     .result = "add(x, y)",
     .algebra = "x - (-y) = x + y: subtraction is addition of the negated"},
    {.name = "add_neg", .pattern = "add(x, neg(y))", .result = "sub(x, y)", .algebra = "x + (-y) = x - y"},
    {.name = "mul_neg",
     .pattern = "mul(x, neg(y))",
     .result = "neg(mul(x, y))",
     .algebra = "x (-y) = -(x y): signs are multiplied apart from sizes, and meet further up",
     .guard = negated_in_full},
    {.name = "div_neg_above",
     .pattern = "div(neg(x), y)",
     .result = "neg(div(x, y))",
     .algebra = "(-x)/y = -(x/y)",
     .guard = negated_in_full},
    {.name = "div_neg_below",
     .pattern = "div(x, neg(y))",
     .result = "neg(div(x, y))",
     .algebra = "x/(-y) = -(x/y)",
     .guard = negated_in_full},
    // neutral elements
    {.name = "add_minus_zero", .pattern = "add(x, -0)", .result = "x", .algebra = "x + -0 = x, for both zeros too", .guard = of_floats},
    {.name = "add_zero", .pattern = "add(x, 0)", .result = "x", .algebra = "x + 0 = x without signed zeros", .guard = of_integers},
    {.name = "sub_zero", .pattern = "sub(x, 0)", .result = "x", .algebra = "x - 0 = x + -0 = x"},
    {.name = "mul_one", .pattern = "mul(x, 1)", .result = "x", .algebra = "x * 1 = x"},
    {.name = "mul_minus_one", .pattern = "mul(x, -1)", .result = "neg(x)", .algebra = "x * -1 = -x"},
    {.name = "div_one", .pattern = "div(x, 1)", .result = "x", .algebra = "x / 1 = x"},
    {.name = "div_minus_one", .pattern = "div(x, -1)", .result = "neg(x)", .algebra = "x / -1 = -x"},
    {.name = "floordiv_one", .pattern = "floordiv(x, 1)", .result = "x", .algebra = "x // 1 = x for integers", .guard = of_integers},
    {.name = "minimum_inf", .pattern = "minimum(x, inf)", .result = "x", .algebra = "no number is above infinity; NaN stays NaN"},
    {.name = "maximum_minus_inf", .pattern = "maximum(x, -inf)", .result = "x", .algebra = "no number is below -infinity; NaN stays NaN"},
    // strength
    {.name = "div_power_of_two",
     .pattern = "div(x, $c)",
     .result = "mul(x, 1)",
     .algebra = "x / 2^k = x * 2^-k: both are the correctly rounded value of one real number",
     .guard = divides_exactly,
     .build = times_reciprocal},
    {.name = "mul_self", .pattern = "mul(x, x)", .result = "sqr(x)", .algebra = "x * x is the definition of sqr", .guard = of_reals},
    {.name = "pow_two_integer", .pattern = "pow(x, 2)", .result = "sqr(x)", .algebra = "x ** 2 = x x, wrapping", .guard = of_integers},
    {.name = "pow_one_integer", .pattern = "pow(x, 1)", .result = "x", .algebra = "x ** 1 = x", .guard = of_integers},
    // integers wrap: sums and products are associative, and 0 absorbs
    {.name = "add_constants",
     .pattern = "add(add(x, $c), $d)",
     .result = "add(x, 1)",
     .algebra = "(x + c) + d = x + (c + d) modulo 2^n",
     .guard = of_integers,
     .build = with_combined_constants},
    {.name = "mul_constants",
     .pattern = "mul(mul(x, $c), $d)",
     .result = "mul(x, 1)",
     .algebra = "(x c) d = x (c d) modulo 2^n",
     .guard = of_integers,
     .build = with_combined_constants},
    {.name = "mul_zero", .pattern = "mul(x, 0)", .result = "0", .algebra = "x * 0 = 0 for integers", .guard = of_integers, .build = zero},
    {.name = "sub_self", .pattern = "sub(x, x)", .result = "0", .algebra = "x - x = 0 for integers", .guard = of_integers, .build = zero},
    {.name = "bit_and_zero", .pattern = "bit_and(x, 0)", .result = "0", .algebra = "x & 0 = 0", .build = zero},
    {.name = "bit_xor_self", .pattern = "bit_xor(x, x)", .result = "0", .algebra = "x ^ x = 0", .build = zero},
    {.name = "bit_or_zero", .pattern = "bit_or(x, 0)", .result = "x", .algebra = "x | 0 = x"},
    {.name = "bit_xor_zero", .pattern = "bit_xor(x, 0)", .result = "x", .algebra = "x ^ 0 = x"},
    {.name = "bit_not_bit_not", .pattern = "bit_not(bit_not(x))", .result = "x", .algebra = "~~x = x"},
    // idempotent
    {.name = "minimum_self", .pattern = "minimum(x, x)", .result = "x", .algebra = "min(x, x) = x"},
    {.name = "maximum_self", .pattern = "maximum(x, x)", .result = "x", .algebra = "max(x, x) = x"},
    {.name = "fmin_self", .pattern = "fmin(x, x)", .result = "x", .algebra = "min(x, x) = x, NaN too"},
    {.name = "fmax_self", .pattern = "fmax(x, x)", .result = "x", .algebra = "max(x, x) = x, NaN too"},
    {.name = "bit_and_self", .pattern = "bit_and(x, x)", .result = "x", .algebra = "x & x = x"},
    {.name = "bit_or_self", .pattern = "bit_or(x, x)", .result = "x", .algebra = "x | x = x"},
};

}  // namespace

std::span<const Rule> arithmetic() { return table; }

}  // namespace voxloom::rules

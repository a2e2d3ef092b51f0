// ops/rows_comparison.cpp: comparisons, logic, choice and tests for NaN and infinity.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "comparison and logic";
constexpr OpFlags symmetric{.commutative = true, .cheap = true};
constexpr OpFlags lattice{.commutative = true, .associative = true, .idempotent = true, .cheap = true};
constexpr OpFlags ring{.commutative = true, .associative = true, .cheap = true};
constexpr OpFlags cheap{.cheap = true};

constexpr auto complex_eq = [](auto& b, auto x, auto y) { return b.bit_and(b.eq(x.re, y.re), b.eq(x.im, y.im)); };
constexpr auto complex_ne = [](auto& b, auto x, auto y) { return b.bit_or(b.ne(x.re, y.re), b.ne(x.im, y.im)); };

constexpr auto nan = [](auto& b, auto x) { return is_float(x.dtype) ? b.is_nan(x) : b.boolean(false); };
constexpr auto infinite = [](auto& b, auto x) {
  return is_float(x.dtype) ? b.eq(b.abs(x), b.lit(x.dtype, __builtin_inf())) : b.boolean(false);
};
constexpr auto finite = [](auto& b, auto x) {
  return is_float(x.dtype) ? b.lt(b.abs(x), b.lit(x.dtype, __builtin_inf())) : b.boolean(true);
};
constexpr auto complex_nan = [](auto& b, auto z) { return b.bit_or(nan(b, z.re), nan(b, z.im)); };
constexpr auto complex_infinite = [](auto& b, auto z) { return b.bit_or(infinite(b, z.re), infinite(b, z.im)); };
constexpr auto complex_finite = [](auto& b, auto z) { return b.bit_and(finite(b, z.re), finite(b, z.im)); };

/// Both parts of a complex number; the imaginary ones of real numbers are absent.
struct Where {
  template <class B> static void run(B& b, const Node& node, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    out->re = b.select(in[0].re, in[1].re, in[2].re);
    if (is_complex(node.type().dtype)) out->im = b.select(in[0].re, in[1].im, in[2].im);
  }
};
Type infer_where(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  if (in[0].dtype() != DType::boolean)
    fail_user(ErrorCode::dtype, row.name, "the condition is " + std::string(name_of(in[0].dtype())) + ", not bool", origin);
  return broadcast_type(row, in, common_dtype(row, in, 1, BIFC, origin), origin);
}

// clang-format off
const OpInfo rows[] = {
    {.name = "eq", .min_arity = 2, .max_arity = 2, .flags = symmetric, .promotion = Promotion::keep, .infer = infer_truth<BIFC>,
     .elementwise = either<2, [](auto& b, auto x, auto y) { return b.eq(x, y); }, complex_eq>(),
     .no_gradient = true,
     .doc = "x == y", .domain = "false if either is NaN", .family = family},
    {.name = "ne", .min_arity = 2, .max_arity = 2, .flags = symmetric, .promotion = Promotion::keep, .infer = infer_truth<BIFC>,
     .elementwise = either<2, [](auto& b, auto x, auto y) { return b.ne(x, y); }, complex_ne>(),
     .no_gradient = true,
     .doc = "x != y", .domain = "true if either is NaN", .family = family},
    {.name = "lt", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.lt(x, y); }>(),
     .no_gradient = true,
     .doc = "x < y", .domain = "false if either is NaN", .family = family},
    {.name = "le", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.le(x, y); }>(),
     .no_gradient = true,
     .doc = "x <= y", .domain = "false if either is NaN", .family = family},
    {.name = "gt", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.lt(y, x); }>(),
     .no_gradient = true,
     .doc = "x > y", .domain = "false if either is NaN", .family = family},
    {.name = "ge", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIF>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.le(y, x); }>(),
     .no_gradient = true,
     .doc = "x >= y", .domain = "false if either is NaN", .family = family},
    {.name = "logical_and", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::logical, .infer = infer_same<B>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_and(x, y); }>(),
     .no_gradient = true,
     .identity = "1", .absorbing = "0", .doc = "both are true", .domain = "anything but 0 is true, NaN too", .family = family},
    {.name = "logical_or", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::logical, .infer = infer_same<B>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_or(x, y); }>(),
     .no_gradient = true,
     .identity = "0", .absorbing = "1", .doc = "either is true", .domain = "anything but 0 is true, NaN too", .family = family},
    {.name = "logical_xor", .min_arity = 2, .max_arity = 2, .flags = ring, .promotion = Promotion::logical, .infer = infer_same<B>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_xor(x, y); }>(),
     .no_gradient = true,
     .identity = "0", .doc = "one of them is true", .domain = "anything but 0 is true, NaN too", .family = family},
    {.name = "logical_not", .flags = cheap, .promotion = Promotion::logical, .infer = infer_same<B>,
     .elementwise = real<1, [](auto& b, auto x) { return b.bit_not(x); }>(),
     .no_gradient = true,
     .doc = "x is false", .domain = "anything but 0 is true, NaN too", .family = family},
    {.name = "where", .min_arity = 3, .max_arity = 3, .flags = cheap, .promotion = Promotion::choice, .infer = infer_where,
     .elementwise = elementwise_fns<Where>(),
     .gradient = gradient<3, [](T g, T x, T, T, T) -> Three { return {Term(), only_where(x, g), apply("where", {x, zero(g), g})}; }>,
     .doc = "x where the condition is true, y elsewhere (Theano's switch)",
     .domain = "what is not chosen has no effect; NaN counts as true", .family = family},
    {.name = "isnan", .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIFC>,
     .elementwise = either<1, nan, complex_nan>(),
     .no_gradient = true,
     .doc = "x is NaN", .domain = "complex: either part; integers: false", .family = family},
    {.name = "isinf", .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIFC>,
     .elementwise = either<1, infinite, complex_infinite>(),
     .no_gradient = true,
     .doc = "x is infinite", .domain = "complex: either part; integers: false", .family = family},
    {.name = "isfinite", .flags = cheap, .promotion = Promotion::keep, .infer = infer_truth<BIFC>,
     .elementwise = either<1, finite, complex_finite>(),
     .no_gradient = true,
     .doc = "x is neither infinite nor NaN", .domain = "complex: both parts; integers: true", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> comparison_rows() { return rows; }

}  // namespace voxloom::ops

// ops/rows_rounding.cpp: rounding to integers.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "rounding";
constexpr OpFlags flags{.idempotent = true, .cheap = true};
constexpr const char* domain = "integers stay; infinities, NaN and the sign of zero stay";

/// Halves away from zero: the part cut off is exact, so comparing it with 1/2 is too.
constexpr auto half_away = [](auto& b, auto x) {
  if (!is_float(x.dtype)) return x;
  const auto zero = b.lit(x.dtype, 0.0), one = b.lit(x.dtype, 1.0), whole = b.trunc(x);
  const auto far = b.le(b.lit(x.dtype, 0.5), b.abs(b.sub(x, whole)));
  return b.select(far, b.add(whole, b.select(b.lt(x, zero), b.neg(one), one)), whole);
};

// clang-format off
const OpInfo rows[] = {
    {.name = "floor", .flags = flags, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, [](auto& b, auto x) { return is_float(x.dtype) ? b.floor(x) : x; }>(),
     .gradient = flat_gradient,
     .doc = "the largest integer not above x", .domain = domain, .family = family},
    {.name = "ceil", .flags = flags, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, [](auto& b, auto x) { return is_float(x.dtype) ? b.ceil(x) : x; }>(),
     .gradient = flat_gradient,
     .doc = "the smallest integer not below x", .domain = domain, .family = family},
    {.name = "trunc", .flags = flags, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, [](auto& b, auto x) { return is_float(x.dtype) ? b.trunc(x) : x; }>(),
     .gradient = flat_gradient,
     .doc = "x without its fraction", .domain = domain, .family = family},
    {.name = "rint", .flags = flags, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, [](auto& b, auto x) { return is_float(x.dtype) ? b.rint(x) : x; }>(),
     .gradient = flat_gradient,
     .doc = "the nearest integer, halves to even (NumPy's round)", .domain = domain, .family = family},
    {.name = "round_half_away", .flags = flags, .promotion = Promotion::number, .infer = infer_same<IF>,
     .elementwise = real<1, half_away>(),
     .gradient = flat_gradient,
     .doc = "the nearest integer, halves away from zero", .domain = domain, .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> rounding_rows() { return rows; }

}  // namespace voxloom::ops

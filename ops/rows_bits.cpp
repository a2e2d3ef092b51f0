// ops/rows_bits.cpp: bit operations and shifts.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "bits";
constexpr OpFlags lattice{.commutative = true, .associative = true, .idempotent = true, .cheap = true};
constexpr OpFlags ring{.commutative = true, .associative = true, .cheap = true};
constexpr OpFlags cheap{.cheap = true};
constexpr const char* domain = "integers and booleans";

// clang-format off
const OpInfo rows[] = {
    {.name = "bit_and", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BI>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_and(x, y); }>(),
     .no_gradient = true,
     .identity = "-1", .absorbing = "0", .doc = "x & y", .domain = domain, .family = family},
    {.name = "bit_or", .min_arity = 2, .max_arity = 2, .flags = lattice, .promotion = Promotion::keep, .infer = infer_same<BI>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_or(x, y); }>(),
     .no_gradient = true,
     .identity = "0", .absorbing = "-1", .doc = "x | y", .domain = domain, .family = family},
    {.name = "bit_xor", .min_arity = 2, .max_arity = 2, .flags = ring, .promotion = Promotion::keep, .infer = infer_same<BI>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.bit_xor(x, y); }>(),
     .no_gradient = true,
     .identity = "0", .doc = "x ^ y", .domain = domain, .family = family},
    {.name = "bit_not", .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<BI>,
     .elementwise = real<1, [](auto& b, auto x) { return b.bit_not(x); }>(),
     .no_gradient = true,
     .doc = "~x; of booleans, not", .domain = domain, .family = family},
    {.name = "shl", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::number, .infer = infer_same<I>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.shl(x, y); }>(),
     .no_gradient = true,
     .doc = "x << y", .domain = "0 where y is negative or not below the width", .family = family},
    {.name = "shr", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::number, .infer = infer_same<I>,
     .elementwise = real<2, [](auto& b, auto x, auto y) { return b.shr(x, y); }>(),
     .no_gradient = true,
     .doc = "x >> y, keeping the sign", .domain = "0 (-1 for negative x) where y is negative or not below the width", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> bit_rows() { return rows; }

}  // namespace voxloom::ops

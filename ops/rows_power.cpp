// ops/rows_power.cpp: powers and roots.
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "powers";

constexpr auto complex_square = [](auto& b, auto x) { return complex_mul(b, x, x); };

// clang-format off
const OpInfo rows[] = {
    {.name = "sqr", .flags = {.cheap = true}, .promotion = Promotion::power, .infer = infer_same<IFC>,
     .elementwise = either<1, [](auto& b, auto x) { return b.mul(x, x); }, complex_square>(),
     .doc = "x * x", .domain = "integers wrap", .family = family},
    {.name = "sqrt", .promotion = Promotion::floating, .infer = infer_same<F>,
     .elementwise = real<1, [](auto& b, auto x) { return b.sqrt(x); }>(),
     .doc = "square root, correctly rounded", .domain = "NaN below 0 (complex: the principal branch); sqrt(-0) = -0", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> power_rows() { return rows; }

}  // namespace voxloom::ops

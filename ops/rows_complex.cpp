// ops/rows_complex.cpp: parts of complex numbers. Real operands are complex numbers with imaginary part 0.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "complex";
constexpr OpFlags cheap{.cheap = true};

constexpr auto real_angle = [](auto& b, auto x) {
  const auto zero = b.lit(x.dtype, 0.0), pi = b.lit(x.dtype, 3.141592653589793);
  return b.select(b.is_nan(x), x, b.select(b.lt(x, zero), pi, zero));
};

Type infer_complex(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  return broadcast_type(row, in, common_dtype(row, in, 0, F, origin) == DType::f32 ? DType::c64 : DType::c128, origin);
}
constexpr auto join = [](auto&, auto re, auto im) { return Cx<decltype(re)>{re, im}; };

constexpr auto imag_gradient = [](T g, T x, T) { return x.is_complex() ? apply("complex", {zero(g), g}) : zero(x); };
/// i z / |z|^2 = i / conj(z), 0 at 0.
constexpr auto angle_gradient = [](T g, T x, T) {
  if (!x.is_complex()) return zero(x);
  return only_where(apply("ne", {x, zero(x)}), apply("complex", {zero(g), g}) / conjugate(x));
};

// clang-format off
const OpInfo rows[] = {
    {.name = "real", .flags = cheap, .promotion = Promotion::keep, .infer = infer_real<BIFC>,
     .elementwise = either<1, [](auto&, auto x) { return x; }, [](auto&, auto z) { return z.re; }>(),
     .gradient = same_gradient,
     .doc = "the real part", .domain = "real numbers stay", .family = family},
    {.name = "imag", .flags = cheap, .promotion = Promotion::keep, .infer = infer_real<IFC>,
     .elementwise = either<1, [](auto& b, auto x) { return b.lit(x.dtype, 0); }, [](auto&, auto z) { return z.im; }>(),
     .gradient = gradient<1, imag_gradient>,
     .doc = "the imaginary part", .domain = "0 for real numbers", .family = family},
    {.name = "conj", .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<IFC>,
     .elementwise = either<1, [](auto&, auto x) { return x; }, [](auto& b, auto z) { return cconj_(b, z); }>(),
     .gradient = gradient<1, [](T g, T, T) { return conjugate(g); }>,
     .doc = "the complex conjugate", .domain = "real numbers stay", .family = family},
    {.name = "angle", .promotion = Promotion::floating, .infer = infer_real<FC>,
     .elementwise = either<1, real_angle, [](auto& b, auto z) { return cangle_(b, z); }>(),
     .gradient = gradient<1, angle_gradient>,
     .doc = "atan2(imag(z), real(z))", .domain = "0 or pi for real numbers, NaN for NaN", .family = family},
    {.name = "complex", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::floating, .infer = infer_complex,
     .elementwise = real<2, join>(),
     .gradient = gradient<2, [](T g, T, T, T) -> Two { return {apply("real", {g}), apply("imag", {g})}; }>,
     .doc = "re + i im", .domain = "float32 gives complex64, float64 complex128", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> complex_rows() { return rows; }

}  // namespace voxloom::ops

// ops/rows_gradient.cpp: ops that compute nothing and change the gradient that passes them. The rule that takes each away is exact, and
// grad() works on graphs where exact rules have not run yet.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "gradients";
constexpr OpFlags cheap{.cheap = true};

/// The first operand, both parts.
struct First {
  template <class B> static void run(B&, const Node&, const Cx<typename B::V>* in, Cx<typename B::V>* out) { *out = in[0]; }
};

// clang-format off
const OpInfo rows[] = {
    {.name = "disconnected_grad", .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<BIFC>,
     .elementwise = elementwise_fns<First>(),
     .no_gradient = true,
     .doc = "x, on which no gradient depends", .domain = "bits of NaN are kept", .family = family},
    {.name = "zero_grad", .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<BIFC>,
     .elementwise = elementwise_fns<First>(),
     .gradient = flat_gradient,
     .doc = "x, with gradient 0", .domain = "bits of NaN are kept", .family = family},
    {.name = "grad_clip", .min_arity = 3, .max_arity = 3, .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<IF>,
     .elementwise = elementwise_fns<First>(),
     .gradient = gradient<3, [](T g, T, T low, T high, T) -> Three { return {apply("clip", {g, low, high}), Term(), Term()}; }>,
     .doc = "x, with its gradient clipped to [low, high]", .domain = "bits of NaN are kept", .family = family},
    {.name = "grad_scale", .min_arity = 2, .max_arity = 2, .flags = cheap, .promotion = Promotion::keep, .infer = infer_same<IFC>,
     .elementwise = elementwise_fns<First>(),
     .gradient = gradient<2, [](T g, T, T y, T) -> Two { return {g * conjugate(y), Term()}; }>,
     .doc = "x, with its gradient multiplied by y", .domain = "bits of NaN are kept", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> gradient_rows() { return rows; }

}  // namespace voxloom::ops

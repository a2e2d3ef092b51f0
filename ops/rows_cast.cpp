// ops/rows_cast.cpp: conversions between dtypes, identity and fill.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "casts";
constexpr OpFlags cheap{.cheap = true};

/// Complex to real drops the imaginary part, complex to boolean asks for either part, real to complex adds a zero.
struct Cast {
  template <class B> static void run(B& b, const Node& node, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    const DType to = node.type().dtype;
    const bool from_complex = is_complex(node.input(0).dtype());
    out->re = b.cast(real_part_of(to), in[0].re);
    if (from_complex && to == DType::boolean) out->re = b.bit_or(out->re, b.cast(to, in[0].im));
    if (is_complex(to)) out->im = from_complex ? b.cast(real_part_of(to), in[0].im) : b.lit(real_part_of(to), 0.0);
  }
};
Type infer_cast(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const DType to = need_attr<DType>(row, attrs, "dtype", origin);
  if (to == DType::f16 || to == DType::bf16) fail_user(ErrorCode::dtype, row.name, std::string(name_of(to)) + " is not supported", origin);
  return broadcast_type(row, in, to, origin);
}

/// Copies operand K, both parts.
template <size_t K> struct Copy {
  template <class B> static void run(B&, const Node&, const Cx<typename B::V>* in, Cx<typename B::V>* out) { *out = in[K]; }
};
Type infer_second(const OpInfo& row, std::span<const Expr> in, const Attrs&, OriginId origin) {
  return broadcast_type(row, in, in[1].dtype(), origin);
}

// clang-format off
const OpInfo rows[] = {
    {.name = "cast", .flags = cheap, .infer = infer_cast, .elementwise = elementwise_fns<Cast>(),
     .gradient = same_gradient,
     .doc = "x in the dtype of attribute dtype",
     .domain = "integers wrap; floats to integers truncate and saturate, NaN gives 0; to bool: x != 0; "
               "complex to real drops the imaginary part",
     .family = family},
    {.name = "identity", .flags = {.idempotent = true, .cheap = true}, .promotion = Promotion::keep, .infer = infer_same<BIFC>,
     .elementwise = elementwise_fns<Copy<0>>(),
     .gradient = same_gradient,
     .doc = "x", .domain = "bits of NaN are kept", .family = family},
    {.name = "second", .min_arity = 2, .max_arity = 2, .flags = cheap, .infer = infer_second, .elementwise = elementwise_fns<Copy<1>>(),
     .gradient = gradient<2, [](T g, T, T, T) -> Two { return {Term(), g}; }>,
     .doc = "y in the shape of x (Theano's fill)", .domain = "bits of NaN are kept", .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> cast_rows() { return rows; }

}  // namespace voxloom::ops

// ops/rows_reduction.cpp: sum, prod, mean, min, max, argmin, argmax, any, all. The order of combination is ops/reduce_order.h.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/vecmath.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "reductions";

// ---- sum, prod, mean: a running value in attribute acc_dtype, one component or two (complex) ----

enum class Total : uint8_t { sum, prod, mean };

template <Total Kind> struct TotalOf {
  static std::vector<DType> state(const Node& node) {
    const DType acc = node.attr_dtype("acc_dtype");
    return std::vector<DType>(is_complex(acc) ? 2 : 1, real_part_of(acc));
  }
  template <class B> static void init(B& b, const Node& node, typename B::V* s) {
    const DType acc = node.attr_dtype("acc_dtype"), part = real_part_of(acc);
    s[0] = Kind == Total::prod ? b.lit(part, 1.0) : b.lit(part, -0.0);  // -0 + x = x for every x
    if (is_complex(acc)) s[1] = Kind == Total::prod ? b.lit(part, 0.0) : b.lit(part, -0.0);
  }
  template <class B> static void step(B& b, const Node& node, typename B::V* s, const Cx<typename B::V>& x, typename B::V) {
    const DType acc = node.attr_dtype("acc_dtype"), part = real_part_of(acc);
    typename B::V value[2] = {b.cast(part, x.re), {}};
    if (is_complex(acc)) value[1] = is_complex(node.input(0).dtype()) ? b.cast(part, x.im) : b.lit(part, 0.0);
    combine(b, node, s, value);
  }
  template <class B> static void combine(B& b, const Node& node, typename B::V* s, const typename B::V* other) {
    const bool two = is_complex(node.attr_dtype("acc_dtype"));
    if constexpr (Kind == Total::prod) {
      if (!two) {
        s[0] = b.mul(s[0], other[0]);
        return;
      }
      const auto product = cmul_(b, Cx<typename B::V>{s[0], s[1]}, Cx<typename B::V>{other[0], other[1]});
      s[0] = product.re;
      s[1] = product.im;
    } else {
      s[0] = b.add(s[0], other[0]);
      if (two) s[1] = b.add(s[1], other[1]);
    }
  }
  template <class B> static void finish(B& b, const Node& node, const typename B::V* s, typename B::V count, Cx<typename B::V>* out) {
    const DType result = node.type().dtype;
    out->re = part(b, result, s[0], count);
    if (is_complex(result)) out->im = part(b, result, s[1], count);
  }

 private:
  template <class B> static typename B::V part(B& b, DType result, typename B::V value, typename B::V count) {
    if constexpr (Kind == Total::mean) {
      const DType wide = is_float(value.dtype) ? value.dtype : DType::f64;
      value = b.div(b.cast(wide, value), b.cast(wide, count));
    } else if constexpr (Kind == Total::sum) {
      if (is_float(value.dtype))
        value = b.select(b.eq(count, b.lit_int(DType::i64, 0)), b.lit(value.dtype, 0.0), value);  // +0, not the neutral -0
    }
    return b.cast(real_part_of(result), value);
  }
};

Type infer_total(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const DType x = common_dtype(row, in, 0, BIFC, origin);
  const DType acc = need_attr<DType>(row, attrs, "acc_dtype", origin), result = need_attr<DType>(row, attrs, "dtype", origin);
  if (!accepts(IFC, acc)) fail_user(ErrorCode::dtype, row.name, "cannot accumulate in " + std::string(name_of(acc)), origin);
  if (is_complex(x) != is_complex(acc) || is_complex(acc) != is_complex(result) || (is_float(x) && is_integer(acc)))
    fail_user(ErrorCode::dtype, row.name,
              std::string(name_of(x)) + " accumulated in " + std::string(name_of(acc)) + " cannot give " + std::string(name_of(result)),
              origin);
  return reduced_type(row, in[0], attrs, result, origin);
}

// ---- min, max: of the operand's dtype; any, all ----

/// The value that every other one beats.
template <bool Min, class B> typename B::V worst(B& b, DType t) {
  if (is_float(t)) return b.lit(t, Min ? __builtin_inf() : -__builtin_inf());
  if (t == DType::boolean) return b.boolean(Min);
  const int bits = static_cast<int>(8 * size_of(t)) - (is_signed_int(t) ? 1 : 0);
  const uint64_t largest = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  if (Min) return b.lit_bits(t, largest);
  return b.lit_bits(t, is_signed_int(t) ? uint64_t{1} << bits : 0);
}

template <bool Min> struct Extremum {
  static std::vector<DType> state(const Node& node) { return {node.input(0).dtype()}; }
  template <class B> static void init(B& b, const Node& node, typename B::V* s) { s[0] = worst<Min>(b, node.input(0).dtype()); }
  template <class B> static void step(B& b, const Node& node, typename B::V* s, const Cx<typename B::V>& x, typename B::V) {
    combine(b, node, s, &x.re);
  }
  template <class B> static void combine(B& b, const Node&, typename B::V* s, const typename B::V* other) {
    s[0] = Min ? b.minimum(s[0], other[0]) : b.maximum(s[0], other[0]);
  }
  template <class B> static void finish(B&, const Node&, const typename B::V* s, typename B::V, Cx<typename B::V>* out) { out->re = s[0]; }
};

/// The maximum where it is a number to subtract from exponents: 0 where it is infinite, or where there are no elements.
struct Peak : Extremum<false> {
  template <class B> static void finish(B& b, const Node& node, const typename B::V* s, typename B::V, Cx<typename B::V>* out) {
    const DType t = node.type().dtype;
    out->re = b.select(b.eq(b.abs(s[0]), b.lit(t, __builtin_inf())), b.lit(t, 0.0), s[0]);
  }
};
Type infer_peak(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  return reduced_type(row, in[0], attrs, common_dtype(row, in, 0, F, origin), origin);
}

/// any = the maximum of booleans, all = their minimum; both have a value for no elements.
Type infer_kept(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  return reduced_type(row, in[0], attrs, common_dtype(row, in, 0, BIF, origin), origin);
}
Type infer_any(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  return reduced_type(row, in[0], attrs, common_dtype(row, in, 0, B, origin), origin);
}

// ---- argmin, argmax: the best value and its position; the first of equals, the first NaN before all ----

template <bool Min> struct ArgExtremum {
  static std::vector<DType> state(const Node& node) { return {node.input(0).dtype(), DType::i64}; }
  template <class B> static void init(B& b, const Node& node, typename B::V* s) {
    s[0] = worst<Min>(b, node.input(0).dtype());
    s[1] = b.lit_int(DType::i64, INT64_MAX);
  }
  template <class B> static void step(B& b, const Node& node, typename B::V* s, const Cx<typename B::V>& x, typename B::V index) {
    const typename B::V other[2] = {x.re, index};
    combine(b, node, s, other);
  }
  template <class B> static void combine(B& b, const Node&, typename B::V* s, const typename B::V* other) {
    const auto better = Min ? b.lt(other[0], s[0]) : b.lt(s[0], other[0]);
    const auto earlier = b.lt(other[1], s[1]);
    auto take = b.bit_or(better, b.bit_and(b.eq(other[0], s[0]), earlier));
    if (is_float(s[0].dtype)) take = b.bit_or(take, b.bit_and(b.is_nan(other[0]), b.bit_or(b.bit_not(b.is_nan(s[0])), earlier)));
    s[0] = b.select(take, other[0], s[0]);
    s[1] = b.select(take, other[1], s[1]);
  }
  template <class B> static void finish(B&, const Node&, const typename B::V* s, typename B::V, Cx<typename B::V>* out) { out->re = s[1]; }
};
Type infer_position(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  common_dtype(row, in, 0, BIF, origin);
  return reduced_type(row, in[0], attrs, DType::i64, origin);
}

constexpr const char* position =
    "the first of equals, the first NaN before all; over several axes the position counts in the order of the type; error for no elements";

// clang-format off
const OpInfo rows[] = {
    {.name = "sum", .kind = OpKind::reduction, .infer = infer_total, .axes = reduction_axes,
     .reduction = reduction_fns<TotalOf<Total::sum>>(),
     .gradient = sum_gradient,
     .doc = "sum over attribute axes, accumulated in acc_dtype",
     .domain = "float32 accumulates in float64; integers in int64; 0 for no elements", .family = family},
    {.name = "prod", .kind = OpKind::reduction, .infer = infer_total, .axes = reduction_axes,
     .reduction = reduction_fns<TotalOf<Total::prod>>(),
     .gradient = prod_gradient,
     .doc = "product over attribute axes, accumulated in acc_dtype",
     .domain = "float32 accumulates in float64; integers in int64; 1 for no elements", .family = family},
    {.name = "mean", .kind = OpKind::reduction, .infer = infer_total, .axes = reduction_axes,
     .reduction = reduction_fns<TotalOf<Total::mean>>(),
     .gradient = mean_gradient,
     .doc = "sum divided by the number of elements", .domain = "integers up to 32 bits sum exactly; NaN for no elements",
     .family = family},
    {.name = "min", .kind = OpKind::reduction, .flags = {.order_free = true, .needs_nonempty = true}, .infer = infer_kept,
     .axes = reduction_axes,
     .reduction = reduction_fns<Extremum<true>>(),
     .gradient = extremum_gradient,
     .doc = "the smallest element",
     .domain = "NaN if any is; -0 < 0; error for no elements", .family = family},
    {.name = "max", .kind = OpKind::reduction, .flags = {.order_free = true, .needs_nonempty = true}, .infer = infer_kept,
     .axes = reduction_axes,
     .reduction = reduction_fns<Extremum<false>>(),
     .gradient = extremum_gradient,
     .doc = "the largest element",
     .domain = "NaN if any is; -0 < 0; error for no elements", .family = family},
    {.name = "peak", .kind = OpKind::reduction, .flags = {.order_free = true}, .infer = infer_peak, .axes = reduction_axes,
     .reduction = reduction_fns<Peak>(),
     .no_gradient = true,
     .doc = "the largest element as a shift of exponents, on which results do not depend; stabilisation makes it",
     .domain = "NaN if any is; 0 where it is infinite and for no elements", .family = family},
    {.name = "argmin", .kind = OpKind::reduction, .flags = {.order_free = true, .needs_index = true, .needs_nonempty = true},
     .infer = infer_position,
     .axes = reduction_axes, .reduction = reduction_fns<ArgExtremum<true>>(),
     .no_gradient = true,
     .doc = "position (int64) of the smallest element",
     .domain = position, .family = family},
    {.name = "argmax", .kind = OpKind::reduction, .flags = {.order_free = true, .needs_index = true, .needs_nonempty = true},
     .infer = infer_position,
     .axes = reduction_axes, .reduction = reduction_fns<ArgExtremum<false>>(),
     .no_gradient = true,
     .doc = "position (int64) of the largest element",
     .domain = position, .family = family},
    {.name = "any", .kind = OpKind::reduction, .flags = {.order_free = true}, .promotion = Promotion::logical, .infer = infer_any,
     .axes = reduction_axes,
     .reduction = reduction_fns<Extremum<false>>(),
     .no_gradient = true,
     .doc = "some element is true", .domain = "false for no elements; NaN is true",
     .family = family},
    {.name = "all", .kind = OpKind::reduction, .flags = {.order_free = true}, .promotion = Promotion::logical, .infer = infer_any,
     .axes = reduction_axes,
     .reduction = reduction_fns<Extremum<true>>(),
     .no_gradient = true,
     .doc = "every element is true", .domain = "true for no elements; NaN is true",
     .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> reduction_rows() { return rows; }

}  // namespace voxloom::ops

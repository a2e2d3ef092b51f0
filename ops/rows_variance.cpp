// ops/rows_variance.cpp: var and std.
//
// A state is (k, s, s1, s2) in float64: k elements, s the first one the state saw, s1 = sum(x - s), s2 = sum((x - s)^2). Its mean is
// s + o with o = s1 / k, and its sum of squared deviations M2 = s2 - o * s1. Two states combine by Chan's formula on (k, mean, M2): the
// difference of the means is taken as (s' - s) + (o' - o), and the new mean m is stored as s = round(m) with its remainder r in s1 = k * r
// and s2 = M2 + r * s1, so that data far from 0 lose nothing. An empty side is passed over.
// The interleaved states of a leaf, at most 4096 elements, move to the first one's shift instead, which takes no division.
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

namespace voxloom::ops {
namespace {

constexpr const char* family = "reductions";
constexpr DType wide = DType::f64;

template <bool Root> struct Variance {
  static std::vector<DType> state(const Node&) { return std::vector<DType>(4, wide); }
  template <class B> static void init(B& b, const Node&, typename B::V* s) {
    for (int k = 0; k < 4; ++k) s[k] = b.lit(wide, 0.0);
  }
  template <class B> static void step(B& b, const Node&, typename B::V* s, const Cx<typename B::V>& x, typename B::V) {
    const auto value = b.cast(wide, x.re);
    s[1] = b.select(b.eq(s[0], b.lit(wide, 0.0)), value, s[1]);
    const auto d = b.sub(value, s[1]);
    s[0] = b.add(s[0], b.lit(wide, 1.0));
    s[2] = b.add(s[2], d);
    s[3] = b.add(s[3], b.mul(d, d));
  }
  template <class B> static void combine(B& b, const Node&, typename B::V* s, const typename B::V* o) {
    const auto zero = b.lit(wide, 0.0);
    const auto left = moments(b, s), right = moments(b, o);
    const auto count = b.add(s[0], o[0]);
    const auto delta = b.add(b.sub(o[1], s[1]), b.sub(right.offset, left.offset));
    const auto share = b.div(o[0], count);
    const auto offset = b.add(left.offset, b.mul(delta, share));
    const auto mean = b.add(s[1], offset), remainder = b.add(b.sub(s[1], mean), offset);
    const auto m2 = b.add(b.add(left.m2, right.m2), b.mul(b.mul(delta, delta), b.mul(s[0], share)));
    const auto s1 = b.mul(count, remainder);
    const typename B::V both[4] = {count, mean, s1, b.add(m2, b.mul(remainder, s1))};
    const auto left_empty = b.eq(s[0], zero), right_empty = b.eq(o[0], zero);
    for (int k = 0; k < 4; ++k) s[k] = b.select(left_empty, o[k], b.select(right_empty, s[k], both[k]));
  }
  /// With d = s' - s the sums about s are s1 + s1' + k' d and s2 + s2' + d (2 s1' + k' d).
  template <class B> static void fold(B& b, const Node&, typename B::V* s, const typename B::V* o) {
    const auto d = b.sub(o[1], s[1]);
    const auto kd = b.mul(o[0], d);
    s[0] = b.add(s[0], o[0]);
    s[2] = b.add(s[2], b.add(o[2], kd));
    s[3] = b.add(s[3], b.fma(d, b.add(b.add(o[2], o[2]), kd), o[3]));
  }
  /// M2 cannot be negative but for rounding; more degrees of freedom than elements divide by 0, as in NumPy.
  template <class B> static void finish(B& b, const Node& node, const typename B::V* s, typename B::V count, Cx<typename B::V>* out) {
    const auto zero = b.lit(wide, 0.0);
    const auto m2 = b.maximum(moments(b, s).m2, zero);
    const auto freedom = b.maximum(b.sub(b.cast(wide, count), b.lit(wide, static_cast<double>(node.attr_int("ddof")))), zero);
    const auto variance = b.div(m2, freedom);
    out->re = b.cast(node.type().dtype, Root ? b.sqrt(variance) : variance);
  }

 private:
  template <class V> struct Moments {
    V offset, m2;
  };
  template <class B> static Moments<typename B::V> moments(B& b, const typename B::V* s) {
    const auto offset = b.div(s[2], s[0]);
    return {offset, b.sub(s[3], b.mul(s[2], offset))};
  }
};

Type infer_variance(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  common_dtype(row, in, 0, BIF, origin);
  const DType result = need_attr<DType>(row, attrs, "dtype", origin);
  if (!is_float(result)) fail_user(ErrorCode::dtype, row.name, "the result cannot be " + std::string(name_of(result)), origin);
  need_attr<int64_t>(row, attrs, "ddof", origin);
  return reduced_type(row, in[0], attrs, result, origin);
}

constexpr const char* domain = "computed in float64 from shifted sums; NaN for no elements";

// clang-format off
const OpInfo rows[] = {
    {.name = "var", .kind = OpKind::reduction, .infer = infer_variance, .axes = reduction_axes,
     .reduction = reduction_fns<Variance<false>>(),
     .gradient = variance_gradient,
     .doc = "variance: sum((x - mean)^2) / (n - ddof)", .domain = domain, .family = family},
    {.name = "std", .kind = OpKind::reduction, .infer = infer_variance, .axes = reduction_axes,
     .reduction = reduction_fns<Variance<true>>(),
     .gradient = deviation_gradient,
     .doc = "standard deviation: the root of var", .domain = domain, .family = family},
};
// clang-format on

}  // namespace

std::span<const OpInfo> variance_rows() { return rows; }

}  // namespace voxloom::ops

// ops/rules/stabilisation.cpp: improving rules: the result is never further from the real function than the pattern.
//
// Each replaces a composition that rounds, cancels or overflows on the way by one function that does not. Rules that stand first are tried
// first. The second derivation that users write is reached through the first: log(1 - sigmoid(x)) becomes log(sigmoid(-x)), then
// -softplus(-(-x)), and simplify takes away the double sign.
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

#include <algorithm>

namespace voxloom::rules {
namespace {

constexpr RuleClass improving = RuleClass::improving;

// mean(x^2) - mean(x)^2 over the same axes cancels; var does not.
bool same_means(const Match& m) {
  const Node &of_squares = m.node(1), &plain = m.node(4);
  return equal_attrs(of_squares.attrs(), plain.attrs()) && is_float(m["x"].dtype()) && m["x"].dtype() == m.dtype();
}

Expr variance(const Match& m) {
  const Node& mean = m.node(1);
  Attrs attrs = {{"axes", mean.attr_ints("axes")}, {"keepdims", mean.attr_bool("keepdims")}, {"ddof", int64_t{0}}, {"dtype", m.dtype()}};
  return make_node(op("var"), {m["x"]}, std::move(attrs), m.node().origin());
}

// ---- sums of exponentials, shifted by the largest exponent ----

// All elements of float sums in the dtype of the exponents.
bool sums_exponents(const Match& m, const Node& sum) { return is_float(m["x"].dtype()) && sum.type().dtype == m["x"].dtype(); }

Expr peak_of(const Match& m, const Node& sum) {
  return make_node(op("peak"), {m["x"]}, {{"axes", sum.attr_ints("axes")}, {"keepdims", true}}, sum.origin());
}

// sum with exp(x - peak) in place of exp(x).
Expr shifted_sum(const Node& sum, const Expr& shifted) { return make_node(sum.op(), {shifted}, sum.attrs(), sum.origin()); }

bool log_of_sum(const Match& m) { return sums_exponents(m, m.node(1)); }

Expr shifted_log_sum(const Match& m) {
  const Node& sum = m.node(1);
  const OriginId origin = m.node().origin();
  Expr peak = peak_of(m, sum);
  const Expr shifted = make_node(op("exp_shifted"), {m["x"], peak}, {}, m.node(2).origin());
  const Expr log = make_node(m.node().op(), {shifted_sum(sum, shifted)}, {}, origin);
  if (!sum.attr_bool("keepdims")) {
    const auto& axes = sum.attr_ints("axes");
    std::vector<int64_t> kept;
    for (int64_t k = 0; k < m["x"].rank(); ++k)
      if (!std::binary_search(axes.begin(), axes.end(), k)) kept.push_back(k);
    peak = make_node(op("dimshuffle"), {peak}, {{"pattern", kept}}, origin);
  }
  return make_node(op("add"), {peak, log}, {}, origin);
}

// exp(x) / sum(exp(x)), the sum of the rank of x: kept axes, or put back by a dimshuffle (node 2).
bool each_of_sum(const Match& m) { return sums_exponents(m, m.node(2)) && m.node(2).attr_bool("keepdims"); }

bool each_of_spread_sum(const Match& m) {
  const Node &view = m.node(2), &sum = m.node(3);
  const auto& axes = sum.attr_ints("axes");
  if (!sums_exponents(m, sum) || sum.attr_bool("keepdims") || view.type().rank() != m["x"].rank()) return false;
  int64_t next = 0;
  for (int64_t k = 0; k < m["x"].rank(); ++k) {
    const int64_t from = std::binary_search(axes.begin(), axes.end(), k) ? -1 : next++;
    if (view.attr_ints("pattern")[static_cast<size_t>(k)] != from) return false;
  }
  return true;
}

Expr shifted_share(const Match& m) {
  const bool spread = m.node(2).op().kind == OpKind::view;
  const Node& sum = m.node(spread ? 3 : 2);
  const Expr shifted = make_node(op("exp_shifted"), {m["x"], peak_of(m, sum)}, {}, m.node(1).origin());
  Expr total = shifted_sum(sum, shifted);
  if (spread) total = make_node(m.node(2).op(), {total}, m.node(2).attrs(), m.node(2).origin());
  return make_node(m.node().op(), {shifted, total}, {}, m.node().origin());
}

// log of such a share: x - peak and the log of the sum, both of one sign.
Expr log_of_share(const Match& m) {
  const OriginId origin = m.node().origin();
  const Expr below = make_node(op("sub"), {m["x"], m["y"]}, {}, origin);
  return make_node(op("sub"), {below, make_node(m.node().op(), {m.node(1).input(1)}, {}, origin)}, {}, origin);
}
bool shift_is_peak(const Match& m) { return &m["y"]->op() == &op("peak") && m["y"]->input(0).same_as(m["x"]); }

const Rule table[] = {
    // the logistic function, spelled out
    {.name = "sigmoid_div",
     .cls = improving,
     .pattern = "div(1, add(exp(neg(x)), 1))",
     .result = "sigmoid(x)",
     .algebra = "1/(1 + e^-x) without overflow",
     .guard = of_floats},
    {.name = "sigmoid_reciprocal",
     .cls = improving,
     .pattern = "reciprocal(add(exp(neg(x)), 1))",
     .result = "sigmoid(x)",
     .algebra = "1/(1 + e^-x) without overflow",
     .guard = of_floats},
    {.name = "sigmoid_minus_div",
     .cls = improving,
     .pattern = "div(1, add(exp(x), 1))",
     .result = "sigmoid(neg(x))",
     .algebra = "1/(1 + e^x) = sigmoid(-x)",
     .guard = of_floats},
    {.name = "sigmoid_exp_div",
     .cls = improving,
     .pattern = "div(exp(x), add(exp(x), 1))",
     .result = "sigmoid(x)",
     .algebra = "e^x/(1 + e^x) = 1/(1 + e^-x), where the quotient is inf/inf",
     .guard = of_floats},
    {.name = "one_minus_sigmoid",
     .cls = improving,
     .pattern = "sub(1, sigmoid(x))",
     .result = "sigmoid(neg(x))",
     .algebra = "1 - 1/(1 + e^-x) = 1/(1 + e^x) without cancellation"},
    // logarithms
    {.name = "log_sigmoid",
     .cls = improving,
     .pattern = "log(sigmoid(x))",
     .result = "neg(softplus(neg(x)))",
     .algebra = "log(1/(1 + e^-x)) = -log(1 + e^-x)"},
    {.name = "log_exp",
     .cls = improving,
     .pattern = "log(exp(x))",
     .result = "x",
     .algebra = "log(e^x) = x, where e^x overflows too",
     .guard = of_floats},
    {.name = "log_add_exp",
     .cls = improving,
     .pattern = "log(add(exp(x), exp(y)))",
     .result = "logaddexp(x, y)",
     .algebra = "the definition, without overflow",
     .guard = of_floats},
    {.name = "log_sum_exp",
     .cls = improving,
     .pattern = "log(sum(exp(x)))",
     .result = "add(peak(x), log(sum(exp_shifted(x, peak(x)))))",
     .algebra = "log(sum e^x) = m + log(sum e^(x - m)), without overflow",
     .guard = log_of_sum,
     .build = shifted_log_sum},
    {.name = "share_of_exp",
     .cls = improving,
     .pattern = "div(exp(x), sum(exp(x)))",
     .result = "div(exp_shifted(x, peak(x)), sum(exp_shifted(x, peak(x))))",
     .algebra = "e^x / sum e^x = e^(x - m) / sum e^(x - m), without overflow",
     .guard = each_of_sum,
     .build = shifted_share},
    {.name = "share_of_exp_spread",
     .cls = improving,
     .pattern = "div(exp(x), dimshuffle(sum(exp(x))))",
     .result = "div(exp_shifted(x, peak(x)), dimshuffle(sum(exp_shifted(x, peak(x)))))",
     .algebra = "e^x / sum e^x = e^(x - m) / sum e^(x - m), without overflow",
     .guard = each_of_spread_sum,
     .build = shifted_share},
    {.name = "log_share",
     .cls = improving,
     .pattern = "log(div(exp_shifted(x, y), sum(exp_shifted(x, y))))",
     .result = "sub(sub(x, y), log(sum(exp_shifted(x, y))))",
     .algebra = "log(e^(x - m) / s) = (x - m) - log s, where e^(x - m) vanishes too",
     .guard = shift_is_peak,
     .build = log_of_share},
    {.name = "log_share_spread",
     .cls = improving,
     .pattern = "log(div(exp_shifted(x, y), dimshuffle(sum(exp_shifted(x, y)))))",
     .result = "sub(sub(x, y), log(dimshuffle(sum(exp_shifted(x, y)))))",
     .algebra = "log(e^(x - m) / s) = (x - m) - log s, where e^(x - m) vanishes too",
     .guard = shift_is_peak,
     .build = log_of_share},
    {.name = "log_one_plus_exp",
     .cls = improving,
     .pattern = "log(add(exp(x), 1))",
     .result = "softplus(x)",
     .algebra = "the definition, without overflow",
     .guard = of_floats},
    {.name = "log_one_plus",
     .cls = improving,
     .pattern = "log(add(x, 1))",
     .result = "log1p(x)",
     .algebra = "1 + x is not rounded",
     .guard = of_floats},
    {.name = "log_one_minus",
     .cls = improving,
     .pattern = "log(sub(1, x))",
     .result = "log1p(neg(x))",
     .algebra = "1 - x is not rounded",
     .guard = of_floats},
    {.name = "log_minus_expm1",
     .cls = improving,
     .pattern = "log(neg(expm1(x)))",
     .result = "log1mexp(x)",
     .algebra = "-(e^x - 1) = 1 - e^x"},
    {.name = "log1p_exp",
     .cls = improving,
     .pattern = "log1p(exp(x))",
     .result = "softplus(x)",
     .algebra = "log(1 + e^x) without overflow"},
    {.name = "log1p_minus_exp",
     .cls = improving,
     .pattern = "log1p(neg(exp(x)))",
     .result = "log1mexp(x)",
     .algebra = "log(1 - e^x) without cancellation"},
    {.name = "log1p_minus_sigmoid",
     .cls = improving,
     .pattern = "log1p(neg(sigmoid(x)))",
     .result = "neg(softplus(x))",
     .algebra = "log(1 - 1/(1 + e^-x)) = -log(1 + e^x)"},
    // differences near 1
    {.name = "exp_minus_one",
     .cls = improving,
     .pattern = "sub(exp(x), 1)",
     .result = "expm1(x)",
     .algebra = "e^x - 1 without cancellation",
     .guard = of_floats},
    {.name = "one_minus_exp",
     .cls = improving,
     .pattern = "sub(1, exp(x))",
     .result = "neg(expm1(x))",
     .algebra = "1 - e^x = -(e^x - 1)",
     .guard = of_floats},
    {.name = "exp_plus_minus_one",
     .cls = improving,
     .pattern = "add(exp(x), -1)",
     .result = "expm1(x)",
     .algebra = "e^x - 1 without cancellation",
     .guard = of_floats},
    {.name = "one_minus_erf",
     .cls = improving,
     .pattern = "sub(1, erf(x))",
     .result = "erfc(x)",
     .algebra = "the definition, without cancellation"},
    {.name = "one_minus_erfc",
     .cls = improving,
     .pattern = "sub(1, erfc(x))",
     .result = "erf(x)",
     .algebra = "the definition, without cancellation"},
    // powers
    {.name = "sqrt_sqr",
     .cls = improving,
     .pattern = "sqrt(sqr(x))",
     .result = "abs(x)",
     .algebra = "sqrt(x^2) = |x|, where x^2 overflows or vanishes too",
     .guard = of_floats},
    {.name = "pow_two",
     .cls = improving,
     .pattern = "pow(x, 2)",
     .result = "sqr(x)",
     .algebra = "x^2 = x x, rounded once",
     .guard = of_floats},
    {.name = "pow_one", .cls = improving, .pattern = "pow(x, 1)", .result = "x", .algebra = "x^1 = x", .guard = of_floats},
    {.name = "pow_minus_one",
     .cls = improving,
     .pattern = "pow(x, -1)",
     .result = "reciprocal(x)",
     .algebra = "x^-1 = 1/x, rounded once",
     .guard = of_floats},
    // moments
    {.name = "variance",
     .cls = improving,
     .pattern = "sub(mean(sqr(x)), sqr(mean(x)))",
     .result = "var(x)",
     .algebra = "E x^2 - (E x)^2 = E (x - E x)^2 without cancellation",
     .guard = same_means,
     .build = variance},
};

}  // namespace

std::span<const Rule> stabilisation() { return table; }

}  // namespace voxloom::rules

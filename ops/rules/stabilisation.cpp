// ops/rules/stabilisation.cpp: improving rules: the result is never further from the real function than the pattern.
//
// Each replaces a composition that rounds, cancels or overflows on the way by one function that does not. Rules that stand first are tried
// first. The second derivation that users write is reached through the first: log(1 - sigmoid(x)) becomes log(sigmoid(-x)), then
// -softplus(-(-x)), and simplify takes away the double sign.
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

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

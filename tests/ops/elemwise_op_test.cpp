// tests/ops/elemwise_op_test.cpp: C expressions as ops: values, types, gradients, what does not parse, random texts.
#include "check.h"

#include <voxloom/graph/graph.h>
#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/substitute.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/c_expression.h>
#include <voxloom/ops/elemwise_op.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/verify_grad.h>

#include <voxloom/graph/passes/rule_engine.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace voxloom;
using namespace voxloom::test;
using Catch::Matchers::Contains;

namespace {

template <class T> std::vector<T> of(const std::string& code, const std::vector<T>& x) {
  const Expr in = vec(x);
  return values<T>(ElemwiseOp("f", code, {.inputs = {"x"}})(in));
}
double number(const std::string& code) {
  return values<double>(ElemwiseOp("f", code + " + 0 * x", {.inputs = {"x"}})(vec<double>({1})))[0];
}

}  // namespace

TEST_CASE("operators and functions are C's") {
  const std::vector<double> x = {-2.5, -1, -0.0, 0.5, 3};
  const auto same = [&](const std::string& code, double (*f)(double)) {
    const auto got = of(code, x);
    for (size_t k = 0; k < x.size(); ++k) {
      CAPTURE(code, x[k]);
      if (std::isnan(f(x[k]))) CHECK(std::isnan(got[k]));
      else CHECK(got[k] == Approx(f(x[k])).epsilon(1e-14));
    }
  };
  same("2 * x", [](double v) { return 2 * v; });
  same("x > 0 ? x : 0.5 * (exp(x) - 1)", [](double v) { return v > 0 ? v : 0.5 * (std::exp(v) - 1); });
  same("x > 0 ? 1 : x < -1 ? -1 : 0.25", [](double v) { return v > 0 ? 1 : v < -1 ? -1 : 0.25; });
  same("-x * +x - 3.0f / (x + 4.)", [](double v) { return -v * +v - 3.0f / (v + 4.); });
  same("(x > 0) - (x < 0)", [](double v) { return static_cast<double>((v > 0) - (v < 0)); });
  same("(x > 0) * 0.1 + x", [](double v) { return (v > 0) * 0.1 + v; });
  same("(x > 0 || x < -2) && !(x == 3) ? x : 0", [](double v) { return (v > 0 || v < -2) && !(v == 3) ? v : 0; });
  same("pow(fabs(x), 1.5) + hypot(x, 2) + atan2(x, 3)",
       [](double v) { return std::pow(std::fabs(v), 1.5) + std::hypot(v, 2) + std::atan2(v, 3); });
  same("expf(x) + logf(fabsf(x) + 1) + tanhl(x)", [](double v) { return std::exp(v) + std::log(std::fabs(v) + 1) + std::tanh(v); });
  same("fmod(x, 0.75) + fdim(x, 1)", [](double v) { return std::fmod(v, 0.75) + std::fdim(v, 1); });
  same("rsqrt(x * x + 1) + signbit(x) + round(x) + rint(x)",
       [](double v) { return 1 / std::sqrt(v * v + 1) + (std::signbit(v) ? 1 : 0) + std::round(v) + std::rint(v); });
  same("fmax(x, 1) - min(x, 0) + isnan(x / x)", [](double v) { return std::fmax(v, 1) - std::fmin(v, 0) + (v == 0); });
  same("(int)x + (double)0.5", [](double v) { return static_cast<int>(v) + 0.5; });
  same("M_PI * x", [](double v) { return 3.141592653589793 * v; });
  same("x == 3 ? INFINITY : NAN", [](double v) { return v == 3 ? static_cast<double>(INFINITY) : std::nan(""); });
}

TEST_CASE("integers: quotients towards zero, bits, casts") {
  const std::vector<int32_t> x = {-7, -6, -1, 0, 1, 6, 7, INT32_MIN, INT32_MAX};
  const auto same = [&](const std::string& code, int32_t (*f)(int32_t)) {
    const auto got = of(code, x);
    for (size_t k = 0; k < x.size(); ++k) {
      CAPTURE(code, x[k]);
      CHECK(got[k] == f(x[k]));
    }
  };
  same("x / 2", [](int32_t v) { return v / 2; });
  same("x / -3", [](int32_t v) { return v / -3; });
  same("x % 4", [](int32_t v) { return v % 4; });
  same("x % -4", [](int32_t v) { return v % -4; });
  same("x / 0 + x % 0", [](int32_t) { return 0; });
  same("x & 12 | x ^ 5", [](int32_t v) { return (v & 12) | (v ^ 5); });
  same("~x >> 1 << 2", [](int32_t v) { return static_cast<int32_t>(static_cast<uint32_t>(~v >> 1) << 2); });
  same("x & 1 ? x > 0 : 2", [](int32_t v) { return (v & 1) != 0 ? static_cast<int32_t>(v > 0) : 2; });
  same("(int)(unsigned char)x", [](int32_t v) { return static_cast<int32_t>(static_cast<uint8_t>(v)); });
  CHECK(ElemwiseOp("f", "x / 2")(vec<uint8_t>({9})).dtype() == DType::u8);
  CHECK(ElemwiseOp("f", "x / 2.0")(vec<uint8_t>({9})).dtype() == current_policy().floatX);
  CHECK(ElemwiseOp("f", "(unsigned long int)x")(vec<float>({9})).dtype() == DType::u64);
}

TEST_CASE("numbers alone are computed in 64 bits and stay numbers") {
  CHECK(number("1 / 3") == 0);
  CHECK(number("-7 / 2") == -3);
  CHECK(number("-7 % 2") == -1);
  CHECK(number("1.0 / 3") == 1.0 / 3);
  CHECK(number("log(2)") == Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(number("0x1F + 10ul") == 41);
  CHECK(number("0x1.8p3 + 1e-2 + .5") == 12 + 1e-2 + .5);
  CHECK(number("0.1f") == static_cast<double>(0.1f));
  CHECK(number("1 < 2 ? 3 : 4") == 3);
  const Expr x = fvector("x");
  CHECK(ElemwiseOp("f", "x * (1 / 3.0) + M_PI")(x).dtype() == DType::f32);
  CHECK(ElemwiseOp("f", "x > 0 ? 1 : 0")(x).dtype() == DType::f32);
  CHECK(ElemwiseOp("f", "x > 0")(x).dtype() == DType::boolean);
  CHECK(ElemwiseOp("f", "(double)1 * x")(x).dtype() == DType::f64);
  CHECK(ElemwiseOp("f", "x > 0 ? 1 : 0")(gt(x, 0)).dtype() == DType::i32);
}

TEST_CASE("operands broadcast, host numbers are weak, one name needs no list") {
  const ElemwiseOp soft("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}});
  const Expr x = fmatrix("x", {"n", "m"}), a = fvector("a", {"m"});
  CHECK(soft(x, a).type() == x.type());
  CHECK(soft(x, 0.5).dtype() == DType::f32);
  CHECK(soft(-1.0, 2).dtype() == current_policy().floatX);
  CHECK(ElemwiseOp("twice", "2 * v")(x).same_as(ElemwiseOp("twice", "2 * v")(x)) == false);  // interned when a graph is made
  const Graph g = Graph::make({x}, {ElemwiseOp("twice", "2 * v")(x), ElemwiseOp("double", "2*v")(x)});
  CHECK(g.outputs()[0].same_as(g.outputs()[1]));
  CHECK(soft == ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}}));
}

TEST_CASE("gradients: derived, and given") {
  const HostArray at = array<double>({-1.5, -0.2, 0.3, 2}), slope = array<double>({0.5, 0.7, 1.5, 2});
  const ElemwiseOp derived("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}});
  const ElemwiseOp given("soft", "x > 0 ? x : a * expm1(x)",
                         {.inputs = {"x", "a"}, .grad = {"x > 0 ? g : g * (out + a)", "x > 0 ? 0 * g : g * expm1(x)"}});
  for (const ElemwiseOp& op : {derived, given}) {
    CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return sqr(op(v[0], v[1])); }, {at, slope}));
    CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return op(v[0], v[1]); }, {at, array<double>({0.5}, {1})}));
    CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return grad(sum(op(v[0], v[1])), v[0]) * v[0]; }, {at, slope}));
  }
  // What is given is what counts.
  const Expr x = dvector("x"), u = dvector("u");
  const ElemwiseOp straight("straight", "x > 0 ? 1 : 0", {.grad = {"g * 3"}});
  CHECK(values<double>(grad(sum(straight(x)), x), {{x, at}}) == std::vector<double>{3, 3, 3, 3});
  CHECK(values<double>(Rop(straight(x), x, u), {{x, at}, {u, slope}})[1] == Approx(2.1));
  const ElemwiseOp blocked("blocked", "x * y", {.inputs = {"x", "y"}, .grad = {"g * y", "0"}});
  CHECK(values<double>(grad(sum(blocked(x, x)), x), {{x, at}})[3] == 2);
  const Expr s = fscalar("s");  // the entry is brought back to the operand's dtype
  const ElemwiseOp wide("f", "x * x", {.grad = {"(double)g * 2 * x"}});
  CHECK(grad(wide(s), s).type() == s.type());
}

TEST_CASE("gradients given as functions") {
  const ElemwiseOp soft("soft", "x > 0 ? x : a * expm1(x)",
                        {.inputs = {"x", "a"}, .grad_function = [](const std::vector<Expr>& in, const Expr& g) {
                           return std::vector<Expr>{where(in[0] > 0, g, g * in[1] * exp(in[0])), where(in[0] > 0, 0.0, g * expm1(in[0]))};
                         }});
  const HostArray at = array<double>({-1.5, -0.2, 0.3, 2}), slope = array<double>({0.5, 0.7, 1.5, 2});
  CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return sqr(soft(v[0], v[1])); }, {at, slope}));
  CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return soft(v[0], v[1]) * v[0]; }, {at, array<double>({0.5}, {1})}));
  CHECK_NOTHROW(verify_grad([&](const std::vector<Expr>& v) { return grad(sum(soft(v[0], v[1])), v[0]) * v[0]; }, {at, slope}));

  const Expr x = fvector("x", {"n"}), y = fvector("y", {"m"}), a = fvector("a", {"n"});
  const Graph g = Graph::make({x, a}, {soft(x, a), soft(x, a)});
  CHECK(g.outputs()[0].same_as(g.outputs()[1]));
  CHECK(to_text(parse_graph(to_text(g), find_op)) == to_text(g));
  PassContext context;
  use_op_rules(context);
  CHECK(to_text(apply_rules(g, context, RuleClass::exact)).find("custom_gradient") == std::string::npos);
  // Sizes of what takes a variable's place are those of the gradient too.
  const ElemwiseOp ones("ones", "x * 1", {.grad_function = [](const std::vector<Expr>& in, const Expr& s) {
                          return std::vector<Expr>{s * ones_like(in[0]) * 5};
                        }});
  const Replacement replaced[] = {{x, y}};
  const Expr moved = substitute(std::vector{ones(x)}, replaced)[0];
  CHECK(values<float>(grad(sum(moved), y), {{y, array<float>({1, 2, 3})}}) == std::vector<float>{5, 5, 5});
  const ElemwiseOp nothing("nothing", "x * a", {.inputs = {"x", "a"}, .grad_function = [](const std::vector<Expr>& in, const Expr& s) {
                                                  return std::vector<Expr>{s * in[1], {}};
                                                }});
  CHECK(values<float>(grad(sum(nothing(x, x)), x), {{x, array<float>({3})}}) == std::vector<float>{3});
}

TEST_CASE("gradients given as functions that do not fit") {
  const Expr x = fvector("x", {"n"});
  const auto with = [&](std::function<std::vector<Expr>(const std::vector<Expr>&, const Expr&)> grad_function) {
    return user_error([&] { ElemwiseOp("f", "x * 2", {.grad_function = grad_function})(x); });
  };
  CHECK_THAT(with([](const auto&, const Expr&) { return std::vector<Expr>{}; }),
             Contains("f: its gradient gives 0 expressions for 1 inputs"));
  CHECK_THAT(with([](const auto&, const Expr& g) { return std::vector<Expr>{sum(g)}; }),
             Contains("f: its gradient for input 0 has shape []"));
  CHECK_THAT(with([&](const auto&, const Expr& g) { return std::vector<Expr>{g * x}; }),
             Contains("x") && Contains("elemwise_op_test.cpp:"));
  CHECK_THAT(user_error([&] {
               ElemwiseOp("f", "x", {.grad = {"g"}, .grad_function = [](const auto&, const Expr& g) { return std::vector<Expr>{g}; }});
             }),
             Contains("grad and grad_function are both given"));
}

TEST_CASE("a gradient of its own goes with exact rules, and survives the text form") {
  const Expr x = fvector("x"), a = fvector("a");
  const ElemwiseOp op("mine", "x * a", {.inputs = {"x", "a"}, .grad = {"g * a", "g * x"}});
  const Graph g = Graph::make({x, a}, {op(x, a)});
  const std::string text = to_text(g);
  CHECK_THAT(text, Contains("custom_gradient") && Contains("\"g * a;g * x\"") && Contains("\"mine\""));
  CHECK(to_text(parse_graph(text, find_op)) == text);
  PassContext context;
  use_op_rules(context);
  CHECK(to_text(apply_rules(g, context, RuleClass::exact)) == to_text(Graph::make({x, a}, {x * a})));
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return user_error([&] { parse_graph(other, find_op); });
  };
  CHECK_THAT(changed("g * a;g * x", "g * a"), Contains("1 gradients for 2 inputs"));
  CHECK_THAT(changed("g * a;g * x", "g * a;system(x)"), Contains("unknown function 'system'"));
  CHECK_THAT(changed("\"x a\"", "\"x x\""), Contains("the input x is listed twice"));
  CHECK_THAT(changed("\"x a\"", "\"x a b\""), Contains("2 gradients for 3 inputs"));
  CHECK_THAT(changed("\"mine\"", "\"mi ne\""), Contains("an op's name is a C identifier"));
  CHECK_THAT(changed(", name=\"mine\"", ""), Contains("name"));
}

TEST_CASE("what does not parse is answered with op, column, text and line") {
  const std::string deep(300, '(');
  std::string minus;
  for (int k = 0; k < 300; ++k) minus += "- ";
  const struct {
    std::string code;
    int column;
    std::string message;
  } bad[] = {
      {"", 1, "the expression is empty"},
      {"  ", 1, "the expression is empty"},
      {"x +", 4, "the text ends where a value is expected"},
      {"(x", 3, "expected ')' for the '(' at column 1, found the end"},
      {"x)", 2, "expected an operator, found ')'"},
      {"x y", 3, "expected an operator, found 'y'"},
      {"x ? 1", 6, "expected ':' for the '?' at column 3"},
      {"x < 1 < 2", 7, "comparisons are not chained"},
      {"x == x == x", 8, "comparisons are not chained"},
      {"x ** 2", 3, "write pow(x, y)"},
      {"x = 2", 3, "== compares"},
      {"x += 2", 3, "changes nothing"},
      {"x++", 2, "changes nothing"},
      {"x; y", 2, "without statements"},
      {"x[0]", 2, "sees one element"},
      {"x.y", 2, "no operator here"},
      {"x, x", 2, "an expression is one value"},
      {"'a'", 1, "unexpected character \"'\""},
      {"x + \xc3\xa9", 5, "unexpected character"},
      {"y + x", 1, "unknown name 'y' (names here: x)"},
      {"exq(x)", 1, "unknown function 'exq' (did you mean exp?)"},
      {"exp(x, x)", 1, "exp takes 1 arguments, not 2"},
      {"pow(x)", 1, "pow takes 2 arguments, not 1"},
      {"exp()", 1, "exp takes 1 arguments, not 0"},
      {"exp(x", 6, "expected ',' or ')' in the call of exp"},
      {"exp + x", 1, "'exp' is a function"},
      {"x(2)", 2, "'x' is no function"},
      {"2(x)", 2, "a number is no function"},
      {"float(x)", 1, "a cast is written (float)x"},
      {"float + x", 1, "is a type"},
      {"(float long)x", 2, "there is no such type"},
      {"(unsigned)", 11, "the text ends"},
      {"(float *)x", 8, "there are no pointers here"},
      {"if (x) 1", 1, "without statements"},
      {"return x", 1, "without statements"},
      {"017 + x", 1, "octal"},
      {"1.5q * x", 1, "\"1.5q\" is no number"},
      {"1x", 1, "\"1x\" is no number"},
      {"0x * x", 1, "\"0x\" is no number"},
      {"1.2.3", 1, "\"1.2.3\" is no number"},
      {"99999999999999999999 * x", 1, "does not fit 64 bits"},
      {"1e999 * x", 1, "does not fit a double"},
      {deep + "x", 257, "nested deeper"},
      {minus, 513, "nested deeper"},
      {"@x", 1, "unexpected character \"@\""},
      {"\"x\"", 1, "unexpected character"},
  };
  for (const auto& [code, column, message] : bad) {
    CAPTURE(code);
    const std::string text = user_error([&] { ElemwiseOp("bad", code, {.inputs = {"x"}}); });
    CHECK_THAT(text, Contains(message) && Contains("elemwise_op_test.cpp:"));
    CHECK_THAT(text, Contains("bad: column " + std::to_string(column) + " of "));
  }
  CHECK_THAT(user_error([] { ElemwiseOp("bad", std::string(70000, ' ')); }), Contains("at most 65536 are read"));
}

TEST_CASE("names, inputs and gradients that do not fit") {
  const auto refused = [](const std::string& name, const std::string& code, const ElemwiseOptions& options) {
    return user_error([&] { ElemwiseOp(name, code, options); });
  };
  CHECK_THAT(refused("a b", "x", {}), Contains("an op's name is a C identifier"));
  CHECK_THAT(refused("f", "x + a", {}), Contains("the expression uses x, a: inputs says in which order"));
  CHECK_THAT(refused("f", "3", {}), Contains("the expression uses no input"));
  CHECK_THAT(refused("f", "x", {.inputs = {"x", "a"}}), Contains("does not use the input a"));
  CHECK_THAT(refused("f", "x", {.inputs = {"x", "x"}}), Contains("listed twice"));
  CHECK_THAT(refused("f", "x", {.inputs = {"exp"}}), Contains("an input cannot be called \"exp\""));
  CHECK_THAT(refused("f", "x", {.inputs = {"x"}, .grad = {"g", "g"}}), Contains("2 gradients for 1 inputs"));
  CHECK_THAT(refused("f", "x", {.grad = {"2 * x"}}), Contains("f (gradient of x): column 1") && Contains("g times something, or 0"));
  CHECK_THAT(refused("f", "x", {.grad = {"g *"}}), Contains("f (gradient of x): column 4"));
  CHECK_THAT(refused("f", "g", {.grad = {"g"}}), Contains("an input is called g"));
  const Expr x = fvector("x", {3}), y = fvector("y", {4});
  const ElemwiseOp bits("bits", "1 + (x & 3)");
  CHECK_THAT(user_error([&] { bits(x); }), Contains("bits: column 8 of \"1 + (x & 3)\": bit_and") && Contains("elemwise_op_test.cpp:"));
  CHECK_THAT(user_error([&] { ElemwiseOp("rest", "x % 2")(x); }), Contains("C writes fmod(x, y)"));
  CHECK_THAT(user_error([&] { ElemwiseOp("f", "x + y", {.inputs = {"x", "y"}})(x, y); }), Contains("do not broadcast"));
  CHECK_THAT(user_error([&] { bits(x, y); }), Contains("takes 1 operands (x), not 2"));
  CHECK_THAT(user_error([&] { ElemwiseOp("f", "x > 0 ? 1 : -1")(vec<uint8_t>({1})); }), Contains("-1 does not fit uint8"));
}

TEST_CASE("random texts end in an expression or a UserError") {
  const std::vector<std::string> words = {
      "x",    "y",   "exp",  "(", ")",  "+",   "-",  "*",  "/",  "%", "?",        ":",       "<",
      "==",   "&&",  "!",    "~", "1",  "2.5", ".5", "0x", "1e", ",", " ",        "(float)", "(unsigned char)",
      "pow(", "g",   ";",    "[", "\"", "int", ">>", "&",  "|",  "^", "fmod(x, ", "1e3f",    "9223372036854775807",
      "true", "NAN", "\xff", "é"};
  std::mt19937 rng(7);
  const Expr f = fvector("x", {4}), i = ivector("y", {4});
  const HostArray fa = array<float>({-1, 0, 1, 9}), ia = array<int32_t>({-1, 0, 1, 9});
  const std::vector<StridedView> views = {fa.view(), ia.view()};
  int parsed = 0, built = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string code;
    const auto length = rng() % 12 + 1;
    for (unsigned k = 0; k < length; ++k)
      code += rng() % 16 == 0 ? std::string(1, static_cast<char>(rng() % 256)) : words[rng() % words.size()];
    CAPTURE(code);
    try {
      const auto e = ops::parse_c_expression("fuzz", code, {"x", "y"}, false, {});
      ++parsed;
      for (const Expr& x : {f, i}) {
        const Operand operands[] = {Operand(x, OriginId{}), Operand(i, OriginId{})};
        const Operand result = ops::apply_c_expression(e, operands, {});
        const Graph g = Graph::make({f, i}, {result.as_expr()});
        REQUIRE(to_text(parse_graph(to_text(g), find_op)) == to_text(g));
        interpret(g, views);
        ++built;
      }
    } catch (const UserError&) {}
  }
  CHECK(parsed > 300);
  CHECK(built > 300);
}

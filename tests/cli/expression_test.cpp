// tests/cli/expression_test.cpp: the expression language against expressions built in C++, and the texts of its errors.
#include <voxloom/cli/expression.h>
#include <voxloom/cli/functions.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/print.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/variables.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace voxloom;
using namespace voxloom::cli;
using Catch::Matchers::Contains;

namespace {

const std::vector<NamedExpr>& images() {
  static const std::vector<NamedExpr> list = {
      {"a", image_input("a", DType::i16, {4, 5, 6, 7}, {"x", "y", "z", "t"})},
      {"b", image_input("b", DType::f32, {4, 5, 6, 7}, {"x", "y", "z", "t"})},
      {"mask", image_input("mask", DType::u8, {4, 5, 6}, {"x", "y", "z"})},
  };
  return list;
}
const Expr& a() { return images()[0].expr; }
const Expr& b() { return images()[1].expr; }
const Expr& mask() { return images()[2].expr; }

std::string text_of(const Expr& expr) {
  std::vector<Expr> leaves;
  for (const NamedExpr& image : images()) leaves.push_back(image.expr);
  return to_text(Graph::make(leaves, {expr}));
}

std::string parsed(std::string_view text) { return text_of(parse_expression(text, images()).value); }

void same(std::string_view text, const Expr& expected) {
  INFO(text);
  CHECK(parsed(text) == text_of(expected));
}

std::string refusal(std::string_view text) {
  try {
    parse_expression(text, images());
  } catch (const UserError& error) { return error.what(); }
  return "(accepted)";
}

void refused(std::string_view text, const std::string& message) {
  INFO(text);
  const std::string what = refusal(text);
  CHECK(what.find('\n') == std::string::npos);
  CHECK_THAT(what, Contains(message));
}

template <class T> T number(std::string_view text) {
  const HostArray value = interpret(Graph::make({}, {parse_expression(text, {}).value}), {}).at(0);
  INFO(text);
  REQUIRE(value.dtype == dtype_of<T>);
  T result;
  std::memcpy(&result, value.bytes.data(), sizeof result);
  return result;
}

}  // namespace

TEST_CASE("operators bind as in Python", "[expression]") {
  same("a + b * 2", a() + b() * 2);
  same("(a + b) * 2", (a() + b()) * 2);
  same("a - b - 1", (a() - b()) - 1);
  same("-a ** 2", -pow(a(), 2));
  same("b ** -2", pow(b(), -2));
  same("b ** a ** 2", pow(b(), pow(a(), 2)));
  same("-a / 2", (-a()) / 2);
  same("a // 2 % 3", floordiv(a(), 2) % 3);
  same("a % 2 * 3", (a() % 2) * 3);
  same("a // 2 * 3", floordiv(a(), 2) * 3);
  same("b / 2 * a", (b() / 2) * a());
  same("b - a % 4", b() - (a() % 4));
  same("a | 1 & mask", a() | (1 & mask()));
  same("a >> 1 + 1 & 3", (a() >> 2) & 3);
  same("1 | a == 3", eq(1 | a(), 3));
  same("a & 3 | 4 << 1", (a() & 3) | 8);
  same("a > 1", a() > 1);
  same("(a > 1) & ~(b < 2)", (a() > 1) & ~(b() < 2));
  same("a + 1 > b * 2", (a() + 1) > (b() * 2));
  same("a << 1 + 1", a() << 2);
}

TEST_CASE("numbers of the text stay weak", "[expression]") {
  same("b * (2 * 3)", b() * 6);
  same("a * (2 * 3)", a() * 6);
  same("b / (1 / 2)", b() / 0.5);
  same("a // (7 // 2)", floordiv(a(), 3));
  same("b * sqrt(4)", b() * 2.0);
  same("b + -1", b() + -1);
  CHECK(number<int64_t>("2 ** 10 - 0x10 + 1_000") == 2008);
  CHECK(number<double>("1 / 2 + 1.5e1") == 15.5);
  CHECK(number<double>("2 ** -1") == 0.5);
  CHECK(number<double>("cos(0) + pi * 0 + .5") == 1.5);
  CHECK(number<int64_t>("-7 // 2") == -4);
  CHECK(number<int64_t>("-7 % 3") == 2);
  CHECK(number<bool>("2 > 1"));
  CHECK(std::isinf(number<double>("1e999")));
}

TEST_CASE("calls, methods and prefixes mean the builders", "[expression]") {
  same("exp(-b / 2)", exp((-b()) / 2));
  same("np.exp(b)", exp(b()));
  same("numpy.arctan2(b, 2)", atan2(b(), 2));
  same("mean(a, \"t\")", mean(a(), "t"));
  same("a.mean('t')", mean(a(), "t"));
  same("np.log(b) - b.mean(\"t\")", log(b()) - mean(b(), "t"));
  same("mean(a, axis=-1, keepdims=True)", mean(a(), -1, {.keepdims = true}));
  same("a.mean(axis=('x', 1))", mean(a(), {"x", 1}));
  same("std(a, 't', ddof=1)", voxloom::std(a(), "t", {.ddof = 1}));
  same("sum(b, dtype=float64)", sum(b(), {}, {.dtype = DType::f64}));
  same("sum(b, dtype='f64')", sum(b(), {}, {.dtype = DType::f64}));
  same("a.astype(\"float32\").T", transpose(cast(a(), DType::f32)));
  same("float32(a)", cast(a(), DType::f32));
  same("where(mask > 0, b, 0)", where(mask() > 0, b(), 0));
  same("clip(b, 0, 1)", clip(b(), 0, 1));
  same("b.clip(min=0)", maximum(b(), 0));
  same("round(b, 2)", round(b(), 2));
  same("nan_to_num(b, nan=1)", nan_to_num(b(), 1));
  same("flip(b, 'x')", flip(b(), "x"));
  same("concatenate((a, b), axis='t')", concatenate({a(), b()}, "t"));
  same("ptp(b, 't')", ptp(b(), "t"));
  same("np.dot(2, b)", dot(2, b()));
  same("matmul(b, swapaxes(b, 2, 3))", matmul(b(), swapaxes(b(), 2, 3)));
  same("outer(b[0, 0, 0], b[0, 0, 0] > 1)", outer(index(b(), {0, 0, 0}), index(b(), {0, 0, 0}) > 1));
  same("(a - mean(a, \"t\")) / std(a, \"t\")", (a() - mean(a(), "t")) / voxloom::std(a(), "t"));
  CHECK(text_of(parse_expression("var(a, 't')", images(), {.ddof = 1}).value) == text_of(var(a(), "t", {.ddof = 1})));
}

TEST_CASE("indexing is NumPy's basic indexing", "[expression]") {
  same("a[..., 0]", index(a(), {ellipsis, 0}));
  same("a[1:-1, ::2]", index(a(), {Slice{1, -1}, Slice{{}, {}, 2}}));
  same("a[:, :, -1]", index(a(), {Slice{}, Slice{}, -1}));
  same("a[::-1]", index(a(), {Slice{{}, {}, -1}}));
  same("mask[..., None]", index(mask(), {ellipsis, newaxis}));
  same("mask[..., np.newaxis]", index(mask(), {ellipsis, newaxis}));
  same("(a + b)[..., 2 - 1]", index(a() + b(), {ellipsis, 1}));
  same("exp(-((a[..., 0] - a[..., 1]) / 50)**2)", exp(-pow((index(a(), {ellipsis, 0}) - index(a(), {ellipsis, 1})) / 50, 2)));
}

TEST_CASE("images win over names of the language and are counted", "[expression]") {
  const std::vector<NamedExpr> list = {{"e", fscalar("e")}, {"mean", fscalar("mean")}, {"np", fscalar("np")}};
  const ParsedExpression p = parse_expression("e + mean + mean(np, None)", list);
  CHECK(p.used == std::vector<bool>{true, true, true});
  CHECK(parse_expression("a", images()).used == std::vector<bool>{true, false, false});
}

TEST_CASE("bad expressions name the column and what to write", "[expression]") {
  refused("a + meen(a)", "expression: column 5: unknown function 'meen' (did you mean mean?)");
  refused("a + c", "column 5: unknown name 'c' (images here: a, b, mask)");
  refused("a + maks", "unknown name 'maks' (did you mean mask?)");
  refused("a ^ 2", "column 3: '^' is not a power here: write ** for powers");
  refused("a > 1 && b > 2", "column 7: '&&' is written & here");
  refused("a > 1 || b > 2", "'||' is written | here");
  refused("!a", "column 1: '!' is written ~ here");
  refused("a > 1 and b > 2", "column 7: 'and' is written & here");
  refused("not a", "'not' is written ~ here");
  refused("1 if a else 2", "where(c, x, y)");
  refused("0 < a < 1", "column 7: comparisons cannot be chained");
  refused("a > 1 & a < 2", "comparisons cannot be chained");
  refused("a > 1 & b > 2", "column 7: bit_and: float32 is not supported (booleans, integers are); & and | bind tighter than comparisons");
  refused("a @ b", "'@' (matrix product)");
  refused("a = 2", "'=' compares as == here");
  refused("2a", "column 2: a number is followed by 'a'; write * to multiply");
  refused("2(a)", "is not a function; write * to multiply");
  refused("", "the expression is empty");
  refused("a +", "column 4: the expression ends where a value is expected");
  refused("(a + b", "expected ')' for the '(' at column 1, found the end of the expression");
  refused("a b", "column 3: expected an operator, found 'b'");
  refused("a)", "column 2: expected an operator, found ')'");
  refused("exp", "column 1: 'exp' is a function: write exp(...)");
  refused("a.mean", "'mean' is a method: write .mean()");
  refused("a.nothing", "unknown attribute 'nothing'");
  refused("exp()", "exp: argument 'x' is missing");
  refused("exp(a, b)", "exp: takes 1 argument by position, not 2");
  refused("mean(a, axes='t')", "mean: unknown argument 'axes' (did you mean axis?)");
  refused("mean(a, 't', axis='t')", "given by position and by name");
  refused("mean(a, axis=b)", "an axis is a number or a name such as \"t\", not an expression");
  refused("mean(a, 'w')", "column 1: mean");
  refused("a[mask]", "column 3: an image cannot be an index: write where(condition, x, 0)");
  refused("a[1.5]", "an index is an integer");
  refused("a[0, 0, 0, 0, 0]", "5 indices for an operand of rank 4");
  refused("a[..., 7]", "column 2: index: position 7 of axis 3, which has size 7");
  refused("a[::0]", "the step is 0");
  refused("a.astype('float3')", "unknown dtype 'float3'");
  refused("'t'", "the expression is the string 't'");
  refused("a + 't'", "'+' takes expressions and numbers, not the string 't'");
  refused("\"t", "a string without its closing quote");
  refused("a $ b", "unexpected character '$'");
  refused("a + \xC3\xA9", "unexpected character '\xC3\xA9'");
  refused("a + \x1b[31m", "\\x1b");
  refused("99999999999999999999", "does not fit 64 bits");
  refused("9223372036854775807 + 1", "does not fit 64 bits");
  refused("np.linalg.norm(a)", "column 4: unknown name 'linalg'");
  refused("a - b[1:]", "column 3: sub: ");
}

TEST_CASE("size and depth of expressions are bounded", "[expression]") {
  const auto repeat = [](std::string_view part, size_t n) {
    std::string text;
    for (size_t k = 0; k < n; ++k) text += part;
    return text;
  };
  refused(repeat("(", 300) + "a" + repeat(")", 300), "nested deeper than 256 levels");
  refused(repeat("-", 300) + "a", "nested deeper than 256 levels");
  refused(repeat("exp(", 300), "nested deeper than 256 levels");
  refused(repeat("a[", 300), "nested deeper than 256 levels");
  refused("a" + repeat("**a", 300), "nested deeper than 256 levels");
  refused(repeat("a+", 40000) + "a", "80001 bytes; at most 65536 are read");
  CHECK_NOTHROW(parse_expression(repeat("(", 250) + "a" + repeat(")", 250), images()));
  CHECK_NOTHROW(parse_expression(repeat("b+", 30000) + "b", images()));
}

TEST_CASE("damaged expressions are refused or accepted, never worse", "[expression]") {
  const std::string seeds[] = {"(a - mean(a, \"t\")) / std(a, \"t\")", "exp(-((a[..., 0] - a[..., 1]) / 50)**2)",
                               "where(mask[..., None] > 0x1F, b.T, nan)",
                               "np.clip(a, 1, 2e3) // 7 | ~(b > 1) & a.any(axis=(0, 'y'), keepdims=True)"};
  const std::string letters = "ab()[]{},.:'\"+-*/%<>=&|~!^ 0123456789ejxt_\n\t\\\x80\xff";
  uint64_t state = 12345;
  const auto random = [&](size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  int accepted = 0, refused_count = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seeds[random(std::size(seeds))];
    for (size_t edits = 1 + random(4); edits > 0; --edits) {
      const size_t at = random(text.size() + 1), kind = random(3);
      if (kind == 0) text.insert(at, 1, letters[random(letters.size())]);
      else if (kind == 1 && at < text.size()) text.erase(at, 1 + random(3));
      else if (at < text.size()) text[at] = letters[random(letters.size())];
    }
    try {
      parse_expression(text, images());
      ++accepted;
    } catch (const UserError& error) {
      ++refused_count;
      if (std::string_view(error.what()).find('\n') != std::string_view::npos) FAIL("two lines: " << error.what());
    }
  }
  CHECK(accepted > 100);
  CHECK(refused_count > 1000);
}

TEST_CASE("every listed function can be called", "[expression]") {
  for (const std::string& name : function_names()) {
    INFO(name);
    CHECK(is_function(name));
    CHECK_THAT(refusal(name + "()"), !Contains("unknown function"));
  }
}

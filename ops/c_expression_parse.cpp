// ops/c_expression_parse.cpp: recursive descent; every level of recursion passes through unary() or a ?:, which count the depth.
#include <voxloom/ops/c_lexer.h>

#include <voxloom/graph/lexer.h>
#include <voxloom/graph/nearest.h>

#include <algorithm>
#include <limits>
#include <numbers>
#include <optional>

namespace voxloom::ops {
namespace {

constexpr size_t longest_text = size_t{64} << 10;
constexpr int deepest = 256;

constexpr std::string_view keywords[] = {"auto",   "break",  "case",    "const", "continue", "default",  "do",     "else",   "enum",
                                         "extern", "for",    "goto",    "if",    "inline",   "register", "return", "sizeof", "static",
                                         "struct", "switch", "typedef", "union", "void",     "volatile", "while"};
constexpr std::string_view type_words[] = {"signed", "unsigned", "char", "short", "int", "long", "float", "double", "bool", "_Bool"};
struct NamedType {
  std::string_view name;
  DType dtype;
};
constexpr NamedType fixed_types[] = {
    {"int8_t", DType::i8},    {"int16_t", DType::i16},  {"int32_t", DType::i32},  {"int64_t", DType::i64}, {"uint8_t", DType::u8},
    {"uint16_t", DType::u16}, {"uint32_t", DType::u32}, {"uint64_t", DType::u64}, {"size_t", DType::u64},  {"ptrdiff_t", DType::i64},
};
struct NamedNumber {
  std::string_view name;
  double value;
};
constexpr NamedNumber named_numbers[] = {
    {"M_PI", std::numbers::pi},
    {"M_PI_2", std::numbers::pi / 2},
    {"M_PI_4", std::numbers::pi / 4},
    {"M_1_PI", std::numbers::inv_pi},
    {"M_E", std::numbers::e},
    {"M_LN2", std::numbers::ln2},
    {"M_LN10", std::numbers::ln10},
    {"M_LOG2E", std::numbers::log2e},
    {"M_LOG10E", std::numbers::log10e},
    {"M_SQRT2", std::numbers::sqrt2},
    {"M_SQRT1_2", std::numbers::sqrt2 / 2},
    {"INFINITY", std::numeric_limits<double>::infinity()},
    {"NAN", std::numeric_limits<double>::quiet_NaN()},
};

template <class T> bool among(const T& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}
template <class T> const auto* entry_of(const T& list, std::string_view name) {
  const auto found = std::find_if(std::begin(list), std::end(list), [&](const auto& entry) { return entry.name == name; });
  return found == std::end(list) ? nullptr : &*found;
}
bool is_type(std::string_view word) { return among(type_words, word) || entry_of(fixed_types, word) != nullptr; }

/// (unsigned long int) and the like; nothing for words that do not go together.
std::optional<DType> dtype_of_words(const std::vector<std::string_view>& words) {
  if (words.size() == 1)
    if (const NamedType* fixed = entry_of(fixed_types, words[0])) return fixed->dtype;
  const auto count = [&](std::string_view word) { return std::count(words.begin(), words.end(), word); };
  const auto all = static_cast<std::ptrdiff_t>(words.size());
  if (all == 1 && (count("bool") == 1 || count("_Bool") == 1)) return DType::boolean;
  if (all == 1 && count("float") == 1) return DType::f32;
  if (all == 1 && count("double") == 1) return DType::f64;
  const auto is_unsigned = count("unsigned"), is_signed = count("signed"), i = count("int"), l = count("long"), s = count("short"),
             c = count("char");
  const bool fits =
      is_unsigned + is_signed <= 1 && i <= 1 && l <= 2 && s <= 1 && c <= 1 && (c == 0 || i + l + s == 0) && (s == 0 || l == 0);
  if (!fits || is_unsigned + is_signed + i + l + s + c != all) return {};
  if (c == 1) return is_unsigned == 1 ? DType::u8 : DType::i8;
  if (s == 1) return is_unsigned == 1 ? DType::u16 : DType::i16;
  if (l > 0) return is_unsigned == 1 ? DType::u64 : DType::i64;
  return is_unsigned == 1 ? DType::u32 : DType::i32;
}

bool compares(int level) { return level == 6 || level == 7; }

class Parser {
 public:
  Parser(CExpression& result, bool open, OriginId origin) : result_(result), lexer_(result, origin), open_(open) {}

  void run() {
    if (next().kind == CToken::Kind::end) fail(1, "the expression is empty");
    conditional();
    if (at(",")) fail(next().column, "',': an expression is one value");
    if (next().kind != CToken::Kind::end) fail(next().column, "expected an operator, found " + found());
  }

 private:
  [[noreturn]] void fail(int column, const std::string& message) const { lexer_.fail(column, message); }
  const CToken& next() const { return lexer_.token(); }
  bool at(std::string_view symbol) const { return lexer_.at(symbol); }
  bool accept(std::string_view symbol) { return lexer_.accept(symbol); }
  void advance() { lexer_.advance(); }
  std::string found() const { return lexer_.found(); }

  // ---- grammar: each gives the number of its step ----

  size_t add(CStep step) {
    result_.steps.push_back(step);
    return result_.steps.size() - 1;
  }
  size_t call(const CFunction* function, int column, std::array<size_t, 3> operands) {
    return add({.kind = CStep::Kind::call, .column = column, .function = function, .operands = operands});
  }

  size_t conditional() {
    const size_t condition = binary(1);
    const int column = next().column;
    if (!accept("?")) return condition;
    const DepthGuard guard(*this);
    const size_t yes = conditional();
    if (!at(":")) fail(next().column, "expected ':' for the '?' at column " + std::to_string(column) + ", found " + found());
    advance();
    const size_t no = conditional();
    return call(c_operator("?:", 3), column, {condition, yes, no});
  }

  /// Operators of at least this level, from the left.
  size_t binary(int level) {
    size_t left = unary();
    int before = 0;
    while (next().kind == CToken::Kind::symbol) {
      const CToken symbol = next();
      const int own = c_precedence(symbol.text);
      if (own == 0 || own < level) break;
      if (compares(own) && before == own) fail(symbol.column, "comparisons are not chained: write (a < b) && (b < c)");
      advance();
      const size_t right = binary(own + 1);
      left = call(c_operator(symbol.text, 2), symbol.column, {left, right});
      before = own;
    }
    return left;
  }

  size_t unary() {
    const DepthGuard guard(*this);
    const CToken token = next();
    for (const std::string_view symbol : {"-", "+", "!", "~"})
      if (accept(symbol)) return call(c_operator(symbol, 1), token.column, {unary()});
    return primary();
  }

  size_t primary() {
    const CToken token = next();
    if (token.kind == CToken::Kind::end) fail(token.column, "the text ends where a value is expected");
    if (accept("(")) return parenthesised(token.column);
    if (token.kind == CToken::Kind::symbol) fail(token.column, "expected a value, found " + found());
    advance();
    if (token.kind == CToken::Kind::name) return at("(") ? function(token) : name(token);
    if (at("(")) fail(next().column, "a number is no function; write * to multiply");
    if (next().kind != CToken::Kind::end && next().kind != CToken::Kind::symbol)
      fail(next().column, "expected an operator, found " + found());
    const bool real = token.kind == CToken::Kind::real;
    return add(
        {.kind = real ? CStep::Kind::real : CStep::Kind::integer, .column = token.column, .integer = token.integer, .real = token.real});
  }

  size_t parenthesised(int column) {
    std::vector<std::string_view> words;
    const int type_column = next().column;
    while (next().kind == CToken::Kind::name && is_type(next().text)) {
      words.push_back(next().text);
      advance();
    }
    const size_t inside = words.empty() ? conditional() : 0;
    if (at("*") && !words.empty()) fail(next().column, "there are no pointers here");
    if (!accept(")")) fail(next().column, "expected ')' for the '(' at column " + std::to_string(column) + ", found " + found());
    if (words.empty()) return inside;
    const auto dtype = dtype_of_words(words);
    if (!dtype) fail(type_column, "there is no such type");
    return add({.kind = CStep::Kind::cast, .column = column, .dtype = *dtype, .operands = {unary()}});
  }

  size_t name(const CToken& token) {
    const auto& names = result_.names;
    const auto value = std::find(names.begin(), names.end(), token.text);
    if (value == names.end()) {
      if (token.text == "true" || token.text == "false")
        return add({.kind = CStep::Kind::truth, .column = token.column, .integer = token.text == "true" ? 1 : 0});
      if (const NamedNumber* number = entry_of(named_numbers, token.text))
        return add({.kind = CStep::Kind::real, .column = token.column, .real = number->value});
      if (is_type(token.text))
        fail(token.column, "'" + std::string(token.text) + "' is a type; a cast is written (" + std::string(token.text) + ")x");
      if (c_function(token.text) != nullptr)
        fail(token.column, "'" + std::string(token.text) + "' is a function: write " + std::string(token.text) + "(...)");
      if (among(keywords, token.text)) fail(token.column, "'" + std::string(token.text) + "': this is one expression, without statements");
      if (!open_) fail(token.column, unknown("name", token.text, names));
    }
    const auto place = static_cast<int64_t>(value - names.begin());
    if (value == names.end()) result_.names.emplace_back(token.text);
    return add({.kind = CStep::Kind::name, .column = token.column, .integer = place});
  }

  static std::string unknown(const char* what, std::string_view text, std::span<const std::string> names) {
    std::string message = std::string("unknown ") + what + " '" + c_excerpt(text) + "'";
    const std::string guess = did_you_mean(text, names);
    if (!guess.empty() || std::string_view(what) == "function") return message + guess;
    for (size_t k = 0; k < names.size(); ++k) message += (k == 0 ? " (names here: " : ", ") + names[k];
    return message + (names.empty() ? "" : ")");
  }

  size_t function(const CToken& token) {
    const CFunction* const found_function = c_function(token.text);
    if (found_function == nullptr) {
      if (among(result_.names, token.text)) fail(next().column, "'" + c_excerpt(token.text) + "' is no function; write * to multiply");
      if (is_type(token.text)) fail(token.column, "a cast is written (" + std::string(token.text) + ")x");
      if (among(keywords, token.text)) fail(token.column, "'" + std::string(token.text) + "': this is one expression, without statements");
      fail(token.column, unknown("function", token.text, c_function_names()));
    }
    advance();
    std::array<size_t, 3> operands = {};
    int count = 0;
    if (!at(")")) {
      do {
        const size_t operand = conditional();
        if (count < 3) operands[static_cast<size_t>(count)] = operand;
        ++count;
      } while (accept(","));
    }
    if (!accept(")")) fail(next().column, "expected ',' or ')' in the call of " + std::string(token.text) + ", found " + found());
    if (count != found_function->arity)
      fail(token.column,
           std::string(token.text) + " takes " + std::to_string(found_function->arity) + " arguments, not " + std::to_string(count));
    return call(found_function, token.column, operands);
  }

  struct DepthGuard {
    explicit DepthGuard(Parser& p) : parser(p) {
      if (++parser.depth_ > deepest) parser.fail(parser.next().column, "nested deeper than " + std::to_string(deepest) + " levels");
    }
    ~DepthGuard() { --parser.depth_; }
    Parser& parser;
  };

  CExpression& result_;
  CLexer lexer_;
  const bool open_;
  int depth_ = 0;
};

}  // namespace

bool CExpression::uses(size_t name) const {
  return std::any_of(steps.begin(), steps.end(),
                     [&](const CStep& step) { return step.kind == CStep::Kind::name && static_cast<size_t>(step.integer) == name; });
}

bool CExpression::is_zero() const {
  return steps.size() == 1 && steps[0].kind != CStep::Kind::name && steps[0].integer == 0 && steps[0].real == 0;
}

void CExpression::fail_at(int column, const std::string& message, OriginId origin, ErrorCode code) const {
  constexpr size_t shown = 60;
  const auto at = static_cast<size_t>(column - 1);
  size_t begin = text.size() <= shown || at < shown / 2 ? 0 : std::min(at - shown / 2, text.size() - shown);
  size_t end = std::min(begin + shown, text.size());
  const auto inside_character = [&](size_t k) { return k > 0 && k < text.size() && (static_cast<unsigned char>(text[k]) & 0xC0) == 0x80; };
  for (int k = 0; k < 3 && inside_character(begin); ++k) --begin;
  for (int k = 0; k < 3 && inside_character(end); ++k) ++end;
  const std::string excerpt = (begin > 0 ? "..." : "") + text.substr(begin, end - begin) + (end < text.size() ? "..." : "");
  fail_user(code, op, "column " + std::to_string(column) + " of " + quoted(excerpt) + ": " + message, origin);
}

CExpression parse_c_expression(std::string op, std::string text, std::vector<std::string> names, bool open, OriginId origin) {
  CExpression result{std::move(op), std::move(text), std::move(names), {}};
  if (result.text.size() > longest_text)
    fail_user(ErrorCode::usage, result.op,
              "an expression of " + std::to_string(result.text.size()) + " bytes; at most " + std::to_string(longest_text) + " are read",
              origin);
  Parser(result, open, origin).run();
  return result;
}

bool is_c_value_name(std::string_view name) {
  if (name.size() > 100 || !is_c_identifier(name)) return false;
  return name != "true" && name != "false" && !is_type(name) && !among(keywords, name) && c_function(name) == nullptr &&
         entry_of(named_numbers, name) == nullptr;
}

}  // namespace voxloom::ops

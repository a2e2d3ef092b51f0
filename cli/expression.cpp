// cli/expression.cpp: recursive descent over the tokens; every level of recursion passes through unary(), which counts the depth.
#include <voxloom/cli/expression.h>

#include <voxloom/cli/functions.h>
#include <voxloom/cli/lexer.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/io/diagnostics.h>

#include <array>
#include <complex>
#include <limits>
#include <numbers>

namespace voxloom::cli {
namespace {

struct Binary {
  std::string_view symbol;
  int level;  ///< higher binds tighter; 0 are the comparisons
  const char* row;
};
constexpr Binary binaries[] = {
    {"==", 0, "eq"},    {"!=", 0, "ne"},     {"<", 0, "lt"},        {"<=", 0, "le"},  {">", 0, "gt"},  {">=", 0, "ge"},
    {"|", 1, "bit_or"}, {"&", 2, "bit_and"}, {"<<", 3, "shl"},      {">>", 3, "shr"}, {"+", 4, "add"}, {"-", 4, "sub"},
    {"*", 5, "mul"},    {"/", 5, "div"},     {"//", 5, "floordiv"}, {"%", 5, "mod"},
};

constexpr std::string_view python_words[][2] = {
    {"and", "'and' is written & here, with each comparison in parentheses: (a > 1) & (b < 2)"},
    {"or", "'or' is written | here, with each comparison in parentheses: (a > 1) | (b < 2)"},
    {"not", "'not' is written ~ here: ~(a > 1)"},
    {"if", "'x if c else y' is written where(c, x, y) here"},
    {"else", "'x if c else y' is written where(c, x, y) here"},
    {"is", "'is' is written == here"},
    {"in", "'in' is not part of the expression language"},
    {"lambda", "'lambda' is not part of the expression language"},
    {"for", "'for' is not part of the expression language: operations take whole images"},
};

class Parser {
 public:
  Parser(std::string_view text, std::span<const NamedExpr> images, const ExpressionOptions& options)
      : lexer_(text), images_(images), options_(options), used_(images.size(), false) {}

  ParsedExpression run() {
    if (lexer_.peek().kind == Token::Kind::end) fail_at(1, "the expression is empty");
    const Value value = expression();
    if (lexer_.peek().kind != Token::Kind::end) {
      refuse_words();
      fail_at(lexer_.peek().column, lexer_.at("=") ? "'=' compares as == here; names are given to images on the command line (a=file.nii)"
                                                   : "expected an operator, found " + lexer_.found());
    }
    refuse_dtype(value);
    if (value.kind != Value::Kind::operand)
      fail_at(value.column, "the expression is " + value.describe() + ", not a value that can be computed");
    // A host number at the end is shown with all its digits.
    const Operand& operand = *value.operand;
    const bool real = operand.weak() == Operand::Weak::real, complex = operand.weak() == Operand::Weak::complex;
    return {real ? operand.as_expr(DType::f64) : complex ? operand.as_expr(DType::c128) : operand.as_expr(), used_};
  }

 private:
  Value expression() { return binary(0, false); }

  const Binary* operator_at(int level) const {
    if (lexer_.peek().kind != Token::Kind::symbol) return nullptr;
    for (const Binary& b : binaries) {
      if (b.symbol == lexer_.peek().text) return b.level >= level ? &b : nullptr;
    }
    return nullptr;
  }

  /// Precedence climbing: operators of at least this level, from the left. `inside`: this is the right side of a comparison.
  Value binary(int level, bool inside) {
    Value left = unary();
    bool compared = false;
    while (const Binary* found = operator_at(level)) {
      const int column = lexer_.next().column;
      if (found->level == 0 && compared)
        fail_at(column, "comparisons cannot be chained, and & and | bind tighter than they do: write (x < y) & (y < z)");
      compared = compared || found->level == 0;
      const Value right = binary(found->level + 1, inside || found->level == 0);
      const Binary* after = operator_at(0);
      const bool hint = (found->symbol == "&" || found->symbol == "|") && (inside || (after && after->level == 0));
      left = combine(op(found->row), {left, right}, column, found->symbol,
                     hint ? "; & and | bind tighter than comparisons, which need parentheses" : "");
    }
    refuse_words();
    return left;
  }

  void refuse_words() const {
    if (lexer_.peek().kind != Token::Kind::name) return;
    for (const auto& [word, answer] : python_words) {
      if (lexer_.peek().text == word && !image_named(word)) fail_at(lexer_.peek().column, std::string(answer));
    }
  }

  Value unary() {
    const DepthGuard guard(*this);
    const Token token = lexer_.peek();
    if (lexer_.accept("-")) return combine(op("neg"), {unary()}, token.column, "-");
    if (lexer_.accept("+")) return combine(op("identity"), {unary()}, token.column, "+");
    if (lexer_.accept("~")) return combine(op("bit_not"), {unary()}, token.column, "~");
    refuse_words();
    Value base = postfix();
    const int column = lexer_.peek().column;
    // Binds tighter than a sign on its left, looser than one on its right: -a**-b is -(a**(-b)).
    if (lexer_.accept("**")) return combine(op("pow"), {base, unary()}, column, "**");
    return base;
  }

  Value postfix() {
    Value value = primary();
    while (true) {
      if (lexer_.at("[")) value = indexed(std::move(value));
      else if (lexer_.at(".")) value = member(std::move(value));
      else if (lexer_.at("(")) fail_at(lexer_.peek().column, value.describe() + " is not a function; write * to multiply");
      else return value;
    }
  }

  Value primary() {
    const Token token = lexer_.next();
    const OriginId origin = origin_of_text("expression", token.column);
    switch (token.kind) {
      case Token::Kind::integer: return Value::of(Operand(token.integer, origin), token.column);
      case Token::Kind::real: return Value::of(Operand(token.real, origin), token.column);
      case Token::Kind::imaginary: return Value::of(Operand(std::complex<double>(0, token.real)), token.column);
      case Token::Kind::text: return {.kind = Value::Kind::text, .column = token.column, .text = std::string(token.text)};
      case Token::Kind::name: return name(token);
      case Token::Kind::symbol:
        if (token.text == "(") return parenthesised(token.column);
        if (token.text == "[") return {.kind = Value::Kind::list, .column = token.column, .list = values_until("]")};
        if (token.text == "...") return {.kind = Value::Kind::ellipsis, .column = token.column};
        fail_at(token.column, "expected a value, found '" + std::string(token.text) + "'");
      case Token::Kind::end: break;
    }
    fail_at(token.column, "the expression ends where a value is expected");
  }

  Value parenthesised(int column) {
    if (lexer_.accept(")")) return {.kind = Value::Kind::list, .column = column};
    Value first = expression();
    if (lexer_.accept(")")) return first;
    if (!lexer_.at(","))
      fail_at(lexer_.peek().column, "expected ')' for the '(' at column " + std::to_string(column) + ", found " + lexer_.found());
    lexer_.next();
    Value tuple{.kind = Value::Kind::list, .column = column, .list = values_until(")")};
    tuple.list.insert(tuple.list.begin(), std::move(first));
    return tuple;
  }

  std::vector<Value> values_until(std::string_view close) {
    std::vector<Value> list;
    while (!lexer_.accept(close)) {
      list.push_back(expression());
      if (!lexer_.at(close)) lexer_.expect(",", "or '" + std::string(close) + "'");
    }
    return list;
  }

  const NamedExpr* image_named(std::string_view name) const {
    for (const NamedExpr& image : images_) {
      if (image.name == name) return &image;
    }
    return nullptr;
  }

  Value name(const Token& token) {
    if (const NamedExpr* image = image_named(token.text)) {
      // A word that calls is a function, whatever images are called.
      if (!(lexer_.at("(") && is_function(token.text))) {
        used_[static_cast<size_t>(image - images_.data())] = true;
        return Value::of(Operand(image->expr, origin_of_text("expression", token.column)), token.column);
      }
    }
    if ((token.text == "np" || token.text == "numpy") && lexer_.at(".")) {
      lexer_.next();
      const Token member = lexer_.next();
      if (member.kind != Token::Kind::name) fail_at(member.column, "a name is expected after 'np.'");
      return word(member);
    }
    return word(token);
  }

  /// A name of the language: a call, a constant or a dtype.
  Value word(const Token& token) {
    const std::string_view text = token.text;
    if (lexer_.at("(")) return call(Call(std::string(text), token.column, options_));
    const OriginId origin = origin_of_text("expression", token.column);
    const auto number = [&](double value) { return Value::of(Operand(value, origin), token.column); };
    if (text == "pi") return number(std::numbers::pi);
    if (text == "e") return number(std::numbers::e);
    if (text == "nan" || text == "NaN") return number(std::numeric_limits<double>::quiet_NaN());
    if (text == "inf" || text == "Inf") return number(std::numeric_limits<double>::infinity());
    if (text == "None" || text == "newaxis") return {.kind = Value::Kind::none, .column = token.column};
    if (text == "Ellipsis") return {.kind = Value::Kind::ellipsis, .column = token.column};
    if (text == "True" || text == "False") {
      Value value = Value::of(Operand(text == "True", origin), token.column);
      value.truth = text == "True";
      return value;
    }
    if (const auto dtype = dtype_word(text))
      return {.kind = Value::Kind::dtype, .column = token.column, .text = unknown_name(text), .dtype = *dtype};
    if (is_function(text)) fail_at(token.column, "'" + std::string(text) + "' is a function: write " + std::string(text) + "(...)");
    fail_at(token.column, unknown_name(text));
  }

  std::string unknown_name(std::string_view text) const {
    std::vector<std::string> names = function_names();
    std::string images;
    for (const NamedExpr& image : images_) {
      names.push_back(image.name);
      images += (images.empty() ? "" : ", ") + image.name;
    }
    const std::string guess = dtype_word(text) ? std::string() : did_you_mean(text, names);
    return "unknown name '" + std::string(text) + "'" +
           (!guess.empty()   ? guess
            : images.empty() ? " (no image is given)"
                             : " (images here: " + images + ")");
  }

  /// Arguments after '('.
  Value call(Call call) {
    lexer_.expect("(", "");
    while (!lexer_.accept(")")) {
      Value value = argument(call);
      if (value.column > 0) call.add(std::move(value));
      if (!lexer_.at(")")) lexer_.expect(",", "or ')' in the call of " + call.function());
    }
    return guarded(call.column(), [&] { return call_function(call); });
  }

  /// A positional argument, or a value of column 0 after a keyword's was added.
  Value argument(Call& call) {
    if (lexer_.peek().kind == Token::Kind::name) {
      const Lexer before = lexer_;
      const Token keyword = lexer_.next();
      if (lexer_.accept("=")) {
        call.add(std::string(keyword.text), expression());
        return {.column = 0};
      }
      lexer_ = before;
    }
    return expression();
  }

  /// x.mean("t"), x.T
  Value member(Value object) {
    lexer_.next();
    const Token token = lexer_.next();
    if (token.kind != Token::Kind::name) fail_at(token.column, "the name of a method is expected after '.'");
    refuse_dtype(object);
    if (object.kind != Value::Kind::operand) fail_at(token.column, object.describe() + " has no methods");
    if (lexer_.at("(")) {
      Call method(std::string(token.text), token.column, options_);
      method.add(std::move(object));
      return call(std::move(method));
    }
    if (token.text == "T")
      return guarded(token.column, [&] { return Value::of(Operand(transpose(*object.operand), object.operand->origin()), token.column); });
    if (token.text == "real" || token.text == "imag")
      return combine(op(token.text == "real" ? "real" : "imag"), {object}, token.column, token.text);
    if (is_function(token.text))
      fail_at(token.column, "'" + std::string(token.text) + "' is a method: write ." + std::string(token.text) + "()");
    fail_at(token.column, "unknown attribute '" + std::string(token.text) + "'" + did_you_mean(token.text, function_names()));
  }

  Value indexed(Value object) {
    const int column = lexer_.next().column;
    refuse_dtype(object);
    if (object.kind != Value::Kind::operand || object.operand->is_weak()) fail_at(column, object.describe() + " cannot be indexed");
    std::vector<IndexItem> items;
    while (!lexer_.accept("]")) {
      items.push_back(index_item());
      if (!lexer_.at("]")) lexer_.expect(",", "or ']'");
    }
    if (items.empty()) fail_at(column, "an empty index");
    const Operand base(object.operand->expr(), origin_of_text("expression", column));
    return guarded(column, [&] { return Value::of(Operand(index(base, items), base.origin()), column); });
  }

  IndexItem index_item() {
    std::array<std::optional<int64_t>, 3> parts;
    size_t colons = 0;
    while (true) {
      if (!lexer_.at(":") && !lexer_.at(",") && !lexer_.at("]")) {
        const Value value = expression();
        const bool alone = colons == 0 && !lexer_.at(":");
        if (alone && value.kind == Value::Kind::ellipsis) return ellipsis;
        if (alone && value.kind == Value::Kind::none) return newaxis;
        if (value.is_integer()) {
          if (alone) return IndexItem(value.operand->integer());
          parts[colons] = value.operand->integer();
        } else if (value.kind != Value::Kind::none) {
          fail_at(value.column, alone && value.kind == Value::Kind::operand && !value.is_number()
                                    ? "an image cannot be an index: write where(condition, x, 0) to keep the shape"
                                    : "an index is an integer, a slice, '...' or None, not " + value.describe());
        }
      }
      if (!lexer_.at(":")) break;
      if (++colons == parts.size()) fail_at(lexer_.peek().column, "a slice has at most three parts");
      lexer_.next();
    }
    if (colons == 0) fail_at(lexer_.peek().column, "expected an index, found " + lexer_.found());
    return Slice{parts[0], parts[1], parts[2]};
  }

  Value combine(const OpInfo& row, std::initializer_list<Value> values, int column, std::string_view symbol, std::string_view hint = {}) {
    std::vector<Operand> operands;
    for (const Value& value : values) {
      refuse_dtype(value);
      if (value.kind != Value::Kind::operand)
        fail_at(value.column, "'" + std::string(symbol) + "' takes expressions and numbers, not " + value.describe());
      operands.push_back(*value.operand);
    }
    return guarded(column, [&] { return apply_row(row, operands, column); }, hint);
  }

  /// Errors of the builders get the column, and those of dtypes the hint; the number of nodes is bounded.
  template <class Make> Value guarded(int column, Make&& make, std::string_view hint = {}) {
    try {
      Value value = make();
      if (value.kind == Value::Kind::operand && !value.operand->is_weak()) {
        const uint64_t id = value.operand->expr()->id();
        if (first_id_ == 0) first_id_ = id;
        if (id > first_id_ && id - first_id_ > static_cast<uint64_t>(most_nodes))
          fail_at(column, "more than " + std::to_string(most_nodes) + " operations");
      }
      return value;
    } catch (const UserError& error) {
      if (error.op() == "expression") throw;
      std::string text = error.what();
      if (const size_t end = text.rfind(" [at "); end != std::string::npos) text.resize(end);
      if (error.code() == ErrorCode::dtype) text += hint;
      fail_user(error.code(), "expression", "column " + std::to_string(column) + ": " + io::escape_text(text));
    }
  }

  struct DepthGuard {
    explicit DepthGuard(Parser& p) : parser(p) {
      if (++parser.depth_ > deepest_expression)
        fail_at(parser.lexer_.peek().column, "nested deeper than " + std::to_string(deepest_expression) + " levels");
    }
    ~DepthGuard() { --parser.depth_; }
    Parser& parser;
  };

  Lexer lexer_;
  std::span<const NamedExpr> images_;
  const ExpressionOptions& options_;
  std::vector<bool> used_;
  int depth_ = 0;
  uint64_t first_id_ = 0;
};

}  // namespace

const OpInfo* operator_row(std::string_view symbol) {
  if (symbol == "**") return &op("pow");
  if (symbol == "~") return &op("bit_not");
  for (const Binary& b : binaries) {
    if (b.symbol == symbol) return &op(b.row);
  }
  return nullptr;
}

ParsedExpression parse_expression(std::string_view text, std::span<const NamedExpr> images, const ExpressionOptions& options) {
  if (text.size() > longest_expression)
    fail_user(ErrorCode::usage, "expression",
              std::to_string(text.size()) + " bytes; at most " + std::to_string(longest_expression) + " are read");
  return Parser(text, images, options).run();
}

}  // namespace voxloom::cli

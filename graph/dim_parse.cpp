// graph/dim_parse.cpp: reads what Dim::str() and Type::str() write.
#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>

#include <charconv>

namespace voxloom {
namespace {

constexpr int max_nesting = 100;

class DimParser {
 public:
  explicit DimParser(Lexer& lexer) : lexer_(lexer) {}

  Dim sum(int depth) {
    if (depth > max_nesting) lexer_.fail("a size expression is nested more than 100 levels deep");
    Dim result = term(depth, lexer_.peek() == '-');
    while (lexer_.peek() == '+' || lexer_.peek() == '-') {
      if (lexer_.take('+')) {
        result = result + term(depth, false);
      } else {
        result = result + term(depth, true);
      }
    }
    return result;
  }

 private:
  // With `negated` the sign is still in the text: "-9223372036854775808" has no positive counterpart.
  Dim term(int depth, bool negated) {
    Dim result = 1;
    if (negated) {
      lexer_.take('-');
      const char next = lexer_.peek();
      result = next >= '0' && next <= '9' ? negative_integer() : Dim(-1) * factor(depth);
    } else {
      result = factor(depth);
    }
    while (lexer_.take('*')) result = result * factor(depth);
    return result;
  }

  Dim negative_integer() {
    const size_t start = lexer_.position();
    const std::string text = "-" + std::string(lexer_.digits());
    int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
      lexer_.fail_at(start, "the integer does not fit 64 bits");
    return value;
  }

  Dim factor(int depth) {
    const char c = lexer_.peek();
    if (c >= '0' && c <= '9') return lexer_.integer();
    if (c == '"') return Dim::symbol(lexer_.string());
    if (lexer_.take('#')) return Dim::symbol("#" + std::string(lexer_.digits()));
    if (lexer_.take('(')) {
      const Dim inner = sum(depth + 1);
      lexer_.expect(')');
      return inner;
    }
    const size_t start = lexer_.position();
    const std::string name(lexer_.identifier());
    return lexer_.peek() == '(' ? call(name, start, depth) : Dim::symbol(name);
  }

  Dim call(const std::string& name, size_t start, int depth) {
    if (name != "max" && name != "min" && name != "floor_div") lexer_.fail_at(start, "unknown function of sizes " + quoted(name));
    lexer_.expect('(');
    Dim result = sum(depth + 1);
    int count = 1;
    while (lexer_.take(',')) {
      const Dim next = sum(depth + 1);
      result = name == "max" ? max(result, next) : name == "min" ? min(result, next) : floor_div(result, next);
      ++count;
    }
    lexer_.expect(')');
    if (count < 2 || (name == "floor_div" && count != 2)) lexer_.fail_at(start, name + " takes two sizes");
    return result;
  }

  Lexer& lexer_;
};

}  // namespace

Dim parse_dim(Lexer& lexer) { return DimParser(lexer).sum(0); }

Dim Dim::parse(std::string_view text) {
  Lexer lexer(text, "dim");
  const Dim result = parse_dim(lexer);
  if (!lexer.at_end()) lexer.fail("expected the end of the size expression");
  return result;
}

Type parse_type(Lexer& lexer) {
  Type type;
  const size_t start = (lexer.skip_blanks(), lexer.position());
  const std::string_view dtype = lexer.identifier();
  const auto known = dtype_from_name(dtype);
  if (!known) lexer.fail_at(start, "unknown dtype " + quoted(dtype));
  type.dtype = *known;
  lexer.expect('[');
  bool any_name = false;
  while (lexer.peek() != ']') {
    if (!type.shape.empty()) lexer.expect(',');
    if (type.rank() == max_rank) lexer.fail("more than 8 axes");
    // A name is told from a size by the colon behind it, so the first word is read as either.
    Dim size = 0;
    std::string name;
    bool named = lexer.take(':');
    if (!named) {
      Lexer ahead = lexer;
      if (ahead.next_is_identifier() || ahead.peek() == '"') {
        name = ahead.identifier_or_string();
        named = ahead.take(':');
        if (named) lexer = ahead;
      }
    }
    if (!type.shape.empty() && named != any_name) lexer.fail("either all axes carry a name (\":\" alone for none) or no axis does");
    any_name = named;
    size = parse_dim(lexer);
    type.shape.push_back(size);
    if (named) type.names.push_back(name);
  }
  lexer.expect(']');
  if (lexer.take_word("F")) type.order = Order::F;
  return type;
}

}  // namespace voxloom

// ops/c_lexer.cpp: numbers, names and operators of C expressions, with their columns.
#include <voxloom/ops/c_lexer.h>

#include <voxloom/graph/lexer.h>

#include <algorithm>
#include <charconv>

namespace voxloom::ops {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Longer ones first.
constexpr std::string_view symbols[] = {"<<=", ">>=", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "++", "--", "->", "+=", "-=", "*=",
                                        "/=",  "%=",  "&=", "|=", "^=", "**", "+",  "-",  "*",  "/",  "%",  "<",  ">",  "(",  ")",  ",",
                                        "?",   ":",   "&",  "|",  "^",  "~",  "!",  ";",  "=",  ".",  "[",  "]",  "{",  "}"};

constexpr std::string_view answers[][2] = {
    {"**", "C has no '**': write pow(x, y)"},
    {";", "';': this is one expression, without statements"},
    {"{", "'{': this is one expression, without statements"},
    {"}", "'}': this is one expression, without statements"},
    {"[", "'[': an elementwise expression sees one element of each input, by its name"},
    {"]", "']': an elementwise expression sees one element of each input, by its name"},
};

/// Bytes of the UTF-8 sequence at the front.
size_t character(std::string_view rest) {
  size_t length = 1;
  while (length < rest.size() && length < 4 && (static_cast<unsigned char>(rest[length]) & 0xC0) == 0x80) ++length;
  return length;
}

}  // namespace

int c_precedence(std::string_view symbol) {
  constexpr struct {
    std::string_view symbols;
    int level;
  } levels[] = {{" || ", 1},    {" && ", 2},        {" | ", 3},     {" ^ ", 4},   {" & ", 5},
                {" == != ", 6}, {" < <= > >= ", 7}, {" << >> ", 8}, {" + - ", 9}, {" * / % ", 10}};
  for (const auto& entry : levels)
    if (entry.symbols.find(" " + std::string(symbol) + " ") != std::string_view::npos) return entry.level;
  return 0;
}

bool is_c_identifier(std::string_view text) {
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::string c_excerpt(std::string_view word) { return word.size() <= 40 ? std::string(word) : std::string(word.substr(0, 40)) + "..."; }

bool CLexer::accept(std::string_view symbol) {
  if (!at(symbol)) return false;
  advance();
  return true;
}

std::string CLexer::found() const { return token_.kind == CToken::Kind::end ? "the end" : "'" + c_excerpt(token_.text) + "'"; }

void CLexer::advance() {
  while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) ++position_;
  const size_t start = position_;
  token_ = {.column = static_cast<int>(start) + 1};
  if (start == text_.size()) return;
  const char c = text_[start];
  if (is_digit(c) || (c == '.' && start + 1 < text_.size() && is_digit(text_[start + 1]))) return number(start);
  if (is_letter(c)) {
    while (position_ < text_.size() && (is_letter(text_[position_]) || is_digit(text_[position_]))) ++position_;
    token_.kind = CToken::Kind::name;
  } else {
    symbol(start);
  }
  token_.text = text_.substr(start, position_ - start);
}

void CLexer::symbol(size_t start) {
  const std::string_view rest = text_.substr(start);
  const auto symbol = std::find_if(std::begin(symbols), std::end(symbols), [&](std::string_view s) { return rest.starts_with(s); });
  if (symbol == std::end(symbols)) fail(token_.column, "unexpected character " + quoted(rest.substr(0, character(rest))));
  for (const auto& [spelling, answer] : answers)
    if (*symbol == spelling) fail(token_.column, std::string(answer));
  if (symbol->size() > 1 && c_precedence(*symbol) == 0)
    fail(token_.column, "'" + std::string(*symbol) + "': an expression changes nothing");
  if (*symbol == "=") fail(token_.column, "'=': an expression changes nothing; == compares");
  if (*symbol == ".") fail(token_.column, "'.' is no operator here");
  position_ += symbol->size();
  token_.kind = CToken::Kind::symbol;
}

void CLexer::number(size_t start) {
  const std::string_view rest = text_.substr(start);
  const bool hex = rest.starts_with("0x") || rest.starts_with("0X");
  size_t end = hex ? 2 : 0;
  const auto skip = [&] {
    while (end < rest.size() &&
           (is_digit(rest[end]) || (hex && std::string_view("abcdefABCDEF").find(rest[end]) != std::string_view::npos)))
      ++end;
  };
  const auto next_is = [&](char a, char b) { return end < rest.size() && (rest[end] == a || rest[end] == b); };
  skip();
  bool real = false;
  if (next_is('.', '.')) real = true, ++end, skip();
  if (hex ? next_is('p', 'P') : next_is('e', 'E')) {
    size_t after = end + 1;
    if (after < rest.size() && (rest[after] == '+' || rest[after] == '-')) ++after;
    if (after < rest.size() && is_digit(rest[after])) {
      real = true;
      end = after;
      while (end < rest.size() && is_digit(rest[end])) ++end;
    }
  }
  const std::string_view digits = rest.substr(hex ? 2 : 0, end - (hex ? 2 : 0));
  const size_t suffix = end;
  while (end < rest.size() && (is_letter(rest[end]) || is_digit(rest[end]) || rest[end] == '.')) ++end;
  token_.text = rest.substr(0, end);
  position_ = start + end;
  read_value(digits, hex, real, rest.substr(suffix, end - suffix));
}

void CLexer::read_value(std::string_view digits, bool hex, bool real, std::string_view suffix) {
  const char* const last = digits.data() + digits.size();
  const bool single = real && (suffix == "f" || suffix == "F");
  const auto wrong = [&] { fail(token_.column, quoted(c_excerpt(token_.text)) + " is no number"); };
  if (real) {
    token_.kind = CToken::Kind::real;
    const auto read = std::from_chars(digits.data(), last, token_.real, hex ? std::chars_format::hex : std::chars_format::general);
    if (read.ec == std::errc::result_out_of_range) fail(token_.column, quoted(c_excerpt(token_.text)) + " does not fit a double");
    if (read.ec != std::errc() || read.ptr != last || !(suffix.empty() || single || suffix == "l" || suffix == "L")) wrong();
    if (single) token_.real = static_cast<double>(static_cast<float>(token_.real));
    return;
  }
  token_.kind = CToken::Kind::integer;
  if (!hex && digits.size() > 1 && digits[0] == '0')
    fail(token_.column, quoted(c_excerpt(token_.text)) + " is octal in C; write it without the zero");
  const auto read = std::from_chars(digits.data(), last, token_.integer, hex ? 16 : 10);
  if (read.ec == std::errc::result_out_of_range)
    fail(token_.column, "the integer " + quoted(c_excerpt(token_.text)) + " does not fit 64 bits");
  std::string marks(suffix);
  for (char& c : marks) c = c == 'U' ? 'u' : c == 'L' ? 'l' : c;
  const std::string_view allowed[] = {"", "u", "l", "ul", "lu", "ll", "ull", "llu"};
  if (read.ec != std::errc() || read.ptr != last || std::find(std::begin(allowed), std::end(allowed), marks) == std::end(allowed)) wrong();
}

}  // namespace voxloom::ops

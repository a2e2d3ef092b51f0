// cli/lexer.cpp: numbers, names, strings and operators, with their columns.
#include <voxloom/cli/lexer.h>

#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace voxloom::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Longer ones first.
constexpr std::array<std::string_view, 30> symbols = {"...", "**", "//", "==", "!=", "<>", "<=", ">=", "<<", ">>",
                                                      "&&",  "||", "->", ":=", "+",  "-",  "*",  "/",  "%",  "<",
                                                      ">",   "(",  ")",  "[",  "]",  ",",  ":",  ".",  "&",  "|"};

// Spellings of other languages, and what to write here.
constexpr std::pair<std::string_view, std::string_view> foreign[] = {
    {"&&", "'&&' is written & here, with each comparison in parentheses: (a > 1) & (b < 2)"},
    {"||", "'||' is written | here, with each comparison in parentheses: (a > 1) | (b < 2)"},
    {"<>", "'<>' is written != here"},
    {"!", "'!' is written ~ here: ~(a > 1)"},
    {"^", "'^' is not a power here: write ** for powers, bitwise_xor(a, b) for exclusive or"},
    {"=", "'=' compares as == here; names are given to images on the command line (a=file.nii)"},
    {"@", "'@' (matrix product) is not part of the expression language"},
    {"?", "'?' is written where(condition, x, y) here"},
    {";", "';': an expression is one value"},
    {"->", "'->' is not part of the expression language"},
    {":=", "':=' is not part of the expression language; names are given to images on the command line (a=file.nii)"},
};

}  // namespace

void fail_at(int column, const std::string& message) {
  fail_user(ErrorCode::usage, "expression", "column " + std::to_string(column) + ": " + message);
}

Token Lexer::next() {
  Token taken = current_;
  advance();
  return taken;
}

bool Lexer::accept(std::string_view symbol) {
  if (!at(symbol)) return false;
  advance();
  return true;
}

void Lexer::expect(std::string_view symbol, std::string_view where) {
  if (accept(symbol)) return;
  fail_at(current_.column, "expected '" + std::string(symbol) + "' " + std::string(where) + ", found " + found());
}

std::string Lexer::found() const {
  if (current_.kind == Token::Kind::end) return "the end of the expression";
  return "'" + io::escape_text(current_.text) + "'";
}

void Lexer::advance() {
  while (position_ < source_.size() &&
         (source_[position_] == ' ' || source_[position_] == '\t' || source_[position_] == '\n' || source_[position_] == '\r'))
    ++position_;
  const size_t start = position_;
  current_ = {};
  current_.column = static_cast<int>(start) + 1;
  if (start == source_.size()) return;
  const char c = source_[start];
  if (is_digit(c) || (c == '.' && start + 1 < source_.size() && is_digit(source_[start + 1]))) return number(start);
  if (c == '"' || c == '\'') return text(start);
  if (is_letter(c)) {
    while (position_ < source_.size() && (is_letter(source_[position_]) || is_digit(source_[position_]))) ++position_;
    current_.kind = Token::Kind::name;
    current_.text = source_.substr(start, position_ - start);
    return;
  }
  symbol(start);
}

void Lexer::number(size_t start) {
  size_t end = start;
  const auto skip = [&](auto&& belongs) {
    while (end < source_.size() &&
           (belongs(source_[end]) || (source_[end] == '_' && end + 1 < source_.size() && belongs(source_[end + 1]))))
      ++end;
  };
  const bool hex = source_[start] == '0' && start + 1 < source_.size() && (source_[start + 1] == 'x' || source_[start + 1] == 'X');
  bool real = false;
  if (hex) {
    end += 2;
    skip(is_hex);
  } else {
    skip(is_digit);
    if (end < source_.size() && source_[end] == '.' && !source_.substr(end).starts_with("...")) {
      real = true;
      ++end;
      skip(is_digit);
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      size_t after = end + 1;
      if (after < source_.size() && (source_[after] == '+' || source_[after] == '-')) ++after;
      if (after < source_.size() && is_digit(source_[after])) {
        real = true;
        end = after;
        skip(is_digit);
      }
    }
  }
  std::string digits(source_.substr(hex ? start + 2 : start, end - (hex ? start + 2 : start)));
  std::erase(digits, '_');
  const char* const first = digits.data();
  const char* const last = first + digits.size();
  position_ = end;
  current_.text = source_.substr(start, end - start);
  if (real) {
    current_.kind = Token::Kind::real;
    // Out of range leaves the value: it is an infinity or a zero as in Python.
    if (std::from_chars(first, last, current_.real).ec == std::errc::result_out_of_range)
      current_.real = std::strtod(digits.c_str(), nullptr);
  } else {
    current_.kind = Token::Kind::integer;
    const auto parsed = std::from_chars(first, last, current_.integer, hex ? 16 : 10);
    if (parsed.ec == std::errc::result_out_of_range)
      fail_at(current_.column, "the integer " + digits.substr(0, 40) + " does not fit 64 bits");
    if (parsed.ec != std::errc() || parsed.ptr != last) fail_at(current_.column, "'" + std::string(current_.text) + "' is not a number");
    current_.real = static_cast<double>(current_.integer);
  }
  if (position_ < source_.size() && (source_[position_] == 'j' || source_[position_] == 'J')) {
    current_.kind = Token::Kind::imaginary;
    ++position_;
  }
  if (position_ < source_.size() && (is_letter(source_[position_]) || is_digit(source_[position_])))
    fail_at(static_cast<int>(position_) + 1, "a number is followed by '" + std::string(1, source_[position_]) + "'; write * to multiply");
}

void Lexer::text(size_t start) {
  const size_t close = source_.find(source_[start], start + 1);
  if (close == std::string_view::npos) fail_at(static_cast<int>(start) + 1, "a string without its closing quote");
  current_.kind = Token::Kind::text;
  current_.text = source_.substr(start + 1, close - start - 1);
  position_ = close + 1;
}

void Lexer::symbol(size_t start) {
  const std::string_view rest = source_.substr(start);
  std::string_view found;
  for (const std::string_view candidate : symbols) {
    if (!rest.starts_with(candidate)) continue;
    found = candidate;
    break;
  }
  if (found.empty()) found = rest.front() == '~' || rest.front() == '=' ? rest.substr(0, 1) : std::string_view();
  for (const auto& [spelling, answer] : foreign) {
    // A lone '=' may follow a keyword's name; the parser judges it.
    if (spelling != "=" && (found.empty() ? rest.starts_with(spelling) : found == spelling))
      fail_at(static_cast<int>(start) + 1, std::string(answer));
  }
  if (found.empty()) {
    size_t length = 1;  // a whole UTF-8 sequence, so that the message shows the character
    while (length < rest.size() && (static_cast<unsigned char>(rest[length]) & 0xC0) == 0x80 && length < 4) ++length;
    fail_at(static_cast<int>(start) + 1, "unexpected character '" + io::escape_text(rest.substr(0, length)) + "'");
  }
  current_.kind = Token::Kind::symbol;
  current_.text = found;
  position_ = start + found.size();
}

}  // namespace voxloom::cli

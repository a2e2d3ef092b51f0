// graph/lexer.cpp: tokens of the text forms.
#include <voxloom/graph/lexer.h>

#include <voxloom/graph/error.h>

#include <charconv>

namespace voxloom {
namespace {

bool starts_identifier(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool continues_identifier(char c) { return starts_identifier(c) || is_digit(c) || c == '.'; }
bool is_word_char(char c) { return continues_identifier(c) || c == '#' || c == '+' || c == '-'; }
constexpr std::string_view hex_digits = "0123456789abcdef";

std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == 0) return "the end";
  if (byte < 0x80) return quoted(std::string_view(&c, 1));
  return std::string("the byte 0x") + hex_digits[byte >> 4] + hex_digits[byte & 15];
}

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || !starts_identifier(text[0])) return false;
  for (const char c : text) {
    if (!continues_identifier(c)) return false;
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string identifier_or_quoted(std::string_view text) { return is_identifier(text) ? std::string(text) : quoted(text); }

void Lexer::fail_at(size_t position, const std::string& message) const {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < position && i < text_.size(); ++i) {
    ++column;
    if (text_[i] == '\n') ++line, column = 1;
  }
  fail_user(ErrorCode::usage, what_, std::to_string(line) + ":" + std::to_string(column) + ": " + message);
}

void Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++position_;
    } else if (c == '/' && text_.substr(position_, 2) == "//") {
      const size_t end = text_.find('\n', position_);
      position_ = end == std::string_view::npos ? text_.size() : end;
    } else {
      break;
    }
  }
}

bool Lexer::at_end() {
  skip_blanks();
  return position_ >= text_.size();
}

char Lexer::peek() { return at_end() ? '\0' : text_[position_]; }

bool Lexer::take(char c) {
  if (peek() != c || at_end()) return false;
  ++position_;
  return true;
}

void Lexer::expect(char c) {
  if (!take(c)) fail("expected " + shown(c) + ", found " + shown(peek()));
}

bool Lexer::next_is_identifier() { return starts_identifier(peek()); }

std::string_view Lexer::identifier() {
  if (!next_is_identifier()) fail("expected a name, found " + shown(peek()));
  const size_t begin = position_;
  while (position_ < text_.size() && continues_identifier(text_[position_])) ++position_;
  return text_.substr(begin, position_ - begin);
}

bool Lexer::take_word(std::string_view word) {
  if (!next_is_identifier()) return false;
  const size_t begin = position_;
  if (identifier() == word) return true;
  position_ = begin;
  return false;
}

std::string Lexer::string() {
  expect('"');
  std::string out;
  const auto hex = [&](char c) {
    const size_t digit = hex_digits.find(c);
    if (digit == std::string_view::npos) fail("\\x needs two lower-case hexadecimal digits");
    return static_cast<unsigned>(digit);
  };
  while (true) {
    if (position_ >= text_.size()) fail("the string has no closing quote");
    if (out.size() >= max_string) fail("a string is longer than 1 MiB");
    const char c = text_[position_++];
    if (c == '"') return out;
    if (c != '\\') {
      out += c;
      continue;
    }
    const std::string_view rest = text_.substr(position_, 3);
    if (rest.empty()) fail("the string has no closing quote");
    if (rest[0] == 'x') {
      if (rest.size() < 3) fail("\\x needs two lower-case hexadecimal digits");
      out += static_cast<char>(hex(rest[1]) * 16 + hex(rest[2]));
      position_ += 3;
      continue;
    }
    if (rest[0] != 'n' && rest[0] != 't' && rest[0] != '"' && rest[0] != '\\') fail("unknown escape " + quoted(rest.substr(0, 1)));
    out += rest[0] == 'n' ? '\n' : rest[0] == 't' ? '\t' : rest[0];
    ++position_;
  }
}

std::string_view Lexer::word() {
  skip_blanks();
  const size_t begin = position_;
  while (position_ < text_.size() && is_word_char(text_[position_])) ++position_;
  if (position_ == begin) fail("expected a value, found " + shown(peek()));
  return text_.substr(begin, position_ - begin);
}

std::string_view Lexer::digits() {
  skip_blanks();
  const size_t begin = position_;
  while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
  if (position_ == begin) fail("expected a number, found " + shown(peek()));
  return text_.substr(begin, position_ - begin);
}

int64_t Lexer::integer() {
  skip_blanks();
  const size_t begin = position_;
  size_t end = begin;
  if (end < text_.size() && text_[end] == '-') ++end;
  while (end < text_.size() && is_digit(text_[end])) ++end;
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text_.data() + begin, text_.data() + end, value);
  if (error == std::errc::result_out_of_range) fail("the integer does not fit 64 bits");
  if (error != std::errc() || stop != text_.data() + end) fail("expected an integer, found " + shown(peek()));
  position_ = end;
  return value;
}

}  // namespace voxloom

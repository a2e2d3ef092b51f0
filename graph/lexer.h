// graph/lexer.h: the tokens that the text forms of dims, types and graphs share. Internal: not installed for users.
#pragma once

#include <voxloom/graph/dim.h>
#include <voxloom/graph/export.h>
#include <voxloom/graph/type.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace voxloom {

/// [A-Za-z_][A-Za-z0-9_.]*
VOXLOOM_API bool is_identifier(std::string_view text);
/// The text in double quotes; quotes, backslashes and control bytes are escaped (\" \\ \n \t \xHH), everything else is kept.
VOXLOOM_API std::string quoted(std::string_view text);
/// The text itself when it is an identifier, otherwise quoted.
VOXLOOM_API std::string identifier_or_quoted(std::string_view text);

/// A cursor over a text. Blanks, newlines and comments ("//" to the end of the line) separate tokens. Every refusal is a
/// UserError(usage) "WHAT: LINE:COLUMN: message".
class VOXLOOM_API Lexer {
 public:
  static constexpr size_t max_string = size_t{1} << 20;

  Lexer(std::string_view text, std::string what) : text_(text), what_(std::move(what)) {}

  [[noreturn]] void fail(const std::string& message) const { fail_at(position_, message); }
  [[noreturn]] void fail_at(size_t position, const std::string& message) const;
  size_t position() const { return position_; }
  /// Another cursor over the same text.
  Lexer at_position(size_t position) const {
    Lexer other = *this;
    other.position_ = position;
    return other;
  }
  void skip_blanks();
  bool at_end();
  /// The next character after blanks, 0 at the end.
  char peek();
  /// Consumes the character if it is next.
  bool take(char c);
  void expect(char c);
  bool next_is_identifier();
  /// An identifier.
  std::string_view identifier();
  /// Consumes the identifier if it is next as a whole word.
  bool take_word(std::string_view word);
  /// A quoted string, unescaped.
  std::string string();
  std::string identifier_or_string() { return peek() == '"' ? string() : std::string(identifier()); }
  /// The run of characters of [A-Za-z0-9_.#+-]: numbers, labels, data.
  std::string_view word();
  /// A run of decimal digits.
  std::string_view digits();
  /// Digits with an optional sign.
  int64_t integer();

 private:
  std::string_view text_;
  std::string what_;
  size_t position_ = 0;
};

/// A dim expression; stops at the first token that cannot continue it.
VOXLOOM_API Dim parse_dim(Lexer& lexer);
/// The form of Type::str().
VOXLOOM_API Type parse_type(Lexer& lexer);

}  // namespace voxloom

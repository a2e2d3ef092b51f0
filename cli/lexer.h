// cli/lexer.h: the words of the expression language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace voxloom::cli {

struct Token {
  enum class Kind : uint8_t { end, integer, real, imaginary, name, text, symbol };
  Kind kind = Kind::end;
  std::string_view text = {};  ///< as written; of a string what is between the quotes
  int column = 1;              ///< 1-based, in bytes
  int64_t integer = 0;
  double real = 0;
};

/// Throws the UserError "expression: column N: MESSAGE".
[[noreturn]] void fail_at(int column, const std::string& message);

/// Splits the text on demand. Operators of other languages (^ && || !) are answered with the right spelling.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) { advance(); }
  const Token& peek() const { return current_; }
  bool at(std::string_view symbol) const { return current_.kind == Token::Kind::symbol && current_.text == symbol; }
  bool at_name(std::string_view name) const { return current_.kind == Token::Kind::name && current_.text == name; }
  Token next();
  /// Takes the symbol if it comes next.
  bool accept(std::string_view symbol);
  /// Takes the symbol or fails, naming what stands there instead.
  void expect(std::string_view symbol, std::string_view where);
  /// What comes next, for messages: "end of the expression" or "')'".
  std::string found() const;

 private:
  void advance();
  void number(size_t start);
  void text(size_t start);
  void symbol(size_t start);

  std::string_view source_;
  size_t position_ = 0;
  Token current_;
};

}  // namespace voxloom::cli

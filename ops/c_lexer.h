// ops/c_lexer.h: the words of C expressions. Internal: not installed for users.
#pragma once

#include <voxloom/ops/c_expression.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace voxloom::ops {

struct CToken {
  enum class Kind : uint8_t { end, integer, real, name, symbol };
  Kind kind = Kind::end;
  std::string_view text = {};
  int column = 1;
  int64_t integer = 0;
  double real = 0;
};

/// Precedence of binary operators, C's; 0 for other symbols.
int c_precedence(std::string_view symbol);
bool is_c_identifier(std::string_view text);
/// Of a word, for messages: at most 40 bytes.
std::string c_excerpt(std::string_view word);

/// Splits the text on demand. What C expressions do not have here is answered with the reason.
class CLexer {
 public:
  CLexer(const CExpression& expression, OriginId origin) : expression_(expression), text_(expression.text), origin_(origin) { advance(); }

  const CToken& token() const { return token_; }
  bool at(std::string_view symbol) const { return token_.kind == CToken::Kind::symbol && token_.text == symbol; }
  /// Takes the symbol if it comes next.
  bool accept(std::string_view symbol);
  void advance();
  /// What comes next, for messages.
  std::string found() const;
  [[noreturn]] void fail(int column, const std::string& message) const { expression_.fail_at(column, message, origin_); }

 private:
  void symbol(size_t start);
  void number(size_t start);
  void read_value(std::string_view digits, bool hex, bool real, std::string_view suffix);

  const CExpression& expression_;
  const std::string_view text_;
  const OriginId origin_;
  size_t position_ = 0;
  CToken token_;
};

}  // namespace voxloom::ops

// ops/c_expression.h: expressions in C's notation over named values, read by a bounded parser and built from rows of the op table.
//
// Numbers (suffixes, hexadecimal ones too), names, calls of <math.h> (with the suffix f or l as without), casts, unary + - ! ~, binary operators
// with C's precedence, ?:. Both sides of ?: && || are computed: nothing has an effect. Comparisons are not chained.
// Types: as in other expressions numbers take the dtype of what they meet, and the published promotion table holds. What comparisons give is
// boolean; in arithmetic, and where ?: chooses between two numbers, it takes the common dtype of the values (int32 for booleans; a float where
// it meets a fraction). Integers divided give an integer, rounded towards zero; % has the sign of its left side.
// Bounds: 64 KiB of text, 256 levels of nesting. There are no statements, so an expression makes at most as many nodes as its text is long.
#pragma once

#include <voxloom/ops/operand.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom::ops {

struct CFunction;

/// A number, a value by its name, a cast, or a function (operators are functions too) of earlier steps.
struct CStep {
  enum class Kind : uint8_t { name, integer, real, truth, cast, call };
  Kind kind = Kind::integer;
  int column = 1;  ///< 1-based, in bytes
  const CFunction* function = nullptr;
  DType dtype = DType::f32;  ///< of a cast
  int64_t integer = 0;       ///< or the number of a name, or a truth
  double real = 0;
  std::array<size_t, 3> operands = {};
};

struct CExpression {
  std::string op;                  ///< whose expression it is, for messages
  std::string text;                ///< as given
  std::vector<std::string> names;  ///< of the values
  std::vector<CStep> steps;        ///< the last one is the result

  bool uses(size_t name) const;
  /// Nothing but the number 0.
  bool is_zero() const;
  /// Throws the UserError "OP: column N of "TEXT": MESSAGE".
  [[noreturn]] void fail_at(int column, const std::string& message, OriginId origin, ErrorCode code = ErrorCode::usage) const;
};

/// How steps are built: arity and what becomes of the operands.
struct CFunction {
  enum class Rule : uint8_t {
    row,        ///< the row, with its own promotion
    number,     ///< the row, truths becoming numbers
    floats,     ///< the same, integers becoming floats
    choice,     ///< ?:
    divide,     ///< C's quotient
    remainder,  ///< C's remainder, of integers
    fmod,
    fdim,
    rsqrt,
    signbit,
    none,  ///< the operand itself
  };
  std::string_view name;  ///< as written
  int arity = 1;
  Rule rule = Rule::row;
  const char* row = "";
};
/// The operator of that spelling and arity, or nullptr.
const CFunction* c_operator(std::string_view symbol, int arity);
/// The function of that name, with or without the suffix of <math.h>; nullptr for other names.
const CFunction* c_function(std::string_view name);
std::vector<std::string> c_function_names();

/// `open`: names that are not in the list are added to it, in the order of the text. UserError for what is no expression.
CExpression parse_c_expression(std::string op, std::string text, std::vector<std::string> names, bool open, OriginId origin);
/// The expression of these values, one for each name. UserErrors name op, column and text.
Operand apply_c_expression(const CExpression& expression, std::span<const Operand> values, OriginId origin);

/// A name that an expression may use: a C identifier that means nothing else there.
bool is_c_value_name(std::string_view name);

}  // namespace voxloom::ops

// cli/value.h: what parts of an expression evaluate to, and the arguments of a call.
#pragma once

#include <voxloom/ops/build.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voxloom::cli {

/// A value of the expression language. Only operands survive to the end; the others are arguments.
struct Value {
  enum class Kind : uint8_t { operand, text, none, ellipsis, dtype, list };
  Kind kind = Kind::none;
  int column = 1;
  std::optional<Operand> operand = {};  ///< kind operand: an expression or a host number
  std::string text = {};  ///< of a string; of a dtype what is said when it stands where a value must ("unknown name 'b' (...)")
  DType dtype = DType::f32;
  std::vector<Value> list = {};
  std::optional<bool> truth = {};  ///< of the operands True and False

  static Value of(Operand operand, int column) { return {.kind = Kind::operand, .column = column, .operand = std::move(operand)}; }
  bool is_integer() const { return kind == Kind::operand && operand->weak() == Operand::Weak::integer; }
  bool is_number() const { return kind == Kind::operand && operand->is_weak(); }
  /// "a string", "an expression", ... for messages.
  std::string describe() const;
};

/// A dtype name where a value is needed is a name that nothing has: fails with its text. Does nothing for other kinds.
void refuse_dtype(const Value& value);

struct ExpressionOptions {
  int ddof = 0;  ///< of var and std where the call gives none
};

/// The arguments of one call; taking them by position or keyword ticks them off, finish() refuses what is left over.
class Call {
 public:
  Call(std::string function, int column, const ExpressionOptions& options)
      : function_(std::move(function)), column_(column), options_(&options) {}
  void add(Value value) { positional_.push_back(std::move(value)); }
  /// Fails when the keyword comes twice.
  void add(std::string keyword, Value value);

  const std::string& function() const { return function_; }
  int column() const { return column_; }
  const ExpressionOptions& options() const { return *options_; }
  size_t positional_left() const { return positional_.size() - taken_; }

  /// The next positional argument, or that keyword; nothing when absent.
  std::optional<Value> take(std::string_view keyword);
  /// Only by keyword.
  std::optional<Value> take_keyword(std::string_view keyword);
  Operand operand(std::string_view keyword);
  std::optional<Operand> optional_operand(std::string_view keyword);
  Axes axes(std::string_view keyword);
  std::optional<Axis> axis(std::string_view keyword);
  std::optional<int64_t> integer(std::string_view keyword);
  std::optional<double> real_keyword(std::string_view keyword);
  bool flag_keyword(std::string_view keyword);
  std::optional<DType> dtype(std::string_view keyword);
  std::optional<DType> dtype_keyword(std::string_view keyword);
  std::vector<Operand> operands(std::string_view keyword);
  void finish();

  [[noreturn]] void fail(const std::string& message) const;

 private:
  Axis one_axis(const Value& value) const;
  Operand as_operand(const Value& value, std::string_view keyword) const;
  DType as_dtype(const Value& value) const;
  std::string function_;
  int column_;
  const ExpressionOptions* options_;
  std::vector<Value> positional_;
  size_t taken_ = 0;
  std::vector<std::pair<std::string, Value>> keywords_;
  std::vector<std::string> known_;
};

}  // namespace voxloom::cli

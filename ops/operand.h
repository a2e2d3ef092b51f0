// ops/operand.h: what operators and functions take: expressions or host numbers, with the user's line.
#pragma once

#include <voxloom/graph/op_info.h>

#include <complex>
#include <concepts>
#include <initializer_list>
#include <source_location>
#include <span>
#include <type_traits>
#include <vector>

namespace voxloom {

/// An expression, or a host number. Host numbers are weak: they take the dtype of the expressions they meet and never widen it, except
/// that a fraction makes integers floats. Conversions keep the line they happen on.
class VOXLOOM_API Operand {
 public:
  using Where = std::source_location;
  enum class Weak : uint8_t { no, integer, real, complex };

  Operand(const Expr& expr, Where where = Where::current());  // NOLINT(google-explicit-constructor): operands convert
  Operand(const Expr& expr, OriginId origin);
  template <class T>
    requires std::is_arithmetic_v<T>
  Operand(T value, Where where = Where::current()) : Operand(value, origin_of(where)) {}  // NOLINT(google-explicit-constructor)
  template <class T>
    requires std::is_arithmetic_v<T>
  Operand(T value, OriginId origin) : origin_(origin) {
    if constexpr (std::is_same_v<T, bool>) set_boolean(value);
    else if constexpr (std::is_floating_point_v<T>) set_real(static_cast<double>(value));
    else if constexpr (std::is_unsigned_v<T>) set_unsigned(static_cast<uint64_t>(value));
    else set_integer(static_cast<int64_t>(value));
  }
  Operand(std::complex<double> value, Where where = Where::current())  // NOLINT(google-explicit-constructor)
      : weak_(Weak::complex), real_(value.real()), imag_(value.imag()), origin_(origin_of(where)) {}
  /// Anything that converts to an expression, such as a shared variable.
  template <class T>
    requires(!std::is_arithmetic_v<T> && !std::derived_from<T, Expr> && !std::derived_from<T, Operand> &&
             std::convertible_to<const T&, Expr>)
  Operand(const T& value, Where where = Where::current())
      : Operand(static_cast<Expr>(value), where) {}  // NOLINT(google-explicit-constructor)

  Weak weak() const { return weak_; }
  bool is_weak() const { return weak_ != Weak::no; }
  /// The expression; empty for weak operands.
  const Expr& expr() const { return expr_; }
  int64_t integer() const { return integer_; }
  double real() const { return weak_ == Weak::integer ? static_cast<double>(integer_) : real_; }
  double imag() const { return imag_; }
  OriginId origin() const { return origin_; }
  /// The expression, or a constant: i64, floatX (float64 under NumPy's policy) or complex.
  Expr as_expr() const;
  /// The expression cast to the dtype, or a constant of it.
  Expr as_expr(DType dtype) const;

 private:
  void set_boolean(bool value);
  void set_integer(int64_t value);
  void set_unsigned(uint64_t value);
  void set_real(double value);
  Expr expr_;
  Weak weak_ = Weak::no;
  int64_t integer_ = 0;
  double real_ = 0, imag_ = 0;
  OriginId origin_;
};

/// A node of an elementwise row, as users expect it: operands are promoted by the row's rule with explicit casts, aligned by NumPy's rule (or
/// by axis names where both carry names) with explicit dimshuffles, and checked. The origin is the first operand's.
VOXLOOM_API Expr elementwise(const OpInfo& row, std::span<const Operand> operands, Attrs attrs = {});
VOXLOOM_API Expr elementwise(const char* row, std::initializer_list<Operand> operands);

/// The operands with one rank each, aligned but not repeated; UserError names `function` when their shapes do not broadcast.
VOXLOOM_API std::vector<Expr> align(const char* function, std::vector<Expr> operands, OriginId origin = {});

/// The dtype in which a row computes on these operands (see Promotion); what a host number becomes.
VOXLOOM_API DType common_dtype(const OpInfo& row, std::span<const Operand> operands);

}  // namespace voxloom

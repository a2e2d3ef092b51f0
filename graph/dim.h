// graph/dim.h: sizes of axes as interned integer expressions.
#pragma once

#include <voxloom/graph/export.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom {

struct DimNode;
class Dim;
Dim dim_of(const DimNode* node);

/// Values of symbols, by symbol name (fresh symbols have unique names such as "#3").
using DimBindings = std::map<std::string, int64_t, std::less<>>;

/// A non-negative size, or an integer offset: a constant, a symbol, or an expression over them. Expressions are kept in a canonical
/// form (a sum of products with constant coefficients over atoms: symbols, floor_div, max, min) and interned for the life of the
/// process, so equality is a pointer comparison. Two dims that compare unequal may still be equal at run time.
class VOXLOOM_API Dim {
 public:
  Dim() : Dim(int64_t{0}) {}
  Dim(int64_t constant);                                      // NOLINT(google-explicit-constructor): sizes are written as numbers
  Dim(int constant) : Dim(static_cast<int64_t>(constant)) {}  // NOLINT(google-explicit-constructor)

  /// Equal names are the same symbol everywhere. Symbols are sizes: their values are never negative.
  static Dim symbol(std::string_view name);
  /// A symbol different from all others, for sizes known only at run time; prints as "#<n>".
  static Dim fresh();

  bool is_constant() const;
  /// The value of a constant dim; InternalError otherwise.
  int64_t constant() const;
  bool is_one() const { return is_constant() && constant() == 1; }
  bool is_symbol() const;

  /// Value under the bindings. UserError(shape) names a symbol without a value. Overflow is a UserError too.
  int64_t evaluate(const DimBindings& bindings) const;
  /// Names of all symbols used, without repetition.
  std::vector<std::string> symbols() const;
  /// "n + 2*m - 1", "floor_div(n, 2)"; parse() reads it back.
  std::string str() const;
  static Dim parse(std::string_view text);
  size_t hash() const { return reinterpret_cast<size_t>(node_); }
  /// The same in every process: a function of str().
  uint64_t stable_hash() const;

  friend bool operator==(const Dim& a, const Dim& b) { return a.node_ == b.node_; }
  friend VOXLOOM_API Dim operator+(const Dim& a, const Dim& b);
  friend VOXLOOM_API Dim operator-(const Dim& a, const Dim& b);
  friend VOXLOOM_API Dim operator*(const Dim& a, const Dim& b);
  const DimNode* node() const { return node_; }

 private:
  friend struct DimNode;
  friend Dim dim_of(const DimNode* node);
  explicit Dim(const DimNode* node) : node_(node) {}
  const DimNode* node_;
};

/// Rounds towards minus infinity; the divisor must be positive.
VOXLOOM_API Dim floor_div(const Dim& a, const Dim& b);
/// floor_div(a + b - 1, b).
VOXLOOM_API Dim ceil_div(const Dim& a, const Dim& b);
VOXLOOM_API Dim max(const Dim& a, const Dim& b);
VOXLOOM_API Dim min(const Dim& a, const Dim& b);
/// Product of all dims; 1 for none.
VOXLOOM_API Dim product(const std::vector<Dim>& dims);

}  // namespace voxloom

// api/shared.h: shared variables: values that live between calls and that a function's updates replace.
#pragma once

#include <voxloom/graph/node.h>
#include <voxloom/runtime/array.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voxloom {

/// What a shared leaf holds. The value is replaced as a whole and never written into: readers keep the array they have taken.
class VOXLOOM_API SharedValue final : public Payload {
 public:
  explicit SharedValue(Array value, bool strict = false) : strict_(strict), value_(std::move(value)) {}
  Array get() const;
  void set(Array value);
  /// Whether set_value() refuses other dtypes that could be converted without loss.
  bool strict() const { return strict_; }
  /// Held while a function with updates on this variable runs, and by set_value(), so that they follow one another. The thread of a call
  /// may take it again (from a progress callback).
  std::recursive_mutex& update_mutex() const { return update_mutex_; }

  /// All values at one moment: no commit falls between them.
  static void snapshot(std::span<const std::shared_ptr<const SharedValue>> from, Array* values);
  /// Exchanges all values at one moment; `values` gets the old ones.
  static void commit(std::span<const std::shared_ptr<SharedValue>> to, Array* values);

 private:
  mutable std::recursive_mutex update_mutex_;
  bool strict_;
  Array value_;
};

struct SharedOptions {
  bool borrow = false;  ///< hold the array itself, not a copy: writing into it from outside changes the variable
  bool strict = false;  ///< set_value() takes this dtype only; otherwise values that convert without loss too
};

/// A variable with a value: an expression, and the handle to the value.
///     auto w = vl::shared(vl::Array::zeros({784}, vl::f32), "w");
///     auto step = vl::function({x}, {}, {.updates = {{w, w - 0.1f * x}}});
class VOXLOOM_API Shared {
 public:
  Shared(Expr variable, std::shared_ptr<SharedValue> value) : variable_(std::move(variable)), value_(std::move(value)) {}
  operator const Expr&() const { return variable_; }  // NOLINT: a shared variable is an expression
  const Expr& expr() const { return variable_; }
  const std::string& name() const { return variable_->name(); }
  const std::shared_ptr<SharedValue>& value() const { return value_; }
  /// The value now: a copy, or with borrow the array itself (read-only; updates replace it, they never write into it).
  Array get_value(bool borrow = false) const;
  /// The rank must be that of the variable, and the dtype too or convert without loss. Copies unless `borrow` hands the array over. Waits
  /// for a running call that updates the variable.
  void set_value(const Array& value, bool borrow = false) const;

 private:
  Expr variable_;
  std::shared_ptr<SharedValue> value_;
};

/// Sizes stay open: a later value may have others.
VOXLOOM_API Shared shared(const Array& value, std::string name, SharedOptions options,
                          std::source_location where = std::source_location::current());
/// The value is copied.
VOXLOOM_API Shared shared(const Array& value, std::string name = "", std::source_location where = std::source_location::current());
template <class T>
  requires requires { DTypeOf<T>::value; }
Shared shared(T value, std::string name = "", std::source_location where = std::source_location::current()) {
  return shared(Array::scalar(value), std::move(name), where);
}

/// New values of shared variables, computed from the old ones, committed together when the call has succeeded.
using Updates = std::vector<std::pair<Shared, Expr>>;

/// The value of a shared leaf, or nullptr.
VOXLOOM_API const SharedValue* shared_value_of(const Node& node);
/// The handle of a shared leaf; UserError for any other expression.
VOXLOOM_API Shared shared_of(const Expr& leaf);

}  // namespace voxloom

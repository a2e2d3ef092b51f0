// api/shared.h: shared variables: values that live between calls and that a function's updates replace.
#pragma once

#include <voxloom/graph/node.h>
#include <voxloom/runtime/array.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voxloom {

/// What a shared leaf holds. The value is replaced as a whole: readers keep the array they have taken.
class VOXLOOM_API SharedValue final : public Payload {
 public:
  explicit SharedValue(Array value) : value_(std::move(value)) {}
  Array get() const;
  void set(Array value);
  /// Held while a function with updates on this variable runs, so that such calls follow one another.
  std::mutex& update_mutex() const { return update_mutex_; }

 private:
  mutable std::mutex mutex_, update_mutex_;
  Array value_;
};

/// A variable with a value: an expression, and the handle to the value.
///     auto w = vl::shared(vl::Array::zeros({784}, vl::f32), "w");
///     auto step = vl::function({x}, {}, {.updates = {{w, w - 0.1f * x}}});
class VOXLOOM_API Shared {
 public:
  Shared(Expr variable, std::shared_ptr<SharedValue> value) : variable_(std::move(variable)), value_(std::move(value)) {}
  operator const Expr&() const { return variable_; }  // NOLINT: a shared variable is an expression
  const Expr& expr() const { return variable_; }
  /// The value now: a copy, or with borrow the array itself (read-only; updates replace it, they never write into it).
  Array get_value(bool borrow = false) const;
  /// dtype and rank must be those of the variable. Copies unless `borrow` hands the array over.
  void set_value(const Array& value, bool borrow = false);

 private:
  Expr variable_;
  std::shared_ptr<SharedValue> value_;
};

/// Sizes stay open: a later value may have others. The value is copied.
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

}  // namespace voxloom

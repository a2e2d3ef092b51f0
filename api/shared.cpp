// api/shared.cpp: shared variables.
#include <voxloom/api/shared.h>

#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/safe_cast.h>
#include <voxloom/runtime/spin_lock.h>

#include <pthread.h>

namespace voxloom {
namespace {

detail::SpinLock& lock_itself() {
  static detail::SpinLock lock;
  return lock;
}

/// One lock for all values: it is held for a few pointer swaps, and lets several values change at one moment. A forked child finds it open.
detail::SpinLock& values_lock() {
  static const int registered =
      pthread_atfork([] { lock_itself().lock(); }, [] { lock_itself().unlock(); }, [] { lock_itself().unlock(); });
  static_cast<void>(registered);
  return lock_itself();
}

}  // namespace

Array SharedValue::get() const {
  const std::lock_guard lock(values_lock());
  return value_;
}

void SharedValue::set(Array value) {
  const std::lock_guard lock(values_lock());
  std::swap(value_, value);  // what it held is released after the lock: `value` outlives the guard
}

void SharedValue::snapshot(std::span<const std::shared_ptr<const SharedValue>> from, Array* values) {
  const std::lock_guard lock(values_lock());
  for (size_t k = 0; k < from.size(); ++k) values[k] = from[k]->value_;
}

void SharedValue::commit(std::span<const std::shared_ptr<SharedValue>> to, Array* values) {
  const std::lock_guard lock(values_lock());
  for (size_t k = 0; k < to.size(); ++k) std::swap(to[k]->value_, values[k]);
}

Array Shared::get_value(bool borrow) const {
  const Array value = value_->get();
  return borrow ? value.as_read_only() : value.copy(variable_.type().order);
}

void Shared::set_value(const Array& value, bool borrow) const {
  const Type& type = variable_.type();
  if (!value.defined()) fail_user(ErrorCode::usage, "set_value", "the value of " + name() + " is an empty Array", variable_->origin());
  const bool convert = value.dtype() != type.dtype && !value_->strict() && is_safe_cast(value.dtype(), type.dtype);
  if ((value.dtype() != type.dtype && !convert) || value.rank() != type.rank()) {
    fail_user(value.dtype() != type.dtype ? ErrorCode::dtype : ErrorCode::shape, "set_value",
              "the value is " + std::string(name_of(value.dtype())) + " " + to_string(value.shape()) + ", but the variable " + name() +
                  " is " + type.str() + (value_->strict() ? " and strict" : ""),
              variable_->origin());
  }
  Array kept = convert ? value.cast(type.dtype, type.order) : borrow ? value : value.copy(type.order);
  const std::lock_guard lock(value_->update_mutex());
  value_->set(std::move(kept));
}

Shared shared(const Array& value, std::string name, SharedOptions options, std::source_location where) {
  if (!value.defined()) fail_user(ErrorCode::usage, "shared", "the value is an empty Array", origin_of(where));
  Type type{
      .dtype = value.dtype(), .shape = {}, .order = value.is_c_contiguous() || !value.is_f_contiguous() ? Order::C : Order::F, .names = {}};
  for (int k = 0; k < value.rank(); ++k) type.shape.push_back(Dim::fresh());
  auto held = std::make_shared<SharedValue>(options.borrow ? value : value.copy(type.order), options.strict);
  return Shared(make_leaf(shared_op(), type, std::move(name), held, origin_of(where)), held);
}

Shared shared(const Array& value, std::string name, std::source_location where) { return shared(value, std::move(name), {}, where); }

const SharedValue* shared_value_of(const Node& node) { return dynamic_cast<const SharedValue*>(node.payload().get()); }

Shared shared_of(const Expr& leaf) {
  if (!leaf || shared_value_of(*leaf) == nullptr) fail_user(ErrorCode::usage, "shared_of", "the expression is no shared variable");
  return Shared(leaf, std::const_pointer_cast<SharedValue>(std::static_pointer_cast<const SharedValue>(leaf->payload())));
}

}  // namespace voxloom

// api/shared.cpp: shared variables.
#include <voxloom/api/shared.h>

#include <voxloom/graph/leaf_ops.h>

namespace voxloom {

Array SharedValue::get() const {
  const std::lock_guard lock(mutex_);
  return value_;
}

void SharedValue::set(Array value) {
  const std::lock_guard lock(mutex_);
  std::swap(value_, value);
}

Array Shared::get_value(bool borrow) const {
  const Array value = value_->get();
  return borrow ? value.as_read_only() : value.copy(variable_.type().order);
}

void Shared::set_value(const Array& value, bool borrow) {
  const Type& type = variable_.type();
  if (value.dtype() != type.dtype || value.rank() != type.rank()) {
    fail_user(value.dtype() != type.dtype ? ErrorCode::dtype : ErrorCode::shape, "set_value",
              "the value is " + std::string(name_of(value.dtype())) + " " + to_string(value.shape()) + ", but the variable " +
                  variable_->name() + " is " + type.str(),
              variable_->origin());
  }
  value_->set(borrow ? value : value.copy(type.order));
}

Shared shared(const Array& value, std::string name, std::source_location where) {
  if (!value.defined()) fail_user(ErrorCode::usage, "shared", "the value is an empty Array", origin_of(where));
  Type type{
      .dtype = value.dtype(), .shape = {}, .order = value.is_c_contiguous() || !value.is_f_contiguous() ? Order::C : Order::F, .names = {}};
  for (int k = 0; k < value.rank(); ++k) type.shape.push_back(Dim::fresh());
  auto held = std::make_shared<SharedValue>(value.copy(type.order));
  return Shared(make_leaf(shared_op(), type, std::move(name), held, origin_of(where)), held);
}

const SharedValue* shared_value_of(const Node& node) { return dynamic_cast<const SharedValue*>(node.payload().get()); }

}  // namespace voxloom

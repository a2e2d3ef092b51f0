// tests/ops/check.h: evaluates expressions with the interpreter and reads the elements.
#pragma once

#include <voxloom/ops/interpret.h>
#include <voxloom/ops/variables.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace voxloom::test {

using Bound = std::vector<std::pair<Expr, HostArray>>;

/// A dense array, last axis fastest.
template <class T> HostArray array(const std::vector<T>& values, std::vector<int64_t> shape) {
  HostArray a = HostArray::of(dtype_of<T>, std::move(shape));
  for (size_t k = 0; k < values.size(); ++k) {
    const T value = values[k];
    std::memcpy(a.bytes.data() + k * sizeof(T), &value, sizeof(T));
  }
  return a;
}
template <class T> HostArray array(const std::vector<T>& values) { return array(values, {static_cast<int64_t>(values.size())}); }

inline HostArray eval(const Expr& e, const Bound& bound = {}) {
  std::vector<Expr> inputs;
  std::vector<StridedView> views;
  for (const auto& [x, value] : bound) {
    inputs.push_back(x);
    views.push_back(value.view());
  }
  return interpret(Graph::make(inputs, {e}), views)[0];
}

/// Elements in C order of the array's shape.
template <class T> std::vector<T> elements(const HostArray& a) {
  const HostArray c = HostArray::copy(a.view(), Order::C);
  std::vector<T> values(static_cast<size_t>(c.size()));
  for (size_t k = 0; k < values.size(); ++k) {
    T value{};
    std::memcpy(static_cast<void*>(&value), c.bytes.data() + k * sizeof(T), sizeof(T));
    values[k] = value;
  }
  return values;
}
/// Evaluates and reads elements of type T; the dtype must be T's.
template <class T> std::vector<T> values(const Expr& e, const Bound& bound = {}) {
  if (e.dtype() != dtype_of<T>) throw std::logic_error("dtype is " + std::string(name_of(e.dtype())));
  return elements<T>(eval(e, bound));
}
template <class T> Expr vec(const std::vector<T>& v) { return constant(v, {static_cast<int64_t>(v.size())}); }

/// Text of the UserError that f throws; empty when it throws none.
template <class F> std::string user_error(F&& f) {
  try {
    f();
  } catch (const UserError& e) { return e.what(); }
  return {};
}

}  // namespace voxloom::test

// python/src/expr.cpp: the table of live expression objects, and operands from Python's values.
#include "expr.h"

#include "arrays.h"

#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/variables.h>

#include <complex>
#include <unordered_map>

namespace voxloom::python {
namespace {

// Node to its object (not owned); under the GIL.
std::unordered_map<const Node*, PyObject*>& live() {
  static auto* const table = new std::unordered_map<const Node*, PyObject*>;  // objects may die after static destructors have run
  return *table;
}

template <class T> nb::object make(const T& value, const Expr& expr) {
  nb::object self = nb::inst_alloc(nb::type<std::conditional_t<std::is_same_v<T, Shared>, PyShared, PyExpr>>());
  PyExpr* held;
  if constexpr (std::is_same_v<T, Shared>) held = new (nb::inst_ptr<PyShared>(self)) PyShared(value);
  else held = new (nb::inst_ptr<PyExpr>(self)) PyExpr(expr);
  nb::inst_mark_ready(self);
  adopt(self, *held);
  return self;
}

// Python's int: the machine's widths, whatever the sign.
std::optional<Operand> integer_operand(PyObject* number) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
  if (overflow == 0) return Operand(static_cast<int64_t>(value), python_origin());
  if (overflow > 0) {
    const unsigned long long large = PyLong_AsUnsignedLongLong(number);
    if (!PyErr_Occurred()) return Operand(static_cast<uint64_t>(large), python_origin());
    PyErr_Clear();
  }
  return Operand(PyLong_AsDouble(number), python_origin());
}

std::optional<Operand> number_operand(PyObject* object) {
  if (PyBool_Check(object)) return Operand(object == Py_True, python_origin());
  if (PyLong_Check(object)) return integer_operand(object);
  if (PyFloat_Check(object)) return Operand(PyFloat_AS_DOUBLE(object), python_origin());
  if (PyComplex_Check(object)) return Operand(std::complex<double>(PyComplex_RealAsDouble(object), PyComplex_ImagAsDouble(object)));
  if (is_numpy_scalar(object)) {
    const nb::object plain = nb::borrow(object).attr("item")();
    if (!is_numpy_scalar(plain.ptr())) return number_operand(plain.ptr());  // long double has no plain form
    const double value = PyFloat_AsDouble(object);
    if (!PyErr_Occurred()) return Operand(value, python_origin());
    PyErr_Clear();
  }
  return {};
}

}  // namespace

PyExpr::~PyExpr() {
  if (self == nullptr) return;
  const auto found = live().find(expr.get());
  if (found != live().end() && found->second == self) live().erase(found);
}

void adopt(nb::handle self, PyExpr& held) {
  if (live().try_emplace(held.expr.get(), self.ptr()).second) held.self = self.ptr();
}

nb::object wrap(const Expr& expr) {
  if (!expr) return nb::none();
  const auto found = live().find(expr.get());
  if (found != live().end() && Py_REFCNT(found->second) > 0) return nb::borrow(found->second);
  if (shared_value_of(*expr)) {
    auto value = std::const_pointer_cast<SharedValue>(std::static_pointer_cast<const SharedValue>(expr->payload()));
    return make(Shared(expr, std::move(value)), expr);
  }
  return make(expr, expr);
}

PyExpr* unwrap(nb::handle object) noexcept { return nb::isinstance<PyExpr>(object) ? nb::inst_ptr<PyExpr>(object) : nullptr; }

std::optional<Operand> operand_of(nb::handle object) {
  if (const PyExpr* held = unwrap(object)) return Operand(held->expr, python_origin());
  if (auto number = number_operand(object.ptr())) return number;
  if (!is_array_like(object)) return {};
  const nb::object array = as_numpy(object);
  const Array view = array_of(array);
  return Operand(make_constant(constant_op(), view.view(), view.is_c_contiguous() ? Order::C : Order::F, {}, python_origin()),
                 python_origin());
}

Operand operand_for(const char* function, nb::handle object) {
  if (auto operand = operand_of(object)) return *operand;
  fail_user(ErrorCode::dtype, function,
            "a " + std::string(nb::str(nb::borrow(object.type()).attr("__name__")).c_str()) +
                " is neither an expression, nor a number, nor an array",
            python_origin());
}

}  // namespace voxloom::python

// python/src/bind_operators.cpp: Python's operators on expressions; the other operand may be anything that becomes one.
#include "bind.h"
#include "casters.h"

namespace voxloom::python {
namespace {

using Binary = Expr (*)(const Operand&, const Operand&);

struct Operator {
  const char* name;
  const char* reflected;  ///< nullptr: Python reflects comparisons itself
  Binary apply;
};
constexpr Operator operators[] = {
    {"__add__", "__radd__", add},
    {"__sub__", "__rsub__", sub},
    {"__mul__", "__rmul__", mul},
    {"__truediv__", "__rtruediv__", div},
    {"__floordiv__", "__rfloordiv__", floordiv},
    {"__mod__", "__rmod__", mod},
    {"__pow__", "__rpow__", pow},
    {"__matmul__", "__rmatmul__", [](const Operand& x, const Operand& y) { return matmul(x, y); }},
    {"__and__", "__rand__", bit_and},
    {"__or__", "__ror__", bit_or},
    {"__xor__", "__rxor__", bit_xor},
    {"__lshift__", "__rlshift__", shl},
    {"__rshift__", "__rrshift__", shr},
    {"__eq__", nullptr, eq},
    {"__ne__", nullptr, ne},
    {"__lt__", nullptr, lt},
    {"__le__", nullptr, le},
    {"__gt__", nullptr, gt},
    {"__ge__", nullptr, ge},
};

}  // namespace

void bind_operators(nb::module_& m) {
  const nb::object expr_class = m.attr("Expr");
  const auto def = [&](const char* name, auto&& body, const auto&... extra) {
    nb::cpp_function_def(body, nb::scope(expr_class), nb::name(name), nb::is_method(), extra...);
  };
  for (const Operator& o : operators) {
    const Binary apply = o.apply;
    const auto direct = [apply](const Expr& x, nb::object y) -> nb::object {
      const auto other = operand_of(y);
      if (!other) return nb::borrow(Py_NotImplemented);
      return wrap(apply(Operand(x, python_origin()), *other));
    };
    const std::string sig = std::string("def ") + o.name + "(self, other: Operand) -> Expr";
    def(o.name, direct, nb::is_operator(), nb::sig(sig.c_str()));
    if (o.reflected == nullptr) continue;
    const auto swapped = [apply](const Expr& x, nb::object y) -> nb::object {
      const auto other = operand_of(y);
      if (!other) return nb::borrow(Py_NotImplemented);
      return wrap(apply(*other, Operand(x, python_origin())));
    };
    const std::string reflected = std::string("def ") + o.reflected + "(self, other: Operand) -> Expr";
    def(o.reflected, swapped, nb::is_operator(), nb::sig(reflected.c_str()));
  }
  def("__neg__", [](const Expr& x) { return neg(Operand(x, python_origin())); });
  def("__pos__", [](const Expr& x) { return x; });
  def("__abs__", [](const Expr& x) { return abs(Operand(x, python_origin())); });
  def("__invert__", [](const Expr& x) { return bit_not(Operand(x, python_origin())); });
  def("__round__", [](const Expr& x, int decimals) { return round(Operand(x, python_origin()), decimals); }, "decimals"_a = 0);
}

}  // namespace voxloom::python

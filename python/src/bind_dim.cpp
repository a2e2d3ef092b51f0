// python/src/bind_dim.cpp: sizes of axes that are known at the call only, as Python values with arithmetic.
#include "bind.h"
#include "casters.h"

#include <nanobind/operators.h>

namespace voxloom::python {

void bind_dim(nb::module_& m) {
  nb::class_<Dim>(m, "Dim",
                  "A size that is known when a function is called: a symbol, or + - * // of sizes.\n\n"
                  "Equal names are equal sizes everywhere. Expr.shape gives them; reshape, broadcast_to and tensor take them.\n\nExample:\n"
                  "    >>> x = vl.tensor(\"x\", dtype=\"float32\", shape=(\"n\", 4))\n    >>> x.shape[0] * 4\n    Dim('4*n')\n")
      .def(
          "__init__", [](Dim* self, const std::string& text) { new (self) Dim(Dim::parse(text)); }, "text"_a,
          "From its text, such as \"n + 1\".\n\nRaises: UserError for a text that is no size.\n\nExample:\n    >>> vl.Dim(\"n + 1\")\n    "
          "Dim('n + 1')\n")
      .def(
          "__add__", [](const Dim& a, nb::object b) { return a + dim_of_python("+", b, false); }, nb::is_operator())
      .def(
          "__radd__", [](const Dim& a, nb::object b) { return dim_of_python("+", b, false) + a; }, nb::is_operator())
      .def(
          "__sub__", [](const Dim& a, nb::object b) { return a - dim_of_python("-", b, false); }, nb::is_operator())
      .def(
          "__rsub__", [](const Dim& a, nb::object b) { return dim_of_python("-", b, false) - a; }, nb::is_operator())
      .def(
          "__mul__", [](const Dim& a, nb::object b) { return a * dim_of_python("*", b, false); }, nb::is_operator())
      .def(
          "__rmul__", [](const Dim& a, nb::object b) { return dim_of_python("*", b, false) * a; }, nb::is_operator())
      .def(
          "__floordiv__", [](const Dim& a, nb::object b) { return floor_div(a, dim_of_python("//", b, false)); }, nb::is_operator())
      .def(
          "__eq__",
          [](const Dim& a, nb::object b) -> nb::object {
            if (nb::isinstance<Dim>(b)) return nb::cast(a == nb::cast<Dim>(b));
            if (PyUnicode_Check(b.ptr())) return nb::cast(a.str() == nb::cast<std::string>(b));
            return nb::cast(false);
          },
          "other"_a.none(), nb::sig("def __eq__(self, other: object) -> bool"))
      .def("__hash__", [](const Dim& a) { return a.hash() >> 4; })
      .def("__str__", &Dim::str)
      .def("__repr__", [](const Dim& a) { return "Dim('" + a.str() + "')"; });
}

}  // namespace voxloom::python

// python/src/bind_expr.cpp: the class Expr: what it tells about itself, and its bridges to NumPy and notebooks.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/test_value.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/variables.h>

#include <string>

namespace voxloom::python {
namespace {

constexpr int shown_depth = 4;

void describe(const Expr& e, int depth, std::string& text) {
  const Node& n = *e;
  if (!n.name().empty()) {
    text += n.name();
  } else if (const ConstantPayload* c = constant_of(n)) {
    const auto value = uniform_value(n);
    const bool whole = value && *value == static_cast<double>(static_cast<int64_t>(*value)) && std::abs(*value) < 1e15;
    text += whole ? std::to_string(static_cast<int64_t>(*value)) : value ? nb::cast<std::string>(nb::str(nb::float_(*value))) : "constant";
    if (!c->shape().empty() && !value) text += to_string(Dims(c->shape()));
  } else if (n.inputs().empty()) {
    text += n.op().name;
  } else {
    text += n.op().name;
    text += "(";
    for (size_t k = 0; k < n.inputs().size(); ++k) {
      if (k != 0) text += ", ";
      if (depth == 0) text += "...";
      else describe(n.input(k), depth - 1, text);
      if (depth == 0) break;
    }
    text += ")";
  }
}

std::string text_of(const Expr& e) {
  std::string text;
  describe(e, shown_depth, text);
  return text;
}

nb::object python_dim(const Dim& d) { return d.is_constant() ? nb::cast(d.constant()) : nb::cast(d); }

nb::tuple shape_of(const Expr& e) {
  nb::list shape;
  for (const Dim& d : e.shape()) shape.append(python_dim(d));
  return nb::tuple(shape);
}

nb::object call_python(const char* module, const char* function, nb::handle a, nb::handle b) {
  return nb::module_::import_(module).attr(function)(a, b);
}

[[noreturn]] void refuse_bool(const Expr& e) {
  fail_user(ErrorCode::dtype, "bool",
            "the expression " + text_of(e) +
                " has no truth value before it is computed; combine conditions with & | ~ and choose with "
                "vl.where(condition, x, y)",
            e->origin());
}

int64_t length_of(const Expr& e) {
  if (e.rank() == 0) fail_user(ErrorCode::dtype, "len", "the expression " + text_of(e) + " is a scalar", python_origin());
  if (!e.shape()[0].is_constant()) {
    fail_user(ErrorCode::dtype, "len",
              "the length " + e.shape()[0].str() + " of " + text_of(e) + " is known at the call only; it is x.shape[0]", python_origin());
  }
  return e.shape()[0].constant();
}

nb::object iterate(const Expr& e) {
  nb::list items;
  const int64_t length = length_of(e);
  for (int64_t k = 0; k < length; ++k) items.append(wrap(index(Operand(e, python_origin()), {IndexItem(k)})));
  return nb::iter(items);
}

/// Theano's x.tag, as far as it has a meaning here.
struct PyTag {
  Expr expr;
};

nb::object test_value_of(const PyTag& tag) {
  const Array value = test_value(tag.expr);
  if (!value.defined()) throw nb::attribute_error(("the expression " + text_of(tag.expr) + " has no test value").c_str());
  return numpy_of(value);
}

void give_test_value(const PyTag& tag, nb::handle value) {
  if (!is_array_like(value) && PyNumber_Check(value.ptr()) == 0) {
    fail_user(ErrorCode::dtype, "test_value", "a test value is an array, a number or a list, not " + std::string(nb::repr(value).c_str()),
              python_origin());
  }
  set_test_value(tag.expr, array_of(as_numpy(value, tag.expr.dtype(), "test_value")));
}

void bind_tag(nb::module_& m) {
  nb::class_<PyTag>(m, "Tag",
                    "x.tag of an expression: it holds the test value.\n\nExample:\n    >>> x = vl.fvector(\"x\")\n"
                    "    >>> hasattr(x.tag, \"test_value\")\n    False\n")
      .def_prop_rw(
          "test_value", test_value_of, give_test_value, nb::for_getter(nb::sig("def test_value(self) -> numpy.ndarray")),
          nb::for_setter(nb::sig("def test_value(self, value: numpy.typing.ArrayLike, /) -> None")),
          "An array that goes through expressions while they are built, so that sizes that do not fit are refused on your line.\n\n"
          "Variables are given one; with vl.config.compute_test_value = \"raise\" (or warn, ignore) what is built on them has one too.\n"
          "Raises: AttributeError where there is none; DTypeError, UserError for a value that is not of the variable's type.\n\n"
          "Example:\n    >>> with vl.config.change_flags(compute_test_value=\"raise\"):\n    ...     x = vl.fvector(\"x\")\n"
          "    ...     x.tag.test_value = [1, 2]\n    ...     y = x * 2\n    >>> y.tag.test_value\n"
          "    array([2., 4.], dtype=float32)\n");
}

constexpr const char* class_doc =
    "A node of the graph: a variable, a constant, or an operation on other expressions; nothing is computed until a function is "
    "compiled.\n\n"
    "Operators and NumPy's functions build expressions; == builds a comparison, hashing and dict keys go by node.\n\nExample:\n"
    "    >>> x = vl.fmatrix(\"x\")\n    >>> f = vl.function([x], np.exp(-x / 2))\n    >>> f(np.zeros((2, 2), \"float32\"))[0]\n"
    "    array([1., 1.], dtype=float32)\n";

void bind_facts(nb::class_<PyExpr>& c) {
  c.def_prop_ro(
       "shape", [](const PyExpr& e) { return shape_of(e.expr); }, nb::sig("def shape(self) -> tuple[int | Dim, ...]"),
       "Sizes of the axes: ints, or Dim where the size is known at the call only.\n\nExample:\n"
       "    >>> vl.tensor(\"x\", dtype=\"float32\", shape=(\"n\", 784)).shape\n    (Dim('n'), 784)\n")
      .def_prop_ro(
          "ndim", [](const PyExpr& e) { return e.expr.rank(); }, "Number of axes.\n\nExample:\n    >>> vl.tensor3(\"x\").ndim\n    3\n")
      .def_prop_ro(
          "dtype", [](const PyExpr& e) { return numpy_dtype(e.expr.dtype()); }, nb::sig("def dtype(self) -> numpy.dtype"),
          "The dtype as NumPy's; it compares equal to its name.\n\nExample:\n    >>> vl.dvector(\"x\").dtype == \"float64\"\n    True\n")
      .def_prop_ro(
          "name", [](const PyExpr& e) { return e.expr->name(); },
          "The name given when it was made; may be empty.\n\nExample:\n    >>> vl.vector(\"x\").name\n    'x'\n")
      .def_prop_ro(
          "type", [](const PyExpr& e) { return e.expr.type().str(); },
          "dtype, sizes and axis names as text.\n\nExample:\n    >>> vl.fscalar(\"x\").type\n    'f32[]'\n")
      .def_prop_ro(
          "axes",
          [](const PyExpr& e) {
            nb::list names;
            for (const std::string& name : e.expr.type().names) names.append(nb::str(name.c_str()));
            return nb::tuple(names);
          },
          nb::sig("def axes(self) -> tuple[str, ...]"),
          "Names of the axes (x y z t of images); empty without names.\n\nExample:\n    >>> vl.vector(\"x\").axes\n    ()\n")
      .def_prop_ro(
          "op", [](const PyExpr& e) { return std::string(e.expr->op().name); },
          "Name of the operation: input, constant, shared, image, or a row of the op table.\n\nExample:\n"
          "    >>> vl.exp(vl.vector(\"x\")).op\n    'exp'\n")
      .def_prop_ro(
          "inputs",
          [](const PyExpr& e) {
            nb::list inputs;
            for (const Expr& input : e.expr->inputs()) inputs.append(wrap(input));
            return nb::tuple(inputs);
          },
          nb::sig("def inputs(self) -> tuple[Expr, ...]"),
          "The operands.\n\nExample:\n    >>> x = vl.vector(\"x\")\n    >>> vl.exp(x).inputs[0] is x\n    True\n")
      .def_prop_ro(
          "origin", [](const PyExpr& e) { return origin_text(e.expr->origin()); },
          "\"file.py:12\": the line of yours that made it.\n\nExample:\n    >>> vl.vector(\"x\").origin.endswith(\":1\")\n    True\n")
      .def_prop_ro(
          "tag", [](const PyExpr& e) { return PyTag{e.expr}; },
          "Holds the test value: x.tag.test_value = array.\n\nExample:\n    >>> x = vl.fscalar(\"x\")\n    >>> x.tag.test_value = 3\n"
          "    >>> float(x.tag.test_value)\n    3.0\n")
      .def_prop_ro(
          "T", [](const PyExpr& e) { return transpose(Operand(e.expr, python_origin())); },
          "The axes reversed, without a copy.\n\nExample:\n    >>> vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3)).T.shape\n    (3, "
          "2)\n");
}

void bind_protocols(nb::class_<PyExpr>& c) {
  c.def("__hash__", [](const PyExpr& e) { return static_cast<Py_ssize_t>(e.expr->id() * 0x9E3779B97F4A7C15ULL >> 2); })
      .def("__bool__", [](const PyExpr& e) -> bool { refuse_bool(e.expr); })
      .def("__len__", [](const PyExpr& e) { return length_of(e.expr); })
      .def(
          "__iter__", [](const PyExpr& e) { return iterate(e.expr); }, nb::sig("def __iter__(self) -> collections.abc.Iterator[Expr]"))
      .def("__repr__", [](const PyExpr& e) { return "<" + text_of(e.expr) + ": " + e.expr.type().str() + ">"; })
      .def("__str__", [](const PyExpr& e) { return text_of(e.expr); })
      .def("__copy__", [](nb::handle self) { return nb::borrow(self); })
      .def(
          "__deepcopy__", [](nb::handle self, nb::handle) { return nb::borrow(self); }, "memo"_a)
      .def("_repr_html_", [](nb::handle self) { return nb::module_::import_("voxloom._html").attr("expression")(self); })
      .def("__array_ufunc__",
           [](nb::handle self, nb::handle ufunc, nb::handle method, nb::args inputs, nb::kwargs kwargs) {
             return nb::module_::import_("voxloom._numpy").attr("ufunc")(self, ufunc, method, inputs, kwargs);
           })
      .def(
          "__array_function__",
          [](nb::handle, nb::handle function, nb::handle, nb::handle args, nb::handle kwargs) {
            return nb::module_::import_("voxloom._numpy").attr("function")(function, args, kwargs);
          },
          "func"_a, "types"_a, "args"_a, "kwargs"_a)
      .def(
          "__array__", [](nb::handle self, nb::handle dtype, nb::handle) { return call_python("voxloom._numpy", "array", self, dtype); },
          "dtype"_a = nb::none(), "copy"_a = nb::none(),
          nb::sig("def __array__(self, dtype: numpy.dtype | None = None, copy: bool | None = None) -> numpy.ndarray"))
      .def(
          "eval", [](nb::handle self, nb::handle inputs) { return call_python("voxloom._function", "evaluate", self, inputs); },
          "inputs"_a = nb::none(), nb::sig("def eval(self, inputs: dict | None = None) -> numpy.ndarray"),
          "The value, for inputs {variable: value}. Compiles a function, which is kept for the next time.\n\n"
          "Raises: UserError for variables without a value, and what the call raises.\n\nExample:\n"
          "    >>> x = vl.fscalar(\"x\")\n    >>> float((x + 1).eval({x: 2}))\n    3.0\n")
      .def(
          "astype", [](const Expr& x, DTypeArg dtype) { return cast(Operand(x, python_origin()), dtype()); }, "dtype"_a,
          "The same values in another dtype; itself where it has that dtype.\n\nRaises: DTypeError for a dtype that does not exist "
          "here.\n\n"
          "Example:\n    >>> vl.fvector(\"x\").astype(\"int32\").dtype\n    dtype('int32')\n");
  for (const char* name : {"ravel", "flatten"}) {
    c.def(
        name, [](const Expr& x) { return ravel(Operand(x, python_origin())); },
        "One axis with all elements.\n\nExample:\n    >>> vl.fmatrix(\"x\").ravel().ndim\n    1\n");
  }
  c.def(
      "squeeze", [](const Expr& x, nb::object axis) { return squeeze(Operand(x, python_origin()), axes_of("squeeze", axis)); },
      "axis"_a = nb::none(),
      "Without the given axes, or without all that have size 1 in the type.\n\nRaises: UserError for an axis of another size.\n\nExample:\n"
      "    >>> vl.frow(\"x\").squeeze().ndim\n    1\n");
  c.def(
      "clip", [](const Expr& x, OperandArg low, OperandArg high) { return clip(Operand(x, python_origin()), low("clip"), high("clip")); },
      "low"_a, "high"_a,
      "minimum(maximum(x, low), high).\n\nRaises: DTypeError for complex numbers.\n\nExample:\n"
      "    >>> vl.fvector(\"x\").clip(0, 1).op\n    'clip'\n");
}

}  // namespace

void bind_expr(nb::module_& m) {
  bind_tag(m);
  nb::class_<PyExpr> c(m, "Expr", nb::is_weak_referenceable(), class_doc);
  bind_facts(c);
  bind_protocols(c);
}

}  // namespace voxloom::python

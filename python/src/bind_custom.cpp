// python/src/bind_custom.cpp: ops that users write.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/elemwise_op.h>

namespace voxloom::python {
namespace {

/// None, one text or several.
std::vector<std::string> texts_of(const char* what, nb::handle object) {
  if (object.is_none()) return {};
  if (PyUnicode_Check(object.ptr())) return {nb::cast<std::string>(object)};
  std::vector<std::string> texts;
  const bool several = PyList_Check(object.ptr()) || PyTuple_Check(object.ptr());
  if (several) {
    for (nb::handle item : object)
      if (PyUnicode_Check(item.ptr())) texts.push_back(nb::cast<std::string>(item));
  }
  if (!several || texts.size() != static_cast<size_t>(nb::len(object)))
    fail_user(ErrorCode::usage, "ElemwiseOp", std::string(what) + " is a text or a list of texts, not " + nb::repr(object).c_str(),
              python_origin());
  return texts;
}

std::vector<Operand> operands_of(const std::string& name, nb::args args) {
  std::vector<Operand> operands;
  for (nb::handle x : args) operands.push_back(operand_for(name.c_str(), x));
  return operands;
}

/// An op and, where its gradient is a function of Python, that.
struct PyElemwiseOp {
  ElemwiseOp op;
  nb::object grad;  ///< a function, a list of texts, or None
};

/// What the function gives for each input: expressions, None where nothing comes through.
std::vector<Expr> call_gradient(const std::string& name, const nb::object& grad, const std::vector<Expr>& inputs, const Expr& g) {
  nb::list arguments;
  for (const Expr& x : inputs) arguments.append(wrap(x));
  arguments.append(wrap(g));
  const nb::object result = grad(*arguments);
  const bool several = PyList_Check(result.ptr()) || PyTuple_Check(result.ptr());
  std::vector<Expr> entries;
  const auto add = [&](nb::handle entry) { entries.push_back(entry.is_none() ? Expr() : operand_for(name.c_str(), entry).as_expr()); };
  if (!several) add(result);
  else
    for (nb::handle entry : result) add(entry);
  return entries;
}

void make_op(PyElemwiseOp* self, const std::string& name, std::string c_code, nb::object inputs, nb::object grad) {
  ElemwiseOptions options{.inputs = texts_of("inputs", inputs)};
  const bool function = PyCallable_Check(grad.ptr()) != 0;
  if (function) options.grad_function = [name, grad](const auto& x, const Expr& g) { return call_gradient(name, grad, x, g); };
  else options.grad = texts_of("grad", grad);
  ElemwiseOp op(name, std::move(c_code), std::move(options));
  if (!function) grad = op.grad().empty() ? nb::none() : nb::object(nb::cast(op.grad()));
  new (self) PyElemwiseOp{std::move(op), grad};
}

bool equal(const PyElemwiseOp& a, nb::handle other) {
  if (!nb::isinstance<PyElemwiseOp>(other)) return false;
  const PyElemwiseOp& b = *nb::inst_ptr<PyElemwiseOp>(other);
  return a.op.name() == b.op.name() && a.op.c_code() == b.op.c_code() && a.op.inputs() == b.op.inputs() && a.grad.equal(b.grad);
}

std::string repr_of(const PyElemwiseOp& op) {
  const auto text = [](const auto& value) { return std::string(nb::repr(nb::cast(value)).c_str()); };
  std::string all = "ElemwiseOp(" + text(op.op.name()) + ", " + text(op.op.c_code()) + ", inputs=" + text(op.op.inputs());
  if (!op.grad.is_none()) all += ", grad=" + std::string(nb::repr(op.grad).c_str());
  return all + ")";
}

constexpr const char* elemwise_doc =
    "An elementwise op given as an expression in C's notation.\n\n"
    "name: for errors. c_code: the expression. inputs: the names of the operands, in order; may be left out where there is only one.\n"
    "grad: for each input what it gets of the gradient g of a cost with respect to the result: C expressions of the inputs, g and the\n"
    "result out, linear in g (\"0\": nothing); or a function of the inputs and g that gives an expression for each input (None: nothing).\n"
    "Left out, it is derived.\n"
    "c_code holds numbers, the inputs, + - * / %, comparisons, && || !, & | ^ ~ << >>, ?:, casts such as (float)x, M_PI and the like, and\n"
    "functions of <math.h>, with or without the suffix f. It is no program: no statements, no pointers.\n"
    "The op is built from the library's own ones: it fuses, streams, is saved and pickles as they do. Equal expressions over equal\n"
    "operands are computed once.\n"
    "Shapes broadcast. dtype: numbers take the dtype of what they meet, comparisons are boolean; integers divided by integers round\n"
    "towards zero, as in C.\n"
    "Raises: UserError for what does not parse, with the column; DTypeError when an operator does not take the operands' dtypes.\n\n"
    "Example:\n"
    "    >>> soft = vl.ElemwiseOp(\"soft\", \"x > 0 ? x : a * expm1(x)\", inputs=[\"x\", \"a\"])\n"
    "    >>> x = vl.fvector(\"x\")\n"
    "    >>> vl.function([x], soft(x, 0.5))([-1, 2])\n"
    "    array([-0.31606027,  2.        ], dtype=float32)\n";

void bind_elemwise_op(nb::module_& m) {
  nb::class_<PyElemwiseOp>(m, "ElemwiseOp", elemwise_doc)
      .def("__init__", make_op, "name"_a, "c_code"_a, "inputs"_a = nb::none(), "grad"_a = nb::none(),
           nb::sig("def __init__(self, name: str, c_code: str, inputs: str | Sequence[str] | None = None, grad: str | Sequence[str] | "
                   "Callable[..., Expr | Sequence[Expr | None]] | None = None) -> None"))
      .def(
          "__call__", [](const PyElemwiseOp& op, nb::args args) { return op.op.apply(operands_of(op.op.name(), args)); },
          nb::sig("def __call__(self, *operands: Operand) -> Expr"), "The expression of these operands, one for each input.")
      .def_prop_ro(
          "name", [](const PyElemwiseOp& op) { return op.op.name(); }, "Its name.")
      .def_prop_ro(
          "c_code", [](const PyElemwiseOp& op) { return op.op.c_code(); }, "Its expression.")
      .def_prop_ro(
          "inputs", [](const PyElemwiseOp& op) { return op.op.inputs(); }, "The names of its operands.")
      .def_prop_ro(
          "grad", [](const PyElemwiseOp& op) { return op.grad; }, nb::sig("def grad(self) -> object"),
          "Its gradients: a list of expressions, one for each input, a function, or None where they are derived.")
      .def("__eq__", equal, nb::sig("def __eq__(self, other: object) -> bool"))
      .def("__hash__",
           [](const PyElemwiseOp& op) {
             return nb::hash(nb::make_tuple(op.op.name(), op.op.c_code(), nb::tuple(nb::cast(op.op.inputs()))));
           })
      .def("__repr__", repr_of)
      .def(
          "__reduce__",
          [](nb::handle self) {
            const PyElemwiseOp& op = *nb::inst_ptr<PyElemwiseOp>(self);
            return nb::make_tuple(self.type(), nb::make_tuple(op.op.name(), op.op.c_code(), op.op.inputs(), op.grad));
          },
          nb::sig("def __reduce__(self) -> tuple"));
}

}  // namespace

void bind_custom(nb::module_& m) { bind_elemwise_op(m); }

}  // namespace voxloom::python

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

std::string repr_of(const ElemwiseOp& op) {
  const auto text = [](const auto& value) { return std::string(nb::repr(nb::cast(value)).c_str()); };
  std::string all = "ElemwiseOp(" + text(op.name()) + ", " + text(op.c_code()) + ", inputs=" + text(op.inputs());
  if (!op.grad().empty()) all += ", grad=" + text(op.grad());
  return all + ")";
}

constexpr const char* elemwise_doc =
    "An elementwise op given as an expression in C's notation.\n\n"
    "name: for errors. c_code: the expression. inputs: the names of the operands, in order; may be left out where there is only one.\n"
    "grad: for each input what it gets of the gradient g of a cost with respect to the result: C expressions of the inputs, g and the\n"
    "result out, linear in g (\"0\": nothing). Left out, it is derived.\n"
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
  nb::class_<ElemwiseOp>(m, "ElemwiseOp", elemwise_doc)
      .def(
          "__init__",
          [](ElemwiseOp* self, std::string name, std::string c_code, nb::object inputs, nb::object grad) {
            new (self) ElemwiseOp(std::move(name), std::move(c_code), {texts_of("inputs", inputs), texts_of("grad", grad)});
          },
          "name"_a, "c_code"_a, "inputs"_a = nb::none(), "grad"_a = nb::none(),
          nb::sig(
              "def __init__(self, name: str, c_code: str, inputs: str | Sequence[str] | None = None, grad: str | Sequence[str] | None = "
              "None) -> None"))
      .def(
          "__call__", [](const ElemwiseOp& op, nb::args args) { return op.apply(operands_of(op.name(), args)); },
          nb::sig("def __call__(self, *operands: Operand) -> Expr"), "The expression of these operands, one for each input.")
      .def_prop_ro("name", &ElemwiseOp::name, "Its name.")
      .def_prop_ro("c_code", &ElemwiseOp::c_code, "Its expression.")
      .def_prop_ro("inputs", &ElemwiseOp::inputs, "The names of its operands.")
      .def_prop_ro("grad", &ElemwiseOp::grad, "Its gradients, one for each input; empty where they are derived.")
      .def(
          "__eq__", [](const ElemwiseOp& a, nb::handle b) { return nb::isinstance<ElemwiseOp>(b) && a == *nb::inst_ptr<ElemwiseOp>(b); },
          nb::sig("def __eq__(self, other: object) -> bool"))
      .def("__hash__", [](const ElemwiseOp& op) { return nb::hash(nb::cast(repr_of(op))); })
      .def("__repr__", repr_of)
      .def(
          "__reduce__",
          [](nb::handle self) {
            const ElemwiseOp& op = *nb::inst_ptr<ElemwiseOp>(self);
            return nb::make_tuple(self.type(), nb::make_tuple(op.name(), op.c_code(), op.inputs(), op.grad()));
          },
          nb::sig("def __reduce__(self) -> tuple"));
}

}  // namespace

void bind_custom(nb::module_& m) { bind_elemwise_op(m); }

}  // namespace voxloom::python

// python/src/bind_print.cpp: expressions and functions as trees, formulas and drawings.
#include "bind.h"
#include "casters.h"
#include "function.h"

#include <voxloom/api/print.h>

namespace voxloom::python {
namespace {

/// `print` for the expression or the function that the object is.
template <class Print> auto of(const char* function, nb::handle object, Print&& print) {
  if (nb::isinstance<PyFunction>(object)) return print(nb::inst_ptr<PyFunction>(object)->function);
  if (const PyExpr* const held = unwrap(object)) return print(held->expr);
  fail_user(ErrorCode::dtype, function, "takes an expression or a function, not " + std::string(nb::repr(object).c_str()), python_origin());
}

}  // namespace

void bind_print(nb::module_& m) {
  m.def(
      "_debugprint",
      [](nb::object graph, int depth, bool print_type, bool print_origin) {
        const DebugPrintOptions options{.depth = depth, .print_type = print_type, .print_origin = print_origin};
        return of("debugprint", graph, [&](const auto& g) { return debugprint(g, options); });
      },
      "graph"_a, "depth"_a, "print_type"_a, "print_origin"_a);
  for (const char* name : {"pprint", "pp"}) {
    m.def(
        name, [](OperandArg x) { return pprint(x("pprint").as_expr()); }, "x"_a,
        "The formula of an expression as text, with as few parentheses as Python asks for.\n\n"
        "Levels deeper than 64 are \"...\".\nRaises: DTypeError for what becomes no expression.\n\nExample:\n"
        "    >>> x, y = vl.vectors(\"x\", \"y\")\n    >>> vl.pprint(1 / (1 + vl.exp(-x * y)))\n    '1 / (1 + exp(-x * y))'\n");
  }
  m.def(
      "to_dot", [](nb::object graph) { return of("to_dot", graph, [](const auto& g) { return to_dot(g); }); }, "graph"_a,
      "The graph of an expression or function in Graphviz's DOT, as text.\n\n"
      "Of a function: the graph after the passes, each kernel in a box and colour of its own, labelled with its device.\n"
      "Raises: DTypeError for other objects.\n\nExample:\n"
      "    >>> vl.to_dot(vl.exp(vl.vector(\"x\"))).startswith(\"digraph\")\n    True\n");
  m.def(
      "to_svg", [](nb::object graph) { return of("to_svg", graph, [](const auto& g) { return to_svg(g); }); }, "graph"_a,
      "The same picture as to_dot() as SVG text, without Graphviz.\n\nRaises: DTypeError for other objects, UserError for more than 1000 "
      "nodes.\n\nExample:\n"
      "    >>> \"<svg\" in vl.to_svg(vl.exp(vl.vector(\"x\")))\n    True\n");
  m.def(
      "pydotprint",
      [](nb::object graph, nb::object outfile) {
        const auto path = nb::cast<std::string>(nb::module_::import_("os").attr("fspath")(outfile));
        of("pydotprint", graph, [&path](const auto& g) { pydotprint(g, path); });
      },
      "graph"_a, "outfile"_a, nb::sig("def pydotprint(graph: Expr | Function, outfile: str | os.PathLike[str]) -> None"),
      "Draws an expression or a function, one colour per kernel, into a file: .svg (no Graphviz needed), or .dot, .gv for Graphviz.\n\n"
      "Raises: DTypeError for other objects, UserError for another suffix, FileError from the system.\n\nExample:\n"
      "    >>> x = vl.vector(\"x\")\n    >>> vl.pydotprint(vl.function([x], vl.exp(-x).sum()), \"/tmp/voxloom_f.svg\")\n");
}

}  // namespace voxloom::python

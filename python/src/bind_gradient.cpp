// python/src/bind_gradient.cpp: gradients, products with Jacobians, Jacobians and Hessians, and their check against differences.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/function.h>
#include <voxloom/api/gradient.h>

namespace voxloom::python {
namespace {

Disconnected disconnected_of(const char* function, const std::string& text) {
  if (text == "raise") return Disconnected::raise;
  if (text == "warn") return Disconnected::warn;
  if (text == "ignore") return Disconnected::ignore;
  fail_user(ErrorCode::usage, function, "disconnected_inputs = '" + text + "' (allowed 'raise', 'warn', 'ignore')", python_origin());
}

[[noreturn]] void refuse(const char* function, const char* wanted, nb::handle object) {
  fail_user(ErrorCode::usage, function, std::string(wanted) + ", not " + nb::repr(object).c_str(), python_origin());
}

Expr expr_of(const char* function, const char* what, nb::handle object) {
  if (const PyExpr* held = unwrap(object)) return held->expr;
  refuse(function, (std::string(what) + " is an expression").c_str(), object);
}

/// None, one expression or several.
std::vector<Expr> exprs_of(const char* function, const char* what, nb::handle object) {
  std::vector<Expr> list;
  if (object.is_none()) return list;
  if (unwrap(object)) return {unwrap(object)->expr};
  if (!PyObject_HasAttrString(object.ptr(), "__iter__"))
    refuse(function, (std::string(what) + " is an expression or a list of them").c_str(), object);
  for (nb::handle item : object) list.push_back(expr_of(function, what, item));
  return list;
}

/// {expression: gradient} or pairs.
std::vector<std::pair<Expr, Expr>> known_of(nb::handle object) {
  std::vector<std::pair<Expr, Expr>> known;
  if (object.is_none()) return known;
  const nb::object pairs = PyDict_Check(object.ptr()) ? nb::object(object.attr("items")()) : nb::borrow(object);
  for (nb::handle pair : pairs) {
    if (!PyTuple_Check(pair.ptr()) || nb::len(pair) != 2) refuse("grad", "known_grads are {expression: gradient} or such pairs", pair);
    const Expr of = expr_of("grad", "a key of known_grads", nb::object(pair[0]));
    known.emplace_back(of, operand_for("grad", nb::object(pair[1])).as_expr(of.dtype()));
  }
  return known;
}

GradOptions options_of(const char* function, nb::handle consider_constant, const std::string& disconnected) {
  GradOptions options;
  options.consider_constant = exprs_of(function, "consider_constant", consider_constant);
  options.disconnected_inputs = disconnected_of(function, disconnected);
  options.warn = [](const std::string& message) {
    if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) != 0) throw nb::python_error();
  };
  return options;
}

/// Results in the form of what they belong to: one, a list or a tuple.
nb::object in_form(nb::handle of, const std::vector<Expr>& results) {
  if (unwrap(of)) return wrap(results.at(0));
  nb::list list;
  for (const Expr& e : results) list.append(wrap(e));
  return PyTuple_Check(of.ptr()) ? nb::object(nb::tuple(list)) : nb::object(list);
}

nb::object python_grad(OperandArg cost, nb::object wrt, nb::object consider_constant, const std::string& disconnected, nb::object known) {
  GradOptions options = options_of("grad", consider_constant, disconnected);
  options.known_grads = known_of(known);
  return in_form(wrt, grad(cost("grad"), exprs_of("grad", "wrt", wrt), options));
}

using Derivatives = std::vector<Expr> (*)(const Operand&, const std::vector<Expr>&, const GradOptions&);

nb::object all_derivatives(const char* function, Derivatives of, OperandArg f, nb::object wrt, nb::object consider_constant,
                           const std::string& disconnected) {
  const GradOptions options = options_of(function, consider_constant, disconnected);
  return in_form(wrt, of(f(function), exprs_of(function, "wrt", wrt), options));
}

using Product = std::vector<Expr> (*)(const std::vector<Expr>&, const std::vector<Expr>&, const std::vector<Expr>&, const GradOptions&);

/// Plain values are taken too, in the dtype of what they belong to.
std::vector<Expr> points_of(const char* function, nb::handle points, nb::handle form, const std::vector<Expr>& of) {
  if (unwrap(form)) return {operand_for(function, points).as_expr(of.at(0).dtype())};
  std::vector<Expr> list;
  for (nb::handle point : points) {
    const size_t k = list.size();
    list.push_back(operand_for(function, point).as_expr(k < of.size() ? of[k].dtype() : DType::f32));
  }
  return list;
}

nb::object product(const char* function, Product of, bool along_wrt, nb::object f, nb::object wrt, nb::object eval_points,
                   nb::object consider_constant, const std::string& disconnected) {
  const GradOptions options = options_of(function, consider_constant, disconnected);
  const std::vector<Expr> fs = exprs_of(function, "f", f), variables = exprs_of(function, "wrt", wrt);
  const std::vector<Expr> points = points_of(function, eval_points, along_wrt ? wrt : f, along_wrt ? variables : fs);
  return in_form(along_wrt ? f : wrt, of(fs, variables, points, options));
}

std::vector<HostArray> compiled(const Graph& graph, std::span<const StridedView> inputs) {
  std::vector<Array> arguments;
  for (const StridedView& view : inputs) arguments.push_back(Array::view(view));
  std::vector<HostArray> results;
  const nb::gil_scoped_release unlocked;
  for (const Array& a : compile(graph, {}).call(arguments)) results.push_back(HostArray::copy(a.view()));
  return results;
}

void python_verify_grad(nb::object fun, nb::object pt, int n_tests, uint64_t seed, std::optional<double> eps, std::optional<double> abs_tol,
                        std::optional<double> rel_tol) {
  std::vector<nb::object> kept;
  std::vector<Array> points;
  for (nb::handle point : pt) {
    kept.push_back(as_numpy(point));
    points.push_back(array_of(kept.back()));
  }
  const auto call = [&fun](const std::vector<Expr>& variables) {
    nb::list arguments;
    for (const Expr& v : variables) arguments.append(wrap(v));
    return operand_for("verify_grad", fun(*arguments)).as_expr();
  };
  verify_grad(call, points, {.n_tests = n_tests, .seed = seed, .eps = eps, .abs_tol = abs_tol, .rel_tol = rel_tol, .evaluate = compiled});
}

constexpr const char* grad_doc =
    "Gradients of a real scalar with respect to expressions: variables, or results on the way to the cost.\n\n"
    "wrt: an expression, a list or a tuple; the result has the same form. consider_constant: expressions through which no gradient\n"
    "passes. disconnected_inputs: what happens when the cost does not depend on one: \"raise\", \"warn\" or \"ignore\" (zeros then).\n"
    "known_grads: {expression: gradient of the cost} to be taken as they are.\n"
    "The cost is stabilised first: the gradient of log(1 - sigmoid(x)) is finite for every x.\n"
    "Shape and dtype: those of each wrt; of a complex z it is dL/dRe z + i dL/dIm z.\n"
    "Raises: UserError for a cost that is no scalar, DTypeError for integers, UserError for what the cost does not depend on.\n\nExample:\n"
    "    >>> x = vl.fvector(\"x\")\n    >>> vl.grad((x ** 2).sum(), x).eval({x: [1, 2]})\n    array([2., 4.], dtype=float32)\n";
constexpr const char* jacobian_doc =
    "Derivatives of every element of a scalar or vector f, computed together.\n\n"
    "wrt: an expression, a list or a tuple; the result has the same form. consider_constant, disconnected_inputs: as in grad().\n"
    "Shape: (elements of f, *shape of wrt), or the shape of wrt for a scalar f. dtype: that of wrt.\n"
    "Raises: UserError for f of more than one axis, and as grad().\n\nExample:\n"
    "    >>> x = vl.fvector(\"x\")\n    >>> vl.jacobian(x ** 2, x).eval({x: [1, 2]})\n"
    "    array([[2., 0.],\n           [0., 4.]], dtype=float32)\n";
constexpr const char* hessian_doc =
    "Second derivatives of a scalar with respect to vectors.\n\n"
    "wrt: a vector, a list or a tuple of vectors; the result has the same form. consider_constant, disconnected_inputs: as in grad().\n"
    "Shape: a square matrix for each wrt. dtype: that of wrt.\n"
    "Raises: UserError for a cost that is no scalar or a wrt that is no vector, and as grad().\n\nExample:\n"
    "    >>> x = vl.fvector(\"x\")\n    >>> vl.hessian((x ** 3).sum(), x).eval({x: [1, 2]})\n"
    "    array([[ 6.,  0.],\n           [ 0., 12.]], dtype=float32)\n";
constexpr const char* lop_doc =
    "eval_points times the Jacobian of f (a row vector from the left): gradients of sum(f * eval_points).\n\n"
    "f and eval_points: expressions or lists of them; the result has the form of wrt. consider_constant, disconnected_inputs: as in\n"
    "grad().\nShape and dtype: those of each wrt.\nRaises: UserError for eval_points whose number or shapes are not those of f, and as\n"
    "grad().\n\nExample:\n"
    "    >>> x, v = vl.fvectors(\"x\", \"v\")\n    >>> vl.Lop(x ** 2, x, v).eval({x: [1, 2], v: [1, 10]})\n"
    "    array([ 2., 40.], dtype=float32)\n";
constexpr const char* rop_doc =
    "The Jacobian of f times eval_points: the derivative of f when each wrt moves along its eval_point.\n\n"
    "wrt and eval_points: expressions or lists of them; the result has the form of f. consider_constant, disconnected_inputs: as in\n"
    "grad().\nShape and dtype: those of each f.\nRaises: UserError for eval_points whose number or shapes are not those of wrt, and as\n"
    "grad().\n\nExample:\n"
    "    >>> x, v = vl.fvectors(\"x\", \"v\")\n    >>> vl.Rop((x ** 2).sum(), x, v).eval({x: [1, 2], v: [1, 10]})\n"
    "    array(42., dtype=float32)\n";
constexpr const char* verify_doc =
    "Compares the gradients of fun(*variables) with central differences at the points pt, every cost compiled.\n\n"
    "fun: takes one expression per point and returns one. pt: a list of arrays of floats or complex numbers (float64 is exact enough to\n"
    "tell). n_tests: random projections of the result; seed: of them. eps: the step; abs_tol, rel_tol: a gradient is right within either\n"
    "(1e-6 in float64, 5e-3 in float32).\n"
    "Raises: UserError naming the argument and element that differ most, with both values; DTypeError for points without gradient.\n\n"
    "Example:\n    >>> vl.verify_grad(lambda x: vl.tanh(x) * x, [np.array([0.5, -1.0])])\n";

}  // namespace

// The stub has two forms of each, one for a single expression and one for several: python/stub_patterns.txt.
void bind_gradient(nb::module_& m) {
  m.def("grad", python_grad, "cost"_a, "wrt"_a, "consider_constant"_a = nb::none(), "disconnected_inputs"_a = "raise",
        "known_grads"_a = nb::none(), grad_doc);
  struct Derivative {
    const char* name;
    Derivatives of;
    const char *argument, *doc;
  };
  for (const Derivative& d : {Derivative{"jacobian", jacobian, "f", jacobian_doc}, Derivative{"hessian", hessian, "cost", hessian_doc}}) {
    m.def(
        d.name,
        [name = d.name, of = d.of](OperandArg f, nb::object wrt, nb::object consider_constant, const std::string& disconnected) {
          return all_derivatives(name, of, f, wrt, consider_constant, disconnected);
        },
        nb::arg(d.argument), "wrt"_a, "consider_constant"_a = nb::none(), "disconnected_inputs"_a = "raise", d.doc);
  }
  struct Pair {
    const char* name;
    Product of;
    bool along_wrt;
    const char* doc;
  };
  for (const Pair& p : {Pair{"Lop", Lop, false, lop_doc}, Pair{"Rop", Rop, true, rop_doc}}) {
    m.def(
        p.name,
        [p](nb::object f, nb::object wrt, nb::object points, nb::object consider_constant, const std::string& disconnected) {
          return product(p.name, p.of, p.along_wrt, f, wrt, points, consider_constant, disconnected);
        },
        "f"_a, "wrt"_a, "eval_points"_a, "consider_constant"_a = nb::none(), "disconnected_inputs"_a = "raise", p.doc);
  }
  m.def(
      "consider_constant", [](OperandArg x) { return zero_grad(x("consider_constant")); }, "x"_a,
      "x, with gradient 0: Theano's other name for zero_grad(x).\n\nShape and dtype: those of the operand.\n\nExample:\n"
      "    >>> x = vl.fscalar(\"x\")\n    >>> float(vl.grad(x * vl.consider_constant(x), x).eval({x: 3}))\n    3.0\n");
  m.def(
      "verify_grad", python_verify_grad, "fun"_a, "pt"_a, "n_tests"_a = 2, "seed"_a = 42, "eps"_a = nb::none(), "abs_tol"_a = nb::none(),
      "rel_tol"_a = nb::none(),
      nb::sig("def verify_grad(fun: collections.abc.Callable[..., Operand], pt: collections.abc.Sequence[numpy.typing.ArrayLike], n_tests: "
              "int = 2, seed: int = 42, eps: float | None = None, abs_tol: float | None = None, rel_tol: float | None = None) -> None"),
      verify_doc);
}

}  // namespace voxloom::python

// python/src/bind_host.cpp: functions of Python as ops; voxloom/_custom.py has the classes.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/host_op.h>

#include <algorithm>

namespace voxloom::python {
namespace {

/// A row whose functions are Python's. It lives as long as the process, and so do they.
struct PyHostRow {
  const OpInfo* row = nullptr;
};

struct Callables {
  PyObject *host = nullptr, *infer = nullptr, *grad = nullptr;
};

PyObject* held(nb::handle callable) { return callable.is_none() ? nullptr : nb::borrow(callable).release().ptr(); }

std::string text_of(nb::handle object) { return nb::str(object).c_str(); }

/// What Python raises passes, with a note that names the op and the line of the expression.
template <class F> auto with_note(const char* what, const std::string& op, OriginId origin, F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (nb::python_error& error) {
    const std::string where = origin.value != 0 ? " [at " + origin_text(origin) + "]" : "";
    error.value().attr("add_note")(std::string("in ") + what + " of the op " + op + where);
    throw;
  }
}

nb::object call_with(PyObject* callable, const nb::list& arguments) {
  PyObject* const result = PyObject_CallObject(callable, nb::tuple(arguments).ptr());
  if (result == nullptr) throw nb::python_error();
  return nb::steal(result);
}

/// Writes what the function gave.
void put(const Node& node, const nb::object& result, const StridedView& out) {
  const auto fail = [&](ErrorCode code, const std::string& text) { fail_user(code, node.op().name, text, node.origin()); };
  if (result.is_none()) fail(ErrorCode::usage, "the host function gave None where an array is needed");
  const nb::object array = as_numpy(result);
  const Array wanted = Array::view(out);
  const nb::object shape = array.attr("shape"), dtype = array.attr("dtype");
  nb::list sizes;
  for (const int64_t n : wanted.shape()) sizes.append(n);
  if (!shape.equal(nb::tuple(sizes)))
    fail(ErrorCode::shape, "the host function gave an array of shape " + text_of(shape) + ", its result has " + text_of(nb::tuple(sizes)));
  const nb::object fits = nb::module_::import_("numpy").attr("can_cast")(dtype, numpy_dtype(wanted.dtype()), "same_kind");
  if (!nb::cast<bool>(fits))
    fail(ErrorCode::dtype, "the host function gave " + text_of(dtype) + ", its result is " + std::string(name_of(wanted.dtype())));
  const Array given = array_of(array);
  wanted.assign(given.dtype() == wanted.dtype() ? given : given.cast(wanted.dtype()));
}

/// Arguments are copies: the function may keep them, and this memory is used again.
void call_host(PyObject* host, const Node& node, std::span<const StridedView> in, const StridedView& out) {
  const nb::gil_scoped_acquire locked;
  with_note("the host function", node.op().name, node.origin(), [&] {
    nb::list arguments;
    for (const StridedView& view : in) arguments.append(numpy_of(Array::view(view).cast(view.dtype)));
    put(node, call_with(host, arguments), out);
  });
}

nb::list exprs_of(const std::vector<Expr>& operands) {
  nb::list list;
  for (const Expr& e : operands) list.append(wrap(e));
  return list;
}

/// An expression of that type, or (shape, dtype).
Type type_from(const std::string& op, nb::handle result) {
  if (const PyExpr* like = unwrap(result)) return like->expr.type();
  if (!PyTuple_Check(result.ptr()) || nb::len(result) != 2)
    fail_user(ErrorCode::usage, op, "infer gives an expression of the result's type, or (shape, dtype), not " + text_of(nb::repr(result)),
              python_origin());
  const nb::object shape = result[0], dtype = result[1];
  return {.dtype = dtype_of_python(dtype), .shape = dims_of_python(op.c_str(), shape, false)};
}

std::vector<Expr> gradients_from(const std::string& op, nb::handle result, const std::vector<Expr>& operands) {
  const bool several = PyList_Check(result.ptr()) || PyTuple_Check(result.ptr());
  std::vector<Expr> entries;
  const auto add = [&](nb::handle entry) {
    if (entry.is_none()) entries.emplace_back();
    else entries.push_back(operand_for(op.c_str(), entry).as_expr(operands[std::min(entries.size(), operands.size() - 1)].dtype()));
  };
  if (!several) add(result);
  else
    for (nb::handle entry : result) add(entry);
  return entries;
}

PyHostRow make_row(const std::string& name, nb::object host, nb::object infer, nb::object grad) {
  const std::pair<const char*, nb::handle> given[] = {{"host", host}, {"infer", infer}, {"grad", grad}};
  for (const auto& [what, callable] : given)
    if (PyCallable_Check(callable.ptr()) == 0 && (callable.is_none() ? what == std::string_view("host") : true))
      fail_user(ErrorCode::usage, name.empty() ? "HostOp" : name, std::string(what) + " is a function, not " + text_of(nb::repr(callable)),
                python_origin());
  const Callables call{held(host), held(infer), held(grad)};
  HostOptions options;
  if (call.infer != nullptr)
    options.infer = [call, name](const std::vector<Expr>& operands) {
      const nb::gil_scoped_acquire locked;
      return with_note("infer", name, {}, [&] { return type_from(name, call_with(call.infer, exprs_of(operands))); });
    };
  if (call.grad != nullptr)
    options.grad = [call, name](const std::vector<Expr>& operands, const Expr& g) {
      const nb::gil_scoped_acquire locked;
      nb::list arguments = exprs_of(operands);
      arguments.append(wrap(g));
      return with_note("grad", name, {}, [&] { return gradients_from(name, call_with(call.grad, arguments), operands); });
    };
  const auto run = [call](const Node& node, std::span<const StridedView> in, const StridedView& out) {
    call_host(call.host, node, in, out);
  };
  return {&ops::make_host_row(name, run, std::move(options), python_origin())};
}

Expr apply_row(const PyHostRow& row, nb::args args) {
  std::vector<Operand> operands;
  for (nb::handle x : args) operands.push_back(operand_for(row.row->name, x));
  if (operands.empty()) fail_user(ErrorCode::usage, row.row->name, "takes at least one operand", python_origin());
  return HostOp(*row.row).apply(operands);
}

}  // namespace

void bind_host(nb::module_& m) {
  nb::class_<PyHostRow>(m, "_HostRow").def_prop_ro("id", [](const PyHostRow& row) { return reinterpret_cast<size_t>(row.row); });
  m.def("_make_host_row", make_row, "name"_a, "host"_a.none(), "infer"_a.none(), "grad"_a.none());
  m.def("_apply_host_row", apply_row, "row"_a, "operands"_a);
}

}  // namespace voxloom::python

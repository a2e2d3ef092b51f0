// python/src/bind_index.cpp: x[...], take, set_subtensor and inc_subtensor; what a mask chooses is an object that only the latter two take.
#include "bind.h"
#include "casters.h"
#include "errors.h"

#include <voxloom/ops/selection.h>

namespace voxloom::python {
namespace {

std::optional<int64_t> slice_part(PyObject* part) {
  if (part == Py_None) return {};
  const nb::object index = nb::steal(PyNumber_Index(part));
  if (!index) {
    PyErr_Clear();
    fail_user(ErrorCode::dtype, "index", "a slice takes integers, not " + std::string(nb::repr(part).c_str()), python_origin());
  }
  const long long value = PyLong_AsLongLong(index.ptr());
  if (!PyErr_Occurred()) return value;
  PyErr_Clear();
  return PyObject_RichCompareBool(index.ptr(), nb::int_(0).ptr(), Py_LT) == 1 ? INT64_MIN : INT64_MAX;  // beyond every axis
}

/// Indices as an operand; [] is no list of floats here.
Operand indices_for(const char* function, nb::handle object) {
  const bool sequence = PyList_Check(object.ptr()) || PyTuple_Check(object.ptr());
  if (!sequence || nb::len(object) != 0) return operand_for(function, object);
  return operand_for(function, nb::module_::import_("numpy").attr("empty")(0, "int64"));
}

IndexItem index_item(nb::handle item) {
  if (item.is_none()) return newaxis;
  if (item.ptr() == Py_Ellipsis) return ellipsis;
  if (PySlice_Check(item.ptr())) {
    const auto* const s = reinterpret_cast<PySliceObject*>(item.ptr());
    return Slice{slice_part(s->start), slice_part(s->stop), slice_part(s->step)};
  }
  const bool array = unwrap(item) || is_numpy_array(item.ptr());
  if (!array && PyIndex_Check(item.ptr()) && !PyBool_Check(item.ptr())) return IndexItem(*slice_part(item.ptr()));
  if (array || is_array_like(item)) return IndexItem(indices_for("index", item).as_expr());
  fail_user(ErrorCode::dtype, "index",
            "an index is made of integers, slices, ..., None and arrays of integers, not " + std::string(nb::repr(item).c_str()),
            python_origin());
}

std::vector<IndexItem> items_of(nb::handle key) {
  std::vector<IndexItem> items;
  if (PyTuple_Check(key.ptr())) {
    for (nb::handle item : key) items.push_back(index_item(item));
  } else {
    items.push_back(index_item(key));
  }
  return items;
}

/// x[mask]: how many elements there are is known only at the call.
struct MaskedChoice {
  Chosen chosen;
  OriginId origin;
};

/// The library's error for a mask as an index, at the line of x[mask].
[[noreturn]] void refuse(const MaskedChoice& c) {
  index(Operand(c.chosen.x, c.origin), c.chosen.items);
  fail_internal("a mask chose elements");
}

// ---- whatever else is done with x[mask] ----

PyObject* refuse_object(PyObject* object) noexcept {
  try {
    refuse(*nb::inst_ptr<MaskedChoice>(object));
  } catch (...) { set_python_error(); }
  return nullptr;
}
PyObject* refuse_unary(PyObject* a) { return refuse_object(a); }
PyObject* refuse_binary(PyObject* a, PyObject* b) { return refuse_object(nb::isinstance<MaskedChoice>(a) ? a : b); }
PyObject* refuse_ternary(PyObject* a, PyObject* b, PyObject*) { return refuse_binary(a, b); }
PyObject* refuse_comparison(PyObject* a, PyObject*, int) { return refuse_object(a); }
int refuse_bool(PyObject* a) { return refuse_object(a) == nullptr ? -1 : 0; }
Py_ssize_t refuse_length(PyObject* a) { return refuse_object(a) == nullptr ? -1 : 0; }
Py_hash_t hash_of(PyObject* a) { return static_cast<Py_hash_t>(std::hash<void*>()(a) >> 4); }
PyObject* refuse_attribute(PyObject* a, PyObject* name) {
  PyObject* const found = PyObject_GenericGetAttr(a, name);
  const char* const text = PyUnicode_AsUTF8(name);
  if (found != nullptr || text == nullptr || text[0] == '_') return found;  // protocols ask for names with underscores
  PyErr_Clear();
  return refuse_object(a);
}

template <class F> void* slot(F* function) { return reinterpret_cast<void*>(function); }
PyType_Slot choice_slots[] = {{Py_tp_getattro, slot(refuse_attribute)},
                              {Py_tp_richcompare, slot(refuse_comparison)},
                              {Py_tp_hash, slot(hash_of)},
                              {Py_tp_iter, slot(refuse_unary)},
                              {Py_mp_subscript, slot(refuse_binary)},
                              {Py_mp_length, slot(refuse_length)},
                              {Py_nb_bool, slot(refuse_bool)},
                              {Py_nb_negative, slot(refuse_unary)},
                              {Py_nb_absolute, slot(refuse_unary)},
                              {Py_nb_invert, slot(refuse_unary)},
                              {Py_nb_float, slot(refuse_unary)},
                              {Py_nb_int, slot(refuse_unary)},
                              {Py_nb_add, slot(refuse_binary)},
                              {Py_nb_subtract, slot(refuse_binary)},
                              {Py_nb_multiply, slot(refuse_binary)},
                              {Py_nb_true_divide, slot(refuse_binary)},
                              {Py_nb_floor_divide, slot(refuse_binary)},
                              {Py_nb_remainder, slot(refuse_binary)},
                              {Py_nb_matrix_multiply, slot(refuse_binary)},
                              {Py_nb_power, slot(refuse_ternary)},
                              {Py_nb_and, slot(refuse_binary)},
                              {Py_nb_or, slot(refuse_binary)},
                              {Py_nb_xor, slot(refuse_binary)},
                              {Py_nb_lshift, slot(refuse_binary)},
                              {Py_nb_rshift, slot(refuse_binary)},
                              {0, nullptr}};

void bind_masked_choice(nb::module_& m) {
  nb::class_<MaskedChoice> c(
      m, "MaskedChoice", nb::type_slots(choice_slots),
      "What x[mask] is: elements whose number is known only at the call. set_subtensor and inc_subtensor take it; anything else is a\n"
      "UserError, whose text says what to write instead: where(mask, x, 0) and its sums, or integers in place of the mask.\n\nExample:\n"
      "    >>> x = vl.fvector(\"x\")\n    >>> vl.set_subtensor(x[x < 0], 0).eval({x: [-1, 2]})\n    array([0., 2.], dtype=float32)\n"
      "    >>> x[x < 0].sum()\n    Traceback (most recent call last):\n    voxloom._errors.UserError: index: a mask of shape ...\n");
  c.def("__array_ufunc__", [](const MaskedChoice& self, nb::args, nb::kwargs) { refuse(self); })
      .def("__array_function__", [](const MaskedChoice& self, nb::args, nb::kwargs) { refuse(self); })
      .def("__array__", [](const MaskedChoice& self, nb::args, nb::kwargs) { refuse(self); })
      .def("__repr__", [](const MaskedChoice& self) {
        return "<elements of " + std::string(nb::repr(wrap(self.chosen.x)).c_str()) + " where a mask holds>";
      });
}

// ---- choosing ----

bool is_mask(const IndexItem& item) { return item.kind == IndexItem::Kind::array && item.array.dtype() == DType::boolean; }

nb::object chosen_expr(const Expr& result, Chosen from) {
  nb::object object = wrap(result);
  unwrap(object)->chosen = std::make_shared<const Chosen>(std::move(from));
  return object;
}

nb::object subscript(const Expr& x, nb::object key) {
  Chosen chosen{x, items_of(key)};
  const OriginId origin = python_origin();
  for (const IndexItem& item : chosen.items) {
    if (!is_mask(item)) continue;
    select("index", x, chosen.items, origin, Masks::allowed);  // a mask that does not fit is refused here
    return nb::cast(MaskedChoice{std::move(chosen), origin});
  }
  const Expr result = index(Operand(x, origin), chosen.items);
  return chosen_expr(result, std::move(chosen));
}

void assign(const Expr&, nb::object, nb::object) {
  fail_user(
      ErrorCode::dtype, "index",
      "an expression does not change; write y = vl.set_subtensor(x[...], value) or y = vl.inc_subtensor(x[...], value) and go on with y",
      python_origin());
}

nb::object python_take(OperandArg x, nb::object indices, nb::object axis, const std::string& mode) {
  if (mode != "raise")
    fail_user(ErrorCode::usage, "take",
              "mode = '" + mode + "' (allowed 'raise'); indices can be computed: vl.clip(i, 0, n - 1), or i % n to wrap around",
              python_origin());
  const Operand operand = x("take"), at = indices_for("take", indices);
  if (axis.is_none()) return wrap(take(operand, at));
  const Axis along = axis_of("take", axis);
  const Expr result = take(operand, at, along);
  Chosen chosen{operand.as_expr(), {}};
  chosen.items.assign(static_cast<size_t>(resolve_axes("take", chosen.x.type(), Axes(std::vector<Axis>{along})).front()), Slice{});
  chosen.items.push_back(at.weak() == Operand::Weak::integer ? IndexItem(at.integer()) : IndexItem(at.as_expr()));
  return chosen_expr(result, std::move(chosen));
}

struct Subtensor {
  const char* name;
  Expr (*of_items)(const Operand&, const std::vector<IndexItem>&, const Operand&);
  Expr (*of_chosen)(const Operand&, const Operand&);
  const char* doc;
};
constexpr Subtensor subtensors[] = {
    {"set_subtensor", set_subtensor, set_subtensor,
     "x with the elements that x[...] chooses replaced by values, which broadcast to them; x itself stays as it is.\n\n"
     "chosen: x[...] with positions, slices, arrays of integers (of equal indices the last one counts) or a mask (values for all of "
     "its\n"
     "elements alike), or a take or flip of x.\n"
     "Shape and dtype: those of x.\n"
     "Raises: DTypeError for values of a wider dtype, UserError for values that do not broadcast, IndexError at the call for indices\n"
     "outside.\n\nExample:\n    >>> x = vl.fvector(\"x\")\n    >>> vl.set_subtensor(x[1:], 7).eval({x: [1, 2, 3]})\n"
     "    array([1., 7., 7.], dtype=float32)\n"},
    {"inc_subtensor", inc_subtensor, inc_subtensor,
     "x with values added to the elements that x[...] chooses, for equal indices as often as they come, in their order.\n\n"
     "chosen: x[...] with positions, slices, arrays of integers or a mask (values for all of its elements alike), or a take or flip of x.\n"
     "Shape and dtype: those of x.\n"
     "Raises: DTypeError for values of a wider dtype, UserError for values that do not broadcast, IndexError at the call for indices\n"
     "outside.\n\nExample:\n    >>> x = vl.fvector(\"x\")\n    >>> vl.inc_subtensor(x[[0, 0, 2]], 1).eval({x: [1, 2, 3]})\n"
     "    array([3., 2., 4.], dtype=float32)\n"},
};

void bind_subtensors(nb::module_& m) {
  for (const Subtensor& s : subtensors) {
    const Subtensor* const of = &s;
    m.def(
        s.name,
        [of](nb::object chosen, OperandArg values) {
          const Operand given = values(of->name);
          if (nb::isinstance<MaskedChoice>(chosen)) {
            const Chosen& c = nb::inst_ptr<MaskedChoice>(chosen)->chosen;
            return of->of_items(Operand(c.x, python_origin()), c.items, given);
          }
          const PyExpr* const held = unwrap(chosen);
          if (held != nullptr && held->chosen) return of->of_items(Operand(held->chosen->x, python_origin()), held->chosen->items, given);
          return of->of_chosen(operand_for(of->name, chosen), given);
        },
        "chosen"_a, "values"_a, nb::sig((std::string("def ") + s.name + "(chosen: Expr | MaskedChoice, values: Operand) -> Expr").c_str()),
        s.doc);
  }
}

}  // namespace

void bind_index(nb::module_& m) {
  bind_masked_choice(m);
  const nb::object expr_class = m.attr("Expr");
  const auto def = [&](const char* name, auto&& body, const auto&... extra) {
    nb::cpp_function_def(body, nb::scope(expr_class), nb::name(name), nb::is_method(), extra...);
  };
  def("__getitem__", subscript, "key"_a.none(), nb::sig("def __getitem__(self, key: object) -> Expr"),
      "NumPy's indexing: integers, slices, ..., None, and arrays of integers, which broadcast against each other.\n\n"
      "A position drops its axis. Views cost nothing: they become index maps of the kernel; arrays of integers are read inside kernels.\n"
      "x[mask] is a MaskedChoice, for set_subtensor and inc_subtensor.\n"
      "Raises: IndexError for a position outside the axis (at the call for values of arrays), UserError for too many indices.\n\n"
      "Example:\n"
      "    >>> vl.fmatrix(\"x\")[::-1, 0].ndim\n    1\n");
  def("__setitem__", assign, "key"_a.none(), "value"_a.none(), nb::sig("def __setitem__(self, key: object, value: object) -> None"));
  const char* const take_doc =
      "Elements along one axis (of all, flattened, without one) at the given indices, whose axes take the place of that axis.\n\n"
      "indices: integers; those below 0 count from the end.\ndtype: that of the operand.\n"
      "Raises: DTypeError for indices that are no integers, UserError for another mode than \"raise\", IndexError at the call for indices\n"
      "outside, naming index, size and line.\n\nExample:\n"
      "    >>> x = vl.fmatrix(\"x\")\n    >>> vl.take(x, [2, 0], axis=1).eval({x: [[1, 2, 3]]})\n    array([[3., 1.]], dtype=float32)\n";
  m.def("take", python_take, "x"_a, "indices"_a, "axis"_a = nb::none(), "mode"_a = "raise",
        nb::sig("def take(x: Operand, indices: Operand, axis: int | str | None = None, mode: str = 'raise') -> Expr"), take_doc);
  def("take", python_take, "indices"_a, "axis"_a = nb::none(), "mode"_a = "raise",
      nb::sig("def take(self, indices: Operand, axis: int | str | None = None, mode: str = 'raise') -> Expr"), take_doc);
  bind_subtensors(m);
}

}  // namespace voxloom::python

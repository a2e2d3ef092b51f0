// python/src/bind_variables.cpp: variables of every dtype and rank with their plurals, constants, shared variables.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/shared.h>
#include <voxloom/ops/variables.h>

#include <nanobind/stl/vector.h>

namespace voxloom::python {
namespace {

struct Prefix {
  const char* text;
  std::optional<DType> dtype;  ///< nothing: floatX
};
const Prefix prefixes[] = {{"", {}},          {"b", DType::i8},   {"w", DType::i16},  {"i", DType::i32},  {"l", DType::i64},
                           {"ub", DType::u8}, {"uw", DType::u16}, {"ui", DType::u32}, {"ul", DType::u64}, {"f", DType::f32},
                           {"d", DType::f64}, {"c", DType::c64},  {"z", DType::c128}};
struct Rank {
  const char *name, *plural;
  int rank, unit;
  const char* shape;
};
constexpr Rank ranks[] = {{"scalar", "scalars", 0, -1, "()"},
                          {"vector", "vectors", 1, -1, "(n,)"},
                          {"row", "rows", 2, 0, "(1, n); the first axis broadcasts"},
                          {"col", "cols", 2, 1, "(n, 1); the second axis broadcasts"},
                          {"matrix", "matrices", 2, -1, "(m, n)"},
                          {"tensor3", "tensor3s", 3, -1, "of 3 axes"},
                          {"tensor4", "tensor4s", 4, -1, "of 4 axes"},
                          {"tensor5", "tensor5s", 5, -1, "of 5 axes"}};

Sizes open_sizes(const char* function, nb::handle shape) {
  Sizes sizes;
  if (shape.is_none()) return sizes;
  for (const Dim& d : dims_of_python(function, shape, true)) sizes.emplace_back(d);
  return sizes;
}

Expr make(const Rank& rank, const std::optional<DType>& dtype, nb::handle name, nb::handle shape) {
  const std::string text = name.is_none() ? std::string() : nb::cast<std::string>(name);
  return detail::variable(rank.name, dtype.value_or(current_policy().floatX), rank.rank, rank.unit, text, open_sizes(rank.name, shape),
                          std::source_location::current());
}

std::string doc_of(const Prefix& prefix, const Rank& rank, bool plural) {
  const std::string dtype = prefix.dtype ? std::string(voxloom::name_of(*prefix.dtype)) : "floatX";
  const std::string name = std::string(prefix.text) + rank.name, many = std::string(prefix.text) + rank.plural;
  std::string text =
      plural ? "Several variables: " + many + "(\"a\", \"b\") or " + many + "(2).\n\n" : "A variable of dtype " + dtype + ".\n\n";
  text += std::string("Shape: ") + rank.shape +
          (plural ? ".\n" : "; sizes in `shape` are ints, names (equal names are equal sizes), Dim or None.\n");
  text += "dtype: " + dtype + (prefix.dtype ? ".\n" : ", or `dtype`.\n");
  text += "Raises: UserError for a shape of another rank.\n\nExample:\n";
  text += plural ? "    >>> a, b = vl." + many + "(\"a\", \"b\")\n    >>> b.name\n    'b'\n"
                 : "    >>> vl." + name + "(\"x\").ndim\n    " + std::to_string(rank.rank) + "\n";
  return text;
}

std::vector<Expr> make_many(const Prefix& prefix, const Rank& rank, nb::args names) {
  std::vector<Expr> made;
  if (names.size() == 1 && PyLong_Check(names[0].ptr())) {
    for (int k = nb::cast<int>(names[0]); k > 0; --k) made.push_back(make(rank, prefix.dtype, nb::none(), nb::none()));
    return made;
  }
  for (nb::handle name : names) made.push_back(make(rank, prefix.dtype, name, nb::none()));
  return made;
}

void bind_ranks(nb::module_& m) {
  for (const Prefix& prefix : prefixes) {
    for (const Rank& rank : ranks) {
      const Prefix* const p = &prefix;
      const Rank* const r = &rank;
      const std::string name = std::string(prefix.text) + rank.name, plural = std::string(prefix.text) + rank.plural;
      const std::string doc = doc_of(prefix, rank, false);
      if (prefix.dtype) {
        m.def(
            name.c_str(), [p, r](std::optional<std::string> n, nb::object shape) { return make(*r, p->dtype, nb::cast(n), shape); },
            "name"_a = nb::none(), "shape"_a = nb::none(), doc.c_str());
      } else {
        m.def(
            name.c_str(),
            [r](std::optional<std::string> n, nb::object shape, nb::object dtype) {
              return make(*r, optional_dtype(dtype), nb::cast(n), shape);
            },
            "name"_a = nb::none(), "shape"_a = nb::none(), "dtype"_a = nb::none(), doc.c_str());
      }
      m.def(plural.c_str(), [p, r](nb::args names) { return make_many(*p, *r, names); }, "names"_a, doc_of(prefix, rank, true).c_str());
    }
  }
}

Expr python_constant(nb::handle value, nb::handle dtype) {
  const Operand operand = operand_for("constant", value);
  return dtype.is_none() ? operand.as_expr() : operand.as_expr(dtype_of_python(dtype));
}

/// Plain numbers and lists have no dtype of their own: their fractions are floatX.
nb::object value_of(nb::handle value) {
  const bool plain = PyFloat_CheckExact(value.ptr()) || PyList_Check(value.ptr()) || PyTuple_Check(value.ptr());
  nb::object array = as_numpy(value);
  const Array window = array_of(array);
  if (plain && window.dtype() == DType::f64) array = array.attr("astype")(numpy_dtype(current_policy().floatX));
  return array;
}

nb::object make_shared_variable(nb::handle value, nb::handle name, bool borrow, bool strict) {
  if (!is_array_like(value) && PyNumber_Check(value.ptr()) == 0) {
    fail_user(ErrorCode::dtype, "shared", "a value is an array, a number or a list, not " + std::string(nb::repr(value).c_str()),
              python_origin());
  }
  const std::string text = name.is_none() ? std::string() : nb::cast<std::string>(name);
  return wrap(shared(owning_array_of(value_of(value)), text, {.borrow = borrow, .strict = strict}).expr());
}

void set_value(PyShared& self, nb::handle value, bool borrow) {
  const nb::object array = as_numpy(value, self.expr.dtype(), "set_value");
  const Array given = owning_array_of(array);
  // It waits for a call that updates the variable, which may need the GIL: for a signal, or for a function of the user.
  const nb::gil_scoped_release unlocked;
  self.shared.set_value(given, borrow);
}

void bind_shared(nb::module_& m) {
  nb::class_<PyShared, PyExpr>(
      m, "Shared",
      "A variable with a value that lives between calls; a function's updates replace it. Made by shared().\n\nExample:\n"
      "    >>> w = vl.shared(np.zeros(3, \"float32\"), name=\"w\")\n    >>> step = vl.function([], None, updates={w: w + 1})\n"
      "    >>> step()\n    >>> w.get_value()\n    array([1., 1., 1.], dtype=float32)\n")
      .def(
          "get_value", [](const PyShared& self, bool borrow) { return numpy_of(self.shared.get_value(borrow)); }, "borrow"_a = false,
          nb::sig("def get_value(self, borrow: bool = False) -> numpy.ndarray"),
          "The value now: a copy, or with borrow a read-only view of it (updates replace the value, they never write into "
          "it).\n\nExample:\n"
          "    >>> float(vl.shared(2.0).get_value())\n    2.0\n")
      .def("set_value", set_value, "value"_a, "borrow"_a = false,
           "Replaces the value. Copies, unless borrow hands the array over. Waits for a running call that updates the variable.\n\n"
           "The rank is the variable's, and the dtype is or, unless the variable is strict, converts without loss.\n"
           "Raises: DTypeError, UserError for a value of another dtype or rank.\n\nExample:\n"
           "    >>> b = vl.shared(0.0)\n    >>> b.set_value(1.5)\n    >>> float(b.get_value())\n    1.5\n");
  m.def("shared", make_shared_variable, "value"_a, "name"_a = nb::none(), "borrow"_a = false, "strict"_a = false,
        nb::sig("def shared(value: numpy.typing.ArrayLike, name: str | None = None, borrow: bool = False, strict: bool = False) -> Shared"),
        "A shared variable of the value's dtype and rank; sizes stay open.\n\n"
        "Arrays keep their dtype; plain floats and lists of them become floatX. The value is copied unless borrow hands it over: then "
        "writing into\n"
        "the array changes the variable. strict: set_value() takes arrays of this dtype only.\n"
        "Raises: DTypeError for a dtype that is not supported and for what is no array.\n\nExample:\n"
        "    >>> vl.shared([1.0, 2.0]).dtype\n    dtype('float32')\n");
}

}  // namespace

void bind_variables(nb::module_& m) {
  bind_shared(m);
  bind_ranks(m);
  m.def(
      "tensor",
      [](const std::string& name, DTypeArg dtype, nb::object shape) { return tensor(name, dtype(), open_sizes("tensor", shape)); },
      "name"_a = "", "dtype"_a = "floatX", "shape"_a = nb::tuple(),
      "A variable of any dtype and shape.\n\n"
      "Sizes are ints, names (equal names are equal sizes), Dim or None (open). A size of 1 broadcasts.\n"
      "Raises: DTypeError for a dtype that does not exist here, UserError for more than 8 axes or a negative size.\n\nExample:\n"
      "    >>> vl.tensor(\"x\", dtype=\"float64\", shape=(\"n\", 784)).shape\n    (Dim('n'), 784)\n");
  m.def(
      "image_input",
      [](const std::string& name, DTypeArg dtype, nb::object shape, std::vector<std::string> axes) {
        return image_input(name, dtype(), open_sizes("image_input", shape), std::move(axes));
      },
      "name"_a, "dtype"_a, "shape"_a, "axes"_a,
      "A variable whose axes have names (x fastest in memory): it aligns with other images by name, and integer voxels compute in "
      "floats.\n\n"
      "Raises: UserError unless there is one name per axis, each once.\n\nExample:\n"
      "    >>> vl.image_input(\"a\", \"int16\", (4, 4, 3), [\"x\", \"y\", \"z\"]).axes\n    ('x', 'y', 'z')\n");
  for (const char* name : {"constant", "as_tensor_variable"}) {
    m.def(name, python_constant, "value"_a, "dtype"_a = nb::none(),
          nb::sig((std::string("def ") + name + "(value: Operand, dtype: DTypeLike | None = None) -> Expr").c_str()),
          "An expression that holds a value; an expression stays itself.\n\n"
          "Arrays keep their dtype; plain floats are floatX, ints int64, unless `dtype` says more. The value is copied.\n"
          "Raises: DTypeError for a value that does not fit the dtype.\n\nExample:\n"
          "    >>> vl.constant([1, 2, 3]).dtype\n    dtype('int64')\n");
  }
}

}  // namespace voxloom::python

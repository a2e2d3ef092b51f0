// python/src/bind_moves.cpp: roll, repeat, tile, pad, and arrays made of nothing but their sizes.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/variables.h>

namespace voxloom::python {
namespace {

bool is_sequence(nb::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }

int64_t count_of(const char* function, nb::handle object) {
  const Dim count = dim_of_python(function, object, false);
  if (!count.is_constant())
    fail_user(ErrorCode::usage, function, "the number " + count.str() + " is known at the call only; an int is needed", python_origin());
  return count.constant();
}

Expr python_roll(OperandArg x, int64_t shift, nb::object axis) {
  const Operand operand = x("roll");
  if (!axis.is_none()) return roll(operand, shift, axis_of("roll", axis));
  const Expr flat = roll(Operand(ravel(operand), operand.origin()), shift, 0);
  Sizes shape;
  for (const Dim& d : operand.as_expr().shape()) shape.emplace_back(d);
  return reshape(Operand(flat, operand.origin()), shape);
}

Expr python_repeat(OperandArg x, nb::object repeats, nb::object axis) {
  const Operand operand = x("repeat");
  const int64_t times = count_of("repeat", repeats);
  if (!axis.is_none()) return repeat(operand, times, axis_of("repeat", axis));
  return repeat(Operand(ravel(operand), operand.origin()), times, 0);
}

Expr python_tile(OperandArg x, nb::object reps) {
  std::vector<int64_t> times;
  if (!is_sequence(reps)) times = {count_of("tile", reps)};
  else
    for (nb::handle n : reps) times.push_back(count_of("tile", n));
  return tile(x("tile"), times);
}

std::pair<int64_t, int64_t> width_of(nb::handle width) {
  if (!is_sequence(width)) return {count_of("pad", width), count_of("pad", width)};
  if (nb::len(width) == 1) return width_of(nb::object(width[0]));
  if (nb::len(width) == 2) return {count_of("pad", nb::object(width[0])), count_of("pad", nb::object(width[1]))};
  fail_user(ErrorCode::usage, "pad", "a width is an int or a pair (before, after), not " + std::string(nb::repr(width).c_str()),
            python_origin());
}

/// NumPy's forms: n, (before, after) for every axis, or a pair per axis.
Expr python_pad(OperandArg x, nb::object pad_width, const std::string& mode, OperandArg constant_values) {
  if (mode != "constant")
    fail_user(ErrorCode::usage, "pad", "mode = '" + mode + "' (allowed 'constant'); take with computed indices repeats or mirrors elements",
              python_origin());
  const Operand operand = x("pad");
  const auto rank = static_cast<size_t>(operand.as_expr().rank());
  const bool per_axis = is_sequence(pad_width) && nb::len(pad_width) > 0 && is_sequence(nb::object(pad_width[0]));
  std::vector<std::pair<int64_t, int64_t>> widths;
  if (!per_axis) widths.assign(rank, width_of(pad_width));
  else
    for (nb::handle width : pad_width) widths.push_back(width_of(width));
  if (per_axis && widths.size() == 1) widths.assign(rank, widths.front());
  return pad(operand, widths, constant_values("pad"));
}

Expr python_arange(nb::object start, nb::object stop, nb::object step, nb::object dtype) {
  const Dim first = stop.is_none() ? Dim(0) : dim_of_python("arange", start, false);
  const Dim end = dim_of_python("arange", stop.is_none() ? start : stop, false);
  const Expr numbers = arange(Size(first), Size(end), count_of("arange", step));
  return dtype.is_none() ? numbers : cast(Operand(numbers, python_origin()), dtype_of_python(dtype));
}

Expr python_eye(nb::object n, nb::object m, int64_t k, nb::object dtype) {
  std::optional<Size> columns;
  if (!m.is_none()) columns = Size(dim_of_python("eye", m, false));
  return eye(Size(dim_of_python("eye", n, false)), columns, k, optional_dtype(dtype));
}

void bind_rearranging(nb::module_& m) {
  m.def("roll", python_roll, "x"_a, "shift"_a, "axis"_a = nb::none(),
        nb::sig("def roll(x: Operand, shift: int, axis: int | str | None = None) -> Expr"),
        "Elements moved on by shift along an axis (of all, flattened, without one); those that leave at the end come in at the start.\n\n"
        "Shape and dtype: those of the operand.\nRaises: UserError for an axis that does not exist.\n\nExample:\n"
        "    >>> x = vl.fvector(\"x\")\n    >>> vl.roll(x, 1).eval({x: [1, 2, 3]})\n    array([3., 1., 2.], dtype=float32)\n");
  m.def("repeat", python_repeat, "x"_a, "repeats"_a, "axis"_a = nb::none(),
        nb::sig("def repeat(x: Operand, repeats: int, axis: int | str | None = None) -> Expr"),
        "Each element so many times along an axis (of all, flattened, without one).\n\ndtype: that of the operand.\n"
        "Raises: UserError for an axis that does not exist or a number below 0.\n\nExample:\n"
        "    >>> x = vl.fvector(\"x\")\n    >>> vl.repeat(x, 2).eval({x: [1, 2]})\n    array([1., 1., 2., 2.], dtype=float32)\n");
  m.def("tile", python_tile, "x"_a, "reps"_a, nb::sig("def tile(x: Operand, reps: int | collections.abc.Sequence[int]) -> Expr"),
        "The whole so many times along each of the last axes.\n\ndtype: that of the operand.\nRaises: UserError for a number below 0.\n\n"
        "Example:\n    >>> x = vl.fvector(\"x\")\n    >>> vl.tile(x, 2).eval({x: [1, 2]})\n    array([1., 2., 1., 2.], dtype=float32)\n");
  m.def("pad", python_pad, "x"_a, "pad_width"_a, "mode"_a = "constant", "constant_values"_a = 0,
        "With so many elements of one value before and after each axis: pad_width is n, (before, after), or a pair per axis.\n\n"
        "dtype: that of the operand.\nRaises: UserError for another mode than \"constant\", widths below 0 or pairs that are not one per\n"
        "axis.\n\nExample:\n    >>> x = vl.fvector(\"x\")\n    >>> vl.pad(x, (1, 2)).eval({x: [5]})\n"
        "    array([0., 5., 0., 0.], dtype=float32)\n");
  struct Triangle {
    const char* name;
    Expr (*make)(const Operand&, int64_t);
    const char *other, *shown;
  };
  for (const Triangle& t : {Triangle{"tril", tril, "above", "array([[1., 0.],\n           [1., 1.]], dtype=float32)"},
                            Triangle{"triu", triu, "below", "array([[1., 1.],\n           [0., 1.]], dtype=float32)"}}) {
    const std::string name = t.name;
    m.def(
        t.name, [make = t.make, name](OperandArg x, int64_t k) { return make(x(name.c_str()), k); }, "x"_a, "k"_a = 0,
        ("x with 0 " + std::string(t.other) +
         " diagonal k of the last two axes.\n\nShape and dtype: those of the operand.\nRaises: UserError for fewer than two axes.\n\n"
         "Example:\n    >>> x = vl.fmatrix(\"x\")\n    >>> vl." +
         name + "(x).eval({x: np.ones((2, 2), \"float32\")})\n    " + t.shown + "\n")
            .c_str());
  }
}

void bind_filled(nb::module_& m) {
  struct Filled {
    const char* name;
    Expr (*make)(const Sizes&, std::optional<DType>);
    Expr (*like)(const Operand&, std::optional<DType>);
    const char *value, *shown;
  };
  for (const Filled& f : {Filled{"zeros", zeros, zeros_like, "0", "array([0., 0.], dtype=float32)"},
                          Filled{"ones", ones, ones_like, "1", "array([1., 1.], dtype=float32)"}}) {
    const std::string name = f.name;
    m.def(
        f.name,
        [make = f.make, name](nb::object shape, nb::object dtype) { return make(sizes_of(name.c_str(), shape), optional_dtype(dtype)); },
        "shape"_a, "dtype"_a = nb::none(),
        ("An array of " + std::string(f.value) +
         "; sizes are ints, names or Dim, such as x.shape.\n\ndtype: floatX, or dtype.\nRaises: UserError for a negative size.\n\n"
         "Example:\n    >>> vl." +
         name + "(2).eval()\n    " + f.shown + "\n")
            .c_str());
    m.def((name + "_like").c_str(),
          [like = f.like, name](OperandArg x, nb::object dtype) { return like(x((name + "_like").c_str()), optional_dtype(dtype)); }, "x"_a,
          "dtype"_a = nb::none(),
          ("An array of " + std::string(f.value) +
           " with the shape and axis names of x.\n\ndtype: that of x, or dtype.\n\nExample:\n    >>> vl." + name +
           "_like(vl.constant([3, 4]), dtype=\"float32\").eval()\n    " + f.shown + "\n")
              .c_str());
  }
  m.def(
      "full",
      [](nb::object shape, OperandArg fill_value, nb::object dtype) {
        return full(sizes_of("full", shape), fill_value("full"), optional_dtype(dtype));
      },
      "shape"_a, "fill_value"_a, "dtype"_a = nb::none(),
      "An array of one value; sizes are ints, names or Dim, such as x.shape.\n\ndtype: that of the value (floatX of plain floats), or "
      "dtype.\n"
      "Raises: UserError for a negative size.\n\nExample:\n    >>> vl.full(2, 7.0).eval()\n    array([7., 7.], dtype=float32)\n");
  m.def(
      "full_like",
      [](OperandArg x, OperandArg fill_value, nb::object dtype) {
        return full_like(x("full_like"), fill_value("full_like"), optional_dtype(dtype));
      },
      "x"_a, "fill_value"_a, "dtype"_a = nb::none(),
      "An array of one value with the shape and axis names of x.\n\ndtype: that of x, or dtype.\n\nExample:\n"
      "    >>> vl.full_like(vl.constant([1, 2]), 7).eval()\n    array([7, 7])\n");
}

}  // namespace

void bind_moves(nb::module_& m) {
  bind_rearranging(m);
  bind_filled(m);
  m.def(
      "arange", python_arange, "start"_a, "stop"_a = nb::none(), "step"_a = 1, "dtype"_a = nb::none(),
      nb::sig("def arange(start: int | str | Dim, stop: int | str | Dim | None = None, step: int = 1, dtype: DTypeLike | None = None) -> "
              "Expr"),
      "Integers from start (0 if it is alone) to before stop; ends are ints, names or Dim, such as x.shape[0].\n\ndtype: int64, or dtype.\n"
      "Raises: UserError for ends that are no sizes or a step of 0.\n\nExample:\n    >>> vl.arange(1, 7, 2).eval()\n    array([1, 3, "
      "5])\n");
  m.def("eye", python_eye, "n"_a, "m"_a = nb::none(), "k"_a = 0, "dtype"_a = nb::none(),
        nb::sig("def eye(n: int | str | Dim, m: int | str | Dim | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Expr"),
        "A matrix of n rows and m (n by default) columns: 1 where column = row + k, otherwise 0.\n\ndtype: floatX, or dtype.\n"
        "Raises: UserError for a negative size.\n\nExample:\n    >>> vl.eye(2).eval()\n    array([[1., 0.],\n           [0., 1.]], "
        "dtype=float32)\n");
}

}  // namespace voxloom::python

// python/src/bind_views.cpp: transposition, reshaping and joining, as functions and as methods.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/variables.h>

namespace voxloom::python {
namespace {

/// Axis positions, None or 'x' for a new axis.
std::vector<int> pattern_of(const std::vector<nb::object>& items) {
  std::vector<int> pattern;
  for (const nb::object& item : items) {
    const bool fresh = item.is_none() || (PyUnicode_Check(item.ptr()) && nb::cast<std::string>(item) == "x");
    pattern.push_back(fresh ? -1 : axis_of("dimshuffle", item).index);
  }
  return pattern;
}

Axes order_of(const std::vector<nb::object>& items) {
  if (items.empty() || (items.size() == 1 && items[0].is_none())) return {};
  std::vector<Axis> axes;
  for (const nb::object& item : items) axes.push_back(axis_of("transpose", item));
  return Axes(std::move(axes));
}

Sizes sizes_of_items(const char* function, const std::vector<nb::object>& items) {
  Sizes sizes;
  for (const nb::object& item : items) sizes.emplace_back(dim_of_python(function, item, false));
  return sizes;
}

std::vector<Operand> operands_of(const char* function, nb::handle sequence) {
  std::vector<Operand> operands;
  for (nb::handle item : sequence) operands.push_back(operand_for(function, item));
  return operands;
}

void bind_methods(nb::handle expr_class) {
  const auto def = [&](const char* name, auto&& body, const auto&... extra) {
    nb::cpp_function_def(body, nb::scope(expr_class), nb::name(name), nb::is_method(), extra...);
  };
  def(
      "dimshuffle", [](const Expr& x, nb::args order) { return dimshuffle(Operand(x, python_origin()), pattern_of(spread(order))); },
      "order"_a,
      "Axes in another order; 'x' is a new axis of size 1; only axes of size 1 can be left out.\n\n"
      "Raises: UserError for an axis that is missing, repeated or left out.\n\nExample:\n"
      "    >>> vl.fvector(\"x\").dimshuffle(\"x\", 0).shape[0]\n    1\n");
  def(
      "transpose", [](const Expr& x, nb::args order) { return transpose(Operand(x, python_origin()), order_of(spread(order))); }, "order"_a,
      "Axes in the given order (positions or names), reversed by default.\n\nRaises: UserError unless each axis comes once.\n\nExample:\n"
      "    >>> vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3)).transpose().shape\n    (3, 2)\n");
  def(
      "reshape",
      [](const Expr& x, nb::args shape) { return reshape(Operand(x, python_origin()), sizes_of_items("reshape", spread(shape))); },
      "shape"_a,
      "The elements, last axis fastest (images: first axis), under another shape; -1 is what is left.\n\n"
      "Raises: UserError where the number of elements differs, at the call for sizes known only then.\n\nExample:\n"
      "    >>> vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3)).reshape(3, -1).shape\n    (3, 2)\n");
}

}  // namespace

void bind_views(nb::module_& m) {
  bind_methods(m.attr("Expr"));
  m.def(
      "dimshuffle",
      [](OperandArg x, nb::object pattern) {
        std::vector<nb::object> items;
        for (nb::handle item : pattern) items.push_back(nb::borrow(item));
        return dimshuffle(x("dimshuffle"), pattern_of(items));
      },
      "x"_a, "pattern"_a,
      "Axes in the order of pattern; 'x', None or -1 is a new axis of size 1; only axes of size 1 can be left out.\n\n"
      "dtype: that of the operand.\nRaises: UserError for an axis that is missing, repeated or left out.\n\nExample:\n"
      "    >>> vl.dimshuffle(vl.fvector(\"x\"), (\"x\", 0)).ndim\n    2\n");
  for (const char* name : {"transpose", "permute_dims"}) {
    m.def(
        name, [](OperandArg x, nb::object axes) { return transpose(x("transpose"), axes_of("transpose", axes)); }, "x"_a,
        "axes"_a = nb::none(),
        "Axes in the given order (positions or names), reversed by default.\n\ndtype: that of the operand.\n"
        "Raises: UserError unless each axis comes once.\n\nExample:\n"
        "    >>> vl.transpose(vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3))).shape\n    (3, 2)\n");
  }
  m.def(
      "swapaxes",
      [](OperandArg x, nb::object axis1, nb::object axis2) {
        return swapaxes(x("swapaxes"), axis_of("swapaxes", axis1), axis_of("swapaxes", axis2));
      },
      "x"_a, "axis1"_a, "axis2"_a,
      "Two axes exchanged.\n\ndtype: that of the operand.\nRaises: UserError for an axis that does not exist.\n\nExample:\n"
      "    >>> vl.swapaxes(vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3)), 0, 1).shape\n    (3, 2)\n");
  m.def(
      "moveaxis",
      [](OperandArg x, nb::object source, int destination) { return moveaxis(x("moveaxis"), axis_of("moveaxis", source), destination); },
      "x"_a, "source"_a, "destination"_a,
      "One axis moved to another position.\n\ndtype: that of the operand.\nRaises: UserError for an axis that does not exist.\n\nExample:\n"
      "    >>> vl.moveaxis(vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3, 4)), 0, -1).shape\n    (3, 4, 2)\n");
  m.def(
      "squeeze", [](OperandArg x, nb::object axis) { return squeeze(x("squeeze"), axes_of("squeeze", axis)); }, "x"_a,
      "axis"_a = nb::none(),
      "Without the given axes, or without all that have size 1 in the type.\n\ndtype: that of the operand.\n"
      "Raises: UserError for an axis of another size.\n\nExample:\n"
      "    >>> vl.squeeze(vl.frow(\"x\")).ndim\n    1\n");
  m.def(
      "expand_dims", [](OperandArg x, int axis) { return expand_dims(x("expand_dims"), axis); }, "x"_a, "axis"_a,
      "With a new axis of size 1 at that position of the result.\n\ndtype: that of the operand.\n"
      "Raises: UserError for a position outside the result.\n\nExample:\n"
      "    >>> vl.expand_dims(vl.fvector(\"x\"), -1).shape[1]\n    1\n");
  m.def(
      "reshape", [](OperandArg x, nb::object shape) { return reshape(x("reshape"), sizes_of("reshape", shape)); }, "x"_a, "shape"_a,
      "The elements, last axis fastest (images: first axis), under another shape; -1 is what is left.\n\ndtype: that of the operand.\n"
      "Raises: UserError where the number of elements differs, at the call for sizes known only then.\n\nExample:\n"
      "    >>> vl.reshape(vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3)), (-1,)).shape\n    (6,)\n");
  for (const char* name : {"ravel", "flatten"}) {
    m.def(
        name, [](OperandArg x) { return ravel(x("ravel")); }, "x"_a,
        "One axis with all elements.\n\ndtype: that of the operand.\n\nExample:\n"
        "    >>> vl.ravel(vl.tensor(\"x\", dtype=\"float32\", shape=(2, 3))).shape\n    (6,)\n");
  }
  m.def(
      "broadcast_to", [](OperandArg x, nb::object shape) { return broadcast_to(x("broadcast_to"), sizes_of("broadcast_to", shape)); },
      "x"_a, "shape"_a,
      "Axes of size 1 repeated, new axes in front, without a copy.\n\ndtype: that of the operand.\n"
      "Raises: UserError where an axis of another size would have to change.\n\nExample:\n"
      "    >>> vl.broadcast_to(vl.tensor(\"x\", dtype=\"float32\", shape=(3,)), (2, 3)).shape\n    (2, 3)\n");
  m.def(
      "flip", [](OperandArg x, nb::object axis) { return flip(x("flip"), axes_of("flip", axis)); }, "x"_a, "axis"_a = nb::none(),
      "The given axes (all by default) backwards, without a copy.\n\ndtype: that of the operand.\n"
      "Raises: UserError for an axis that does not exist.\n\nExample:\n"
      "    >>> vl.flip(vl.fmatrix(\"x\"), 0).ndim\n    2\n");
  m.def(
      "join", [](nb::object axis, nb::args arrays) { return concatenate(operands_of("join", arrays), axis_of("join", axis)); }, "axis"_a,
      "arrays"_a,
      "Theano's order of concatenate: the operands side by side along an axis.\n\ndtype: their common dtype.\n"
      "Raises: UserError where other sizes differ.\n\nExample:\n"
      "    >>> vl.join(0, vl.fvector(\"x\"), vl.fvector(\"y\")).ndim\n    1\n");
  m.def(
      "concatenate",
      [](nb::object arrays, nb::object axis) { return concatenate(operands_of("concatenate", arrays), axis_of("concatenate", axis)); },
      "arrays"_a, "axis"_a = 0,
      "The operands side by side along an axis.\n\ndtype: their common dtype.\nRaises: UserError where other sizes differ.\n\nExample:\n"
      "    >>> vl.concatenate([vl.fvector(\"x\"), vl.fvector(\"y\")]).ndim\n    1\n");
  m.def(
      "stack",
      [](nb::object arrays, nb::object axis) {
        const Axis along = axis_of("stack", axis);
        const std::vector<Operand> operands = operands_of("stack", arrays);
        return along.name.empty() ? stack(operands, along.index) : stack(operands, along);
      },
      "arrays"_a, "axis"_a = 0,
      "The operands side by side along a new axis at that position of the result; images along a new, last axis of that name.\n\ndtype: "
      "their common dtype.\n"
      "Raises: UserError where shapes differ.\n\nExample:\n"
      "    >>> vl.stack([vl.fvector(\"x\"), vl.fvector(\"y\")]).ndim\n    2\n");
}

}  // namespace voxloom::python

// python/src/bind_elementwise.cpp: every elementwise row of the op table under its name and its aliases, with a docstring made from the row.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/table.h>
#include <voxloom/ops/variables.h>

#include <array>
#include <set>

namespace voxloom::python {
namespace {

/// Rows whose functions take more than operands, or that are Python's operators anyway; bound by hand.
const std::set<std::string_view> by_hand = {"cast"};

constexpr const char* operand_names[3] = {"x", "y", "z"};

std::array<const char*, 3> names_of(const OpInfo& row) {
  const std::string_view name = row.name;
  if (name == "where") return {"condition", "x", "y"};
  if (name == "clip") return {"x", "low", "high"};
  if (name == "atan2") return {"y", "x", ""};
  if (name == "complex") return {"re", "im", ""};
  return {operand_names[0], operand_names[1], operand_names[2]};
}

const char* dtype_rule(const OpInfo& row) {
  switch (row.promotion) {
    case Promotion::arithmetic: return "the operands' common dtype; integer voxels of images become floats";
    case Promotion::power: return "the operands' common dtype; booleans count as int8, integer voxels of images become floats";
    case Promotion::number: return "the operands' common dtype; booleans count as int8";
    case Promotion::floating: return "the operands' common float; integers become floatX";
    case Promotion::division: return "the operands' common float; integers become floats";
    case Promotion::logical: return "bool; operands count as x != 0";
    case Promotion::choice: return "the common dtype of x and y";
    case Promotion::keep: return "the operands' common dtype is what is computed in";
    case Promotion::none: break;
  }
  return "see above";
}

/// A dtype that the row takes, and the one it gives: (float32 or int32, ...).
std::pair<const char*, DType> example_of(const OpInfo& row) {
  const std::pair<const char*, DType> tries[] = {{"fvector", DType::f32}, {"ivector", DType::i32}, {"cvector", DType::c64}};
  for (const auto& [maker, dtype] : tries) {
    const Expr x = tensor("x", dtype, {"n"});
    try {
      return {maker, elementwise(row, std::vector<Operand>(static_cast<size_t>(row.max_arity), Operand(x))).dtype()};
    } catch (const UserError&) { continue; }
  }
  fail_internal("an elementwise row that takes neither floats nor integers nor complex numbers");
}

std::string doc_of(const OpInfo& row, std::string_view name) {
  const auto names = names_of(row);
  std::string arguments = names[0], same = "x";
  for (int k = 1; k < row.max_arity; ++k) arguments += std::string(", ") + names[static_cast<size_t>(k)], same += ", x";
  const auto [maker, result] = example_of(row);
  std::string text = std::string(row.doc) + ".\n\n";
  if (name != row.name) text += "Another name of " + std::string(row.name) + "(" + arguments + ").\n\n";
  if (row.domain[0] != '\0') text += "Notes: " + std::string(row.domain) + ".\n";
  text += row.max_arity == 1 ? "Shape: that of the operand.\n"
                             : "Shapes broadcast as in NumPy, or by axis name where both operands carry names.\n";
  text += "dtype: " + std::string(dtype_rule(row)) + ".\n";
  text += "Raises: UserError for shapes that do not broadcast, DTypeError for dtypes that the function does not take.\n\nExample:\n";
  text += "    >>> x = vl." + std::string(maker) + "(\"x\")\n    >>> vl." + std::string(name) + "(" + same + ").dtype\n    dtype('" +
          std::string(voxloom::name_of(result)) + "')\n";
  return text;
}

void bind_row(nb::module_& m, const OpInfo& row, const std::string& name) {
  const auto names = names_of(row);
  const std::string doc = doc_of(row, name);
  const OpInfo* const r = &row;
  const auto call = [r](std::initializer_list<OperandArg> arguments) {
    std::vector<Operand> operands;
    for (const OperandArg& a : arguments) operands.push_back(a(r->name));
    return elementwise(*r, operands);
  };
  if (row.max_arity == 1) {
    m.def(name.c_str(), [call](OperandArg x) { return call({x}); }, nb::arg(names[0]), doc.c_str());
  } else if (row.max_arity == 2) {
    m.def(name.c_str(), [call](OperandArg x, OperandArg y) { return call({x, y}); }, nb::arg(names[0]), nb::arg(names[1]), doc.c_str());
  } else {
    m.def(
        name.c_str(), [call](OperandArg x, OperandArg y, OperandArg z) { return call({x, y, z}); }, nb::arg(names[0]), nb::arg(names[1]),
        nb::arg(names[2]), doc.c_str());
  }
}

constexpr const char* cast_doc =
    "x in another dtype; x itself where it has that dtype.\n\n"
    "Notes: integers wrap; floats to integers truncate and saturate, NaN gives 0; to bool: x != 0; complex to real drops the imaginary "
    "part.\n"
    "Shape: that of the operand. dtype: the one asked for (a name, a NumPy dtype, or \"floatX\").\n"
    "Raises: DTypeError for a dtype that does not exist here.\n\nExample:\n"
    "    >>> vl.cast(vl.fvector(\"x\"), \"int16\").dtype\n    dtype('int16')\n";

void bind_casts(nb::module_& m) {
  const auto cast_to = [](OperandArg x, DTypeArg dtype) { return cast(x("cast"), dtype()); };
  m.def("cast", cast_to, "x"_a, "dtype"_a, cast_doc);
  m.def("astype", cast_to, "x"_a, "dtype"_a, cast_doc);
  for (const char* name : {"round", "around"}) {
    m.def(
        name, [](OperandArg x, int decimals) { return round(x("round"), decimals); }, "x"_a, "decimals"_a = 0,
        "Half to even, as NumPy; with decimals, rint(x * 10**decimals) / 10**decimals.\n\n"
        "Shape: that of the operand. dtype: integers stay, floats stay.\nRaises: DTypeError for complex numbers.\n\nExample:\n"
        "    >>> float(vl.round(vl.constant(2.5)).eval())\n    2.0\n");
  }
  m.def(
      "nan_to_num",
      [](OperandArg x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
        return nan_to_num(x("nan_to_num"), nan, posinf, neginf);
      },
      "x"_a, "nan"_a = 0.0, "posinf"_a = nb::none(), "neginf"_a = nb::none(),
      "x with NaN replaced, and infinities too (by default by the dtype's largest finite numbers).\n\n"
      "Shape and dtype: those of the operand.\nRaises: DTypeError for complex numbers.\n\nExample:\n"
      "    >>> float(vl.nan_to_num(vl.constant(float(\"nan\")), nan=7).eval())\n    7.0\n");
}

}  // namespace

void bind_elementwise(nb::module_& m) {
  for (const OpInfo* row : all_ops()) {
    if (row->kind != OpKind::elementwise || by_hand.count(row->name) != 0) continue;
    bind_row(m, *row, row->name);
    for (const std::string_view alias : aliases_of(*row)) {
      if (alias != "round" && alias != "around") bind_row(m, *row, std::string(alias));
    }
  }
  bind_casts(m);
}

}  // namespace voxloom::python

// python/src/bind_reductions.cpp: reductions as functions and as methods, with NumPy's arguments and order of arguments.
#include "bind.h"
#include "casters.h"

#include <voxloom/ops/table.h>

#include <set>

namespace voxloom::python {
namespace {

struct Kind {
  const char* name;
  const char* row;  ///< nullptr: ptp
  bool has_dtype, has_ddof;
  const char* dtype;
  const char* alias = nullptr;
};
constexpr Kind kinds[] = {
    {"sum", "sum", true, false, "int64 or uint64 of integers (the narrowest that holds it for voxels), floats stay"},
    {"prod", "prod", true, false, "as for sum"},
    {"mean", "mean", true, false, "floats stay, integers become floatX"},
    {"var", "var", true, true, "floats stay, integers become floatX"},
    {"std", "std", true, true, "floats stay, integers become floatX"},
    {"min", "min", false, false, "that of the operand", "amin"},
    {"max", "max", false, false, "that of the operand", "amax"},
    {"argmin", "argmin", false, false, "int64"},
    {"argmax", "argmax", false, false, "int64"},
    {"any", "any", false, false, "bool"},
    {"all", "all", false, false, "bool"},
    {"ptp", nullptr, false, false, "that of the operand"},
};

std::string doc_of(const Kind& kind, bool method) {
  const std::string name = kind.name;
  std::string text = kind.row ? std::string(op(kind.row).doc) : "max - min";
  text += ".\n\naxis: None (all axes), a position, an axis name, or a sequence of them; they are dropped unless keepdims.\n";
  if (kind.has_dtype) text += "dtype: of the result; acc_dtype: what it accumulates in (float32 accumulates in float64).\n";
  if (kind.has_ddof) text += "ddof: the divisor is n - ddof.\n";
  text += "The order of a reduction is fixed by shape and dtype alone: the same bits for any number of threads.\n";
  text += "dtype of the result: " + std::string(kind.dtype) + ".\n";
  text += "Raises: UserError for an axis that does not exist or comes twice.\n\nExample:\n    >>> x = vl.fmatrix(\"x\")\n    >>> ";
  text += method ? "x." + name + "(axis=1).ndim" : "vl." + name + "(x, axis=1).ndim";
  return text + "\n    1\n";
}

Expr apply(const Kind& kind, const Operand& x, nb::handle axis, const ReduceOptions& options) {
  const Axes axes = axes_of(kind.name, axis);
  return kind.row ? reduce(op(kind.row), x, axes, options) : ptp(x, axes, options);
}

/// `def` is module_::def or class_::def; `First` the type of the first argument.
template <class Def> void bind_kind(const Kind& kind, const char* name, const std::string& doc, Def&& def) {
  const Kind* const k = &kind;
  if (kind.has_ddof) {
    def(
        name,
        [k](OperandArg x, nb::object axis, nb::object dtype, int ddof, bool keepdims, nb::object acc_dtype) {
          return apply(*k, x(k->name), axis, {keepdims, optional_dtype(dtype), optional_dtype(acc_dtype), ddof});
        },
        "axis"_a = nb::none(), "dtype"_a = nb::none(), "ddof"_a = 0, "keepdims"_a = false, "acc_dtype"_a = nb::none(), doc.c_str());
  } else if (kind.has_dtype) {
    def(
        name,
        [k](OperandArg x, nb::object axis, nb::object dtype, bool keepdims, nb::object acc_dtype) {
          return apply(*k, x(k->name), axis, {keepdims, optional_dtype(dtype), optional_dtype(acc_dtype), 0});
        },
        "axis"_a = nb::none(), "dtype"_a = nb::none(), "keepdims"_a = false, "acc_dtype"_a = nb::none(), doc.c_str());
  } else {
    def(
        name, [k](OperandArg x, nb::object axis, bool keepdims) { return apply(*k, x(k->name), axis, {keepdims, {}, {}, 0}); },
        "axis"_a = nb::none(), "keepdims"_a = false, doc.c_str());
  }
}

}  // namespace

void bind_reductions(nb::module_& m) {
  nb::object expr_class = m.attr("Expr");
  for (const Kind& kind : kinds) {
    const std::string doc = doc_of(kind, false);
    const auto function = [&m](const char* name, auto&& body, const auto&... extra) { m.def(name, body, "x"_a, extra...); };
    bind_kind(kind, kind.name, doc, function);
    if (kind.alias) bind_kind(kind, kind.alias, doc, function);
    bind_kind(kind, kind.name, doc_of(kind, true), [&](const char* name, auto&& body, const auto&... extra) {
      nb::cpp_function_def(body, nb::scope(expr_class), nb::name(name), nb::is_method(), extra...);
    });
  }
}

}  // namespace voxloom::python

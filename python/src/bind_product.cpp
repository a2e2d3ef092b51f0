// python/src/bind_product.cpp: products: dot, matmul and @, outer, tensordot, einsum and their relatives, as functions and as methods.
#include "bind.h"
#include "casters.h"

#include <map>

namespace voxloom::python {
namespace {

constexpr const char* shared_doc =
    "acc_dtype: the dtype in which products are added.\n"
    "dtype of the result: the common dtype of the operands. Products with vectors fuse with what is around them and add float32 in "
    "float64; "
    "matrices\ntimes matrices are added in their own dtype. The order is fixed: the same bits for any number of threads.\n";

using Product = Expr (*)(const Operand&, const Operand&, const ProductOptions&);
struct Row {
  const char* name;
  Product apply;
  const char *doc, *raises, *example;
};
const Row rows[] = {
    {"dot", dot,
     "NumPy's dot: over the last axis of x and the last but one (or only) axis of y; a scalar multiplies.\n\n"
     "Shapes: (m, k) and (k, n) give (m, n); (m, k) and (k,) give (m,); (k,) and (k,) give a scalar.\n",
     "UserError where the sizes of the summed axes differ, at the call for sizes known only then.\n",
     "    >>> vl.dot(vl.fmatrix(\"x\"), vl.fvector(\"y\")).ndim\n    1\n"},
    {"matmul", matmul,
     "NumPy's matmul, the operator @: matrices in the last two axes, other axes broadcast; a vector is a row on the left and a column on "
     "the "
     "right.\n\n"
     "Shapes: (..., m, k) and (..., k, n) give (..., m, n).\n",
     "UserError for scalars and where sizes do not fit, at the call for sizes known only then.\n",
     "    >>> (vl.fmatrix(\"x\") @ vl.fmatrix(\"y\")).ndim\n    2\n"},
    {"batched_dot", batched_dot,
     "Theano's: dot(x[i], y[i]) for each i of the first axis.\n\nShapes: (b, m, k) and (b, k, n) give (b, m, n).\n",
     "UserError for scalars and where sizes do not fit, at the call for sizes known only then.\n",
     "    >>> vl.batched_dot(vl.ftensor3(\"x\"), vl.ftensor3(\"y\")).ndim\n    3\n"},
    {"matvec", matvec,
     "NumPy's: matrices in the last two axes of x times vectors in the last axis of y.\n\nShapes: (..., m, k) and (..., k) give (..., "
     "m).\n",
     "UserError where axes are missing or sizes do not fit, at the call for sizes known only then.\n",
     "    >>> vl.matvec(vl.ftensor3(\"x\"), vl.fvector(\"y\")).ndim\n    2\n"},
    {"vecmat", vecmat,
     "NumPy's: conjugated vectors in the last axis of x times matrices in the last two axes of y.\n\nShapes: (..., k) and (..., k, n) give "
     "(..., n).\n",
     "UserError where axes are missing or sizes do not fit, at the call for sizes known only then.\n",
     "    >>> vl.vecmat(vl.fvector(\"x\"), vl.ftensor3(\"y\")).ndim\n    2\n"},
};

ProductOptions accumulating(nb::handle dtype) { return {.acc_dtype = optional_dtype(dtype)}; }

std::vector<Axis> axis_list(nb::handle object) {
  if (!PyList_Check(object.ptr()) && !PyTuple_Check(object.ptr())) return {axis_of("tensordot", object)};
  std::vector<Axis> axes;
  for (nb::handle item : object) axes.push_back(axis_of("tensordot", item));
  return axes;
}

Expr python_tensordot(const Operand& x, const Operand& y, nb::handle axes, const ProductOptions& options) {
  if (PyIndex_Check(axes.ptr()) && unwrap(axes) == nullptr) return tensordot(x, y, nb::cast<int>(axes), options);
  const bool pair = (PyList_Check(axes.ptr()) || PyTuple_Check(axes.ptr())) && nb::len(axes) == 2;
  if (!pair) {
    fail_user(
        ErrorCode::usage, "tensordot",
        "axes are a number of axes, or a pair of axes (or lists of them), one for each operand, not " + std::string(nb::repr(axes).c_str()),
        python_origin());
  }
  return tensordot(x, y, axis_list(nb::object(axes[0])), axis_list(nb::object(axes[1])), options);
}

Expr inner(const Operand& x, const Operand& y, const ProductOptions& options) {
  const auto is_scalar = [](const Operand& operand) { return operand.is_weak() || operand.expr().rank() == 0; };
  if (is_scalar(x) || is_scalar(y)) return dot(x, y, options);
  return tensordot(x, y, std::vector<Axis>{-1}, std::vector<Axis>{-1}, options);
}

bool is_sublist(nb::handle object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }

[[noreturn]] void refuse_subscripts() {
  fail_user(ErrorCode::usage, "einsum", "the subscripts come first, as a text, or after each operand, as a list of integers",
            python_origin());
}

/// NumPy's other form of a subscript: a list of integers and Ellipsis.
std::string letters_of(nb::handle sublist, std::map<int64_t, char>& known) {
  if (!is_sublist(sublist)) refuse_subscripts();
  std::string text;
  for (nb::handle item : sublist) {
    if (item.ptr() == Py_Ellipsis) {
      text += "...";
      continue;
    }
    if (PyLong_Check(item.ptr()) == 0) {
      fail_user(ErrorCode::usage, "einsum", "a label is an integer or Ellipsis, not " + std::string(nb::repr(item).c_str()),
                python_origin());
    }
    const size_t next = known.size();
    if (next >= 52) fail_user(ErrorCode::limit, "einsum", "at most 52 labels are possible", python_origin());
    const auto letter = static_cast<char>(next < 26 ? 'a' + next : 'A' + (next - 26));
    text += known.try_emplace(nb::cast<int64_t>(item), letter).first->second;
  }
  return text;
}

/// einsum(x, [0, 1], y, [1, 2], [0, 2]).
Expr einsum_of_lists(nb::args args, const ProductOptions& options) {
  std::map<int64_t, char> known;
  std::vector<Operand> operands;
  std::vector<std::string> subscripts;
  size_t k = 0;
  for (; k + 1 < args.size(); k += 2) {
    operands.push_back(operand_for("einsum", args[k]));
    subscripts.push_back(letters_of(args[k + 1], known));
  }
  std::string text;
  for (const std::string& s : subscripts) text += (text.empty() && &s == &subscripts[0] ? "" : ",") + s;
  if (k < args.size()) return einsum(text + "->" + letters_of(args[k], known), operands, options);
  // Without a list for the result NumPy orders the labels by their numbers.
  std::map<int64_t, int> uses;
  std::string result = text.find("...") == std::string::npos ? "" : "...";
  for (size_t at = 1; at < args.size(); at += 2) {
    for (nb::handle item : nb::object(args[at])) {
      if (PyLong_Check(item.ptr()) != 0) ++uses[nb::cast<int64_t>(item)];
    }
  }
  for (const auto& [label, count] : uses) {
    if (count == 1) result += known.at(label);
  }
  return einsum(text + "->" + result, operands, options);
}

Expr python_einsum(nb::args args, nb::handle acc_dtype) {
  const ProductOptions options = accumulating(acc_dtype);
  if (args.size() == 0) fail_user(ErrorCode::usage, "einsum", "needs subscripts and operands", python_origin());
  if (args.size() == 1 && PyUnicode_Check(args[0].ptr()) == 0) refuse_subscripts();
  if (PyUnicode_Check(args[0].ptr()) == 0) return einsum_of_lists(args, options);
  std::vector<Operand> operands;
  for (size_t k = 1; k < args.size(); ++k) operands.push_back(operand_for("einsum", args[k]));
  return einsum(nb::cast<std::string>(args[0]), operands, options);
}

void bind_rows(nb::module_& m) {
  for (const Row& row : rows) {
    const Row* const r = &row;
    const std::string doc = std::string(row.doc) + shared_doc + "Raises: " + row.raises + "\nExample:\n" + row.example;
    m.def(
        row.name,
        [r](OperandArg x, OperandArg y, nb::object acc_dtype) { return r->apply(x(r->name), y(r->name), accumulating(acc_dtype)); }, "x"_a,
        "y"_a, "acc_dtype"_a = nb::none(), doc.c_str());
  }
}

void bind_others(nb::module_& m) {
  m.def(
      "outer", [](OperandArg x, OperandArg y) { return outer(x("outer"), y("outer")); }, "x"_a, "y"_a,
      "x[i] * y[j] of all elements.\n\nShapes: (m,) and (n,) give (m, n); more axes are flattened.\n"
      "dtype of the result: the common dtype of the operands.\nRaises: DTypeError for operands that are no arrays.\n\nExample:\n"
      "    >>> vl.outer(vl.fvector(\"x\"), vl.fvector(\"y\")).ndim\n    2\n");
  m.def(
      "inner", [](OperandArg x, OperandArg y, nb::object acc_dtype) { return inner(x("inner"), y("inner"), accumulating(acc_dtype)); },
      "x"_a, "y"_a, "acc_dtype"_a = nb::none(),
      (std::string(
           "NumPy's: over the last axis of both; a scalar multiplies.\n\nShapes: (..., k) and (..., k) give the other axes of x, then "
           "those of y.\n") +
       shared_doc +
       "Raises: UserError where the sizes of the last axes differ, at the call for sizes known only then.\n\nExample:\n"
       "    >>> vl.inner(vl.fmatrix(\"x\"), vl.fmatrix(\"y\")).ndim\n    2\n")
          .c_str());
  m.def(
      "vdot",
      [](OperandArg x, OperandArg y, nb::object acc_dtype) {
        return vecdot(ravel(x("vdot")), ravel(y("vdot")), -1, accumulating(acc_dtype));
      },
      "x"_a, "y"_a, "acc_dtype"_a = nb::none(),
      (std::string("NumPy's: sum(conj(x) * y) over all elements, in the order of ravel().\n\nShape: a scalar.\n") + shared_doc +
       "Raises: UserError where the numbers of elements differ, at the call for sizes known only then.\n\nExample:\n"
       "    >>> vl.vdot(vl.fvector(\"x\"), vl.fvector(\"y\")).ndim\n    0\n")
          .c_str());
  m.def(
      "vecdot",
      [](OperandArg x, OperandArg y, nb::object axis, nb::object acc_dtype) {
        return vecdot(x("vecdot"), y("vecdot"), axis_of("vecdot", axis), accumulating(acc_dtype));
      },
      "x"_a, "y"_a, "axis"_a = -1, "acc_dtype"_a = nb::none(),
      (std::string("NumPy's: sum(conj(x) * y) along an axis; other axes broadcast.\n\nShapes: (..., k) and (..., k) give (...).\n") +
       shared_doc +
       "Raises: UserError for an axis that does not exist and where sizes do not fit, at the call for sizes known only then.\n\nExample:\n"
       "    >>> vl.vecdot(vl.fmatrix(\"x\"), vl.fvector(\"y\")).ndim\n    1\n")
          .c_str());
  m.def(
      "tensordot",
      [](OperandArg x, OperandArg y, nb::object axes, nb::object acc_dtype) {
        return python_tensordot(x("tensordot"), y("tensordot"), axes, accumulating(acc_dtype));
      },
      "x"_a, "y"_a, "axes"_a = 2, "acc_dtype"_a = nb::none(),
      (std::string("NumPy's: sums over several axes: over the last `axes` of x and the first of y, or over a pair of axes or of lists of "
                   "them.\n\nShapes: the axes of x that are left, then those of y.\n") +
       shared_doc +
       "Raises: UserError for axes that do not exist, whose numbers differ or whose sizes do, at the call for sizes known only then.\n\n"
       "Example:\n"
       "    >>> vl.tensordot(vl.ftensor3(\"x\"), vl.fmatrix(\"y\"), axes=([1, 2], [0, 1])).ndim\n    1\n")
          .c_str());
  m.def(
      "einsum", [](nb::args operands, nb::object acc_dtype) { return python_einsum(operands, acc_dtype); }, "operands"_a,
      "acc_dtype"_a = nb::none(), nb::sig("def einsum(*operands: object, acc_dtype: DTypeLike | None = None) -> Expr"),
      (std::string(
           "Einstein's summation: einsum(\"ij,jk->ik\", x, y), with \"...\" for axes that broadcast, or einsum(x, [0, 1], y, [1, 2], "
           "[0, 2]).\n\nOperands are contracted from left to right. A label twice in one operand is not supported.\n") +
       shared_doc +
       "Raises: UserError for subscripts that do not fit the operands, and where sizes do not, at the call for sizes known only then.\n\n"
       "Example:\n"
       "    >>> vl.einsum(\"ij,kj->ik\", vl.fmatrix(\"x\"), vl.fmatrix(\"y\")).ndim\n    2\n")
          .c_str());
}

}  // namespace

void bind_product(nb::module_& m) {
  bind_rows(m);
  bind_others(m);
  const nb::object expr_class = m.attr("Expr");
  const auto def = [&](const char* name, auto&& body, const auto&... extra) {
    nb::cpp_function_def(body, nb::scope(expr_class), nb::name(name), nb::is_method(), extra...);
  };
  def(
      "dot", [](const Expr& x, OperandArg y) { return dot(Operand(x, python_origin()), y("dot")); }, "y"_a,
      "vl.dot(x, y).\n\nRaises: UserError where sizes do not fit.\n\nExample:\n    >>> vl.fmatrix(\"x\").dot(vl.fvector(\"y\")).ndim\n    "
      "1\n");
}

}  // namespace voxloom::python

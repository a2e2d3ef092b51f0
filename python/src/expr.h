// python/src/expr.h: expressions as Python objects: one object per node, and how Python's values become operands.
#pragma once

#include <voxloom/api/shared.h>
#include <voxloom/ops/build.h>

#include <nanobind/nanobind.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace voxloom::python {

namespace nb = nanobind;

/// What x[...] was made from, for set_subtensor and inc_subtensor.
struct Chosen {
  Expr x;
  std::vector<IndexItem> items;
};

/// What an Expr object of Python holds. While it lives it is the only object of its node, so identity, hash and dict keys go by node.
struct PyExpr {
  explicit PyExpr(Expr e) : expr(std::move(e)) {}
  ~PyExpr();
  PyExpr(const PyExpr&) = delete;
  PyExpr& operator=(const PyExpr&) = delete;
  Expr expr;
  std::shared_ptr<const Chosen> chosen;  ///< of x[...]
  PyObject* self = nullptr;              ///< borrowed; set while it stands in the table of live objects
};

/// A shared variable: an expression with a value.
struct PyShared : PyExpr {
  explicit PyShared(Shared s) : PyExpr(s.expr()), shared(std::move(s)) {}
  Shared shared;
};

/// The object of the node: the one that lives, or a new one.
nb::object wrap(const Expr& expr);
/// Makes `self`, whose PyExpr is constructed, the object of its node, unless there is one.
void adopt(nb::handle self, PyExpr& held);
/// nullptr if the object is not an expression.
PyExpr* unwrap(nb::handle object) noexcept;

/// Expressions, Python's and NumPy's numbers (weak), and arrays (constants); nothing for other objects.
std::optional<Operand> operand_of(nb::handle object);
/// The same; UserError naming `function` for other objects.
Operand operand_for(const char* function, nb::handle object);

/// The line of the user's Python code that runs now; 0 without one.
OriginId python_origin();
/// Installs python_origin() as the hook; frames of code below `package_folder` are passed over.
void install_origins(const char* package_folder);

}  // namespace voxloom::python

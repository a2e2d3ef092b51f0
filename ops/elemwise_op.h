// ops/elemwise_op.h: elementwise ops that users write as a C expression.
#pragma once

#include <voxloom/ops/operand.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace voxloom {

namespace ops {
struct CExpression;
}

struct ElemwiseOptions {
  /// Names of the operands, in order. Empty: the only name that the expression uses.
  std::vector<std::string> inputs = {};
  /// For each input what it gets of the gradient g of a cost with respect to the result, as a C expression of the inputs, g and the result
  /// `out`; linear in g. "0": nothing. Empty: derived from the expression.
  std::vector<std::string> grad = {};
  /// Instead: a function of the inputs and g that gives an expression for each input, an empty Expr where nothing comes through. It is called once
  /// for each expression that the op makes, and may use nothing but its arguments.
  std::function<std::vector<Expr>(const std::vector<Expr>& inputs, const Expr& g)> grad_function = {};
};

/// An op given as an expression in C's notation: ElemwiseOp soft("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}}); soft(x, 0.5).
///
/// It is built from the rows of the op table, so that it fuses, streams, prints and is saved as they are. ops/c_expression.h says what the
/// notation holds and how it is typed. Equal expressions over equal operands are one node. UserErrors name the op, the column in the text and
/// your line: of the constructor what does not parse, of a call the dtypes that an operator does not take.
class VOXLOOM_API ElemwiseOp {
 public:
  using Where = std::source_location;
  ElemwiseOp(std::string name, std::string c_code, ElemwiseOptions options = {}, Where where = Where::current());

  Expr operator()(const Operand& x) const { return apply({x}); }
  Expr operator()(const Operand& x, const Operand& y) const { return apply({x, y}); }
  Expr operator()(const Operand& x, const Operand& y, const Operand& z) const { return apply({x, y, z}); }
  /// One operand for each input.
  Expr apply(const std::vector<Operand>& operands) const;

  const std::string& name() const { return name_; }
  const std::string& c_code() const { return c_code_; }
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<std::string>& grad() const { return grad_; }
  /// Ops with a gradient that is a function are equal to their copies alone.
  friend bool operator==(const ElemwiseOp& a, const ElemwiseOp& b) {
    return a.name_ == b.name_ && a.c_code_ == b.c_code_ && a.inputs_ == b.inputs_ && a.grad_ == b.grad_ &&
           a.grad_function_ == b.grad_function_;
  }

 private:
  std::string name_, c_code_;
  /// Attribute "gradient" of the node: the expressions, or the graph that the function gives for these operands.
  AttrValue gradient_of(const std::vector<Expr>& operands, OriginId origin) const;

  std::vector<std::string> inputs_, grad_;
  std::shared_ptr<const std::function<std::vector<Expr>(const std::vector<Expr>&, const Expr&)>> grad_function_;
  std::shared_ptr<const ops::CExpression> body_;
};

namespace ops {
/// Of nodes custom_gradient(value, x, y, ...): the value, with a gradient for x, y, ... that attributes give: C expressions, or a graph of x, y, ...
/// and g. An exact rule takes it away.
const OpInfo& custom_gradient_row();
/// A name for an op that users make: a C identifier of at most 100 characters; UserError otherwise.
void check_op_name(const char* function, const std::string& name, OriginId origin);
}  // namespace ops

}  // namespace voxloom

// ops/gradient.h: gradients of expressions, as expressions. Names and meaning are Theano's.
//
// grad() works on the cost with its stabilising rewrites done (log(1 - sigmoid(x)) has become -softplus(x)), so that gradients are finite
// where the truth is; the optimizer rewrites them once more when they are compiled. Gradients have the type of the variable. The gradient with
// respect to a complex z is dL/dRe z + i dL/dIm z. Where equal elements share a minimum or maximum, each gets the whole gradient. Integers
// and booleans have none. What where() does not choose has no effect, not even as NaN.
#pragma once

#include <voxloom/ops/operand.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace voxloom {

/// What happens when a cost does not depend on a variable (or only through integers, comparisons or disconnected_grad).
enum class Disconnected : uint8_t {
  raise,   ///< UserError
  warn,    ///< zeros, and a warning
  ignore,  ///< zeros
};

struct GradOptions {
  /// Expressions through which no gradient passes.
  std::vector<Expr> consider_constant = {};
  Disconnected disconnected_inputs = Disconnected::raise;
  /// Gradients of the cost with respect to expressions, to be taken as they are.
  std::vector<std::pair<Expr, Expr>> known_grads = {};
  /// Receives warnings; empty: they go where set_gradient_warnings says.
  std::function<void(const std::string&)> warn = {};
};

/// Gradients of a real scalar with respect to each expression, variables or results on the way to the cost.
///     auto g = vl::grad(cost, {w, b});
VOXLOOM_API std::vector<Expr> grad(const Operand& cost, const std::vector<Expr>& wrt, const GradOptions& options = {});
inline std::vector<Expr> grad(const Operand& cost, std::initializer_list<Expr> wrt, const GradOptions& options = {}) {
  return grad(cost, std::vector<Expr>(wrt), options);
}
VOXLOOM_API Expr grad(const Operand& cost, const Expr& wrt, const GradOptions& options = {});

/// eval_points^T times the Jacobian of f: the gradients of sum(f * eval_point), eval_point being constant.
VOXLOOM_API std::vector<Expr> Lop(const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& eval_points,
                                  const GradOptions& options = {});
VOXLOOM_API Expr Lop(const Operand& f, const Expr& wrt, const Expr& eval_point, const GradOptions& options = {});
/// The Jacobian of f times eval_points: the derivative of f when each wrt moves along its eval_point; one result per f.
VOXLOOM_API std::vector<Expr> Rop(const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& eval_points,
                                  const GradOptions& options = {});
VOXLOOM_API Expr Rop(const Operand& f, const Expr& wrt, const Expr& eval_point, const GradOptions& options = {});

/// Derivatives of every element of f, a scalar or vector: shape [elements of f, shape of wrt] (a scalar: the shape of wrt).
VOXLOOM_API std::vector<Expr> jacobian(const Operand& f, const std::vector<Expr>& wrt, const GradOptions& options = {});
VOXLOOM_API Expr jacobian(const Operand& f, const Expr& wrt, const GradOptions& options = {});
/// Second derivatives of a scalar with respect to each vector: a matrix each.
VOXLOOM_API std::vector<Expr> hessian(const Operand& cost, const std::vector<Expr>& wrt, const GradOptions& options = {});
VOXLOOM_API Expr hessian(const Operand& cost, const Expr& wrt, const GradOptions& options = {});

/// x, on which no gradient depends.
VOXLOOM_API Expr disconnected_grad(const Operand& x);
/// x, with gradient 0.
VOXLOOM_API Expr zero_grad(const Operand& x);
/// x, with its gradient clipped to [low, high].
VOXLOOM_API Expr grad_clip(const Operand& x, const Operand& low, const Operand& high);
/// x, with its gradient multiplied by `scale`.
VOXLOOM_API Expr grad_scale(const Operand& x, const Operand& scale);
/// Theano's other name for zero_grad.
inline Expr consider_constant(const Operand& x) { return zero_grad(x); }

/// Where warnings of gradients go when no option says it.
VOXLOOM_API void set_gradient_warnings(void (*receiver)(const std::string&));

}  // namespace voxloom

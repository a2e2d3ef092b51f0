// ops/gradient_terms.h: what the gradient column of rows is written with.
//
// A gradient is built beside a node that exists: its operands have one rank and one dtype already, so terms make nodes of the table directly,
// without promotion and alignment, and with the origin of the node (errors then name the user's line). For complex z the gradient of
// a real cost L is dL/dRe z + i dL/dIm z, so that a holomorphic f passes on g * conj(f'(z)).
#pragma once

#include <voxloom/graph/op_info.h>

#include <array>
#include <initializer_list>
#include <vector>

namespace voxloom::ops {

/// An operand, the result, or a gradient of a node; an undefined one is a gradient that does not exist.
class Term {
 public:
  Term() = default;
  Term(Expr expr, OriginId origin) : expr_(std::move(expr)), origin_(origin) {}
  const Expr& expr() const { return expr_; }
  OriginId origin() const { return origin_; }
  DType dtype() const { return expr_.dtype(); }
  bool is_complex() const { return voxloom::is_complex(expr_.dtype()); }

 private:
  Expr expr_;
  OriginId origin_;
};

/// A node of an elementwise row.
Term apply(const char* row, std::initializer_list<Term> operands);
/// A constant of the rank and dtype of `like`.
Term number(const Term& like, double value);
inline Term zero(const Term& like) { return number(like, 0); }
/// The size as a value of the rank and dtype of `like`.
Term size_term(const Term& like, const Dim& size);
Term cast_to(const Term& x, DType dtype);
/// The conjugate of a complex term; a real one itself.
Term conjugate(const Term& x);

inline Term operator+(const Term& x, const Term& y) { return apply("add", {x, y}); }
inline Term operator-(const Term& x, const Term& y) { return apply("sub", {x, y}); }
inline Term operator*(const Term& x, const Term& y) { return apply("mul", {x, y}); }
inline Term operator/(const Term& x, const Term& y) { return apply("div", {x, y}); }
inline Term operator-(const Term& x) { return apply("neg", {x}); }
inline Term operator+(const Term& x, double y) { return x + number(x, y); }
inline Term operator-(const Term& x, double y) { return x - number(x, y); }
inline Term operator-(double x, const Term& y) { return number(y, x) - y; }
inline Term operator*(const Term& x, double y) { return x * number(x, y); }
inline Term operator/(const Term& x, double y) { return x / number(x, y); }
/// g where the condition holds, 0 elsewhere. The walk of grad() keeps such conditions apart, so that what is not finite elsewhere has no effect.
inline Term only_where(const Term& condition, const Term& g) { return apply("where", {condition, g, zero(g)}); }

// Arguments and results of the lambdas of rows.
using T = const Term&;
using Two = std::array<Term, 2>;
using Three = std::array<Term, 3>;

/// The gradient column of an elementwise row of one, two or three operands: F(g, x, result), F(g, x, y, result) or F(g, x, y, z, result).
template <int N, auto F> std::vector<Expr> gradient(const Expr& node, const Expr& g) {
  const auto term = [&](const Expr& e) { return Term(e, node->origin()); };
  const auto x = [&](size_t k) { return term(node->input(k)); };
  if constexpr (N == 1) {
    return {F(term(g), x(0), term(node)).expr()};
  } else if constexpr (N == 2) {
    const Two all = F(term(g), x(0), x(1), term(node));
    return {all[0].expr(), all[1].expr()};
  } else {
    const Three all = F(term(g), x(0), x(1), x(2), term(node));
    return {all[0].expr(), all[1].expr(), all[2].expr()};
  }
}

/// The gradient column of steps (floor, sign, ...): 0 for every operand.
std::vector<Expr> flat_gradient(const Expr& node, const Expr& g);

// ---- gradients of reductions and moves, ops/gradient_moves.cpp ----
std::vector<Expr> sum_gradient(const Expr& node, const Expr& g);
std::vector<Expr> mean_gradient(const Expr& node, const Expr& g);
std::vector<Expr> prod_gradient(const Expr& node, const Expr& g);
std::vector<Expr> extremum_gradient(const Expr& node, const Expr& g);
std::vector<Expr> variance_gradient(const Expr& node, const Expr& g);
std::vector<Expr> deviation_gradient(const Expr& node, const Expr& g);
std::vector<Expr> dimshuffle_gradient(const Expr& node, const Expr& g);
std::vector<Expr> reshape_gradient(const Expr& node, const Expr& g);
std::vector<Expr> concatenate_gradient(const Expr& node, const Expr& g);
// ---- of slices and indices, ops/gradient_index.cpp ----
std::vector<Expr> slice_gradient(const Expr& node, const Expr& g);
std::vector<Expr> take_gradient(const Expr& node, const Expr& g);
std::vector<Expr> set_slice_gradient(const Expr& node, const Expr& g);
std::vector<Expr> inc_slice_gradient(const Expr& node, const Expr& g);
std::vector<Expr> set_at_gradient(const Expr& node, const Expr& g);
std::vector<Expr> inc_at_gradient(const Expr& node, const Expr& g);
/// g itself: what an operand repeats is summed by the walk, which also puts back its dtype, names and order.
std::vector<Expr> same_gradient(const Expr& node, const Expr& g);

}  // namespace voxloom::ops

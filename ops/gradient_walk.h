// ops/gradient_walk.h: the walk from expressions back to what they were made of, behind every function of ops/gradient.h.
#pragma once

#include <voxloom/ops/gradient.h>

#include <optional>

namespace voxloom::ops {

/// An expression and the gradient of the cost with respect to it.
using Seed = std::pair<Expr, Expr>;

/// The gradients with respect to each of `wrt`, of its type; undefined where nothing seeded depends on it. `function` and `origin` are named in errors.
/// options: consider_constant and known_grads.
std::vector<Expr> gradients(const char* function, const std::vector<Seed>& seeds, const std::vector<Expr>& wrt, const GradOptions& options,
                            OriginId origin);

/// Lop on behalf of another function, which errors name.
std::vector<Expr> left_product(const char* function, const std::vector<Expr>& f, const std::vector<Expr>& wrt,
                               const std::vector<Expr>& eval_points, const GradOptions& options, OriginId origin);

/// The gradient of an expression of `type`, brought to that type: repeated axes are summed (in acc_dtype where that is no narrower, else as sum()
/// does it), missing ones repeated, complex and real parts, names and order as they are there.
Expr fitted(const Expr& gradient, const Type& type, OriginId origin, std::optional<DType> acc_dtype = {});

/// Zeros of that type.
Expr zeros_of(const Type& type, OriginId origin);

inline bool is_differentiable(DType t) { return is_float(t) || is_complex(t); }

}  // namespace voxloom::ops

// ops/gradient.cpp: grad, Lop and Rop over the walk, and what is refused.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/gradient_walk.h>
#include <voxloom/ops/infer.h>

#include <atomic>

namespace voxloom {
namespace {

using ops::Seed;

std::atomic<void (*)(const std::string&)> warning_receiver{nullptr};

void warn(const GradOptions& options, const std::string& message) {
  if (options.warn) return options.warn(message);
  if (auto* receiver = warning_receiver.load()) receiver(message);
}

/// "variable w", "exp at file.cpp:12".
std::string name_of_expr(const Expr& e) {
  std::string text = e->op().kind == OpKind::leaf ? "the variable" : std::string(e->op().name);
  if (!e->name().empty()) text += " " + e->name();
  const std::string where = origin_text(e->origin());
  return where.empty() ? text : text + " (" + where + ")";
}

Type float_type(Type type) {
  type.dtype = float_of(type.dtype, current_policy());
  return type;
}

/// Zeros, a warning or an error for what nothing depends on.
Expr disconnected(const char* function, const Expr& e, const std::string& fact, const GradOptions& options, OriginId origin) {
  const std::string message = name_of_expr(e) + fact;
  if (options.disconnected_inputs == Disconnected::raise)
    fail_user(ErrorCode::usage, function, message + "; disconnected_inputs = ignore gives zeros", origin);
  if (options.disconnected_inputs == Disconnected::warn) warn(options, std::string(function) + ": " + message);
  return ops::zeros_of(float_type(e.type()), origin);
}

std::vector<Expr> all_connected(const char* function, std::vector<Expr> found, const std::vector<Expr>& wrt, const GradOptions& options,
                                OriginId origin) {
  for (size_t k = 0; k < found.size(); ++k) {
    if (found[k]) continue;
    const bool discrete = !ops::is_differentiable(wrt[k].dtype());
    const std::string fact = discrete ? " is " + std::string(name_of(wrt[k].dtype())) + ", which has no gradient"
                                      : " is not connected to the result by operations that have a gradient";
    found[k] = disconnected(function, wrt[k], fact, options, origin);
  }
  return found;
}

void check_defined(const char* function, std::initializer_list<const std::vector<Expr>*> lists, OriginId origin) {
  for (const auto* list : lists)
    for (const Expr& e : *list)
      if (!e) fail_user(ErrorCode::usage, function, "an expression is empty", origin);
}

void check_options(const char* function, const GradOptions& options, OriginId origin) {
  check_defined(function, {&options.consider_constant}, origin);
  for (const Seed& s : options.known_grads)
    if (!s.first || !s.second) fail_user(ErrorCode::usage, function, "an expression of known_grads is empty", origin);
}

void check_points(const char* function, size_t points, size_t wanted, const char* of, OriginId origin) {
  if (points != wanted)
    fail_user(ErrorCode::usage, function, std::to_string(points) + " eval_points for " + std::to_string(wanted) + " " + of, origin);
}

std::vector<Expr> left(const char* function, const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& points,
                       const GradOptions& options, OriginId origin) {
  check_defined(function, {&f, &wrt, &points}, origin);
  check_options(function, options, origin);
  std::vector<Seed> seeds;
  for (size_t k = 0; k < f.size(); ++k) seeds.emplace_back(f[k], points[k]);
  return ops::gradients(function, seeds, wrt, options, origin);
}

OriginId origin_of_first(const std::vector<Expr>& list) { return list.empty() || !list[0] ? OriginId{} : list[0]->origin(); }

std::vector<Expr> right(const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& points,
                        const GradOptions& options, OriginId origin) {
  check_points("Rop", points.size(), wrt.size(), "variables", origin);
  check_defined("Rop", {&points}, origin);
  // f's Jacobian is linear in what stands at its left, so its transpose comes from differentiating once more.
  std::vector<Expr> v;
  check_defined("Rop", {&f}, origin);
  for (const Expr& e : f) v.push_back(make_input("", e.type(), origin));
  const std::vector<Expr> u = left("Rop", f, wrt, v, options, origin);
  std::vector<Seed> seeds;
  for (size_t k = 0; k < u.size(); ++k) {
    if (u[k]) seeds.emplace_back(u[k], points[k]);
    else all_connected("Rop", {Expr()}, {wrt[k]}, options, origin);
  }
  std::vector<Expr> moved = seeds.empty() ? std::vector<Expr>(f.size()) : ops::gradients("Rop", seeds, v, {}, origin);
  for (size_t k = 0; k < moved.size(); ++k)
    if (!moved[k]) moved[k] = disconnected("Rop", f[k], " depends on no variable through operations that have a gradient", options, origin);
  for (const Expr& node : topological_order(moved))
    for (const Expr& x : v) internal_check(!node.same_as(x), "Rop: a gradient is not linear in the gradient it passes on");
  return moved;
}

void check_cost(const Expr& cost, OriginId origin) {
  if (cost.rank() != 0)
    fail_user(
        ErrorCode::shape, "grad",
        "the cost, " + name_of_expr(cost) + ", has shape " + ops::shape_text(cost.shape()) + " and is no scalar; take its sum or mean",
        origin);
  if (!is_float(cost.dtype()))
    fail_user(ErrorCode::dtype, "grad", "the cost, " + name_of_expr(cost) + ", is " + std::string(name_of(cost.dtype())) + ", not a float",
              origin);
}

}  // namespace

std::vector<Expr> ops::left_product(const char* function, const std::vector<Expr>& f, const std::vector<Expr>& wrt,
                                    const std::vector<Expr>& points, const GradOptions& options, OriginId origin) {
  return all_connected(function, left(function, f, wrt, points, options, origin), wrt, options, origin);
}

void set_gradient_warnings(void (*receiver)(const std::string&)) { warning_receiver.store(receiver); }

std::vector<Expr> grad(const Operand& cost, const std::vector<Expr>& wrt, const GradOptions& options) {
  const Expr value = cost.as_expr();
  const OriginId origin = cost.origin();
  check_cost(value, origin);
  return ops::left_product("grad", {value}, wrt, {make_scalar(value.dtype(), 1, origin)}, options, origin);
}
Expr grad(const Operand& cost, const Expr& wrt, const GradOptions& options) { return grad(cost, std::vector<Expr>{wrt}, options)[0]; }

std::vector<Expr> Lop(const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& points,
                      const GradOptions& options) {
  const OriginId origin = origin_of_first(f);
  check_points("Lop", points.size(), f.size(), "expressions", origin);
  return ops::left_product("Lop", f, wrt, points, options, origin);
}
Expr Lop(const Operand& f, const Expr& wrt, const Expr& point, const GradOptions& options) {
  return ops::left_product("Lop", {f.as_expr()}, {wrt}, {point}, options, f.origin())[0];
}

std::vector<Expr> Rop(const std::vector<Expr>& f, const std::vector<Expr>& wrt, const std::vector<Expr>& points,
                      const GradOptions& options) {
  return right(f, wrt, points, options, origin_of_first(f));
}
Expr Rop(const Operand& f, const Expr& wrt, const Expr& point, const GradOptions& options) {
  return right({f.as_expr()}, {wrt}, {point}, options, f.origin())[0];
}

Expr disconnected_grad(const Operand& x) { return elementwise("disconnected_grad", {x}); }
Expr zero_grad(const Operand& x) { return elementwise("zero_grad", {x}); }
Expr grad_clip(const Operand& x, const Operand& low, const Operand& high) { return elementwise("grad_clip", {x, low, high}); }
Expr grad_scale(const Operand& x, const Operand& scale) { return elementwise("grad_scale", {x, scale}); }

}  // namespace voxloom

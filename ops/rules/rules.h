// ops/rules/rules.h: the rewrite rules of the op table.
//
// One file per family, each a table of rules (graph/passes/rule.h) with the algebra beside the rule. The law they obey is
// graph/passes/README.md; the order that proves that they end is in rules.cpp.
#pragma once

#include <voxloom/graph/passes/pass_context.h>
#include <voxloom/graph/passes/rule.h>

#include <functional>
#include <span>

namespace voxloom {

/// All rules, compiled once.
VOXLOOM_API const RuleSet& op_rules();

/// Fills in what the passes need of ops/: the rules, the evaluator (the interpreter), the way views pass elementwise nodes.
VOXLOOM_API void use_op_rules(PassContext& context);

namespace rules {

std::span<const Rule> arithmetic();
std::span<const Rule> comparison();
std::span<const Rule> casts();
std::span<const Rule> views();
std::span<const Rule> reductions();
std::span<const Rule> stabilisation();

/// PassContext::absorb for matrix products.
Expr absorb(const Expr& node, const std::function<bool(const Expr&)>& used_once);

/// PassContext::view_of_operand for slice and dimshuffle.
Expr view_of_operand(const Node& view, const Expr& operand, const Type& result);

// ---- for guards and builders ----

inline bool of_integers(const Match& m) { return is_integer(m.dtype()); }
inline bool of_floats(const Match& m) { return is_float(m.dtype()); }
inline bool of_reals(const Match& m) { return !is_complex(m.dtype()); }

/// An expression of the root's type with this value everywhere.
Expr filled(const Match& m, double value);
/// The constant with every element's bits replaced; `f` sees and gives the low bytes.
Expr with_bits(const Expr& constant, uint64_t (*f)(DType dtype, uint64_t bits));

}  // namespace rules
}  // namespace voxloom

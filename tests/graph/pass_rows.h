// tests/graph/pass_rows.h: expressions, a tiny evaluator and a view rule over the local rows, for tests of passes.
#pragma once

#include "rows.h"

#include <voxloom/graph/passes/pass_context.h>
#include <voxloom/graph/verify.h>

namespace pass_rows {

using namespace voxloom;

inline const Expr a = rows::vector("a"), b = rows::vector("b");
inline const Dim n = Dim::symbol("n");
inline Expr neg(const Expr& x) { return make_node(rows::neg, {x}); }
inline Expr add(const Expr& x, const Expr& y) { return make_node(rows::add, {x, y}); }
inline Expr exp(const Expr& x) { return make_node(rows::exp, {x}); }

// Negation of float constants, enough of an interpreter for these tests.
inline std::shared_ptr<const ConstantPayload> evaluate(const Node& node) {
  if (&node.op() != &rows::neg) return nullptr;
  const ConstantPayload& x = *constant_of(*node.input(0));
  std::vector<std::byte> bytes = x.bytes();
  for (size_t k = 3; k < bytes.size(); k += 4) bytes[k] ^= std::byte{0x80};
  return std::make_shared<const ConstantPayload>(f32, x.shape(), bytes);
}

inline Expr view_of_operand(const Node& view, const Expr& operand, const Type& result) {
  if (operand.shape()[0].is_one()) return operand;
  if (!(operand.shape() == result.shape)) return {};
  return make_node(view.op(), {operand}, view.attrs(), view.origin());
}

}  // namespace pass_rows

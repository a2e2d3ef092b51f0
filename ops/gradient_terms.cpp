// ops/gradient_terms.cpp: nodes of gradients.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/table.h>

#include <cstring>

namespace voxloom::ops {
namespace {

std::vector<std::byte> bytes_of(DType dtype, double value) {
  std::vector<std::byte> bytes(size_of(dtype));
  const DType part = real_part_of(dtype);
  const uint64_t bits = constant_of(*make_scalar(part, value))->bits(0);
  std::memcpy(bytes.data(), &bits, size_of(part));  // the imaginary part is 0
  return bytes;
}

}  // namespace

Term apply(const char* row, std::initializer_list<Term> operands) {
  std::vector<Expr> inputs;
  for (const Term& x : operands) inputs.push_back(x.expr());
  const OriginId origin = operands.begin()->origin();
  return {make_node(op(row), std::move(inputs), {}, origin), origin};
}

Term number(const Term& like, double value) {
  const std::vector<int64_t> shape(static_cast<size_t>(like.expr().rank()), 1);
  auto payload = std::make_shared<const ConstantPayload>(like.dtype(), shape, bytes_of(like.dtype(), value));
  return {make_constant(constant_op(), std::move(payload), Order::C, {}, like.origin()), like.origin()};
}

Term size_term(const Term& like, const Dim& size) {
  if (size.is_constant()) return number(like, static_cast<double>(size.constant()));
  const Expr value = cast_to({make_size(size, like.origin()), like.origin()}, like.dtype()).expr();
  const std::vector<int64_t> pattern(static_cast<size_t>(like.expr().rank()), -1);
  if (pattern.empty()) return {value, like.origin()};
  return {make_node(op("dimshuffle"), {value}, {{"pattern", pattern}}, like.origin()), like.origin()};
}

Term cast_to(const Term& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return {make_node(op("cast"), {x.expr()}, {{"dtype", dtype}}, x.origin()), x.origin()};
}

Term conjugate(const Term& x) { return x.is_complex() ? apply("conj", {x}) : x; }

std::vector<Expr> flat_gradient(const Expr& node, const Expr&) {
  std::vector<Expr> zeros;
  for (const Expr& x : node->inputs()) zeros.push_back(zero({x, node->origin()}).expr());
  return zeros;
}

}  // namespace voxloom::ops

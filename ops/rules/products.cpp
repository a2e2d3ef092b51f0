// ops/rules/products.cpp: what a matrix product takes in: factors, an addend, and a transposition of its result.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace voxloom::rules {
namespace {

using UsedOnce = std::function<bool(const Expr&)>;

bool is(const Expr& e, const char* name) { return &e->op() == find_op(name); }
bool is_uniform(const Expr& e) {
  return std::all_of(e.shape().begin(), e.shape().end(), [](const Dim& d) { return d.is_one(); });
}

/// factor * value, where the factor is one number.
struct Scaled {
  Expr factor, value;
};
std::vector<Scaled> readings(const Expr& e) {
  std::vector<Scaled> found = {{Expr(), e}};
  if (!is(e, "mul")) return found;
  for (size_t k = 0; k < 2; ++k)
    if (is_uniform(e->input(k))) found.push_back({e->input(k), e->input(1 - k)});
  return found;
}

/// The product, with the scale of it, if the expression is one that nothing else uses.
std::optional<Scaled> product_in(const Expr& e, const UsedOnce& used_once) {
  if (!used_once(e)) return std::nullopt;
  for (const Scaled& s : readings(e))
    if (is(s.value, "matmul") && used_once(s.value)) return s;
  return std::nullopt;
}

/// The addend with its scale; one that something else uses is read as it is.
Scaled addend_in(const Expr& e, const UsedOnce& used_once) {
  const auto found = readings(e);
  return used_once(e) ? found.back() : found.front();
}

Expr one_like(const Expr& e, OriginId origin) {
  const Expr scalar = make_scalar(e.dtype(), 1.0);
  auto payload =
      std::make_shared<const ConstantPayload>(e.dtype(), std::vector<int64_t>(e.shape().size(), 1), constant_of(*scalar)->bytes());
  return make_constant(constant_op(), std::move(payload), Order::C, {}, origin);
}

// alpha (x y) + beta z, rounded as the separate operations round; x - y = x + (-y) and (-a) b = -(a b).
Expr with_addend(const Expr& node, const UsedOnce& used_once) {
  const bool minus = is(node, "sub");
  if (!(minus || is(node, "add")) || !is_float(node.dtype()) || node.rank() < 2) return {};
  for (const size_t k : {size_t{0}, size_t{1}}) {
    const auto product = product_in(node->input(k), used_once);
    if (!product) continue;
    const Expr& m = product->value;
    const Scaled addend = addend_in(node->input(1 - k), used_once);
    const auto factor = [&](const Expr& given, bool negative) {
      const Expr value = given ? given : one_like(node, node->origin());
      return negative ? make_node(op("neg"), {value}, {}, node->origin()) : value;
    };
    try {
      return make_node(
          op("gemm"),
          {m->input(0), m->input(1), addend.value, factor(product->factor, minus && k == 1), factor(addend.factor, minus && k == 0)},
          m->attrs(), node->origin());
    } catch (const UserError&) { return {}; }  // the addend has more axes than the product: it repeats the product
  }
  return {};
}

// (x y)^T = y^T x^T: each element is the same sum of the same terms.
Expr transposed(const Expr& node, const UsedOnce& used_once) {
  if (!is(node, "dimshuffle") || !is(node->input(0), "matmul") || !used_once(node->input(0))) return {};
  const auto& pattern = node->attr_ints("pattern");
  std::vector<int64_t> swap(pattern.size());
  std::iota(swap.begin(), swap.end(), int64_t{0});
  if (swap.size() < 2) return {};
  std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
  if (pattern != swap) return {};
  const Expr& m = node->input(0);
  const auto turned = [&](const Expr& x) {
    if (is(x, "dimshuffle") && x->attr_ints("pattern") == swap) return x->input(0);
    return make_node(node->op(), {x}, node->attrs(), node->origin());
  };
  return make_node(m->op(), {turned(m->input(1)), turned(m->input(0))}, m->attrs(), m->origin());
}

}  // namespace

Expr absorb(const Expr& node, const UsedOnce& used_once) {
  if (Expr turned = transposed(node, used_once)) return turned;
  return with_addend(node, used_once);
}

}  // namespace voxloom::rules

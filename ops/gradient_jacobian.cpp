// ops/gradient_jacobian.cpp: jacobian and hessian.
//
// The Jacobian is Lop with the rows of the unit matrix, all at once: the part of Lop's graph that depends on its eval_point gets a new
// slowest axis, the rest is computed once. Where a row cannot take a new axis, a Jacobian of known size is put together row by row.
#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/gradient_walk.h>
#include <voxloom/ops/infer.h>

#include <unordered_map>

namespace voxloom {
namespace {

using Ints = std::vector<int64_t>;
using Dims = std::vector<Dim>;
constexpr int64_t max_unrolled = 1024;

Expr shuffle(const Expr& x, Ints pattern, OriginId origin) {
  return make_node(op("dimshuffle"), {x}, {{"pattern", std::move(pattern)}}, origin);
}

Expr unit_matrix(const Dim& n, DType dtype, OriginId origin) {
  const auto positions = [&](int64_t axis) { return make_node(op("iota"), {}, {{"axis", axis}, {"shape", Dims{n, n}}}, origin); };
  return make_node(op("cast"), {make_node(op("eq"), {positions(0), positions(1)}, {}, origin)}, {{"dtype", dtype}}, origin);
}

/// Nodes that depend on `v` rebuilt over a new first axis of size n, along which v is the unit matrix.
class OverRows {
 public:
  OverRows(const Expr& v, const Dim& n, Expr unit) : n_(n) { images_.emplace(v.get(), std::move(unit)); }

  /// The expression with the new axis; undefined if an op cannot have it: refused() is that node.
  Expr image(const Expr& root) {
    for (const Expr& node : topological_order(std::vector<Expr>{root})) {
      bool depends = false;
      for (const Expr& x : node->inputs()) depends = depends || images_.contains(x.get());
      if (!depends || images_.contains(node.get())) continue;
      Expr made = node.rank() < max_rank ? rebuilt(*node) : Expr();
      if (!made) {
        refused_ = node;
        return {};
      }
      images_.emplace(node.get(), std::move(made));
    }
    const auto it = images_.find(root.get());
    return it != images_.end() ? it->second : repeated(root);
  }
  const Expr& refused() const { return refused_; }

 private:
  /// With a first axis of size 1 where it does not depend on v.
  Expr operand(const Expr& x) const {
    if (const auto it = images_.find(x.get()); it != images_.end()) return it->second;
    Ints pattern = {-1};
    for (int64_t k = 0; k < x.rank(); ++k) pattern.push_back(k);
    return shuffle(x, std::move(pattern), x->origin());
  }
  Expr repeated(const Expr& x) const {
    Dims shape = x.shape();
    shape.insert(shape.begin(), n_);
    const Expr wide = operand(x);
    return wide.shape() == shape ? wide : make_node(op("broadcast_to"), {wide}, {{"shape", std::move(shape)}}, x->origin());
  }

  /// Operand k as a node over rows needs it. Indices of elements are the same for all rows; undefined where they are not.
  Expr over_rows(const Node& node, size_t k) const {
    const Expr& x = node.input(k);
    const OpInfo& row = node.op();
    const bool first = row.kind == OpKind::indexed && row.indexed.source != 0 && k == 0, values = row.kind == OpKind::scatter && k < 2;
    if (row.kind == OpKind::join || first || values) return repeated(x);
    if (row.kind == OpKind::scatter || (&row == &op("take") && k > 0)) return images_.contains(x.get()) ? Expr() : x;
    return operand(x);
  }

  Expr rebuilt(const Node& node) const {
    const OpInfo& row = node.op();
    std::vector<Expr> in;
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      in.push_back(over_rows(node, k));
      if (!in.back()) return {};
    }
    Attrs attrs = node.attrs();
    const bool elementwise = row.kind == OpKind::elementwise && row.axes == nullptr;
    if (!elementwise && !shifted(row, node, attrs)) return {};
    return make_node(row, std::move(in), std::move(attrs), node.origin());
  }

  /// Attributes that speak of axes, after a new first axis.
  bool shifted(const OpInfo& row, const Node& node, Attrs& attrs) const {
    const auto is = [&](const char* name) { return &row == &op(name); };
    const auto set = [&](std::string_view key, AttrValue value) {
      for (Attr& attr : attrs)
        if (attr.key == key) {
          attr.value = std::move(value);
          return;
        }
    };
    const auto with_first = [](auto list, auto first) {
      list.insert(list.begin(), first);
      return list;
    };
    const auto up = [](Ints axes) {
      for (int64_t& axis : axes) axis += axis < 0 ? 0 : 1;
      return axes;
    };
    if (row.kind == OpKind::reduction) {
      set("axes", up(node.attr_ints("axes")));
    } else if (is("dimshuffle")) {
      set("pattern", with_first(up(node.attr_ints("pattern")), int64_t{0}));
    } else if (is("broadcast_to") || (is("reshape") && node.input(0).type().order == Order::C && node.type().order == Order::C)) {
      set("shape", with_first(node.attr_dims("shape"), n_));
    } else if (is("slice")) {
      set("shape", with_first(node.attr_dims("shape"), n_));
      set("starts", with_first(node.attr_dims("starts"), Dim(0)));
      set("steps", with_first(node.attr_ints("steps"), int64_t{1}));
    } else if (is("set_slice") || is("inc_slice")) {
      set("shape", with_first(node.attr_dims("shape"), Dim(-1)));
      set("starts", with_first(node.attr_dims("starts"), Dim(0)));
      set("steps", with_first(node.attr_ints("steps"), int64_t{1}));
    } else if (is("take") || row.kind == OpKind::scatter) {
      set("axes", up(node.attr_ints("axes")));
      set("position", node.attr_int("position") + 1);
    } else if (is("relabel")) {
      const std::string& names = node.attr_string("names");
      set("names", names.empty() ? names : "," + names);
    } else if (is("concatenate")) {
      set("axis", node.attr_int("axis") + 1);
    } else {
      return false;
    }
    return true;
  }

  Dim n_;
  Expr refused_;
  std::unordered_map<const Node*, Expr> images_;
};

std::vector<Expr> row_by_row(const Expr& f, int64_t n, const std::vector<Expr>& wrt, const GradOptions& options, OriginId origin) {
  std::vector<std::vector<Operand>> rows(wrt.size());
  for (int64_t i = 0; i < n; ++i) {
    const std::vector<Expr> g = grad(Operand(index(Operand(f, origin), {i}), origin), wrt, options);
    for (size_t k = 0; k < wrt.size(); ++k) rows[k].emplace_back(expand_dims(Operand(g[k], origin), 0), origin);
  }
  std::vector<Expr> result;
  for (const auto& list : rows) result.push_back(concatenate(list));  // not stack: the new axis has no name, in images too
  return result;
}

std::vector<Expr> jacobian_of(const Expr& f, const std::vector<Expr>& wrt, const GradOptions& options, OriginId origin) {
  const Dim n = f.shape()[0];
  const Expr v = make_input("", {f.dtype(), {n}, Order::C, {}}, origin);
  const std::vector<Expr> u = ops::left_product("jacobian", {f}, wrt, {v}, options, origin);
  OverRows over(v, n, unit_matrix(n, f.dtype(), origin));
  std::vector<Expr> result;
  for (const Expr& e : u) {
    result.push_back(over.image(e));
    if (result.back()) continue;
    if (n.is_constant() && n.constant() <= max_unrolled && n.constant() > 0) return row_by_row(f, n.constant(), wrt, options, origin);
    fail_user(ErrorCode::usage, "jacobian",
              std::string(over.refused()->op().name) + " does not run over all rows at once, and a result of " + n.str() +
                  " elements is not put together row by row (at most " + std::to_string(max_unrolled) + ", a size known beforehand)",
              origin);
  }
  return result;
}

}  // namespace

std::vector<Expr> jacobian(const Operand& f, const std::vector<Expr>& wrt, const GradOptions& options) {
  const Expr value = f.as_expr();
  if (value.rank() > 1)
    fail_user(ErrorCode::shape, "jacobian",
              "the expression has shape " + ops::shape_text(value.shape()) + ", not one axis at most; ravel() it first", f.origin());
  if (!is_float(value.dtype()))
    fail_user(ErrorCode::dtype, "jacobian", "the expression is " + std::string(name_of(value.dtype())) + ", not a float", f.origin());
  return value.rank() == 0 ? grad(f, wrt, options) : jacobian_of(value, wrt, options, f.origin());
}
Expr jacobian(const Operand& f, const Expr& wrt, const GradOptions& options) { return jacobian(f, std::vector<Expr>{wrt}, options)[0]; }

std::vector<Expr> hessian(const Operand& cost, const std::vector<Expr>& wrt, const GradOptions& options) {
  for (const Expr& e : wrt)
    if (e && e.rank() != 1)
      fail_user(ErrorCode::shape, "hessian", "a variable has shape " + ops::shape_text(e.shape()) + ", not one axis", cost.origin());
  const std::vector<Expr> first = grad(cost, wrt, options);
  GradOptions rest = options;  // of a cost linear in a variable the second derivatives are zeros, which is no mistake
  rest.disconnected_inputs = Disconnected::ignore;
  std::vector<Expr> result;
  for (size_t k = 0; k < wrt.size(); ++k) result.push_back(jacobian(Operand(first[k], cost.origin()), wrt[k], rest));
  return result;
}
Expr hessian(const Operand& cost, const Expr& wrt, const GradOptions& options) { return hessian(cost, std::vector<Expr>{wrt}, options)[0]; }

}  // namespace voxloom

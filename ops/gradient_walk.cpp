// ops/gradient_walk.cpp: reverse accumulation over a stabilised graph, node by node, without recursion.
//
// An adjoint is a value and a mask: where the mask is false the adjoint is 0, whatever the value there. Elementwise rows see the value
// alone and the mask goes on beside it; so a slope that is infinite where a branch was not taken meets no 0 to make NaN with. The
// mask is applied (by where) before elements are summed, and at the end.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/graph/passes/optimise.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/gradient_walk.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/reduce_types.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace voxloom::ops {
namespace {

using Ints = std::vector<int64_t>;

struct Adjoint {
  bool connected = false;  ///< a path of operands with gradients leads here
  Expr value;              ///< undefined: 0
  Expr mask;               ///< undefined: true everywhere
  /// In which a sum adds the elements. Factors of these that are repeated get their gradient by another sum, in the same dtype: that of
  /// dot(X, w) is dot(g, X).
  std::optional<DType> acc = {};
};

/// A constant 0, through views.
bool is_zero(const Expr& e) {
  const Node* node = e.get();
  while (node->op().kind == OpKind::view) node = node->input(0).get();
  const ConstantPayload* constant = constant_of(*node);
  if (constant == nullptr || !constant->is_uniform()) return false;
  return is_complex(constant->dtype()) ? constant->bits(0) == 0 && constant->bits(0, 1) == 0 : uniform_value(*node) == 0.0;
}

Expr both(const Expr& a, const Expr& b, OriginId origin) {
  if (!a || !b) return a ? a : b;
  return make_node(op("logical_and"), {a, b}, {}, origin);
}

/// Where either mask is true; undefined: everywhere. The two branches of a choice make up where they came from.
Expr either(const Expr& a, const Expr& b, OriginId origin) {
  const auto opposite = [](const Expr& p, const Expr& q) { return &q->op() == &op("logical_not") && q->input(0).same_as(p); };
  if (!a || !b || opposite(a, b) || opposite(b, a)) return {};
  const bool joint = &a->op() == &op("logical_and") && &b->op() == &op("logical_and") && a->input(0).same_as(b->input(0));
  if (joint && (opposite(a->input(1), b->input(1)) || opposite(b->input(1), a->input(1)))) return a->input(0);
  return make_node(op("logical_or"), {a, b}, {}, origin);
}

/// where(mask, value, 0), of that type.
Expr masked(const Expr& value, const Expr& mask, const Type& type, OriginId origin) {
  if (!mask) return value;
  return fitted(only_where({mask, origin}, {value, origin}).expr(), type, origin);
}

/// where(c, v, 0) and where(c, 0, v) taken apart.
struct Choice {
  Expr value, mask;
};
Choice taken_apart(const Expr& e) {
  if (&e->op() != &op("where")) return {e, {}};
  if (is_zero(e->input(2))) return {e->input(1), e->input(0)};
  if (is_zero(e->input(1))) return {e->input(2), make_node(op("logical_not"), {e->input(0)}, {}, e->origin())};
  return {e, {}};
}

/// The mask seen from an operand whose every index knows its index of the result; undefined where the relations are others.
Expr mask_along(const Node& node, size_t operand, const Expr& mask) {
  Ints pattern;
  std::vector<char> covered(static_cast<size_t>(node.type().rank()), 0);
  for (const AxisMap& map : axis_maps(node, operand)) {
    const bool mapped = map.relation == AxisRelation::map;
    if (!mapped && map.relation != AxisRelation::reduce && !(map.relation == AxisRelation::affine && map.out_axis < 0)) return {};
    pattern.push_back(mapped ? map.out_axis : -1);
    if (mapped) covered[static_cast<size_t>(map.out_axis)] = 1;
  }
  for (size_t k = 0; k < covered.size(); ++k)
    if (covered[k] == 0 && !node.type().shape[k].is_one()) return {};
  return make_node(op("dimshuffle"), {mask}, {{"pattern", std::move(pattern)}}, node.origin());
}

bool needs_sum(const Expr& entry, const Type& operand) {
  for (size_t k = 0; k < operand.shape.size(); ++k)
    if (operand.shape[k].is_one() && !entry.shape()[k].is_one()) return true;
  return false;
}

// ---- the graph that is walked ----

struct Prepared {
  Graph graph;
  std::vector<Expr> seeds, known;  ///< nodes of the graph
  std::vector<Expr> wrt;           ///< undefined: not reached
};

/// Nodes that gradients are asked for stay themselves under rewriting: an identity stands on each, which is not folded either (a value made of
/// constants alone is still something to differentiate by); on what is considered constant a disconnected_grad.
Prepared prepared(const std::vector<Seed>& seeds, const std::vector<Expr>& wrt, const GradOptions& options) {
  std::unordered_set<const Node*> kept, constant;
  std::vector<Expr> roots;
  for (const Expr& e : wrt) kept.insert(e.get());
  for (const Expr& e : options.consider_constant) constant.insert(e.get());
  for (const Seed& s : seeds) roots.push_back(s.first);
  for (const Seed& s : options.known_grads) {
    roots.push_back(s.first);
    kept.insert(s.first.get());
  }
  std::vector<Expr> inputs, outputs;
  std::unordered_map<const Node*, Expr> images, inner;  // inner: below a disconnected_grad
  for (const Expr& node : topological_order(roots)) {
    std::vector<Expr> operands;
    bool changed = false;
    for (const Expr& x : node->inputs()) {
      operands.push_back(images.at(x.get()));
      changed = changed || !operands.back().same_as(x);
    }
    Expr image = changed ? with_inputs(*node, std::move(operands)) : node;
    const bool fixed = node->op().kind == OpKind::leaf && constant_of(*node) == nullptr;
    if (is_input_leaf(*node)) inputs.push_back(node);
    if (kept.contains(node.get()) && !fixed) image = make_node(op("identity"), {image}, {}, node->origin());
    inner.emplace(node.get(), image);
    if (constant.contains(node.get())) image = make_node(op("disconnected_grad"), {image}, {}, node->origin());
    images.emplace(node.get(), std::move(image));
  }
  for (const Expr& e : roots) outputs.push_back(images.at(e.get()));
  for (const Expr& e : wrt)
    if (const auto it = inner.find(e.get()); it != inner.end()) outputs.push_back(it->second);

  PassContext context;
  use_op_rules(context);
  context.evaluate = [evaluate = std::move(context.evaluate)](const Node& node) {
    return &node.op() == &op("identity") ? nullptr : evaluate(node);
  };
  Prepared result{stabilised(Graph::make(std::move(inputs), std::move(outputs)), context), {}, {}, {}};
  auto next = result.graph.outputs().begin();
  for (size_t k = 0; k < seeds.size(); ++k) result.seeds.push_back(*next++);
  for (size_t k = 0; k < options.known_grads.size(); ++k) result.known.push_back(*next++);
  for (const Expr& e : wrt) result.wrt.push_back(inner.contains(e.get()) ? *next++ : Expr());
  return result;
}

// ---- the walk ----

class Walk {
 public:
  explicit Walk(const Graph& graph) : graph_(graph), adjoints_(graph.size()), wanted_(graph.size(), 0), known_(graph.size(), 0) {}

  void want(const Expr& node) { wanted_[place(node)] = 1; }
  void fix(const Expr& node, const Expr& gradient) {
    add(node, gradient, {});
    known_[place(node)] = 1;
  }
  void seed(const Expr& node, const Expr& gradient) { add(node, gradient, {}); }

  void run() {
    for (size_t i = 0; i < graph_.size(); ++i)
      for (const Expr& x : graph_.nodes()[i]->inputs())
        if (wanted_[place(x)] != 0 && is_differentiable(x.dtype())) wanted_[i] = 1;
    for (size_t i = graph_.size(); i-- > 0;)
      if (adjoints_[i].connected && wanted_[i] != 0 && !graph_.nodes()[i]->inputs().empty()) pass_on(graph_.nodes()[i], adjoints_[i]);
  }

  Expr gradient(const Expr& node) const {
    const Adjoint& adjoint = adjoints_[place(node)];
    if (!adjoint.connected) return {};
    if (!adjoint.value) return zeros_of(node.type(), node->origin());
    return masked(adjoint.value, adjoint.mask, node.type(), node->origin());
  }

 private:
  size_t place(const Expr& node) const { return static_cast<size_t>(graph_.index_of(node.get())); }
  bool takes(const Expr& operand) const { return wanted_[place(operand)] != 0 && is_differentiable(operand.dtype()); }

  void add(const Expr& node, const Expr& value, const Expr& mask, std::optional<DType> acc = {}) {
    Adjoint& sum = adjoints_[place(node)];
    if (known_[place(node)] != 0) return;
    sum.connected = true;
    if (!value || is_zero(value)) return;
    const OriginId origin = node->origin();
    if (!sum.value) {
      sum.value = value;
      sum.mask = mask;
      sum.acc = acc;
      return;
    }
    if (sum.acc != acc) sum.acc.reset();
    if (sum.mask.same_as(mask)) {
      sum.value = make_node(op("add"), {sum.value, value}, {}, origin);
    } else {
      sum.value =
          make_node(op("add"), {masked(sum.value, sum.mask, node.type(), origin), masked(value, mask, node.type(), origin)}, {}, origin);
      sum.mask = either(sum.mask, mask, origin);
    }
  }

  static std::vector<Expr> entries_of(const Expr& node, const Expr& g) {
    std::vector<Expr> entries = node->op().gradient(node, g);
    internal_check(entries.size() == node->inputs().size(), "the gradient of a row has another number of entries than operands");
    return entries;
  }

  void pass_on(const Expr& node, const Adjoint& adjoint) {
    const OpInfo& row = node->op();
    if (row.no_gradient) return;
    if (row.gradient == nullptr) fail_internal(std::string("the row ") + row.name + " has no gradient");
    const Expr all = adjoint.value ? adjoint.value : zeros_of(node.type(), node->origin());
    const bool apart = adjoint.mask && row.kind != OpKind::elementwise;
    std::vector<Expr> masks(node->inputs().size(), apart ? Expr() : adjoint.mask);
    const bool carried = apart && masks_along(*node, adjoint.mask, masks);
    const Expr g = apart && !carried ? masked(all, adjoint.mask, node.type(), node->origin()) : all;
    if (apart && !carried) masks = moved_masks(node, adjoint.mask);
    const std::vector<Expr> entries = entries_of(node, g);
    for (size_t k = 0; k < entries.size(); ++k) {
      if (!entries[k] || !takes(node->input(k))) continue;
      if (!adjoint.value || is_zero(entries[k])) add(node->input(k), {}, {});
      else add_entry(node, k, entries[k], masks[k], adjoint.acc);
    }
  }

  void add_entry(const Expr& node, size_t k, const Expr& entry, const Expr& mask, std::optional<DType> acc) {
    const Expr& operand = node->input(k);
    const OriginId origin = node->origin();
    const Choice choice = taken_apart(entry);
    const Expr rest = both(mask, choice.mask, origin);
    const bool adds = node->op().kind == OpKind::reduction && node->attr("acc_dtype") != nullptr;
    const std::optional<DType> below = adds ? node->attr_dtype("acc_dtype") : std::optional<DType>();
    if (rest && needs_sum(entry, operand.type())) {
      add(operand, fitted(only_where({rest, origin}, {choice.value, origin}).expr(), operand.type(), origin, acc), {}, below);
    } else {
      add(operand, fitted(choice.value, operand.type(), origin, acc), rest, below);
    }
  }

  /// Masks for all operands that take a gradient, if each can be told by the relations of the axes.
  bool masks_along(const Node& node, const Expr& mask, std::vector<Expr>& masks) const {
    for (size_t k = 0; k < masks.size(); ++k) {
      if (!takes(node.input(k))) continue;
      masks[k] = mask_along(node, k, mask);
      if (!masks[k]) return false;
    }
    return true;
  }

  /// Rows that only move elements move the mask as they move a gradient; for others it ends here.
  std::vector<Expr> moved_masks(const Expr& node, const Expr& mask) const {
    std::vector<Expr> masks(node->inputs().size());
    const OpKind kind = node->op().kind;
    if (kind != OpKind::view && kind != OpKind::reshape && kind != OpKind::join) return masks;
    const OriginId origin = node->origin();
    const Type& type = node.type();
    const std::vector<Expr> moved = entries_of(node, fitted(cast_to({mask, origin}, type.dtype).expr(), type, origin));
    for (size_t k = 0; k < masks.size(); ++k) {
      if (!moved[k] || !takes(node->input(k))) continue;
      const Term there(fitted(moved[k], node->input(k).type(), origin), origin);
      masks[k] = apply("ne", {there, zero(there)}).expr();
    }
    return masks;
  }

  const Graph& graph_;
  std::vector<Adjoint> adjoints_;
  std::vector<char> wanted_, known_;
};

std::string names_text(const Type& type) {
  std::string text;
  for (size_t k = 0; k < type.names.size(); ++k) text += (k > 0 ? "," : "") + type.names[k];
  return text;
}

void check_seed(const char* function, const Expr& node, const Expr& gradient, OriginId origin) {
  bool fits = gradient.rank() == node.rank() && is_differentiable(gradient.dtype()) && is_differentiable(node.dtype());
  for (size_t k = 0; fits && k < node.shape().size(); ++k)
    fits = gradient.shape()[k].is_one() || (meet(gradient.shape()[k], node.shape()[k]) && !node.shape()[k].is_one());
  if (!fits)
    fail_user(ErrorCode::shape, function,
              "a gradient of type " + gradient.type().str() + " is given for " + node->op().name + " of type " + node.type().str(), origin);
}

}  // namespace

Expr zeros_of(const Type& type, OriginId origin) {
  const std::vector<int64_t> ones(type.shape.size(), 1);
  auto payload = std::make_shared<const ConstantPayload>(type.dtype, ones, std::vector<std::byte>(size_of(type.dtype)));
  const Expr one = make_constant(op("constant"), std::move(payload), type.order, type.names, origin);
  return one.shape() == type.shape ? one : make_node(op("broadcast_to"), {one}, {{"shape", type.shape}}, origin);
}

Expr fitted(const Expr& gradient, const Type& type, OriginId origin, std::optional<DType> acc_dtype) {
  Expr g = gradient;
  internal_check(g.rank() == type.rank(), "a gradient has another rank than its expression");
  if (is_complex(g.dtype()) && !is_complex(type.dtype)) g = apply("real", {{g, origin}}).expr();
  g = cast_to({g, origin}, type.dtype).expr();
  Ints summed;
  for (size_t k = 0; k < type.shape.size(); ++k)
    if (type.shape[k].is_one() && !g.shape()[k].is_one()) summed.push_back(static_cast<int64_t>(k));
  if (!summed.empty()) {
    DType acc = sum_accumulator(type.dtype);
    if (acc_dtype && !is_complex(type.dtype)) acc_dtype = real_part_of(*acc_dtype);
    if (acc_dtype && is_complex(*acc_dtype) == is_complex(type.dtype) && size_of(*acc_dtype) >= size_of(type.dtype)) acc = *acc_dtype;
    g = make_node(op("sum"), {g}, {{"acc_dtype", acc}, {"axes", summed}, {"dtype", type.dtype}, {"keepdims", true}}, origin);
  }
  if (g.shape() != type.shape) g = make_node(op("broadcast_to"), {g}, {{"shape", type.shape}}, origin);
  if (g.type().names != type.names || g.type().order != type.order)
    g = make_node(op("relabel"), {g}, {{"names", names_text(type)}, {"order", std::string(type.order == Order::F ? "F" : "C")}}, origin);
  return g;
}

std::vector<Expr> gradients(const char* function, const std::vector<Seed>& seeds, const std::vector<Expr>& wrt, const GradOptions& options,
                            OriginId origin) {
  const Prepared p = prepared(seeds, wrt, options);
  Walk walk(p.graph);
  for (const Expr& e : p.wrt)
    if (e) walk.want(e);
  for (size_t k = 0; k < p.known.size(); ++k) {
    check_seed(function, p.known[k], options.known_grads[k].second, origin);
    walk.fix(p.known[k], fitted(options.known_grads[k].second, p.known[k].type(), origin));
  }
  for (size_t k = 0; k < p.seeds.size(); ++k) {
    check_seed(function, p.seeds[k], seeds[k].second, origin);
    walk.seed(p.seeds[k], fitted(seeds[k].second, p.seeds[k].type(), origin));
  }
  walk.run();
  std::vector<Expr> result;
  for (const Expr& e : p.wrt) result.push_back(e && is_differentiable(e.dtype()) ? walk.gradient(e) : Expr());
  return result;
}

}  // namespace voxloom::ops

// api/stream_pass.cpp: graphs of parts of a run: what a pass of blocks computes, and what is computed from values that are known.
#include <voxloom/api/stream_plan.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>

namespace voxloom::detail {
namespace {

/// Rebuilds the nodes of one pass with the streamed axis as a symbol.
class PassBuilder {
 public:
  PassBuilder(const Graph& graph, const StreamAxis& axis, int level) : graph_(graph), axis_(axis), level_(level) {}

  StreamPass run() {
    StreamPass pass;
    std::vector<Expr> results;
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      const Node* n = graph_.outputs()[k].get();
      if (!axis_.axis_of.count(n) || axis_.level.at(n) != level_) continue;
      pass.outputs.push_back(static_cast<int>(k));
      results.push_back(build(n));
    }
    for (const Expr& e : graph_.nodes()) {
      if (!reduces_axis(*e, axis_) || axis_.level.at(e.get()) != level_ + 1) continue;
      pass.reductions.push_back(e.get());
      results.push_back(build(e.get()));
    }
    std::vector<Expr> inputs;
    for (const Node* leaf : leaves_) inputs.push_back(made_.at(leaf));
    for (const Node* n : arrays_) inputs.push_back(made_.at(n));
    pass.leaves = leaves_;
    pass.arrays = arrays_;
    pass.graph = Graph::make(inputs, results);
    return pass;
  }

 private:
  // With a stack of its own: graphs may be deep.
  Expr build(const Node* root) {
    std::vector<const Node*> work{root};
    while (!work.empty()) {
      const Node* n = work.back();
      if (made_.count(n)) {
        work.pop_back();
        continue;
      }
      if (is_boundary(n)) {
        made_[n] = boundary(n);
        work.pop_back();
        continue;
      }
      bool ready = true;
      for (const Expr& e : n->inputs()) {
        if (!made_.count(e.get())) {
          work.push_back(e.get());
          ready = false;
        }
      }
      if (!ready) continue;
      made_[n] = rebuild(n);
      work.pop_back();
    }
    return made_.at(root);
  }

  bool carries(const Node* n) const { return axis_.axis_of.count(n) != 0; }
  bool is_boundary(const Node* n) const {
    if (n->op().kind == OpKind::leaf) return true;
    return !carries(n) && !(reduces_axis(*n, axis_) && axis_.level.at(n) == level_ + 1);
  }

  Expr boundary(const Node* n) {
    if (!carries(n) && (constant_of(*n) || size_of_leaf(*n))) return Expr(n);
    Type type = n->type();
    if (carries(n)) {
      const StreamAxis::Reach reach = axis_.reach.at(n);
      type.shape[static_cast<size_t>(axis_.axis_of.at(n))] = Dim::symbol(stream_symbol) + Dim(reach.high - reach.low);
      origin_[n] = reach.low;
      leaves_.push_back(n);
    } else {
      arrays_.push_back(n);
    }
    return make_input(n->name().empty() ? "v" + std::to_string(arrays_.size()) : n->name(), type, n->origin());
  }

  Expr rebuild(const Node* n) {
    std::vector<Expr> inputs;
    for (const Expr& e : n->inputs()) inputs.push_back(made_.at(e.get()));
    if (n->op().kind != OpKind::view || !carries(n)) return make_node(n->op(), inputs, n->attrs(), n->origin());
    const auto axis = static_cast<size_t>(axis_.axis_of.at(n));
    const Node* m = n->input(0).get();
    Attrs attrs = n->attrs();
    const auto below = axis_.axis_of.find(m);  // none: it is broadcast along the axis
    const Dim whole = below == axis_.axis_of.end() ? Dim::symbol(stream_symbol) : inputs[0].shape()[static_cast<size_t>(below->second)];
    const bool slices = n->attr("starts") != nullptr;
    Dim extent = whole;
    if (slices && axis_.offset.count(n)) extent = Dim::symbol(stream_symbol);
    for (Attr& a : attrs) {
      if (a.key == "shape") std::get<std::vector<Dim>>(a.value)[axis] = extent;
      if (a.key == "starts" && axis_.offset.count(n)) std::get<std::vector<Dim>>(a.value)[axis] = Dim(axis_.offset.at(n) - origin_.at(m));
    }
    if (axis_.offset.count(n)) origin_[n] = slices ? axis_.offset.at(n) : origin_.at(m);
    return make_node(n->op(), inputs, attrs, n->origin());
  }

  const Graph& graph_;
  const StreamAxis& axis_;
  int level_;
  std::unordered_map<const Node*, Expr> made_;
  std::unordered_map<const Node*, int64_t> origin_;
  std::vector<const Node*> leaves_, arrays_;
};

}  // namespace

StreamPass stream_pass(const Graph& graph, const StreamAxis& axis, int level) { return PassBuilder(graph, axis, level).run(); }

Graph cut_graph(const std::vector<const Node*>& outputs, const std::function<bool(const Node*)>& known, std::vector<const Node*>& used) {
  std::unordered_map<const Node*, Expr> made;
  std::vector<Expr> inputs, results;
  std::vector<const Node*> work(outputs.begin(), outputs.end());
  while (!work.empty()) {
    const Node* n = work.back();
    if (made.count(n)) {
      work.pop_back();
      continue;
    }
    if (known(n)) {
      made[n] = make_input(n->name().empty() ? "v" + std::to_string(used.size()) : n->name(), n->type(), n->origin());
      inputs.push_back(made[n]);
      used.push_back(n);
      work.pop_back();
      continue;
    }
    bool ready = true;
    for (const Expr& e : n->inputs()) {
      if (!made.count(e.get())) {
        work.push_back(e.get());
        ready = false;
      }
    }
    if (!ready) continue;
    std::vector<Expr> operands;
    for (const Expr& e : n->inputs()) operands.push_back(made.at(e.get()));
    made[n] = n->inputs().empty() ? Expr(n) : make_node(n->op(), operands, n->attrs(), n->origin());
    work.pop_back();
  }
  for (const Node* n : outputs) results.push_back(made.at(n));
  return Graph::make(inputs, results);
}

}  // namespace voxloom::detail

// codegen/group.cpp: axis unification, roles and stages of a fused group.
#include <voxloom/codegen/group.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

namespace voxloom::codegen {
namespace {

const Type& domain_type(const Node& n) { return n.op().kind == OpKind::reduction ? n.input(0).type() : n.type(); }

// For a reduction: domain axis of each output axis (-1 for a kept axis of size 1).
std::vector<int> kept_axes(const Node& reduction) {
  std::vector<int> kept(static_cast<size_t>(reduction.type().rank()), -1);
  const auto maps = axis_maps(reduction, 0);
  for (size_t k = 0; k < maps.size(); ++k) {
    if (maps[k].relation == AxisRelation::map) kept[static_cast<size_t>(maps[k].out_axis)] = static_cast<int>(k);
  }
  return kept;
}

std::vector<int> reduced_axes(const Node& reduction) {
  std::vector<int> axes;
  const auto maps = axis_maps(reduction, 0);
  for (size_t k = 0; k < maps.size(); ++k) {
    if (maps[k].relation == AxisRelation::reduce) axes.push_back(static_cast<int>(k));
  }
  return axes;
}

class Analysis {
 public:
  Analysis(const std::vector<const Node*>& nodes, const std::function<bool(const Node*)>& stored, OperandMaps& maps, Group& group)
      : nodes_(nodes), stored_(stored), maps_(maps), group_(group) {}

  std::string run() {
    group_ = Group{};
    if (nodes_.size() > max_group_nodes) return "the kernel would have more than " + std::to_string(max_group_nodes) + " operations";
    size_t states = 0;
    for (const Node* n : nodes_) states += n->op().kind == OpKind::reduction ? n->op().reduction.state(*n).size() : 0;
    if (states > max_group_states) return "the kernel would keep more than " + std::to_string(max_group_states) + " running values";
    group_.nodes = nodes_;
    for (std::string (Analysis::*step)() : {&Analysis::unify, &Analysis::order_axes, &Analysis::find_roles, &Analysis::find_stages,
                                            &Analysis::check_missing_axes, &Analysis::check_recompute}) {
      if (std::string reason = (this->*step)(); !reason.empty()) return reason;
    }
    return {};
  }

 private:
  int find(int v) {
    while (parent_[static_cast<size_t>(v)] != v)
      v = parent_[static_cast<size_t>(v)] = parent_[static_cast<size_t>(parent_[static_cast<size_t>(v)])];
    return v;
  }
  int variable(const Node* n, int axis) const { return first_.at(n) + axis; }
  int result_variable(const Node* n, int axis) const {
    if (n->op().kind != OpKind::reduction) return variable(n, axis);
    const int k = kept_.at(n)[static_cast<size_t>(axis)];
    return k < 0 ? -1 : variable(n, k);
  }

  std::string unify() {
    int count = 0;
    for (const Node* n : nodes_) {
      first_[n] = count;
      count += domain_type(*n).rank();
      if (n->op().kind == OpKind::reduction) kept_[n] = kept_axes(*n);
    }
    parent_.resize(static_cast<size_t>(count));
    std::iota(parent_.begin(), parent_.end(), 0);
    std::vector<ViewMap> loads;
    for (const Node* n : nodes_) {
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const ViewMap& map = maps_.of(*n, k);
        if (!first_.count(map.base)) {
          if (map.base->type().rank() > 0 && std::find(loads.begin(), loads.end(), map) == loads.end()) loads.push_back(map);
          continue;
        }
        for (size_t j = 0; j < map.terms.size(); ++j) {
          const IndexTerm& t = map.terms[j];
          if (map.base->type().shape[j].is_one()) continue;
          if (t.axis < 0 || !t.identity())
            return std::string(map.base->op().name) + " is used through a slice, a flip or computed indices, so its result is stored first";
          const int v = result_variable(map.base, static_cast<int>(j));
          if (v >= 0) parent_[static_cast<size_t>(find(v))] = find(variable(n, t.axis));
        }
      }
    }
    unify_through_loads();
    if (loads.size() > max_group_loads) return "the kernel would read more than " + std::to_string(max_group_loads) + " arrays";
    return {};
  }

  // Nodes that read the same axis of the same array run along it together, unless that would make two axes of one node the same.
  void unify_through_loads() {
    std::map<std::pair<const Node*, size_t>, int> readers;
    for (const Node* n : nodes_) {
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const ViewMap& map = maps_.of(*n, k);
        if (first_.count(map.base)) continue;
        for (size_t j = 0; j < map.terms.size(); ++j) {
          const IndexTerm& t = map.terms[j];
          if (t.axis < 0 || !t.identity()) continue;
          if (!(domain_type(*n).shape[static_cast<size_t>(t.axis)] == map.base->type().shape[j])) continue;
          const auto [it, is_new] = readers.try_emplace({map.base, j}, variable(n, t.axis));
          if (!is_new && !would_collide(it->second, variable(n, t.axis)))
            parent_[static_cast<size_t>(find(it->second))] = find(variable(n, t.axis));
        }
      }
    }
  }

  bool would_collide(int a, int b) {
    const int ra = find(a), rb = find(b);
    if (ra == rb) return false;
    for (const Node* n : nodes_) {
      bool has_a = false, has_b = false;
      for (int k = 0; k < domain_type(*n).rank(); ++k) {
        has_a = has_a || find(variable(n, k)) == ra;
        has_b = has_b || find(variable(n, k)) == rb;
      }
      if (has_a && has_b) return true;
    }
    return false;
  }

  // Numbers the classes from the slowest to the fastest in the order of the node that has them all.
  std::string order_axes() {
    const Node* widest = nullptr;
    size_t most = 0;
    std::set<int> all;
    for (const Node* n : nodes_) {
      std::set<int> own;
      const Type& t = domain_type(*n);
      for (int k = 0; k < t.rank(); ++k) {
        if (t.shape[static_cast<size_t>(k)].is_one()) continue;
        if (!own.insert(find(variable(n, k))).second) return "two axes of " + std::string(n->op().name) + " would run along the same loop";
      }
      all.insert(own.begin(), own.end());
      if (!widest || own.size() > most ||
          (own.size() == most && widest->op().kind != OpKind::reduction && n->op().kind == OpKind::reduction)) {
        widest = n;
        most = own.size();
      }
    }
    if (most != all.size()) return "no single operation runs over all the axes involved";
    const Type& t = domain_type(*widest);
    for (int k : t.fastest_first()) {
      if (t.shape[static_cast<size_t>(k)].is_one()) continue;
      number_[find(variable(widest, k))] = static_cast<int>(number_.size());
    }
    const int last = static_cast<int>(number_.size()) - 1;
    group_.axes.resize(number_.size());
    for (auto& [root, position] : number_) position = last - position;
    for (int k = 0; k < t.rank(); ++k) {
      if (!t.shape[static_cast<size_t>(k)].is_one()) {
        group_.axes[static_cast<size_t>(number_.at(find(variable(widest, k))))].extent = t.shape[static_cast<size_t>(k)];
      }
    }
    fill_axis_tables();
    return check_orders();
  }

  void fill_axis_tables() {
    for (const Node* n : nodes_) {
      const Type& t = domain_type(*n);
      std::vector<int>& domain = group_.domain[n];
      for (int k = 0; k < t.rank(); ++k) {
        domain.push_back(t.shape[static_cast<size_t>(k)].is_one() ? -1 : number_.at(find(variable(n, k))));
      }
      std::vector<int>& result = group_.result[n];
      if (n->op().kind == OpKind::reduction) {
        for (int k : kept_.at(n)) result.push_back(k < 0 ? -1 : domain[static_cast<size_t>(k)]);
      } else {
        result = domain;
      }
    }
  }

  // The order in which a reduction runs through its axes is part of its definition; the loops must have the same.
  std::string check_orders() const {
    for (const Node* n : nodes_) {
      if (n->op().kind != OpKind::reduction) continue;
      int previous = static_cast<int>(group_.axes.size());
      for (int k : domain_type(*n).fastest_first()) {
        const int axis = group_.domain.at(n)[static_cast<size_t>(k)];
        if (axis < 0) continue;
        if (axis > previous) return std::string(n->op().name) + " runs through its axes in another order";
        previous = axis;
      }
    }
    return {};
  }

  std::set<int> reduced_set(const Node* n) const {
    std::set<int> axes;
    for (int k : reduced_axes(*n)) {
      if (const int a = group_.domain.at(n)[static_cast<size_t>(k)]; a >= 0) axes.insert(a);
    }
    return axes;
  }

  std::string find_roles() {
    std::set<int> inner, outer;
    const int fastest = static_cast<int>(group_.axes.size()) - 1;
    for (const Node* n : nodes_) {
      if (n->op().kind != OpKind::reduction) continue;
      const std::set<int> axes = reduced_set(n);
      if (axes.empty()) continue;
      std::set<int>& target = axes.count(fastest) ? inner : outer;
      if (!target.empty() && target != axes) return "the reductions run over different axes";
      target = axes;
    }
    for (int a : outer) {
      if (inner.count(a)) return "the reductions overlap without being equal";
    }
    group_.inner_reduced = !inner.empty();
    const int last_outer = outer.empty() ? -1 : *outer.rbegin();
    for (int a = 0; a <= fastest; ++a) {
      Role role = Role::P;
      if (outer.count(a)) role = Role::O;
      else if (group_.inner_reduced ? inner.count(a) != 0 : (outer.empty() ? a == fastest : a > last_outer)) role = Role::I;
      group_.axes[static_cast<size_t>(a)].role = role;
    }
    return check_lanes();
  }

  std::string check_lanes() const {
    for (const Node* n : nodes_) {
      if (n->op().kind != OpKind::reduction || reduced_set(n).empty()) continue;
      const bool lanes = reduces_in_lanes(*n);
      const bool full = has(group_.domain.at(n), Role::I);
      if (reduction_role(group_, *n) == Role::I ? !lanes : (full && lanes)) {
        return std::string(n->op().name) + " is defined with another interleaving than these loops have";
      }
      if (reduction_role(group_, *n) == Role::O && lanes && has(group_.domain.at(n), Role::P)) {
        return std::string(n->op().name) + " is defined with other leaves than these loops have";
      }
    }
    return {};
  }

  bool has(const std::vector<int>& axes, Role role) const { return group_.has_role(axes, role); }
  bool lacks(const std::vector<int>& axes, Role role) const {
    for (size_t a = 0; a < group_.axes.size(); ++a) {
      if (group_.axes[a].role == role && std::find(axes.begin(), axes.end(), static_cast<int>(a)) == axes.end()) return true;
    }
    return false;
  }
  bool is_full(const Node* n) const { return group_.level(n) == Level::full; }
  bool is_column(const Node* n) const {
    return group_.level(n) == Level::column || (group_.level(n) == Level::point && group_.after_outer.count(n) != 0);
  }

  std::string find_stages() {
    const bool has_outer = group_.has_role(Role::O);
    for (const Node* n : nodes_) {
      Stage stage;
      bool after_outer = false;
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const Node* m = maps_.of(*n, k).base;
        if (!group_.contains(m)) continue;
        Stage available = group_.stage.at(m);
        after_outer = after_outer || group_.after_outer.count(m) != 0;
        if (m->op().kind == OpKind::reduction && !reduced_set(m).empty()) {
          if (reduction_role(group_, *m) == Role::O) {
            available = {available.outer + 1, 0};
            after_outer = true;
          } else {
            ++available.inner;
          }
        }
        stage = std::max(stage, available);
      }
      if (after_outer) group_.after_outer.insert(n);
      if (has_outer && after_outer && !has(group_.domain.at(n), Role::O)) stage.inner = 0;
      group_.stage[n] = stage;
      const bool whole_array = group_.inner_reduced && !group_.has_role(Role::P) && !has_outer;
      if (whole_array && stage.inner > 0 && has(group_.domain.at(n), Role::I)) {
        return "it needs a value reduced over the whole array, which takes a pass of its own";
      }
    }
    return {};
  }

  // What is stored, and every reduction, must run over all loop axes of its level: otherwise it would be done again for each index.
  std::string check_missing_axes() {
    for (const Node* n : nodes_) {
      const bool reduction = n->op().kind == OpKind::reduction && !reduced_set(n).empty();
      if (!reduction && !stored_(n)) continue;
      const std::vector<int>& axes = group_.domain.at(n);
      const bool inside_outer = reduction || (!group_.after_outer.count(n) && (has(axes, Role::I) || has(axes, Role::O)));
      if (lacks(axes, Role::P) || (inside_outer && lacks(axes, Role::O)) || (has(axes, Role::I) && lacks(axes, Role::I))) {
        return std::string(n->op().name) + " does not run over all the axes of the kernel";
      }
    }
    return {};
  }

  // Values are computed where they are first needed: an operand of a reduction at the reduction's stage, a stored value at its own.
  void find_first_uses() {
    std::unordered_map<const Node*, Stage> needed;
    for (auto n = nodes_.rbegin(); n != nodes_.rend(); ++n) {
      const Stage own = group_.stage.at(*n);
      const auto at = needed.find(*n);
      const bool reduction = (*n)->op().kind == OpKind::reduction;
      first_use_[*n] = reduction || stored_(*n) || at == needed.end() ? own : std::max(own, at->second);
      for (size_t k = 0; k < (*n)->inputs().size(); ++k) {
        const auto [entry, is_new] = needed.try_emplace(maps_.of(**n, k).base, first_use_.at(*n));
        if (!is_new) entry->second = std::min(entry->second, first_use_.at(*n));
      }
    }
  }

  // A full value is gone when its loop ends. Needed again, short cheap chains are computed again; others are kept in scratch for later I
  // loops of the same O index, but not from one pass over O to the next, where that would be an array of its own.
  std::string check_recompute() {
    find_first_uses();
    for (const Node* n : nodes_) {
      const bool repeated =
          n->op().kind != OpKind::reduction && is_full(n) && (lacks(group_.result.at(n), Role::O) || lacks(group_.result.at(n), Role::P));
      if (repeated && chain_cost(n, group_.stage.at(n), true) > max_recompute_chain) {
        return std::string(n->op().name) + " lacks a loop axis and would be computed again for each of its indices";
      }
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const Node* m = maps_.of(*n, k).base;
        if (!group_.contains(m) || is_column(m)) continue;
        const Stage use = first_use_.at(n), made = first_use_.at(m);
        const bool gone = is_full(m) ? made < use : made.outer < use.outer && has(group_.result.at(m), Role::O);
        if (!gone || chain_cost(m, use, false) <= max_recompute_chain) continue;
        if (!is_full(m) || made.outer != use.outer || m->op().kind == OpKind::reduction) {
          return std::string(m->op().name) + " is needed before and after a reduction; storing it is cheaper than computing it twice";
        }
        group_.kept.insert(m);
      }
    }
    return {};
  }

  // Elementwise operations to compute `n` again at stage `at`; large when one of them is not cheap.
  int chain_cost(const Node* n, Stage at, bool count_all) const {
    constexpr int refused = 1000;
    if (n->op().kind == OpKind::reduction) {
      if (reduced_set(n).empty()) return refused;
      return reduction_role(group_, *n) == Role::I && group_.stage.at(n).outer < at.outer ? refused : 0;
    }
    if (is_column(n)) return 0;
    if (!count_all && (group_.kept.count(n) || first_use_.at(n) == at)) return 0;
    if (!is_full(n) && !count_all && group_.stage.at(n).outer == at.outer) return 0;
    if (!n->op().flags.cheap) return refused;
    int cost = 1;
    for (size_t k = 0; k < n->inputs().size() && cost <= max_recompute_chain; ++k) {
      const Node* m = maps_.of(*n, k).base;
      if (group_.contains(m)) cost += chain_cost(m, at, count_all);
    }
    return cost;
  }

  const std::vector<const Node*>& nodes_;
  const std::function<bool(const Node*)>& stored_;
  OperandMaps& maps_;
  Group& group_;
  std::unordered_map<const Node*, int> first_;
  std::unordered_map<const Node*, std::vector<int>> kept_;
  std::unordered_map<const Node*, Stage> first_use_;
  std::vector<int> parent_;
  std::map<int, int> number_;
};

}  // namespace

bool Group::has_role(Role r) const {
  return std::any_of(axes.begin(), axes.end(), [&](const LoopAxis& a) { return a.role == r; });
}

bool Group::has_role(const std::vector<int>& node_axes, Role r) const {
  return std::any_of(node_axes.begin(), node_axes.end(), [&](int a) { return a >= 0 && axes[static_cast<size_t>(a)].role == r; });
}

Level Group::level(const Node* n) const {
  const std::vector<int>& own = result.at(n);
  const bool inner = has_role(own, Role::I);
  if (!has_role(Role::O)) return inner ? Level::full : Level::row;
  const bool finished = after_outer.count(n) != 0 || (n->op().kind == OpKind::reduction && reduction_role(*this, *n) == Role::O);
  const bool outer = has_role(own, Role::O);
  if (finished && !outer) return inner ? Level::column : Level::point;
  if (inner) return Level::full;
  return outer ? Level::row : Level::point;
}

Group copy_group(const Expr& value) {
  Group group;
  std::vector<int>& domain = group.domain[nullptr];
  domain.assign(static_cast<size_t>(value.rank()), -1);
  const auto fastest_first = value.type().fastest_first();
  for (auto k = fastest_first.rbegin(); k != fastest_first.rend(); ++k) {
    const Dim& extent = value.shape()[static_cast<size_t>(*k)];
    if (extent.is_one()) continue;
    domain[static_cast<size_t>(*k)] = static_cast<int>(group.axes.size());
    group.axes.push_back({extent, Role::P});
  }
  if (!group.axes.empty()) group.axes.back().role = Role::I;
  return group;
}

Role reduction_role(const Group& group, const Node& reduction) {
  for (int k : reduced_axes(reduction)) {
    const int a = group.domain.at(&reduction)[static_cast<size_t>(k)];
    if (a >= 0) return group.axes[static_cast<size_t>(a)].role;
  }
  return Role::P;
}

// A reduction over I runs over all other axes, and keeps them.
bool leaves_of_rows(const Group& group, Role role) { return role == Role::I && (group.has_role(Role::P) || group.has_role(Role::O)); }

bool reduces_in_lanes(const Node& reduction) {
  const Type& t = reduction.input(0).type();
  const auto reduced = reduced_axes(reduction);
  for (int k : t.fastest_first()) {
    if (t.shape[static_cast<size_t>(k)].is_one()) continue;
    return std::find(reduced.begin(), reduced.end(), k) != reduced.end();
  }
  return true;
}

std::string analyse_group(const std::vector<const Node*>& nodes, const std::function<bool(const Node*)>& stored, OperandMaps& maps,
                          Group& group) {
  return Analysis(nodes, stored, maps, group).run();
}

}  // namespace voxloom::codegen

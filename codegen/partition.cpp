// codegen/partition.cpp: greedy fusion: along operands first, then groups that read the same data.
#include <voxloom/codegen/partition.h>

#include <algorithm>

namespace voxloom::codegen {
namespace {

constexpr size_t max_stores = 8;

bool is_compute(const Node* n) {
  const OpKind kind = n->op().kind;
  return kind == OpKind::elementwise || kind == OpKind::reduction || kind == OpKind::indexed;
}
/// Takes its operands' elements into its own storage: they may be written there at once.
bool collects(const Node* n, size_t operand) { return n->op().kind == OpKind::join || (n->op().kind == OpKind::scatter && operand == 0); }
bool is_leaf(const Node* n) { return n->op().kind == OpKind::leaf; }

// The view only permutes axes and adds axes of size 1: the base can be stored through it.
bool is_permutation(const Expr& value, const ViewMap& map) {
  std::vector<char> covered(static_cast<size_t>(value.rank()), 0);
  for (size_t j = 0; j < map.terms.size(); ++j) {
    const IndexTerm& t = map.terms[j];
    if (map.base->type().shape[j].is_one()) continue;
    if (t.axis < 0 || !t.identity()) return false;
    covered[static_cast<size_t>(t.axis)] = 1;
  }
  for (int k = 0; k < value.rank(); ++k) {
    if (!covered[static_cast<size_t>(k)] && !value.shape()[static_cast<size_t>(k)].is_one()) return false;
  }
  return true;
}

/// Every axis of the base runs along an axis of the user's domain, index by index.
bool keeps_indices(const ViewMap& map) {
  for (size_t j = 0; j < map.terms.size(); ++j) {
    if (!map.base->type().shape[j].is_one() && (map.terms[j].axis < 0 || !map.terms[j].identity())) return false;
  }
  return true;
}

class Partitioner {
 public:
  Partitioner(const Graph& graph, const PartitionOptions& options) : graph_(graph), options_(options) {}

  Partition run() {
    collect();
    if (options_.fuse) {
      merge_along_operands();
      merge_siblings();
    }
    emit();
    return std::move(result_);
  }

 private:
  // A unit of work: a set of core compute nodes, or one node computed outside of kernels.
  struct Unit {
    std::vector<int> nodes;  // positions in graph order, sorted
    std::set<int> operands;  // units it needs
    std::vector<int> users;  // units that need it
    int latest = 0;          // the last node of this unit and of all that it needs, however indirectly
    bool alive = true;
    bool kernel = true;
  };

  void collect() {
    const auto nodes = graph_.nodes();
    for (size_t k = 0; k < nodes.size(); ++k) position_[nodes[k].get()] = static_cast<int>(k);
    for (const Expr& e : nodes) {
      if (e->op().kind == OpKind::view || is_leaf(e.get())) continue;
      for (size_t k = 0; k < e->inputs().size(); ++k) {
        users_[base_of(*e, k)].push_back(e.get());
        if (is_compute(e.get()) && !keeps_indices(maps_.of(*e, k))) through_views_.insert(base_of(*e, k));
      }
    }
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      const Node* n = graph_.outputs()[k].get();
      output_bases_.insert(resolve_views(graph_.outputs()[k]).base);
      const bool collecting = n->op().kind == OpKind::join || n->op().kind == OpKind::scatter;
      if (collecting && result_.in_output.try_emplace(n, static_cast<int>(k)).second) written_outputs_.insert(static_cast<int>(k));
    }
    refuse_crossed_copies();
    for (const Expr& e : nodes) {
      const Node* n = e.get();
      if (e->op().kind == OpKind::view || is_leaf(n)) continue;
      if (is_compute(n) && options_.fuse && inlinable(n)) {
        inlined_.insert(n);
        continue;
      }
      Unit unit;
      unit.nodes = {position_.at(n)};
      unit.kernel = is_compute(n);
      unit.latest = unit.nodes[0];
      add_operand_units(unit, n);
      const auto number = static_cast<int>(units_.size());
      for (const int u : unit.operands) units_[static_cast<size_t>(u)].users.push_back(number);
      unit_of_[n] = number;
      units_.push_back(std::move(unit));
    }
  }

  const Node* base_of(const Node& n, size_t k) const { return is_compute(&n) ? maps_.of(n, k).base : resolve_views(n.input(k)).base; }

  // A short cheap chain over one array: reading it is as cheap as reading its result, so every group that needs it has its own copy.
  bool inlinable(const Node* n) {
    if (n->op().kind == OpKind::reduction || !n->op().flags.cheap || output_bases_.count(n) || through_views_.count(n)) return false;
    const auto& users = users_[n];
    if (users.empty() || !std::all_of(users.begin(), users.end(), is_compute)) return false;
    int arrays = 0, length = 1;
    for (size_t k = 0; k < n->inputs().size(); ++k) {
      const Node* m = base_of(*n, k);
      if (inlined_.count(m)) {
        length += chain_[m];
        arrays += 1;
      } else if (!is_leaf(m)) {
        return false;
      } else if (m->type().rank() > 0) {
        ++arrays;
      }
    }
    chain_[n] = length;
    return arrays <= 1 && length <= max_recompute_chain;
  }

  // A kernel has one copy of an inlined node. In x[:, None] - x[None, :] one operation needs it along two axes: it is stored then.
  void refuse_crossed_copies() {
    for (bool changed = options_.fuse; changed;) {
      changed = false;
      for (const Expr& e : graph_.nodes()) {
        const Node* n = e.get();
        if (!is_compute(n)) continue;
        if (inlinable(n)) inlined_.insert(n);
        else if (const Node* crossed = crossed_copy(n)) changed = through_views_.insert(crossed).second || changed;
      }
      inlined_.clear();
      chain_.clear();
    }
  }

  // An inlined node that `root` needs at two places, directly or through others; nullptr if there is none.
  const Node* crossed_copy(const Node* root) {
    std::unordered_map<const Node*, std::vector<int>> axes;  // of each node, as axes of the root
    std::vector<const Node*> work{root};
    while (!work.empty()) {
      const Node* n = work.back();
      work.pop_back();
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const ViewMap& map = maps_.of(*n, k);
        if (!inlined_.count(map.base)) continue;
        std::vector<int> own;
        for (const IndexTerm& t : map.terms) own.push_back(t.axis < 0 || n == root ? t.axis : axes.at(n)[static_cast<size_t>(t.axis)]);
        const auto [at, is_new] = axes.try_emplace(map.base, own);
        if (!is_new && at->second != own) return map.base;
        if (is_new) work.push_back(map.base);
      }
    }
    return nullptr;
  }

  void add_operand_units(Unit& unit, const Node* n) {
    for (size_t k = 0; k < n->inputs().size(); ++k) {
      const Node* m = base_of(*n, k);
      if (inlined_.count(m)) add_operand_units(unit, m);
      else if (auto it = unit_of_.find(m); it != unit_of_.end()) unit.operands.insert(it->second);
    }
  }

  int find(int unit) const {
    while (!units_[static_cast<size_t>(unit)].alive) unit = forward_.at(unit);
    return unit;
  }

  std::set<int> operands(int unit) const {
    std::set<int> found;
    for (int u : units_[static_cast<size_t>(unit)].operands) {
      if (const int root = find(u); root != unit) found.insert(root);
    }
    return found;
  }

  // Whether `from` needs `target` through some unit other than the two themselves.
  bool depends_indirectly(int from, int target) const {
    const int latest = units_[static_cast<size_t>(target)].latest;  // what needs the target has no smaller one
    std::vector<int> work;
    std::set<int> seen;
    for (int u : operands(from)) {
      if (u != target) work.push_back(u);
    }
    while (!work.empty()) {
      const int u = work.back();
      work.pop_back();
      if (!seen.insert(u).second || units_[static_cast<size_t>(u)].latest < latest) continue;
      if (u == target) return true;
      for (int v : operands(u)) work.push_back(v);
    }
    return false;
  }

  std::vector<const Node*> with_inlined(const std::vector<int>& core) const {
    std::set<int> all(core.begin(), core.end());
    std::vector<int> work(core.begin(), core.end());
    while (!work.empty()) {
      const Node* n = graph_.nodes()[static_cast<size_t>(work.back())].get();
      work.pop_back();
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const Node* m = base_of(*n, k);
        if (inlined_.count(m) && all.insert(position_.at(m)).second) work.push_back(position_.at(m));
      }
    }
    std::vector<const Node*> nodes;
    for (int p : all) nodes.push_back(graph_.nodes()[static_cast<size_t>(p)].get());
    return nodes;
  }

  std::string analyse(const std::vector<int>& core, Group& group) {
    if (core.size() > max_group_nodes) return "the kernel would have more than " + std::to_string(max_group_nodes) + " operations";
    const std::set<int> inside(core.begin(), core.end());
    const auto stored = [&](const Node* n) { return !inlined_.count(n) && is_stored(n, inside); };
    size_t stores = 0;
    for (int p : core) stores += stored(graph_.nodes()[static_cast<size_t>(p)].get());
    if (stores > max_stores) return "the kernel would write more than " + std::to_string(max_stores) + " arrays";
    if (std::string reason = analyse_group(with_inlined(core), stored, maps_, group); !reason.empty()) return reason;
    return check_stream(group);
  }

  std::string check_stream(const Group& group) const {
    if (options_.stream_symbol.empty()) return {};
    const auto streamed = [&](const Dim& d) {
      const auto symbols = d.is_constant() ? std::vector<std::string>() : d.symbols();
      return std::find(symbols.begin(), symbols.end(), options_.stream_symbol) != symbols.end();
    };
    bool any = false;
    for (const LoopAxis& a : group.axes)
      any = any || (a.role != Role::P && streamed(a.extent) && (a.role == Role::O || group.inner_reduced));
    if (!any) return {};
    for (const Node* n : group.nodes) {
      if (n->op().kind != OpKind::reduction) continue;
      bool over_stream = false;
      for (size_t k = 0; k < group.domain.at(n).size(); ++k) {
        if (axis_maps(*n, 0)[k].relation == AxisRelation::reduce) over_stream = over_stream || streamed(n->input(0).shape()[k]);
      }
      if (!over_stream || !(group.stage.at(n) == Stage{}))
        return "reductions over the streamed axis keep their states between blocks and run apart from others";
      if (reduction_role(group, *n) == Role::O && !group.has_role(group.domain.at(n), Role::I))
        return "a reduction of row values over the streamed axis runs by itself";
    }
    return {};
  }

  bool is_stored(const Node* n, const std::set<int>& inside) {
    if (output_bases_.count(n)) return true;
    const auto& users = users_[n];
    return std::any_of(users.begin(), users.end(), [&](const Node* u) { return !inside.count(position_.at(u)); });
  }

  bool try_merge(int a, int b) {
    Unit& ua = units_[static_cast<size_t>(a)];
    Unit& ub = units_[static_cast<size_t>(b)];
    std::vector<int> core;
    std::merge(ua.nodes.begin(), ua.nodes.end(), ub.nodes.begin(), ub.nodes.end(), std::back_inserter(core));
    Group group;
    const std::string reason = analyse(core, group);
    if (!reason.empty()) {
      note(b, a, reason);
      return false;
    }
    ua.nodes = std::move(core);
    ua.operands.insert(ub.operands.begin(), ub.operands.end());
    ua.users.insert(ua.users.end(), ub.users.begin(), ub.users.end());
    ua.latest = std::max(ua.latest, ub.latest);
    ub.alive = false;
    ub.nodes.clear();
    forward_[b] = a;
    raise_latest(a);
    return true;
  }

  // A merge may put late nodes below units whose own nodes are all earlier.
  void raise_latest(int unit) {
    std::vector<int> work{unit};
    while (!work.empty()) {
      const Unit& needed = units_[static_cast<size_t>(work.back())];
      work.pop_back();
      for (const int u : needed.users) {
        Unit& user = units_[static_cast<size_t>(find(u))];
        if (user.latest >= needed.latest) continue;
        user.latest = needed.latest;
        work.push_back(find(u));
      }
    }
  }

  void note(int consumer, int producer, const std::string& reason) {
    const auto last = [&](int u) { return graph_.nodes()[static_cast<size_t>(units_[static_cast<size_t>(u)].nodes.back())].get(); };
    result_.refusals.push_back({last(consumer), last(producer), reason});
  }

  void merge_along_operands() {
    for (const Expr& e : graph_.nodes()) {
      const auto it = unit_of_.find(e.get());
      if (it == unit_of_.end() || !units_[static_cast<size_t>(it->second)].kernel) continue;
      for (bool merged = true; merged;) {
        merged = false;
        const int own = find(it->second);
        for (int producer : operands(own)) {
          if (!units_[static_cast<size_t>(producer)].kernel || depends_indirectly(own, producer)) continue;
          if (tried_
                  .insert(
                      {producer, own, units_[static_cast<size_t>(producer)].nodes.size(), units_[static_cast<size_t>(own)].nodes.size()})
                  .second &&
              try_merge(producer, own)) {
            merged = true;
            break;
          }
        }
      }
    }
  }

  // Groups that read the same array and do not depend on each other share one pass over it.
  void merge_siblings() {
    std::map<const Node*, std::vector<int>> readers;
    for (size_t u = 0; u < units_.size(); ++u) {
      if (!units_[u].alive || !units_[u].kernel) continue;
      for (const Node* n : with_inlined(units_[u].nodes)) {
        for (size_t k = 0; k < n->inputs().size(); ++k) {
          const Node* m = base_of(*n, k);
          if (m->type().rank() == 0 || inlined_.count(m)) continue;
          auto& list = readers[m];
          if (list.empty() || list.back() != static_cast<int>(u)) list.push_back(static_cast<int>(u));
        }
      }
    }
    for (const Expr& e : graph_.nodes()) {
      const auto it = readers.find(e.get());
      if (it == readers.end()) continue;
      for (size_t k = 1; k < it->second.size(); ++k) {
        for (size_t j = 0; j < k; ++j) {
          const int a = find(it->second[j]), b = find(it->second[k]);
          if (a == b || reaches(a, b) || reaches(b, a)) continue;
          if (try_merge(std::min(a, b), std::max(a, b))) break;
        }
      }
    }
  }

  bool reaches(int from, int target) const { return operands(from).count(target) != 0 || depends_indirectly(from, target); }

  void emit() {
    std::vector<int> pending, order;
    std::map<int, int> missing;
    std::map<int, std::vector<int>> dependents;
    for (size_t u = 0; u < units_.size(); ++u) {
      if (!units_[u].alive) continue;
      const auto needs = operands(static_cast<int>(u));
      missing[static_cast<int>(u)] = static_cast<int>(needs.size());
      for (int v : needs) dependents[v].push_back(static_cast<int>(u));
    }
    // Among the units that can run, the one whose first node is oldest: deterministic, and lives stay short.
    std::set<std::pair<int, int>> ready;
    for (const auto& [u, count] : missing) {
      if (count == 0) ready.insert({units_[static_cast<size_t>(u)].nodes.front(), u});
    }
    while (!ready.empty()) {
      const int u = ready.begin()->second;
      ready.erase(ready.begin());
      emit_unit(units_[static_cast<size_t>(u)]);
      for (int d : dependents[u]) {
        if (--missing[d] == 0) ready.insert({units_[static_cast<size_t>(d)].nodes.front(), d});
      }
    }
    internal_check(std::all_of(missing.begin(), missing.end(), [](const auto& m) { return m.second == 0; }),
                   "partition: kernels need each other");
    for (size_t k = 0; k < graph_.outputs().size(); ++k) emit_copy_output(static_cast<int>(k));
  }

  void emit_unit(const Unit& unit) {
    if (!unit.kernel) {
      emit_outside(graph_.nodes()[static_cast<size_t>(unit.nodes[0])].get());
      return;
    }
    PlannedGroup planned;
    const std::string reason = analyse(unit.nodes, planned.group);
    internal_check(reason.empty(), "partition: a single operation cannot be a kernel: " + reason);
    const std::set<int> inside(unit.nodes.begin(), unit.nodes.end());
    for (int p : unit.nodes) {
      const Expr& e = graph_.nodes()[static_cast<size_t>(p)];
      add_stores(planned, e, inside);
    }
    result_.order.push_back({static_cast<int>(result_.groups.size()), nullptr, -1});
    result_.groups.push_back(std::move(planned));
  }

  // Outputs and join operands that are this node, at most transposed, are written straight to their place.
  void add_stores(PlannedGroup& planned, const Expr& e, const std::set<int>& inside) {
    bool own_storage = false;
    for (const Node* u : users_[e.get()]) {
      if (inside.count(position_.at(u))) continue;
      for (size_t k = 0; k < u->inputs().size(); ++k) {
        const ViewMap map = is_compute(u) ? maps_.of(*u, k) : resolve_views(u->input(k));
        if (map.base != e.get()) continue;
        if (collects(u, k) && is_permutation(u->input(k), map)) {
          planned.stores.push_back({u->input(k), u, -1, join_offsets(*u, k)});
          direct_.insert({u, k});
        } else {
          own_storage = true;
        }
      }
    }
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      const Expr& out = graph_.outputs()[k];
      const ViewMap map = resolve_views(out);
      if (map.base != e.get()) continue;
      if (is_permutation(out, map)) {
        planned.stores.push_back({out, nullptr, static_cast<int>(k), {}});
        written_outputs_.insert(static_cast<int>(k));
      } else {
        own_storage = true;
      }
    }
    if (own_storage) planned.stores.push_back({e, e.get(), -1, {}});
  }

  static std::vector<Dim> join_offsets(const Node& join, size_t operand) {
    if (join.op().kind != OpKind::join) return {};
    std::vector<Dim> offsets(static_cast<size_t>(join.type().rank()), Dim(0));
    const auto axis = static_cast<size_t>(join.attr_int("axis"));
    for (size_t k = 0; k < operand; ++k) offsets[axis] = offsets[axis] + join.input(k).shape()[axis];
    return offsets;
  }

  void emit_outside(const Node* n) {
    if (n->op().kind == OpKind::join) {
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        if (direct_.count({n, k})) continue;
        emit_copy({n->input(k), n, -1, join_offsets(*n, k)});
      }
      return;
    }
    if (n->op().kind == OpKind::scatter && !direct_.count({n, 0})) emit_copy({n->input(0), n, -1, {}});
    result_.order.push_back({-1, n, n->op().kind == OpKind::library ? first_output(n) : -1});
  }

  /// The first output that is this very node; further ones are copied from it.
  int first_output(const Node* n) {
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      if (graph_.outputs()[k].get() != n) continue;
      written_outputs_.insert(static_cast<int>(k));
      return static_cast<int>(k);
    }
    return -1;
  }

  void emit_copy(Store store) {
    PlannedGroup planned;
    planned.group = copy_group(store.value);
    planned.stores.push_back(std::move(store));
    result_.order.push_back({static_cast<int>(result_.groups.size()), nullptr, -1});
    result_.groups.push_back(std::move(planned));
  }

  void emit_copy_output(int k) {
    if (!written_outputs_.count(k)) emit_copy({graph_.outputs()[static_cast<size_t>(k)], nullptr, k, {}});
  }

  const Graph& graph_;
  mutable OperandMaps maps_;
  PartitionOptions options_;
  Partition result_;
  std::unordered_map<const Node*, int> position_;
  std::unordered_map<const Node*, std::vector<const Node*>> users_;
  std::set<const Node*> output_bases_, inlined_;
  std::set<const Node*> through_views_;  // used through a slice, flip or repetition
  std::unordered_map<const Node*, int> chain_;
  std::vector<Unit> units_;
  std::unordered_map<const Node*, int> unit_of_;
  std::map<int, int> forward_;
  std::set<std::tuple<int, int, size_t, size_t>> tried_;
  std::set<std::pair<const Node*, size_t>> direct_;
  std::set<int> written_outputs_;
};

}  // namespace

Partition partition(const Graph& graph, const PartitionOptions& options) { return Partitioner(graph, options).run(); }

}  // namespace voxloom::codegen

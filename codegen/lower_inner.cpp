// codegen/lower_inner.cpp: the I loops: mapped, or reduced in 32 lanes by leaves and groups.
#include <voxloom/codegen/lower_impl.h>
#include <voxloom/ops/reduce_order.h>

#include <algorithm>

namespace voxloom::codegen {

std::vector<Id> Lowering::init_states(const std::vector<const Node*>& reductions) {
  std::vector<Id> ids;
  for (const Node* n : reductions) {
    std::vector<Value> state(n->op().reduction.state(*n).size());
    n->op().reduction.record.init(b_.record(), *n, state.data());
    for (const Value& v : state) ids.push_back(v.id);
  }
  return ids;
}

std::vector<Id> Lowering::combine_states(const std::vector<const Node*>& reductions, const std::vector<Id>& left,
                                         const std::vector<Id>& right, Meet what) {
  std::vector<Id> ids;
  size_t first = 0;
  for (const Node* n : reductions) {
    const size_t count = n->op().reduction.state(*n).size();
    std::vector<Value> l, r;
    for (size_t k = 0; k < count; ++k) {
      l.push_back(b_.value(left[first + k]));
      r.push_back(b_.value(right[first + k]));
    }
    const auto& fns = n->op().reduction.record;
    (what == Meet::lanes ? fns.fold : fns.combine)(b_.record(), *n, l.data(), r.data());
    for (const Value& v : l) ids.push_back(v.id);
    first += count;
  }
  return ids;
}

Cx<Value> Lowering::finish_state(const Node* n, const std::vector<Id>& states, size_t first, Id count) {
  std::vector<Value> state;
  for (size_t k = 0; k < n->op().reduction.state(*n).size(); ++k) state.push_back(b_.value(states[first + k]));
  Cx<Value> result;
  n->op().reduction.record.finish(b_.record(), *n, state.data(), b_.value(count), &result);
  return result;
}

Lowering::Order Lowering::order_over(Role role) {
  const Dim n = extent_dim(role);
  const bool of_rows = leaves_of_rows(group_, role);
  return {dim(n), param({ParamRecipe::Kind::leaf_length, n, 0, 0, 0, of_rows}, DType::i64, "leaf"),
          param({ParamRecipe::Kind::group_span, n, 0, 0, 0, of_rows}, DType::i64, "span")};
}

int Lowering::last_inner_stage(int outer) const {
  int last = 0;
  for (const auto& [n, stage] : group_.stage) {
    if (stage.outer == outer) last = std::max(last, stage.inner);
  }
  return last;
}

Lowering::InnerWork Lowering::inner_work(Stage stage, std::vector<StateArrays>& outer_states) {
  InnerWork work;
  for (const Node* n : reductions_over(group_, Role::I)) {
    if (table_.needs(n) && group_.stage.at(n) == stage) work.lane_reductions.push_back(n);
  }
  for (StateArrays& s : outer_states) {
    const bool full = group_.has_role(group_.domain.at(s.reduction), Role::I);
    if (full && group_.stage.at(s.reduction).inner == stage.inner) work.outer_steps.push_back(&s);
  }
  for (size_t k = 0; k < in_.sinks.size(); ++k) {
    if (!table_.sink_used(k) || sink_stage(k) != stage) continue;
    const Node* n = sink_node(k);
    if (group_.contains(n) ? is_full(n) : true) work.sinks.push_back(k);
  }
  return work;
}

void Lowering::inner_stages(int outer, std::vector<StateArrays>& outer_states) {
  const int last = last_inner_stage(outer);
  for (int inner = 0; inner <= last; ++inner) {
    const InnerWork work = inner_work({outer, inner}, outer_states);
    if (!work.empty()) inner_loop(work);
  }
  for (const Node* n : group_.kept) spills_.erase(n);  // the next O index has values of its own
}

void Lowering::inner_loop(const InnerWork& work) {
  std::vector<const Node*> roots;
  for (const Node* n : work.lane_reductions) roots.push_back(n);
  for (const StateArrays* s : work.outer_steps) roots.push_back(s->reduction);
  for (size_t k : work.sinks) {
    if (group_.contains(sink_node(k))) roots.push_back(sink_node(k));
  }
  each_row(false, [&] { hoist(roots); });
  if (work.lane_reductions.empty()) {
    map_loop([&] { inner_body(work); }, few_rows_);
  } else {
    lane_reduction(work);
  }
}

// Stores and O-reduction steps of one I index; a state goes from row to row in a register.
void Lowering::inner_body(const InnerWork& work) {
  std::vector<std::vector<Element>> steps(work.outer_steps.size());
  each_row(true, [&] {
    for (size_t k : work.sinks) store_sink(k);
    for (size_t k = 0; k < steps.size(); ++k)
      steps[k].push_back({operand(*work.outer_steps[k]->reduction, 0), flat_index(axes_of(Role::O))});
  });
  for (size_t k = 0; k < steps.size(); ++k) step_outer(*work.outer_steps[k], steps[k]);
}

/// Runs f for each of the rows that run side by side, or once. `inside`: in an I loop, whose values no other loop may see.
void Lowering::each_row(bool inside, const std::function<void()>& f) {
  if (rows_.empty()) return f();
  Axis* outer = axes_of(Role::O)[0];
  for (size_t r = 0; r < rows_.size(); ++r) {
    outer->index = {rows_[r]};
    scopes_.push_back(std::move(row_scopes_[r]));
    if (inside) scopes_.emplace_back();
    f();
    if (inside) scopes_.pop_back();
    row_scopes_[r] = std::move(scopes_.back());
    scopes_.pop_back();
  }
  outer->index.clear();
}

// Runs `body` for every I index of the tile, as vectors along the fastest axis.
void Lowering::map_loop(const std::function<void()>& body, bool seldom) {
  const auto inner = axes_of(Role::I);
  if (inner.empty()) {  // nothing to vectorise: rank 0
    scopes_.emplace_back();
    flat_inner_ = {b_.integer(0)};
    body();
    flat_inner_.clear();
    scopes_.pop_back();
    return;
  }
  Id row_start = 0;
  const bool rows = inner.size() > 1;
  if (rows) {
    const std::vector<Axis*> outer(inner.begin() + 1, inner.end());
    std::vector<Id> extents;
    for (const Axis* a : outer) extents.push_back(dim(a->extent));
    const std::vector<Id> index = b_.begin_loop(b_.integer(0), extent_product(outer), extents);
    for (size_t k = 0; k < outer.size(); ++k) outer[k]->index = {index[k]};
    row_start = mul(flat_index(outer), dim(inner[0]->extent));
  }
  const Id lo = rows ? b_.integer(0) : tile_lo_;
  const Id hi = rows ? dim(inner[0]->extent) : tile_hi_;
  const Id i = b_.begin_loop(lo, hi, {}, 0, seldom)[0];
  inner[0]->index = {i};
  flat_inner_ = rows ? std::vector<Id>{i, row_start} : std::vector<Id>{i};
  scopes_.emplace_back();
  in_inner_ = true;
  body();
  in_inner_ = false;
  scopes_.pop_back();
  b_.end_loop();
  if (rows) b_.end_loop();
  for (Axis* a : inner) a->index.clear();
  flat_inner_.clear();
}

// One step of every lane reduction at the current element, of each row; returns the new states.
std::vector<Id> Lowering::step_all(const InnerWork& work, std::vector<Id> states) {
  size_t first = 0;
  each_row(true, [&] {
    for (const Node* n : work.lane_reductions) {
      const size_t count = n->op().reduction.state(*n).size();
      std::vector<Value> state;
      for (size_t k = 0; k < count; ++k) state.push_back(b_.value(states[first + k]));
      n->op().reduction.record.step(b_.record(), *n, state.data(), operand(*n, 0), b_.value(flat_inner_[0]));
      for (size_t k = 0; k < count; ++k) states[first + k] = state[k].id;
      first += count;
    }
  });
  return states;
}

// Positions [lo, hi) of the I axes in 32 lanes; returns the lanes' states. Lane = position mod 32 also when the axes are not one run:
// then each row is visited from its own first position, and the neighbouring rows fill the other lanes of a shared chunk.
std::vector<Id> Lowering::lane_loop(Id lo, Id hi, const InnerWork& work, std::vector<Id> init) {
  const auto inner = axes_of(Role::I);
  const bool rows = inner.size() > 1;
  std::vector<Id> row_states = init;
  Id row_start = 0;
  if (rows) {
    const std::vector<Axis*> outer(inner.begin() + 1, inner.end());
    const Id length = dim(inner[0]->extent);
    std::vector<Id> extents;
    for (const Axis* a : outer) extents.push_back(dim(a->extent));
    const Id first = b_.record().idiv(b_.value(lo), b_.value(length)).id;
    const std::vector<Id> index = b_.begin_loop(first, ceil_div(hi, length), extents);
    for (Id& s : row_states) s = b_.carry(s, true);
    for (size_t k = 0; k < outer.size(); ++k) outer[k]->index = {index[k]};
    row_start = mul(flat_index(outer), length);
    lo = max_of(lo, row_start);
    hi = min_of(hi, add(row_start, length));
  }
  const Id p = b_.begin_loop(lo, hi, {}, static_cast<int>(ops::lanes_per_leaf))[0];
  std::vector<Id> states;
  for (Id s : row_states) states.push_back(b_.carry(s));
  inner[0]->index = rows ? std::vector<Id>{p, sub(b_.integer(0), row_start)} : std::vector<Id>{p};
  flat_inner_ = {p};
  scopes_.emplace_back();
  in_inner_ = true;
  inner_body(work);
  states = step_all(work, states);
  in_inner_ = false;
  scopes_.pop_back();
  states = b_.end_loop(states);
  if (rows) states = b_.end_loop(states);
  for (Axis* a : inner) a->index.clear();
  flat_inner_.clear();
  return states;
}

void Lowering::lane_reduction(const InnerWork& work) {
  std::vector<const Node*> reductions;
  each_row(false, [&] { reductions.insert(reductions.end(), work.lane_reductions.begin(), work.lane_reductions.end()); });
  const Order order = order_over(Role::I);
  const std::vector<Id> neutral = init_states(reductions);
  const Id g = b_.begin_loop(b_.integer(0), ceil_div(order.n, order.span))[0];
  std::vector<Id> totals;
  for (Id s : neutral) totals.push_back(b_.carry(s));
  const Id p0 = mul(g, order.span);
  const Id p1 = min_of(add(p0, order.span), order.n);
  const Id l = b_.begin_loop(b_.integer(0), ceil_div(sub(p1, p0), order.leaf))[0];
  std::vector<Id> groups;
  for (Id s : neutral) groups.push_back(b_.carry(s));
  const Id q0 = add(p0, mul(l, order.leaf));
  const Id q1 = min_of(add(q0, order.leaf), p1);
  const std::vector<Id> lanes = lane_loop(q0, q1, work, neutral);
  const std::vector<Id> folded = b_.lane_fold(static_cast<int>(ops::lanes_per_leaf), lanes,
                                              [&](const auto& a, const auto& c) { return combine_states(reductions, a, c, Meet::lanes); });
  groups = b_.end_loop(combine_states(reductions, groups, folded));
  totals = b_.end_loop(combine_states(reductions, totals, groups));
  size_t first = 0;
  each_row(false, [&] {
    for (const Node* n : work.lane_reductions) {
      remember(n, finish_state(n, totals, first, order.n));
      first += n->op().reduction.state(*n).size();
    }
  });
}

// Stores of row or point values, in the current scope; `outer` is the pass (points: the number of passes done).
void Lowering::point_sinks(int outer, Level level) {
  for (size_t k = 0; k < in_.sinks.size(); ++k) {
    const Node* n = sink_node(k);
    if (table_.sink_used(k) && group_.contains(n) && group_.level(n) == level && sink_stage(k).outer == outer) store_sink(k);
  }
}

// One leaf per parallel index: its folded state goes to the state slots.
void Lowering::leaves_kernel() {
  open_parallel_loop();
  const Id leaf_number = *leaf_;
  const Order order = order_over(Role::I);
  InnerWork work;
  work.lane_reductions = reductions_over(group_, Role::I);
  for (size_t k = 0; k < in_.sinks.size(); ++k) {
    if (table_.sink_used(k)) work.sinks.push_back(k);
  }
  std::vector<const Node*> roots(work.lane_reductions.begin(), work.lane_reductions.end());
  for (size_t k : work.sinks) {
    if (group_.contains(sink_node(k))) roots.push_back(sink_node(k));
  }
  hoist(roots);
  // In a block the first leaf may have begun in the block before and the last may go on in the next: lanes come from and go to the
  // carry, which has two halves used in turn: other threads may still read the one while the other is written.
  const Id lo = param({ParamRecipe::Kind::position_lo, 0, 0, 0, 0}, DType::i64, "lo");
  const Id hi = param({ParamRecipe::Kind::position_hi, 0, 0, 0, 0}, DType::i64, "hi");
  const Id first_leaf = b_.record().idiv(b_.value(lo), b_.value(order.leaf)).id;
  const Id leaf = add(first_leaf, leaf_number);
  const Id start = mul(leaf, order.leaf);
  const Id q0 = max_of(start, lo);
  const Id q1 = min_of(add(start, order.leaf), hi);
  std::vector<Id> init = init_states(work.lane_reductions);
  if (!in_.carry_slots.empty()) {
    const Id continues = b_.record().lt(b_.value(start), b_.value(lo)).id;
    const Id lane = b_.begin_loop(b_.integer(0), b_.integer(ops::lanes_per_leaf), {}, static_cast<int>(ops::lanes_per_leaf))[0];
    std::vector<Id> next;
    const Id from = mul(param({ParamRecipe::Kind::block_parity, 0, 0, 0, 0}, DType::i64, "parity"), b_.integer(ops::lanes_per_leaf));
    for (size_t k = 0; k < init.size(); ++k) {
      b_.carry(init[k]);
      auto at = terms(table_.carry(k));
      at.push_back({lane, -1});
      at.push_back({from, -1});
      next.push_back(b_.record().select(b_.value(continues), b_.value(b_.load(kernel_access(table_.carry(k)), at)), b_.value(init[k])).id);
    }
    init = b_.end_loop(next);
  }
  const std::vector<Id> lanes = lane_loop(q0, q1, work, init);
  if (!in_.carry_slots.empty()) {
    const Id unfinished =
        b_.record()
            .bit_and(b_.record().lt(b_.value(q1), b_.value(add(start, order.leaf))), b_.record().lt(b_.value(q1), b_.value(order.n)))
            .id;
    b_.begin_if(unfinished);
    const Id lane = b_.begin_loop(b_.integer(0), b_.integer(ops::lanes_per_leaf), {}, static_cast<int>(ops::lanes_per_leaf))[0];
    std::vector<Id> same;
    const Id parity = param({ParamRecipe::Kind::block_parity, 0, 0, 0, 0}, DType::i64, "parity");
    const Id to = mul(sub(b_.integer(1), parity), b_.integer(ops::lanes_per_leaf));
    for (size_t k = 0; k < lanes.size(); ++k) {
      const Id s = b_.carry(lanes[k]);
      auto at = terms(table_.carry(k));
      at.push_back({lane, -1});
      at.push_back({to, -1});
      b_.store(kernel_access(table_.carry(k)), at, s);
      same.push_back(s);
    }
    b_.end_loop(same);
    b_.end_if();
  }
  const std::vector<Id> folded = b_.lane_fold(static_cast<int>(ops::lanes_per_leaf), lanes, [&](const auto& a, const auto& c) {
    return combine_states(work.lane_reductions, a, c, Meet::lanes);
  });
  for (size_t k = 0; k < folded.size(); ++k) {
    auto at = terms(table_.state(k));
    at.push_back({leaf, -1});
    b_.store(kernel_access(table_.state(k)), at, folded[k]);
  }
  b_.end_loop();
}

// Folds the stored leaves left to right in groups, groups left to right.
void Lowering::fold_kernel() {
  open_parallel_loop();
  const auto reductions = reductions_over(group_, Role::I);
  const std::vector<Id> neutral = init_states(reductions);
  const Order order = order_over(Role::I);
  const Id leaves = leaf_count();
  const Id per_group = b_.integer(ops::leaves_per_group);
  const Id g = b_.begin_loop(b_.integer(0), ceil_div(leaves, per_group))[0];
  std::vector<Id> totals;
  for (Id s : neutral) totals.push_back(b_.carry(s));
  const Id l0 = mul(g, per_group);
  const Id l = b_.begin_loop(l0, min_of(add(l0, per_group), leaves))[0];
  std::vector<Id> groups;
  for (Id s : neutral) groups.push_back(b_.carry(s));
  std::vector<Id> leaf;
  for (size_t k = 0; k < neutral.size(); ++k) {
    auto at = terms(table_.state(k));
    at.push_back({l, -1});
    leaf.push_back(b_.load(kernel_access(table_.state(k)), at));
  }
  groups = b_.end_loop(combine_states(reductions, groups, leaf));
  totals = b_.end_loop(combine_states(reductions, totals, groups));
  size_t first = 0;
  for (const Node* n : reductions) {
    remember(n, finish_state(n, totals, first, order.n));
    first += n->op().reduction.state(*n).size();
  }
  point_sinks(0, Level::row);
  b_.end_loop();
}

}  // namespace voxloom::codegen

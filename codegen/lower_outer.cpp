// codegen/lower_outer.cpp: passes over the O axes: states in memory per element of the tile, by leaves and groups.
#include <voxloom/codegen/lower_impl.h>
#include <voxloom/ops/reduce_order.h>

#include <algorithm>

namespace voxloom::codegen {
namespace {

std::vector<const Node*> reductions_of(const std::vector<const Node*>& all, const Group& group, int outer) {
  std::vector<const Node*> found;
  for (const Node* n : all) {
    if (group.stage.at(n).outer == outer) found.push_back(n);
  }
  return found;
}

}  // namespace

Lowering::StateArrays Lowering::states_of(const Node* reduction) const {
  StateArrays s;
  s.reduction = reduction;
  const bool full = group_.has_role(group_.domain.at(reduction), Role::I);
  s.count = full ? ScratchRecipe::Count::tile : reduces_in_lanes(*reduction) ? ScratchRecipe::Count::lanes : ScratchRecipe::Count::one;
  return s;
}

void Lowering::scratch_leaf(StateArrays& s) {
  for (DType dtype : s.reduction->op().reduction.state(*s.reduction)) s.leaf.push_back(scratch_access(s.count, dtype));
}

// Leaves of row values fold their lanes first, so groups and totals of those are single.
void Lowering::scratch_group_and_total(StateArrays& s) {
  const auto count = s.count == ScratchRecipe::Count::lanes ? ScratchRecipe::Count::one : s.count;
  for (DType dtype : s.reduction->op().reduction.state(*s.reduction)) {
    s.group.push_back(scratch_access(count, dtype));
    s.total.push_back(scratch_access(count, dtype));
  }
}

std::vector<Lowering::StateArrays> Lowering::make_states(int outer) {
  std::vector<StateArrays> states;
  for (const Node* n : reductions_of(reductions_over(group_, Role::O), group_, outer)) {
    if (!table_.needs(n)) continue;
    states.push_back(states_of(n));
    scratch_leaf(states.back());
    scratch_group_and_total(states.back());
  }
  return states;
}

// Place of the current element in a state array.
std::vector<Term> Lowering::array_terms(const StateArrays& s) {
  if (s.count != ScratchRecipe::Count::tile) return {{b_.integer(0), -1}};
  return tile_terms();
}

/// Place of the current element in a state slot; in slots of leaves, that of the current leaf.
std::vector<Term> Lowering::slot_terms(int state_slot) {
  const int recipe = table_.state(static_cast<size_t>(state_slot));
  std::vector<Term> at = terms(recipe);
  if (!leaf_) return at;
  Dim per_leaf = 1;
  for (const runtime::AxisTerm& t : step_.accesses[static_cast<size_t>(recipe)].terms) {
    if (t.axis >= 0) per_leaf = per_leaf * group_.axes[static_cast<size_t>(t.axis)].extent;
  }
  at.push_back({mul(*leaf_, dim(per_leaf)), -1});
  return at;
}

Id Lowering::state_load(int component, const std::vector<Term>& at) {
  if (component >= 0) return b_.load(component, at);
  const int slot = ~component;
  return b_.load(kernel_access(table_.state(static_cast<size_t>(slot))), slot_terms(slot));
}

void Lowering::state_store(int component, const std::vector<Term>& at, Id value) {
  if (component >= 0) return b_.store(component, at, value);
  const int slot = ~component;
  b_.store(kernel_access(table_.state(static_cast<size_t>(slot))), slot_terms(slot), value);
}

// Runs `body` for every element of a state array: the tile's I indices, the 32 lanes, or once.
void Lowering::array_loop(const StateArrays& s, const std::function<void(const std::vector<Term>&)>& body, bool seldom) {
  if (s.count == ScratchRecipe::Count::tile) {
    map_loop([&] { body(array_terms(s)); }, seldom);
  } else if (s.count == ScratchRecipe::Count::lanes) {
    const Id lane = b_.begin_loop(b_.integer(0), b_.integer(ops::lanes_per_leaf), {}, 0)[0];
    body({{lane, -1}});
    b_.end_loop();
  } else {
    body({{b_.integer(0), -1}});
  }
}

void Lowering::init_arrays(std::vector<StateArrays>& states, std::vector<int> StateArrays::* which, bool seldom) {
  for (StateArrays& s : states) {
    StateArrays shape = s;
    if (which != &StateArrays::leaf && s.count == ScratchRecipe::Count::lanes) shape.count = ScratchRecipe::Count::one;
    array_loop(
        shape,
        [&](const std::vector<Term>& at) {
          const std::vector<Id> neutral = init_states({s.reduction});
          for (size_t k = 0; k < neutral.size(); ++k) state_store((s.*which)[k], at, neutral[k]);
        },
        seldom);
  }
}

std::vector<Id> Lowering::fold_lanes_array(const StateArrays& s) {
  const auto lanes = static_cast<int>(ops::lanes_per_leaf);
  const std::vector<Id> neutral = init_states({s.reduction});
  const Id lane = b_.begin_loop(b_.integer(0), b_.integer(ops::lanes_per_leaf), {}, lanes)[0];
  std::vector<Id> next;
  for (size_t k = 0; k < s.leaf.size(); ++k) {
    b_.carry(neutral[k]);
    next.push_back(b_.load(s.leaf[k], {{lane, -1}}));
  }
  return b_.lane_fold(lanes, b_.end_loop(next),
                      [&](const auto& a, const auto& c) { return combine_states({s.reduction}, a, c, Meet::lanes); });
}

// into = combine(into, from), element by element.
void Lowering::merge_arrays(std::vector<StateArrays>& states, std::vector<int> StateArrays::* into, std::vector<int> StateArrays::* from,
                            bool seldom) {
  for (StateArrays& s : states) {
    const bool folds = from == &StateArrays::leaf && s.count == ScratchRecipe::Count::lanes;
    std::vector<Id> folded;
    if (folds) folded = fold_lanes_array(s);
    StateArrays shape = s;
    if (s.count == ScratchRecipe::Count::lanes) shape.count = ScratchRecipe::Count::one;
    const auto merge = [&](const std::vector<Term>& at) {
      std::vector<Id> left, right;
      for (int access : s.*into) left.push_back(state_load(access, at));
      if (folds) {
        right = folded;
      } else {
        for (int access : s.*from) right.push_back(state_load(access, at));
      }
      const std::vector<Id> merged = combine_states({s.reduction}, left, right);
      for (size_t k = 0; k < merged.size(); ++k) state_store((s.*into)[k], at, merged[k]);
    };
    array_loop(shape, merge, seldom);
  }
}

// Elements of an O reduction that meet in one state; row values: one element, whose lane is the state.
void Lowering::step_outer(const StateArrays& s, const std::vector<Element>& elements) {
  std::vector<Term> at = array_terms(s);
  if (s.count == ScratchRecipe::Count::lanes) {
    const Value lane = b_.record().bit_and(b_.value(elements[0].position), b_.record().lit_int(DType::i64, ops::lanes_per_leaf - 1));
    at = {{lane.id, -1}};
  }
  std::vector<Value> state;
  for (int access : s.leaf) state.push_back(b_.value(state_load(access, at)));
  for (const Element& e : elements)
    s.reduction->op().reduction.record.step(b_.record(), *s.reduction, state.data(), e.value, b_.value(e.position));
  for (size_t k = 0; k < state.size(); ++k) state_store(s.leaf[k], at, state[k].id);
}

// Positions [lo, hi) of the flattened O axes.
void Lowering::reduce_positions(Id lo, Id hi, int outer, std::vector<StateArrays>& states) {
  if (runs_in_blocks()) return reduce_blocks(lo, hi, outer, states);
  if (reduces_columns_only(outer, states)) return reduce_columns(lo, hi, outer, states);
  const auto axes = axes_of(Role::O);
  std::vector<Id> extents;
  for (const Axis* a : axes) extents.push_back(dim(a->extent));
  const std::vector<Id> index = b_.begin_loop(lo, hi, extents);
  for (size_t k = 0; k < axes.size(); ++k) axes[k]->index = {index[k]};
  scopes_.emplace_back();
  inner_stages(outer, states);
  for (StateArrays& s : states) {
    if (!group_.has_role(group_.domain.at(s.reduction), Role::I)) step_outer(s, {{operand(*s.reduction, 0), flat_index(axes)}});
  }
  point_sinks(outer, Level::row);
  scopes_.pop_back();
  for (Axis* a : axes) a->index.clear();
  b_.end_loop();
}

void Lowering::outer_pass(int outer) {
  std::vector<StateArrays> states = make_states(outer);
  const Order order = order_over(Role::O);
  if (states.empty()) {
    reduce_positions(b_.integer(0), order.n, outer, states);
    return;
  }
  init_arrays(states, &StateArrays::total);
  const Id g = b_.begin_loop(b_.integer(0), ceil_div(order.n, order.span))[0];
  init_arrays(states, &StateArrays::group);
  const Id p0 = mul(g, order.span);
  const Id p1 = min_of(add(p0, order.span), order.n);
  const Id l = b_.begin_loop(b_.integer(0), ceil_div(sub(p1, p0), order.leaf))[0];
  init_arrays(states, &StateArrays::leaf);
  const Id q0 = add(p0, mul(l, order.leaf));
  reduce_positions(q0, min_of(add(q0, order.leaf), p1), outer, states);
  merge_arrays(states, &StateArrays::group, &StateArrays::leaf);
  b_.end_loop();
  merge_arrays(states, &StateArrays::total, &StateArrays::group);
  b_.end_loop();
  finish_outer(outer, states);
}

// After a pass: finished values; columns that later passes read go to scratch, stores of columns and points happen here. `seldom`: in small
// code; its masked stores wait for every cache line that is not there already (20 ns each on Zen 4, where whole ones are fetched together).
void Lowering::finish_outer(int outer, std::vector<StateArrays>& states, bool seldom) {
  const Id count = order_over(Role::O).n;
  for (StateArrays& s : states) {  // points first: columns may use them
    if (s.count == ScratchRecipe::Count::tile) continue;
    std::vector<Id> total;
    for (int access : s.total) total.push_back(state_load(access, {{b_.integer(0), -1}}));
    remember(s.reduction, finish_state(s.reduction, total, 0, count));
  }
  // Point values that columns need are recorded outside the loop.
  for (const Node* n : group_.nodes) {
    if (table_.needs(n) && group_.level(n) == Level::point && group_.stage.at(n).outer == outer + 1 && n->op().kind != OpKind::reduction)
      value(n);
  }
  const auto finish_column = [&] {
    std::vector<const Node*> columns;
    for (StateArrays& s : states) {
      if (s.count != ScratchRecipe::Count::tile) continue;
      std::vector<Id> total;
      for (int access : s.total) total.push_back(state_load(access, array_terms(s)));
      remember(s.reduction, finish_state(s.reduction, total, 0, count));
      columns.push_back(s.reduction);
    }
    for (const Node* n : group_.nodes) {
      if (!table_.needs(n) || !is_column(n) || n->op().kind == OpKind::reduction || group_.stage.at(n).outer != outer + 1) continue;
      value(n);
      columns.push_back(n);
    }
    for (const Node* n : columns) spill(n, value(n));
    for (size_t k = 0; k < in_.sinks.size(); ++k) {
      const Node* n = sink_node(k);
      if (table_.sink_used(k) && group_.contains(n) && is_column(n) && sink_stage(k).outer == outer + 1) store_sink(k);
    }
  };
  map_loop(finish_column, seldom);
  point_sinks(outer + 1, Level::point);
}

// Point values that wait for no reduction: recorded outside of all loops, stored there.
void Lowering::free_points() {
  for (const Node* n : group_.nodes) {
    if (table_.needs(n) && group_.level(n) == Level::point && !group_.after_outer.count(n) && n->op().kind != OpKind::reduction) value(n);
  }
  point_sinks(0, Level::point);
}

void Lowering::outer_passes() {
  int passes = 0;
  for (const Node* n : group_.nodes) {
    const bool over_outer = n->op().kind == OpKind::reduction && reduction_role(group_, *n) == Role::O;
    const bool inside = over_outer || group_.level(n) == Level::full || group_.level(n) == Level::row;
    if (inside && table_.needs(n)) passes = std::max(passes, group_.stage.at(n).outer + 1);
  }
  free_points();
  for (int outer = 0; outer < passes; ++outer) outer_pass(outer);
}

// States in slots that live between blocks: three arrays per component.
std::vector<Lowering::StateArrays> Lowering::slot_states() {
  std::vector<StateArrays> states;
  int next = 0;
  for (const Node* n : reductions_over(group_, Role::O)) {
    StateArrays s;
    s.reduction = n;
    for (size_t k = 0; k < n->op().reduction.state(*n).size(); ++k) {
      s.leaf.push_back(~next++);
      s.group.push_back(~next++);
      s.total.push_back(~next++);
    }
    states.push_back(std::move(s));
  }
  return states;
}

// Adds positions [lo, hi) to the open leaf, group and total of each O reduction.
void Lowering::accumulate_kernel() {
  open_parallel_loop();
  std::vector<StateArrays> states = slot_states();
  const Order order = order_over(Role::O);
  const Id lo = param({ParamRecipe::Kind::position_lo, 0, 0, 0, 0}, DType::i64, "lo");
  const Id hi = param({ParamRecipe::Kind::position_hi, 0, 0, 0, 0}, DType::i64, "hi");
  const Id first = b_.record().idiv(b_.value(lo), b_.value(order.leaf)).id;
  const Id leaf = b_.begin_loop(first, ceil_div(hi, order.leaf))[0];
  const Id start = mul(leaf, order.leaf);
  const Id q0 = max_of(start, lo);
  const Id stop = min_of(add(start, order.leaf), order.n);
  const Id q1 = min_of(stop, hi);
  const Id zero = b_.integer(0);
  const auto equal = [&](Id a, Id c) { return b_.record().eq(b_.value(a), b_.value(c)).id; };
  b_.begin_if(equal(q0, start));
  init_arrays(states, &StateArrays::leaf);
  b_.end_if();
  reduce_positions(q0, q1, 0, states);
  b_.begin_if(equal(q1, stop));
  {
    const Id in_group = b_.record().imod(b_.value(leaf), b_.record().lit_int(DType::i64, ops::leaves_per_group)).id;
    b_.begin_if(equal(leaf, zero));
    init_arrays(states, &StateArrays::total);
    b_.end_if();
    b_.begin_if(equal(in_group, zero));
    init_arrays(states, &StateArrays::group);
    b_.end_if();
    merge_arrays(states, &StateArrays::group, &StateArrays::leaf);
    const Id group_full = equal(in_group, b_.integer(ops::leaves_per_group - 1));
    b_.begin_if(b_.record().bit_or(b_.value(group_full), b_.value(equal(stop, order.n))).id);
    merge_arrays(states, &StateArrays::total, &StateArrays::group);
    b_.end_if();
  }
  b_.end_if();
  b_.end_loop();
  b_.end_loop();
}

void Lowering::finish_kernel() {
  open_parallel_loop();
  std::vector<StateArrays> states = slot_states();
  finish_outer(0, states);
  b_.end_loop();
}

// With their leaves in slots, and no groups and totals yet.
std::vector<Lowering::StateArrays> Lowering::leaf_states() {
  std::vector<StateArrays> states;
  int next = 0;
  for (const Node* n : reductions_over(group_, Role::O)) {
    states.push_back(states_of(n));
    for (size_t k = 0; k < n->op().reduction.state(*n).size(); ++k) states.back().leaf.push_back(~next++);
  }
  return states;
}

// The loops over O for one leaf per parallel index. States along the tile grow in their slots; states of row values in scratch, since
// lanes have no place in a slot, and go there when the leaf ends.
void Lowering::outer_leaves_kernel() {
  open_parallel_loop();
  const std::vector<StateArrays> in_slots = leaf_states();
  std::vector<StateArrays> states = in_slots;
  for (StateArrays& s : states) {
    if (s.count == ScratchRecipe::Count::tile) continue;
    s.leaf.clear();
    scratch_leaf(s);
  }
  free_points();
  init_arrays(states, &StateArrays::leaf, false);
  const Order order = order_over(Role::O);
  const Id start = mul(*leaf_, order.leaf);
  reduce_positions(start, min_of(add(start, order.leaf), order.n), 0, states);
  for (size_t k = 0; k < states.size(); ++k) {
    const StateArrays& s = states[k];
    if (s.count == ScratchRecipe::Count::tile) continue;
    std::vector<Id> folded;
    if (s.count == ScratchRecipe::Count::lanes) folded = fold_lanes_array(s);
    for (size_t c = 0; c < s.leaf.size(); ++c) {
      const Id state = folded.empty() ? state_load(s.leaf[c], {{b_.integer(0), -1}}) : folded[c];
      state_store(in_slots[k].leaf[c], {}, state);
    }
  }
  b_.end_loop();
}

// Leaves [first, end) into their group, four at a time, so that the group goes through memory once for four.
void Lowering::merge_leaves(std::vector<StateArrays>& states, Id first, Id end) {
  constexpr int64_t together = 4;
  const Id fours = b_.record().idiv(b_.value(sub(end, first)), b_.value(b_.integer(together))).id;
  const Id lo = add(first, mul(b_.begin_loop(b_.integer(0), fours)[0], b_.integer(together)));
  for (StateArrays& s : states) {
    array_loop(
        s,
        [&](const std::vector<Term>& at) {
          std::vector<Id> group;
          for (int access : s.group) group.push_back(state_load(access, at));
          for (int64_t k = 0; k < together; ++k) {
            leaf_ = k == 0 ? lo : add(lo, b_.integer(k));
            std::vector<Id> leaf;
            for (int access : s.leaf) leaf.push_back(state_load(access, at));
            group = combine_states({s.reduction}, group, leaf);
          }
          for (size_t k = 0; k < group.size(); ++k) state_store(s.group[k], at, group[k]);
        },
        false);
  }
  b_.end_loop();
  leaf_ = b_.begin_loop(add(first, mul(fours, b_.integer(together))), end)[0];
  merge_arrays(states, &StateArrays::group, &StateArrays::leaf, false);
  b_.end_loop();
  leaf_.reset();
}

// Leaves left to right in groups, groups left to right, as outer_pass() does it, then what depends on the totals.
void Lowering::outer_fold_kernel() {
  open_parallel_loop();
  std::vector<StateArrays> states = leaf_states();
  for (StateArrays& s : states) {
    if (s.count == ScratchRecipe::Count::lanes) s.count = ScratchRecipe::Count::one;  // folded already
    scratch_group_and_total(s);
  }
  free_points();
  const Id leaves = leaf_count();
  const Id per_group = b_.integer(ops::leaves_per_group);
  init_arrays(states, &StateArrays::total);
  const Id g = b_.begin_loop(b_.integer(0), ceil_div(leaves, per_group))[0];
  init_arrays(states, &StateArrays::group);
  const Id first = mul(g, per_group);
  merge_leaves(states, first, min_of(add(first, per_group), leaves));
  merge_arrays(states, &StateArrays::total, &StateArrays::group);
  b_.end_loop();
  finish_outer(0, states, false);
  b_.end_loop();
}

}  // namespace voxloom::codegen

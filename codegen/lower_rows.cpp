// codegen/lower_rows.cpp: positions of O in blocks of 32, so that what is computed once per row is computed for many rows at once.
//
// A row of a training step is an I loop (x_i . w), a chain of scalars (sigmoid, logarithms) that waits for it, and an I loop that waits for the
// chain. In blocks, each I loop runs for all rows of the block, and the chains of the block are a vector loop between them. What the
// next loops need of it waits in scratch. The order of additions is the same.
#include <voxloom/codegen/lower_impl.h>

#include <algorithm>

namespace voxloom::codegen {

// Worth it where values of rows are computed. Full values that wait in scratch for the next I loop of their row would need a block of it, and
// several axes of O are no vector.
bool Lowering::runs_in_blocks() const {
  if (!group_.kept.empty() || std::count_if(axes_.begin(), axes_.end(), [](const Axis& a) { return a.role == Role::O; }) != 1) return false;
  return std::any_of(group_.nodes.begin(), group_.nodes.end(),
                     [&](const Node* n) { return table_.needs(n) && n->op().kind != OpKind::reduction && group_.level(n) == Level::row; });
}

// I loops that must have run before the value of a row is there.
int Lowering::loops_before(const Node* n) const {
  const bool over_inner = n->op().kind == OpKind::reduction && reduction_role(group_, *n) == Role::I;
  return group_.stage.at(n).inner + (over_inner ? 1 : 0);
}

bool Lowering::outlives_its_phase(const Node* n) const {
  return std::any_of(group_.nodes.begin(), group_.nodes.end(), [&](const Node* user) {
    if (!table_.needs(user)) return false;
    bool uses = false;
    for (size_t k = 0; k < user->inputs().size(); ++k) uses = uses || operand_map(*user, k).base == n;
    const bool same_phase = group_.level(user) == Level::row && user->op().kind != OpKind::reduction &&
                            group_.stage.at(user).outer == group_.stage.at(n).outer && loops_before(user) == loops_before(n);
    return uses && !same_phase;
  });
}

/// Place of the current row in a scratch array over the block.
std::vector<Term> Lowering::row_terms() {
  const Axis* outer = axes_of(Role::O)[0];
  internal_check(!outer->index.empty(), "lower: a value of a row outside of its loop");
  return {{outer->index[0], -1}, {minus_row_lo_, -1}};
}

/// From here on, and until the block ends, the value is read from scratch where no scope has it.
void Lowering::spill_row(const Node* n) {
  const DType part = real_part_of(n->type().dtype);
  std::vector<int>& parts = row_spills_[n];
  for (int k = 0; k < (is_complex(n->type().dtype) ? 2 : 1); ++k) parts.push_back(scratch_access(ScratchRecipe::Count::lanes, part));
}

void Lowering::store_row(const Node* n, const Cx<Value>& v) {
  const std::vector<int>& parts = row_spills_.at(n);
  for (size_t k = 0; k < parts.size(); ++k) b_.store(parts[k], row_terms(), k == 0 ? v.re.id : v.im.id);
}

void Lowering::row_loop(Id lo, bool vector, const std::function<void()>& body) {
  Axis* outer = axes_of(Role::O)[0];
  const Id row = b_.begin_loop(lo, row_hi_, {}, vector ? 0 : 1, vector)[0];
  outer->index = {row};
  scopes_.emplace_back();
  body();
  scopes_.pop_back();
  outer->index.clear();
  b_.end_loop();
}

// Values and stores of rows that `loops` I loops had to come before.
void Lowering::row_phase(int outer, int loops) {
  std::vector<const Node*> nodes;
  for (const Node* n : group_.nodes) {
    const bool own = table_.needs(n) && group_.level(n) == Level::row && group_.stage.at(n).outer == outer && loops_before(n) == loops;
    if (own && !row_spills_.count(n) && (n->op().kind != OpKind::reduction || reduction_role(group_, *n) == Role::P)) nodes.push_back(n);
  }
  std::vector<size_t> sinks;
  for (size_t k = 0; k < in_.sinks.size(); ++k) {
    const Node* n = sink_node(k);
    if (!table_.sink_used(k) || !group_.contains(n) || group_.level(n) != Level::row || group_.stage.at(n).outer != outer) continue;
    if (loops_before(n) == loops) sinks.push_back(k);
  }
  if (nodes.empty() && sinks.empty()) return;
  row_loop(row_lo_, true, [&] {
    for (const Node* n : nodes) {
      const Cx<Value> v = value(n);
      if (!outlives_its_phase(n)) continue;
      spill_row(n);
      store_row(n, v);
    }
    for (const size_t k : sinks) store_sink(k);
  });
}

// Rows side by side share the loads of what does not depend on the row, and of states. Light bodies gain by it; the lanes of their states must
// have room in registers.
int64_t Lowering::rows_side_by_side(const InnerWork& work) const {
  constexpr size_t lane_bytes = 512, light = 8;
  size_t full = 0, bytes = 0;
  for (const Node* n : group_.nodes) {
    if (!table_.needs(n) || n->op().kind == OpKind::reduction || !is_full(n)) continue;
    if (!n->op().flags.cheap || ++full > light) return 1;
  }
  for (const Node* n : work.lane_reductions) {
    for (const DType t : n->op().reduction.state(*n)) bytes += ops::lanes_per_leaf * size_of(t);
  }
  return bytes == 0 ? 4 : std::clamp<int64_t>(static_cast<int64_t>(lane_bytes / bytes), 1, 4);
}

// The I loop for all rows of the block: some side by side, then those that are left. Where these are a small part of the work (`few`), their
// code is kept small. `side_by_side`: a condition, if it depends on sizes.
void Lowering::inner_rows(const InnerWork& work, bool few, std::optional<Id> side_by_side) {
  for (const Node* n : work.lane_reductions) spill_row(n);
  const auto body = [&] {
    inner_loop(work);
    each_row(false, [&] {
      for (const Node* n : work.lane_reductions) store_row(n, value(n));
    });
  };
  const int64_t together = rows_side_by_side(work);
  Id rest = row_lo_;
  if (together > 1) {
    const Id step = b_.integer(together);
    Id groups = b_.record().idiv(b_.value(sub(row_hi_, row_lo_)), b_.value(step)).id;
    if (side_by_side) groups = b_.record().select(b_.value(*side_by_side), b_.value(groups), b_.value(b_.integer(0))).id;
    rest = add(row_lo_, mul(groups, step));
    const Id first = add(row_lo_, mul(b_.begin_loop(b_.integer(0), groups)[0], step));
    for (int64_t r = 0; r < together; ++r) rows_.push_back(add(first, b_.integer(r)));
    row_scopes_.resize(rows_.size());
    body();
    rows_.clear();
    row_scopes_.clear();
    b_.end_loop();
  }
  few_rows_ = few && together > 1;
  row_loop(rest, false, body);
  few_rows_ = false;
}

// Rows of which nothing but elements of columns is computed need no blocks. Several of them side by side carry the states through memory once
// for all, which pays where the states are larger than half of a first-level cache, or so short that a row waits for the stores of the one
// before. In between, one row after the other is the order that processors fetch ahead best: adding up rows of 256 floats took 0.14 ns per
// element so, and 0.4 side by side; of 8192 floats 0.38 and 0.2; of 3 floats 2.5 and 0.9.
bool Lowering::reduces_columns_only(int outer, const std::vector<StateArrays>& states) const {
  if (!group_.kept.empty() || states.empty()) return false;
  if (std::count_if(axes_.begin(), axes_.end(), [](const Axis& a) { return a.role == Role::O; }) != 1) return false;
  const auto along_tile = [](const StateArrays& s) { return s.count == ScratchRecipe::Count::tile; };
  return std::all_of(states.begin(), states.end(), along_tile) &&
         std::none_of(group_.nodes.begin(), group_.nodes.end(),
                      [&](const Node* n) { return table_.needs(n) && group_.level(n) == Level::row && group_.stage.at(n).outer == outer; });
}

void Lowering::reduce_columns(Id lo, Id hi, int outer, std::vector<StateArrays>& states) {
  constexpr int64_t half_cache = 16384, short_row = 64;
  int64_t state_bytes = 0;
  for (const StateArrays& s : states) {
    for (const DType t : s.reduction->op().reduction.state(*s.reduction)) state_bytes += static_cast<int64_t>(size_of(t));
  }
  const Value length = b_.value(sub(tile_hi_, tile_lo_)), shortest = b_.value(b_.integer(short_row + 1)),
              longest = b_.value(b_.integer(half_cache / state_bytes - 1));
  row_lo_ = lo;
  row_hi_ = max_of(lo, hi);
  inner_rows(inner_work({outer, 0}, states), false,
             b_.record().bit_or(b_.record().lt(length, shortest), b_.record().lt(longest, length)).id);
}

void Lowering::reduce_blocks(Id lo, Id hi, int outer, std::vector<StateArrays>& states) {
  const Id size = b_.integer(rows_per_block);
  const Id block = b_.begin_loop(b_.integer(0), ceil_div(max_of(sub(hi, lo), b_.integer(0)), size))[0];
  row_lo_ = add(lo, mul(block, size));
  row_hi_ = min_of(add(row_lo_, size), hi);
  minus_row_lo_ = sub(b_.integer(0), row_lo_);
  const int last = last_inner_stage(outer);
  for (int inner = 0; inner <= last; ++inner) {
    row_phase(outer, inner);
    const InnerWork work = inner_work({outer, inner}, states);
    if (work.empty()) continue;
    inner_rows(work, true, std::nullopt);
  }
  row_phase(outer, last + 1);
  const bool steps_rows = std::any_of(states.begin(), states.end(),
                                      [&](const StateArrays& s) { return !group_.has_role(group_.domain.at(s.reduction), Role::I); });
  if (steps_rows) {
    row_loop(row_lo_, false, [&] {
      for (StateArrays& s : states) {
        if (!group_.has_role(group_.domain.at(s.reduction), Role::I))
          step_outer(s, {{operand(*s.reduction, 0), axes_of(Role::O)[0]->index[0]}});
      }
    });
  }
  row_spills_.clear();
  b_.end_loop();
}

}  // namespace voxloom::codegen

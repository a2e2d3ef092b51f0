// codegen/access_table.cpp: the arrays one kernel touches, in terms of its loop axes.
#include <voxloom/codegen/lower_impl.h>

#include <algorithm>

namespace voxloom::codegen {

bool sink_in_loops(const Group& group, const Sink& sink) {
  const Node* base = resolve_views(sink.value).base;
  if (!group.contains(base)) return true;
  const Level level = group.level(base);
  if (group.has_role(Role::O)) return level == Level::full || level == Level::row;
  return level == Level::full || !group.inner_reduced;
}

std::vector<const Node*> reductions_over(const Group& group, Role role) {
  std::vector<const Node*> found;
  for (const Node* n : group.nodes) {
    if (n->op().kind == OpKind::reduction && reduction_role(group, *n) == role) found.push_back(n);
  }
  return found;
}

std::vector<DType> state_dtypes(const Group& group, Role role) {
  std::vector<DType> all;
  for (const Node* n : reductions_over(group, role)) {
    const std::vector<DType> own = n->op().reduction.state(*n);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

bool folds_states(KernelPart part) { return part == KernelPart::fold || part == KernelPart::finish || part == KernelPart::outer_fold; }

Role state_role(KernelPart part) { return part == KernelPart::leaves || part == KernelPart::fold ? Role::I : Role::O; }

std::vector<int> state_axes(const Group& group, const Node& reduction, KernelPart part) {
  const bool leaves_of_outer = part == KernelPart::outer_leaves || part == KernelPart::outer_fold;
  const bool inner = state_role(part) == Role::O && (!leaves_of_outer || group.has_role(group.domain.at(&reduction), Role::I));
  std::vector<int> axes;
  for (size_t a = 0; a < group.axes.size(); ++a) {
    const Role role = group.axes[a].role;
    if (role == Role::P || (inner && role == Role::I)) axes.push_back(static_cast<int>(a));
  }
  if (leaves_of_outer) std::reverse(axes.begin(), axes.end());
  return axes;
}

AccessTable::AccessTable(const LowerInput& input) : in_(input) {
  const bool in_loops = !folds_states(in_.part);
  const bool after = in_.part == KernelPart::whole || !in_loops;
  if (in_loops && in_.part != KernelPart::whole) {
    for (const Node* n : reductions_over(*in_.group, state_role(in_.part))) need(n);
  }
  for (const Sink& sink : in_.sinks) {
    used_.push_back(in_.part == KernelPart::whole || (sink_in_loops(*in_.group, sink) ? in_loops : after));
    const Node* base = resolve_views(sink.value).base;
    if (used_.back() && in_.group->contains(base)) need(base);
  }
  for (const Node* n : in_.group->nodes) {
    const bool stop = !in_loops && n->op().kind == OpKind::reduction && reduction_role(*in_.group, *n) != Role::P;
    if (!needed_.count(n) || stop) continue;
    for (size_t k = 0; k < n->inputs().size(); ++k) {
      const ViewMap map = operand_map(*n, k);
      if (in_.group->contains(map.base)) continue;
      std::vector<runtime::AxisTerm> terms;
      for (const IndexTerm& t : map.terms) {
        const int axis = t.axis < 0 ? -1 : in_.group->domain.at(n)[static_cast<size_t>(t.axis)];
        terms.push_back({axis, axis < 0 && t.gathered < 0 ? 1 : t.a, t.b, t.gathered});
      }
      operands_[{n, k}] = leaf(map.base, terms, choices(*n, k));
    }
  }
  for (size_t k = 0; k < in_.sinks.size(); ++k) add_sink(k);
  add_states();
}

void AccessTable::need(const Node* n) {
  if (!needed_.insert(n).second) return;
  if (folds_states(in_.part) && n->op().kind == OpKind::reduction && reduction_role(*in_.group, *n) != Role::P) return;
  for (size_t k = 0; k < n->inputs().size(); ++k) {
    const Node* m = operand_map(*n, k).base;
    if (in_.group->contains(m)) need(m);
  }
}

// Number of elements that the indices computed for an operand choose from.
Dim AccessTable::choices(const Node& n, size_t k) {
  Dim count = 1;
  const auto maps = axis_maps(n, k);
  for (size_t axis = 0; axis < maps.size(); ++axis) {
    if (maps[axis].relation == AxisRelation::gather) count = count * n.input(k).shape()[axis];
  }
  return count;
}

int AccessTable::add(runtime::AccessRecipe access) {
  for (size_t k = 0; k < accesses_.size(); ++k) {
    const runtime::AccessRecipe& a = accesses_[k];
    if (!access.written && !a.written && a.slot == access.slot && a.part == access.part && a.terms == access.terms &&
        a.choices == access.choices)
      return static_cast<int>(k);
  }
  accesses_.push_back(std::move(access));
  return static_cast<int>(accesses_.size() - 1);
}

LeafRef AccessTable::add_parts(DType dtype, int slot, bool written, const std::vector<runtime::AxisTerm>& terms, const Dim& choices) {
  LeafRef ref;
  for (int part = 0; part < (is_complex(dtype) ? 2 : 1); ++part) {
    ref.access[part] = add({slot, part, written, real_part_of(dtype), terms, choices});
  }
  return ref;
}

LeafRef AccessTable::leaf(const Node* base, const std::vector<runtime::AxisTerm>& terms, const Dim& choices) {
  const auto slot = in_.slots.find(base);
  if (slot == in_.slots.end()) return {.scalar_constant = true};
  return add_parts(base->type().dtype, slot->second, false, terms, choices);
}

void AccessTable::add_sink(size_t k) {
  const Sink& sink = in_.sinks[k];
  destinations_.emplace_back();
  sources_.emplace_back();
  if (!used_[k]) return;
  const ViewMap map = resolve_views(sink.value);
  const bool copied = !in_.group->contains(map.base);
  const std::vector<int>& axes = copied ? in_.group->domain.at(nullptr) : in_.group->result.at(map.base);
  // Destination axis d has the index of the value's axis d: for a stored node, of the base axis that maps to it.
  std::vector<runtime::AxisTerm> terms(static_cast<size_t>(sink.value.rank()));
  for (size_t d = 0; d < terms.size(); ++d) {
    terms[d].b = sink.offsets.empty() ? Dim(0) : sink.offsets[d];
    if (copied) terms[d].axis = axes[d];
  }
  if (!copied) {
    for (size_t j = 0; j < map.terms.size(); ++j) {
      if (map.terms[j].axis >= 0) terms[static_cast<size_t>(map.terms[j].axis)].axis = axes[j];
    }
  } else {
    std::vector<runtime::AxisTerm> from;
    for (const IndexTerm& t : map.terms) {
      const int axis = t.axis < 0 ? -1 : axes[static_cast<size_t>(t.axis)];
      from.push_back({axis, axis < 0 ? 1 : t.a, t.b});
    }
    sources_[k] = leaf(map.base, from);
  }
  destinations_[k] = add_parts(sink.value.dtype(), sink.slot, true, terms);
}

void AccessTable::add_states() {
  const bool in_leaves = in_.part != KernelPart::accumulate && in_.part != KernelPart::finish;
  size_t next = 0;
  for (const Node* n : reductions_over(*in_.group, state_role(in_.part))) {
    std::vector<runtime::AxisTerm> terms;
    for (const int axis : state_axes(*in_.group, *n, in_.part)) terms.push_back({axis, 1, 0});
    if (in_leaves) terms.push_back({-1, 1, 0});  // the kernel adds the index itself
    for (const DType dtype : n->op().reduction.state(*n)) {
      for (int copy = 0; copy < (in_leaves ? 1 : 3) && next < in_.state_slots.size(); ++copy) {
        state_.push_back(static_cast<int>(accesses_.size()));
        accesses_.push_back({in_.state_slots[next++], 0, !folds_states(in_.part), dtype, terms});
      }
    }
  }
  std::vector<runtime::AxisTerm> lanes;
  for (size_t a = 0; a < in_.group->axes.size(); ++a) {
    if (in_.group->axes[a].role == Role::P) lanes.push_back({static_cast<int>(a), 1, 0});
  }
  lanes.push_back({-1, 1, 0});  // likewise
  const std::vector<DType> dtypes = state_dtypes(*in_.group, Role::I);
  for (size_t k = 0; k < in_.carry_slots.size(); ++k) {
    carry_.push_back(static_cast<int>(accesses_.size()));
    accesses_.push_back({in_.carry_slots[k], 0, true, dtypes[k], lanes});
  }
}

}  // namespace voxloom::codegen

// runtime/dense_variant.cpp: dense_variant().
#include <voxloom/runtime/dense_variant.h>

#include <algorithm>

namespace voxloom::runtime {
namespace {

/// Axes of a slot from the fastest to the slowest, without those of constant size 1.
std::vector<size_t> fastest_first(const Type& type) {
  std::vector<size_t> axes;
  for (size_t k = 0; k < type.shape.size(); ++k) {
    const size_t axis = type.order == Order::F ? k : type.shape.size() - 1 - k;
    if (!type.shape[axis].is_one()) axes.push_back(axis);
  }
  return axes;
}

/// Slot axes of `access` that depend on the loop axis.
std::vector<size_t> slot_axes(const AccessRecipe& access, int loop_axis) {
  std::vector<size_t> found;
  for (size_t k = 0; k < access.terms.size(); ++k) {
    if (access.terms[k].axis == loop_axis) found.push_back(k);
  }
  return found;
}

/// Whether two sizes are the same in every call: by form, or because the program checks it.
bool same_size(const Program& program, const Dim& a, const Dim& b) {
  std::vector<Dim> known{a};
  const auto learn = [&](const Dim& d) {
    if (std::find(known.begin(), known.end(), d) == known.end()) known.push_back(d);
  };
  for (size_t k = 0; k < known.size(); ++k) {
    const Dim d = known[k];
    for (const SizeCheck& check : program.size_checks) {
      if (check.a == d) learn(check.b);
      if (check.b == d) learn(check.a);
    }
  }
  return std::find(known.begin(), known.end(), b) != known.end();
}

/// Whether a step along loop axis `slow` is as far as all steps along the next faster one.
bool one_run(const Program& program, const AccessRecipe& access, const Type& type, int slow, const Dim& fast_extent) {
  const auto from = slot_axes(access, slow), to = slot_axes(access, slow + 1);
  if (from.empty() && to.empty()) return true;
  if (from.size() != 1 || to.size() != 1) return false;
  const auto order = fastest_first(type);
  const auto fast = std::find(order.begin(), order.end(), to[0]);
  if (fast == order.end() || fast + 1 == order.end() || *(fast + 1) != from[0]) return false;
  const int64_t slow_step = access.terms[from[0]].a, fast_step = access.terms[to[0]].a;
  const Dim& size = type.shape[to[0]];
  if (slow_step == fast_step) return same_size(program, size, fast_extent);
  return Dim(slow_step) * size == Dim(fast_step) * fast_extent;
}

bool runs_along(const AccessRecipe& access, const Type& type, int axis) {
  const auto axes = slot_axes(access, axis);
  const auto order = fastest_first(type);
  return axes.size() == 1 && !order.empty() && order[0] == axes[0] && access.terms[axes[0]].a == 1 &&
         size_of(type.dtype) == size_of(access.storage);
}

bool is_unit(const AccessRecipe& access, const Type& type, int inner) {
  return slot_axes(access, inner).empty() || runs_along(access, type, inner);
}

bool is_swapped(const Program& program, int slot, const std::vector<char>& swapped) {
  const Slot* s = &program.slots[static_cast<size_t>(slot)];
  while (s->kind == Slot::Kind::alias) s = &program.slots[static_cast<size_t>(s->index)];
  return s->kind == Slot::Kind::argument && static_cast<size_t>(s->index) < swapped.size() && swapped[static_cast<size_t>(s->index)] != 0;
}

}  // namespace

VariantKey dense_variant(const Program& program, const KernelStep& step, const std::vector<char>& swapped) {
  VariantKey key;
  key.unit = 0;
  const auto inner = static_cast<int>(step.extents.size()) - 1;
  const int row = row_axis(step);
  for (size_t k = 0; k < step.accesses.size(); ++k) {
    const AccessRecipe& access = step.accesses[k];
    const Type& type = program.slots[static_cast<size_t>(access.slot)].type;
    for (int a = 0; a < inner; ++a) {
      const auto slow = static_cast<size_t>(a);
      if (step.collapse_into[slow] == step.collapse_into[slow + 1] && !one_run(program, access, type, a, step.extents[slow + 1]))
        key.collapsed = false;
    }
    if (is_unit(access, type, inner)) key.unit |= uint64_t{1} << k;
    if (row >= 0 && slot_axes(access, inner).empty() && runs_along(access, type, row)) key.unit_rows |= uint64_t{1} << k;
    if (size_of(access.storage) > 1 && is_swapped(program, access.slot, swapped)) key.swapped |= uint64_t{1} << k;
  }
  return key;
}

}  // namespace voxloom::runtime

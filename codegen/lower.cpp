// codegen/lower.cpp: loop axes, parameters and accesses of a kernel; the choice of its parts.
#include <voxloom/codegen/lower.h>

#include <voxloom/codegen/lower_impl.h>

#include <algorithm>

namespace voxloom::codegen {
namespace {

// Neighbouring axes may run as one loop when every access depends on both or on neither.
bool may_merge(const std::vector<runtime::AccessRecipe>& accesses, int slow) {
  for (const auto& access : accesses) {
    const auto uses = [&](int axis) {
      return std::count_if(access.terms.begin(), access.terms.end(), [&](const runtime::AxisTerm& t) { return t.axis == axis; });
    };
    if (uses(slow) != uses(slow + 1) || uses(slow) > 1) return false;
  }
  return true;
}

// Whether some node must know its index along this loop axis, which flattening would lose.
bool position_is_read(const Group& group, int loop_axis) {
  for (const Node* n : group.nodes) {
    const auto reads = n->op().indexed.reads_position;
    if (!reads) continue;
    const std::vector<int>& axes = group.domain.at(n);
    for (size_t k = 0; k < axes.size(); ++k) {
      if (axes[k] == loop_axis && reads(*n, static_cast<int>(k))) return true;
    }
  }
  return false;
}

std::string step_name(const LowerInput& in) {
  std::string names;
  for (const Node* n : in.group->nodes) {
    if (names.size() > 60) {
      names += ",...";
      break;
    }
    names += (names.empty() ? "" : ",") + std::string(n->op().name);
  }
  if (names.empty()) return "Copy";
  static constexpr const char* prefix[] = {"Fused", "Leaves", "Fold", "Accumulate", "Finish", "Scatter", "Leaves", "Fold"};
  return std::string(prefix[static_cast<int>(in.part)]) + "{" + names + "}";
}

}  // namespace

runtime::KernelStep describe_step(const LowerInput& input) {
  if (input.part == KernelPart::scatter) return describe_scatter(input);
  runtime::KernelStep step;
  const Group& group = *input.group;
  const AccessTable table(input);
  step.name = step_name(input);
  step.accesses = table.accesses();
  const bool plain = reductions_over(group, Role::I).empty() && reductions_over(group, Role::O).empty();
  if (group.inner_reduced) step.reduced = 1;
  int run = -1;
  for (size_t a = 0; a < group.axes.size(); ++a) {
    const Role role = group.axes[a].role;
    const int axis = static_cast<int>(a);
    const bool joins = a > 0 && (plain || role == group.axes[a - 1].role) && may_merge(step.accesses, axis - 1) &&
                       !position_is_read(group, axis) && !position_is_read(group, axis - 1);
    if (!joins) ++run;
    step.collapse_into.push_back(run);
    step.extents.push_back(group.axes[a].extent);
    step.roles.push_back(role == Role::P ? 'P' : role == Role::O ? 'O' : 'I');
    if (role == Role::O) step.outer_extent = step.outer_extent * group.axes[a].extent;
    if (role == Role::I && group.inner_reduced) step.reduced = step.reduced * group.axes[a].extent;
  }
  step.tiled = !group.inner_reduced && !step.roles.empty() && step.roles.back() == 'I';
  step.leaf_parallel = input.part == KernelPart::leaves || input.part == KernelPart::outer_leaves;
  if (input.part != KernelPart::whole && state_role(input.part) == Role::O) step.reduced = step.outer_extent;
  step.leaves_of_rows = leaves_of_rows(group, state_role(input.part));
  for (const Node* n : group.nodes) step.outer_passes = std::max(step.outer_passes, group.stage.at(n).outer + 1);
  return step;
}

Lowering::Lowering(const LowerInput& input, const runtime::KernelStep& step, const runtime::VariantKey& key)
    : in_(input), group_(*input.group), step_(step), key_(key), table_(input), b_(step.name) {
  make_axes();
  scopes_.emplace_back();
}

void Lowering::make_axes() {
  axis_of_.resize(group_.axes.size());
  for (size_t a = 0; a < group_.axes.size(); ++a) {
    const bool joins = key_.collapsed && a > 0 && step_.collapse_into[a] == step_.collapse_into[a - 1];
    if (!joins) axes_.emplace_back();
    Axis& axis = axes_.back();
    axis.members.push_back(static_cast<int>(a));
    axis.role = group_.axes[a].role;  // the fastest member decides: in kernels without reductions P axes may join I
    axis.extent = axis.extent * group_.axes[a].extent;
    axis_of_[a] = static_cast<int>(axes_.size()) - 1;
  }
  if (axes_.empty()) return;
  inner_ = static_cast<int>(axes_.size()) - 1;
  if (group_.inner_reduced) return;
  for (Axis& axis : axes_) {
    if (axis.role == Role::I && &axis != &axes_.back()) axis.role = Role::P;
  }
}

std::vector<Lowering::Axis*> Lowering::axes_of(Role role) {
  std::vector<Axis*> found;
  for (auto axis = axes_.rbegin(); axis != axes_.rend(); ++axis) {
    if (axis->role == role) found.push_back(&*axis);
  }
  return found;
}

Id Lowering::param(const ParamRecipe& recipe, DType dtype, const char* name) {
  const auto key = std::make_tuple(static_cast<int>(recipe.kind), recipe.dim.str(), recipe.access, recipe.axis,
                                   recipe.bits ^ (static_cast<uint64_t>(dtype) << 56) ^ (static_cast<uint64_t>(recipe.of_rows) << 55));
  auto [it, is_new] = param_slots_.try_emplace(key, 0);
  if (is_new) {
    it->second = b_.add_param(dtype, name);
    out_.params.push_back(recipe);
  }
  return b_.read_param(it->second);
}

int Lowering::kernel_access(int recipe) {
  auto [it, is_new] = kernel_accesses_.try_emplace(recipe, 0);
  if (is_new) {
    const runtime::AccessRecipe& r = step_.accesses[static_cast<size_t>(recipe)];
    Access access;
    access.storage = r.storage;
    access.swapped = (key_.swapped >> recipe & 1U) != 0;
    access.written = r.written;
    access.nontemporal = r.written && key_.nontemporal;
    access.pointer = b_.add_pointer();
    out_.pointers.push_back(recipe);
    it->second = b_.add_access(access);
  }
  return it->second;
}

std::vector<Term> Lowering::terms(int recipe, const std::vector<Id>& gathered) {
  const runtime::AccessRecipe& r = step_.accesses[static_cast<size_t>(recipe)];
  std::vector<Term> result;
  for (size_t m = 0; m < axes_.size(); ++m) {
    const int fastest = axes_[m].members.back();
    const bool uses = std::any_of(r.terms.begin(), r.terms.end(), [&](const runtime::AxisTerm& t) { return t.axis == fastest; });
    if (!uses) continue;
    internal_check(!axes_[m].index.empty(), "lower: an access outside of its loops");
    const bool along_rows = fastest == runtime::row_axis(step_) && (key_.unit_rows >> recipe & 1U) != 0;
    const bool unit = along_rows || (static_cast<int>(m) == inner_ && (key_.unit >> recipe & 1U) != 0);
    const int slot = unit ? -1 : stride_slot(recipe, fastest);
    for (Id id : axes_[m].index) result.push_back({id, slot});
  }
  for (size_t k = 0; k < gathered.size(); ++k) {
    const bool uses =
        std::any_of(r.terms.begin(), r.terms.end(), [&](const runtime::AxisTerm& t) { return t.gathered == static_cast<int>(k); });
    if (uses) result.push_back({gathered[k], stride_slot(recipe, static_cast<int>(group_.axes.size() + k))});
  }
  return result;
}

int Lowering::stride_slot(int recipe, int axis) {
  param({ParamRecipe::Kind::stride, 0, recipe, axis, 0}, DType::i64, "stride");
  return param_slots_.at(
      std::make_tuple(static_cast<int>(ParamRecipe::Kind::stride), Dim(0).str(), recipe, axis, static_cast<uint64_t>(DType::i64) << 56));
}

int Lowering::scratch_access(ScratchRecipe::Count count, DType dtype) {
  const int index = static_cast<int>(out_.scratch.size());
  out_.scratch.push_back({count, size_of(dtype)});
  param({ParamRecipe::Kind::scratch_offset, 0, index, 0, 0}, DType::i64, "scratch");
  Access access;
  access.storage = dtype;
  access.written = true;
  access.scratch_slot = param_slots_.at(std::make_tuple(static_cast<int>(ParamRecipe::Kind::scratch_offset), Dim(0).str(), index, 0,
                                                        static_cast<uint64_t>(DType::i64) << 56));
  return b_.add_access(access);
}

Id Lowering::min_of(Id a, Id b) { return b_.record().minimum(b_.value(a), b_.value(b)).id; }
Id Lowering::max_of(Id a, Id b) { return b_.record().maximum(b_.value(a), b_.value(b)).id; }
Id Lowering::ceil_div(Id a, Id b) {
  const Id one = b_.integer(1);
  return b_.record().idiv(b_.value(sub(add(a, b), one)), b_.value(b)).id;
}

Id Lowering::extent_product(const std::vector<Axis*>& axes) {
  Dim all = 1;
  for (const Axis* a : axes) all = all * a->extent;
  return dim(all);
}

Dim Lowering::extent_dim(Role role) const {
  Dim all = 1;
  for (const Axis& a : axes_) {
    if (a.role == role) all = all * a.extent;
  }
  return all;
}

Id Lowering::flat_index(const std::vector<Axis*>& fastest_first) {
  if (fastest_first.empty()) return b_.integer(0);
  Id flat = fastest_first.back()->index.front();
  for (size_t k = fastest_first.size() - 1; k-- > 0;) flat = add(mul(flat, dim(fastest_first[k]->extent)), fastest_first[k]->index.front());
  return flat;
}

void Lowering::set_tile(Id lo, Id hi) {
  tile_lo_ = lo;
  tile_hi_ = hi;
  minus_tile_lo_ = sub(b_.integer(0), lo);
}

// Opens the loop over [begin, end): leaves or tiles first, then the P axes; or the axis of the variant, the other ones, then the tiles.
void Lowering::open_parallel_loop() {
  auto parallel = axes_of(Role::P);
  const bool leaves = step_.leaf_parallel, tiles_last = key_.fastest >= 0;
  if (tiles_last) {
    const Axis* first = &axes_[static_cast<size_t>(axis_of_[static_cast<size_t>(key_.fastest)])];
    std::stable_partition(parallel.begin(), parallel.end(), [&](const Axis* a) { return a == first; });
  }
  std::vector<Id> extents;
  const auto add_tiles = [&] { extents.push_back(param({ParamRecipe::Kind::tile_count, 0, 0, 0, 0}, DType::i64, "tiles")); };
  if (leaves)
    extents.push_back(param({ParamRecipe::Kind::block_leaf_count, step_.reduced, 0, 0, 0, step_.leaves_of_rows}, DType::i64, "leaves"));
  if (step_.tiled && !tiles_last) add_tiles();
  for (const Axis* a : parallel) extents.push_back(dim(a->extent));
  if (step_.tiled && tiles_last) add_tiles();
  const std::vector<Id> index = b_.begin_loop(b_.begin(), b_.end(), extents);
  size_t next = 0;
  if (leaves) leaf_ = index[next++];
  if (step_.tiled) {
    const Id size = param({ParamRecipe::Kind::tile, 0, 0, 0, 0}, DType::i64, "tile");
    const Id lo = mul(tiles_last ? index.back() : index[next++], size);
    set_tile(lo, min_of(add(lo, size), dim(axes_.back().extent)));
  } else {
    set_tile(b_.integer(0), group_.inner_reduced ? dim(extent_dim(Role::I)) : b_.integer(1));
  }
  for (Axis* a : parallel) a->index = {index[next++]};
  scopes_.emplace_back();
}

Lowered Lowering::run() {
  switch (in_.part) {
    case KernelPart::whole:
      open_parallel_loop();
      if (group_.has_role(Role::O)) {
        outer_passes();
      } else {
        std::vector<StateArrays> none;
        inner_stages(0, none);
        point_sinks(0, Level::row);
      }
      b_.end_loop();
      break;
    case KernelPart::leaves: leaves_kernel(); break;
    case KernelPart::fold: fold_kernel(); break;
    case KernelPart::accumulate: accumulate_kernel(); break;
    case KernelPart::finish: finish_kernel(); break;
    case KernelPart::scatter: scatter_kernel(); break;
    case KernelPart::outer_leaves: outer_leaves_kernel(); break;
    case KernelPart::outer_fold: outer_fold_kernel(); break;
  }
  out_.kernel = b_.finish();
  return std::move(out_);
}

Lowered lower(const LowerInput& input, const runtime::KernelStep& step, const runtime::VariantKey& key) {
  return Lowering(input, step, key).run();
}

}  // namespace voxloom::codegen

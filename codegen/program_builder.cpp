// codegen/program_builder.cpp: slots and steps from a partition.
#include <voxloom/codegen/program_builder.h>

#include <voxloom/codegen/flop_count.h>
#include <voxloom/codegen/lower_impl.h>
#include <voxloom/codegen/print_c.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/reduce_order.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

namespace voxloom::codegen {
namespace {

using runtime::KernelStep;
using runtime::KernelVariant;
using runtime::Program;
using runtime::Slot;
using runtime::VariantKey;

bool mentions(const Dim& d, const std::string& symbol) {
  if (d.is_constant()) return false;
  const auto symbols = d.symbols();
  return std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
}

/// Compiles variants of one step on demand. Keeps the graph alive, since groups point into it.
class VariantProvider {
 public:
  VariantProvider(Graph graph, std::shared_ptr<const Group> group, LowerInput input, BuildOptions options)
      : graph_(std::move(graph)), group_(std::move(group)), input_(std::move(input)), options_(std::move(options)) {
    input_.group = group_.get();
  }

  std::shared_ptr<const KernelVariant> get(const KernelStep& step, const VariantKey& key) {
    std::unique_lock lock(mutex_);
    for (const auto& [known, variant] : variants_) {
      if (known == key) return variant;
    }
    const auto start = std::chrono::steady_clock::now();
    Lowered lowered = lower(input_, step, key);
    if (test_hooks().kernel != nullptr) test_hooks().kernel(lowered.kernel);
    auto variant = std::make_shared<KernelVariant>();
    CompileInfo info;
    auto code = compile_kernel(lowered.kernel, options_.compile, &info);
    variant->entry = code->entry();
    variant->code = std::move(code);
    variant->params = std::move(lowered.params);
    variant->pointers = std::move(lowered.pointers);
    variant->scratch = std::move(lowered.scratch);
    variant->checks = std::move(lowered.checks);
    const auto counter = std::make_shared<const FlopCounter>(lowered.kernel);
    variant->flops = [counter](const int64_t* params, int64_t range) { return counter->count(params, 0, range); };
    variants_.emplace_back(key, variant);
    lock.unlock();
    if (options_.on_kernel) {
      options_.on_kernel(lowered.kernel, {.origin = info.origin,
                                          .name = step.name,
                                          .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                                          .code_bytes = static_cast<int64_t>(info.code_bytes),
                                          .why = info.why});
    }
    return variant;
  }

  Kernel kernel(const KernelStep& step, const VariantKey& key) const { return lower(input_, step, key).kernel; }

 private:
  Graph graph_;
  std::shared_ptr<const Group> group_;
  LowerInput input_;
  BuildOptions options_;
  std::mutex mutex_;
  std::vector<std::pair<VariantKey, std::shared_ptr<const KernelVariant>>> variants_;
};

class Builder {
 public:
  Builder(const Graph& graph, const BuildOptions& options, const Graph* written = nullptr)
      : graph_(graph), written_(written ? *written : graph), options_(options), program_(std::make_shared<Program>()) {}

  std::shared_ptr<Program> run() {
    program_->name = options_.name;
    for (size_t k = 0; k < graph_.inputs().size(); ++k) {
      const Expr& e = graph_.inputs()[k];
      Slot slot{.kind = Slot::Kind::argument,
                .type = e.type(),
                .index = static_cast<int>(k),
                .label = e->name(),
                .node = graph_.index_of(e.get())};
      program_->argument_slots.push_back(add_slot(slot));
      program_->argument_names.push_back(e->name());
      slot_of_[e.get()] = program_->argument_slots.back();
    }
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      Slot slot{.kind = Slot::Kind::output,
                .type = graph_.outputs()[k].type(),
                .index = static_cast<int>(k),
                .label = "output " + std::to_string(k),
                .node = graph_.index_of(graph_.outputs()[k].get())};
      program_->output_slots.push_back(add_slot(slot));
    }
    PartitionOptions partition_options = options_.partition;
    partition_options.stream_symbol = options_.stream_symbol;
    const Partition parts = partition(graph_, partition_options);
    for (const auto& [node, output] : parts.in_output) slot_of_[node] = program_->output_slots[static_cast<size_t>(output)];
    for (const Partition::Item& item : parts.order) {
      if (item.group >= 0) {
        add_group(parts.groups[static_cast<size_t>(item.group)]);
      } else {
        add_outside(item);
      }
    }
    for (const Refusal& r : parts.refusals) {
      program_->notes.push_back(std::string(r.consumer->op().name) + " and " + r.producer->op().name +
                                " are separate kernels: " + r.reason);
    }
    find_lives();
    collect_checks();
    program_->stream_symbol = options_.stream_symbol;
    if (test_hooks().program != nullptr) test_hooks().program(*program_);
    return program_;
  }

  std::vector<std::function<Kernel()>> kernels;

 private:
  int add_slot(Slot slot) {
    program_->slots.push_back(std::move(slot));
    return static_cast<int>(program_->slots.size() - 1);
  }

  // Storage of a node's value; leaves of rank 0 that are constants have none (they are kernel arguments).
  int slot_of(const Node* n) {
    if (auto it = slot_of_.find(n); it != slot_of_.end()) return it->second;
    Slot slot{.kind = Slot::Kind::temporary, .type = n->type(), .label = n->op().name, .node = graph_.index_of(n)};
    if (const ConstantPayload* constant = constant_of(*n)) {
      slot.kind = Slot::Kind::constant;
      slot.constant = Array::view(constant->view(), n->payload());
    } else {
      internal_check(n->op().kind != OpKind::leaf, "build_program: a leaf that is no input: " + std::string(n->op().name));
    }
    return slot_of_[n] = add_slot(slot);
  }

  // A value that kernels take as an argument: a constant of one element, or a size.
  static bool is_scalar_constant(const Node* n) {
    if (size_of_leaf(*n) != nullptr) return true;
    if (!constant_of(*n)) return false;
    return std::all_of(n->type().shape.begin(), n->type().shape.end(), [](const Dim& d) { return d.is_one(); });
  }

  // A temporary with the elements of an expression that is seen through views.
  int dense_slot(const Expr& value, const char* label) {
    PlannedGroup copy;
    copy.group = copy_group(value);
    const int slot = add_slot({.kind = Slot::Kind::temporary, .type = value.type(), .label = label, .node = graph_.index_of(value.get())});
    copy.stores.push_back({value, nullptr, -2 - slot, {}});
    add_group(copy);
    return slot;
  }

  // The storage holds the first operand already.
  void add_scatter(const Node* n) {
    auto group = std::make_shared<Group>(scatter_group(*n));
    LowerInput in;
    in.group = group.get();
    in.part = KernelPart::scatter;
    in.scatter = n;
    in.slots[n] = slot_of(n);
    for (size_t k = 1; k < n->inputs().size(); ++k) {
      const ViewMap map = resolve_views(n->input(k));
      if (!is_scalar_constant(map.base)) {
        in.scatter_operands.push_back({slot_of(map.base), map.terms});
        continue;
      }
      in.scatter_operands.push_back({dense_slot(n->input(k), n->op().name), {}});
      for (int axis = 0; axis < n->input(k).rank(); ++axis) in.scatter_operands.back().terms.push_back({axis, 1, 0});
    }
    add_step(group, in, false);
  }

  void add_outside(const Partition::Item& item) {
    const Node* n = item.node;
    if (n->op().kind == OpKind::library) {
      if (item.output >= 0) slot_of_[n] = program_->output_slots[static_cast<size_t>(item.output)];
      add_library(n);
      return;
    }
    if (n->op().kind == OpKind::scatter) return add_scatter(n);
    internal_check(n->op().kind == OpKind::reshape, "build_program: a node that is neither a kernel's nor computed outside of kernels");
    const ViewMap map = resolve_views(n->input(0));
    const bool direct = map.base == n->input(0).get() && !is_scalar_constant(map.base);
    const int source = direct ? slot_of(map.base) : dense_slot(n->input(0), "reshape");
    Slot slot{.kind = Slot::Kind::alias, .type = n->type(), .index = source, .label = "reshape", .node = graph_.index_of(n)};
    slot_of_[n] = add_slot(slot);
    program_->order.push_back({-1, slot_of_[n], false});
  }

  // Operands are read through their views: slices, flips and transpositions are strides.
  void add_library(const Node* n) {
    auto recipe = std::make_shared<runtime::LibraryRecipe>();
    recipe->node = Expr(n);
    KernelStep step;
    step.name = n->op().name;
    const auto add_array = [&](const std::vector<Dim>& shape, int slot, const std::vector<IndexTerm>& terms, bool written) {
      const auto first = static_cast<int>(step.extents.size());
      recipe->axes.emplace_back();
      for (const Dim& extent : shape) {
        recipe->axes.back().push_back(static_cast<int>(step.extents.size()));
        step.collapse_into.push_back(static_cast<int>(step.extents.size()));
        step.extents.push_back(extent);
        step.roles.push_back('L');
      }
      runtime::AccessRecipe access;
      access.slot = slot;
      access.written = written;
      access.storage = program_->slots[static_cast<size_t>(slot)].type.dtype;
      for (const IndexTerm& t : terms) access.terms.push_back({t.axis < 0 ? -1 : first + t.axis, t.a, t.b});
      step.accesses.push_back(std::move(access));
    };
    for (const Expr& operand : n->inputs()) {
      const ViewMap map = resolve_views(operand);
      add_array(operand.shape(), slot_of(map.base), map.terms, false);
    }
    add_array(n->type().shape, slot_of(n), resolve_views(Expr(n)).terms, true);
    step.library = std::move(recipe);
    program_->order.push_back({static_cast<int>(program_->steps.size()), -1, false});
    program_->steps.push_back(std::move(step));
  }

  int store_slot(const Store& s) {
    if (s.into) return slot_of(s.into);
    return s.output >= 0 ? program_->output_slots[static_cast<size_t>(s.output)] : -2 - s.output;
  }

  bool reduces_stream(const Group& group, Role role) const {
    if (options_.stream_symbol.empty()) return false;
    for (const LoopAxis& a : group.axes) {
      if (a.role == role && mentions(a.extent, options_.stream_symbol)) return true;
    }
    return false;
  }

  void add_group(const PlannedGroup& planned) {
    auto group = std::make_shared<Group>(planned.group);
    LowerInput in;
    in.group = group.get();
    for (const Store& s : planned.stores) in.sinks.push_back({s.value, store_slot(s), s.offsets});
    const auto use = [&](const Node* base) {
      if (!group->contains(base) && !is_scalar_constant(base)) in.slots[base] = slot_of(base);
    };
    for (const Node* n : group->nodes) {
      for (size_t k = 0; k < n->inputs().size(); ++k) use(operand_map(*n, k).base);
    }
    for (const Sink& s : in.sinks) use(resolve_views(s.value).base);

    const bool has_outer = group->has_role(Role::O);
    const bool streamed_inner = group->inner_reduced && reduces_stream(*group, Role::I);
    const bool streamed_outer = has_outer && reduces_stream(*group, Role::O);
    if (streamed_outer) {
      in.part = KernelPart::accumulate;
      add_state_slots(in, *group, 3);
      add_step(group, in, false);
      in.part = KernelPart::finish;
      add_step(group, in, true);
    } else if (streamed_inner || (group->inner_reduced && !has_outer && !group->has_role(Role::P))) {
      in.part = KernelPart::leaves;
      add_state_slots(in, *group, 1);
      if (streamed_inner) add_carry_slots(in, *group);
      add_step(group, in, false);
      in.carry_slots.clear();
      in.part = KernelPart::fold;
      add_step(group, in, streamed_inner);
    } else if (has_outer && group->inner_reduced && splits_into_leaves(*group)) {
      in.part = KernelPart::outer_leaves;
      add_state_slots(in, *group, 1);
      add_step(group, in, false);
      in.part = KernelPart::outer_fold;
      add_step(group, in, false);
    } else {
      const bool added = add_step(group, in, false);
      if (added && has_outer && group->has_role(Role::I) && splits_into_leaves(*group)) add_leaf_way(group, in);
    }
  }

  void add_leaf_way(const std::shared_ptr<const Group>& group, LowerInput in) {
    const auto number = static_cast<int>(program_->steps.size()) - 1;
    auto way = std::make_shared<runtime::LeafWay>();
    in.part = KernelPart::outer_leaves;
    add_state_slots(in, *group, 1);
    for (const int slot : in.state_slots) {
      Slot& s = program_->slots[static_cast<size_t>(slot)];
      s.way_of_step = number;
      way->state_bytes += static_cast<int64_t>(size_of(s.type.dtype));
    }
    way->leaves = make_step(group, in);
    in.part = KernelPart::outer_fold;
    way->fold = make_step(group, in);
    program_->steps.back().leaf_way = std::move(way);
  }

  // Leaves of O are what threads can split if there is one pass over O and no P. Where rows are reduced too, there is nothing else; where
  // they are mapped, tiles are the other way.
  bool splits_into_leaves(const Group& group) const {
    if (!options_.stream_symbol.empty() || group.has_role(Role::P)) return false;
    Dim positions = 1;
    for (const LoopAxis& a : group.axes) {
      if (a.role == Role::O) positions = positions * a.extent;
    }
    if (positions.is_constant() && positions.constant() <= ops::leaf_length(positions.constant(), false)) return false;
    return std::all_of(group.nodes.begin(), group.nodes.end(), [&](const Node* n) {
      const bool over_outer = n->op().kind == OpKind::reduction && reduction_role(group, *n) == Role::O;
      const bool inside = over_outer || group.level(n) == Level::full || group.level(n) == Level::row;
      return !inside || group.stage.at(n).outer == 0;
    });
  }

  void add_state_slots(LowerInput& in, const Group& group, int copies) {
    const Role role = state_role(in.part);
    Slot slot{.kind = Slot::Kind::temporary, .has_leaves = copies == 1, .leaves_of = 1, .label = "reduction state"};
    for (const LoopAxis& a : group.axes) {
      if (a.role == role) slot.leaves_of = slot.leaves_of * a.extent;
    }
    slot.leaves_of_rows = leaves_of_rows(group, role);
    slot.type.order = in.part == KernelPart::outer_leaves ? Order::F : Order::C;
    for (const Node* n : reductions_over(group, role)) {
      slot.type.shape.clear();
      for (const int a : state_axes(group, *n, in.part)) slot.type.shape.push_back(group.axes[static_cast<size_t>(a)].extent);
      for (const DType dtype : n->op().reduction.state(*n)) {
        slot.type.dtype = dtype;
        for (int c = 0; c < copies; ++c) in.state_slots.push_back(add_slot(slot));
      }
    }
  }

  void add_carry_slots(LowerInput& in, const Group& group) {
    for (DType dtype : state_dtypes(group, Role::I)) {
      Slot slot{.kind = Slot::Kind::temporary, .label = "open leaf"};
      slot.type = {.dtype = dtype, .shape = {}, .order = Order::C, .names = {}};
      for (const LoopAxis& a : group.axes) {
        if (a.role == Role::P) slot.type.shape.push_back(a.extent);
      }
      slot.type.shape.push_back(Dim(64));
      in.carry_slots.push_back(add_slot(slot));
    }
  }

  KernelStep make_step(const std::shared_ptr<const Group>& group, const LowerInput& in) {
    KernelStep step = describe_step(in);
    if (in.part == KernelPart::leaves || in.part == KernelPart::fold || in.part == KernelPart::accumulate ||
        in.part == KernelPart::finish) {
      step.global_positions = !options_.stream_symbol.empty() && (reduces_stream(*group, Role::I) || reduces_stream(*group, Role::O));
    }
    auto provider = std::make_shared<VariantProvider>(graph_, group, in, options_);
    auto shape = std::make_shared<KernelStep>(step);
    step.variant = [provider, shape](const VariantKey& key) { return provider->get(*shape, key); };
    step.text = [provider, shape](const VariantKey& key, const std::string& function) {
      return print_c(provider->kernel(*shape, key), function);
    };
    kernels.emplace_back([provider, shape] { return provider->kernel(*shape, VariantKey{}); });
    return step;
  }

  bool add_step(const std::shared_ptr<const Group>& group, const LowerInput& in, bool after_stream) {
    KernelStep step = make_step(group, in);
    if (step.accesses.empty()) return false;
    program_->order.push_back({static_cast<int>(program_->steps.size()), -1, after_stream});
    program_->steps.push_back(std::move(step));
    return true;
  }

  void collect_bounds(const Node& view) {
    const auto maps = axis_maps(view, 0);
    for (size_t k = 0; k < maps.size(); ++k) {
      if (maps[k].relation != AxisRelation::affine) continue;
      const Dim count = maps[k].out_axis < 0 ? Dim(1) : view.type().shape[static_cast<size_t>(maps[k].out_axis)];
      const Dim& size = view.input(0).shape()[k];
      const bool known = maps[k].b.is_constant() && count.is_constant() && size.is_constant();  // the type has been checked
      const bool whole = maps[k].b == Dim(0) && maps[k].a == 1 && count == size;
      if (!known && !whole) program_->bounds_checks.push_back({maps[k].b, count, size, maps[k].a, view.op().name, view.origin()});
    }
  }

  // A slice of the result that the source is for: it must lie inside, and have the source's size.
  void collect_slice(const Node& n, size_t source) {
    const auto maps = axis_maps(n, source);
    for (size_t k = 0; k < maps.size(); ++k) {
      if (maps[k].relation != AxisRelation::gather || maps[k].out_axis < 0) continue;
      const Dim& own = n.input(source).shape()[k];
      program_->bounds_checks.push_back(
          {maps[k].b, maps[k].count, n.type().shape[static_cast<size_t>(maps[k].out_axis)], maps[k].a, n.op().name, n.origin()});
      if (!own.is_one() && !(own == maps[k].count)) program_->size_checks.push_back({own, maps[k].count, n.op().name, n.origin()});
    }
  }

  // The indices must have one shape, and the values that shape where the indices' axes stand.
  void collect_scatter(const Node& n) {
    const auto position = static_cast<size_t>(n.attr_int("position"));
    for (size_t j = 0; j < n.input(2).shape().size(); ++j) {
      const Dim& given = n.input(1).shape()[position + j];
      for (size_t k = 2; k < n.inputs().size(); ++k) {
        const Dim& own = n.input(k).shape()[j];
        if (!own.is_one() && !(own == given)) program_->size_checks.push_back({own, given, n.op().name, n.origin()});
      }
    }
  }

  // Axes of a library node that reduce together: the operands' k-th ones meet.
  void collect_meeting(const Node& n) {
    std::vector<Dim> first;
    for (size_t k = 0; k < n.inputs().size(); ++k) {
      size_t count = 0;
      const auto maps = axis_maps(n, k);
      for (size_t j = 0; j < maps.size(); ++j) {
        if (maps[j].relation != AxisRelation::reduce) continue;
        const Dim& own = n.input(k).shape()[j];
        if (k == 0) first.push_back(own);
        else if (count < first.size() && !(own == first[count]))
          program_->size_checks.push_back({first[count], own, n.op().name, n.origin()});
        ++count;
      }
    }
  }

  // Sizes that types leave open: checked when the sizes are known.
  void collect_checks() {
    for (const Expr& e : written_.nodes()) {
      if (e->op().kind == OpKind::reduction) {
        if (!e->op().flags.needs_nonempty) continue;
        Dim count = 1;
        const auto maps = axis_maps(*e, 0);
        for (size_t k = 0; k < maps.size(); ++k) {
          if (maps[k].relation == AxisRelation::reduce) count = count * e->input(0).shape()[k];
        }
        program_->nonempty_checks.push_back({count, e.type().size(), e->op().name, e->origin()});
        continue;
      }
      if (e->op().kind == OpKind::view) collect_bounds(*e);
      if (e->op().kind == OpKind::reshape && !(e->input(0).type().size() == e.type().size())) {
        program_->size_checks.push_back({e->input(0).type().size(), e.type().size(), e->op().name, e->origin()});
      }
      if (e->op().kind == OpKind::scatter) collect_scatter(*e);
      if (e->op().kind == OpKind::indexed && e->op().indexed.source >= 0) collect_slice(*e, static_cast<size_t>(e->op().indexed.source));
      if (e->op().kind == OpKind::library) collect_meeting(*e);
      if (e->op().kind == OpKind::reshape || e->op().kind == OpKind::leaf) continue;
      for (size_t k = 0; k < e->inputs().size(); ++k) {
        const auto maps = axis_maps(*e, k);
        for (size_t j = 0; j < maps.size(); ++j) {
          if (maps[j].relation != AxisRelation::map || maps[j].out_axis < 0) continue;
          const Dim& own = e->input(k).shape()[j];
          const Dim& result = e.shape()[static_cast<size_t>(maps[j].out_axis)];
          if (!(own == result)) program_->size_checks.push_back({own, result, e->op().name, e->origin()});
        }
      }
    }
  }

  void find_lives() {
    auto& slots = program_->slots;
    const auto touch = [&](int slot, int at) {
      while (true) {
        Slot& s = slots[static_cast<size_t>(slot)];
        if (s.first_step < 0) s.first_step = at;
        s.last_step = at;
        if (s.kind != Slot::Kind::alias) break;
        slot = s.index;
      }
    };
    for (size_t k = 0; k < program_->order.size(); ++k) {
      const auto& item = program_->order[k];
      if (item.alias_slot >= 0) {
        touch(item.alias_slot, static_cast<int>(k));
        continue;
      }
      const KernelStep& step = program_->steps[static_cast<size_t>(item.step)];
      for (const auto& access : step.accesses) touch(access.slot, static_cast<int>(k));
      if (!step.leaf_way) continue;
      for (const auto& access : step.leaf_way->fold.accesses) touch(access.slot, static_cast<int>(k));
    }
  }

  const Graph& graph_;
  const Graph& written_;
  BuildOptions options_;
  std::shared_ptr<Program> program_;
  std::unordered_map<const Node*, int> slot_of_;
};

}  // namespace

TestHooks& test_hooks() {
  static TestHooks hooks;
  return hooks;
}

std::shared_ptr<const runtime::Program> build_program(const Graph& graph, const BuildOptions& options, const Graph* written) {
  return Builder(graph, options, written).run();
}

std::vector<Kernel> kernels_of(const Graph& graph, const BuildOptions& options) {
  Builder builder(graph, options);
  builder.run();
  std::vector<Kernel> kernels;
  for (const auto& make : builder.kernels) kernels.push_back(make());
  return kernels;
}

}  // namespace voxloom::codegen

// codegen/lower_values.cpp: values of nodes inside a kernel, recorded on demand in the scope where they are first needed.
#include <voxloom/codegen/lower_impl.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace voxloom::codegen {
namespace {

// Constants that shape the code stay literals; every other scalar is an argument, so that a changing one needs no new kernel.
bool stays_literal(DType dtype, uint64_t bits) {
  const double v = ops::to_double({dtype, bits});
  return v == std::trunc(v) ? std::abs(v) <= 4 : std::abs(v) == 0.5;
}

uint64_t part_bits(const ConstantPayload& constant, DType part, int index) {
  uint64_t bits = 0;
  std::memcpy(&bits, constant.bytes().data() + static_cast<size_t>(index) * size_of(part), size_of(part));
  return bits;
}

}  // namespace

bool Lowering::is_full(const Node* n) const { return group_.level(n) == Level::full; }
bool Lowering::is_column(const Node* n) const { return group_.level(n) == Level::column; }

const Node* Lowering::sink_node(size_t k) const { return resolve_views(in_.sinks[k].value).base; }

Stage Lowering::sink_stage(size_t k) const {
  const Node* n = sink_node(k);
  if (!group_.contains(n)) return {};
  Stage stage = group_.stage.at(n);
  if (n->op().kind == OpKind::reduction && reduction_role(group_, *n) == Role::O) stage = {stage.outer + 1, 0};
  return stage;
}

Cx<Value> Lowering::leaf(const LeafRef& ref, const Node* constant) {
  Cx<Value> result;
  if (const Dim* size = ref.scalar_constant ? size_of_leaf(*constant) : nullptr) {
    result.re = b_.value(param({ParamRecipe::Kind::dim, *size}, DType::i64, "size"));
    return result;
  }
  if (ref.scalar_constant) {
    const DType part = real_part_of(constant->type().dtype);
    const auto& payload = dynamic_cast<const ConstantPayload&>(*constant->payload());
    for (int k = 0; k < (is_complex(constant->type().dtype) ? 2 : 1); ++k) {
      const uint64_t bits = part_bits(payload, part, k);
      Value& v = k == 0 ? result.re : result.im;
      v = stays_literal(part, bits) ? b_.record().lit_bits(part, bits)
                                    : b_.value(param({ParamRecipe::Kind::bits, 0, 0, 0, bits}, part, "scalar"));
    }
    return result;
  }
  for (int k = 0; k < 2 && ref.access[k] >= 0; ++k) {
    Value* known = nullptr;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend() && !known; ++scope) {
      if (auto it = scope->loads.find(ref.access[k]); it != scope->loads.end()) known = &it->second;
    }
    Value v;
    if (known) {
      v = *known;
    } else {
      const int access = kernel_access(ref.access[k]);
      v = b_.value(b_.load(access, terms(ref.access[k])));
      scopes_.back().loads[ref.access[k]] = v;
    }
    (k == 0 ? result.re : result.im) = v;
  }
  return result;
}

Cx<Value> Lowering::operand(const Node& n, size_t k) {
  const Node* base = operand_map(n, k).base;
  return group_.contains(base) ? value(base) : leaf(table_.operand(n, k), base);
}

/// Place of the current element in a scratch array over the tile.
std::vector<Term> Lowering::tile_terms() const {
  std::vector<Term> at;
  for (Id id : flat_inner_) at.push_back({id, -1});
  at.push_back({minus_tile_lo_, -1});
  return at;
}

/// From here on, and until spills_ forgets it, the value is read from scratch where no scope has it.
void Lowering::spill(const Node* n, const Cx<Value>& v) {
  const DType part = real_part_of(n->type().dtype);
  std::vector<int>& parts = spills_[n];
  parts = {scratch_access(ScratchRecipe::Count::tile, part)};
  b_.store(parts[0], tile_terms(), v.re.id);
  if (!is_complex(n->type().dtype)) return;
  parts.push_back(scratch_access(ScratchRecipe::Count::tile, part));
  b_.store(parts[1], tile_terms(), v.im.id);
}

Cx<Value> Lowering::value(const Node* n) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (auto it = scope->nodes.find(n); it != scope->nodes.end()) return it->second;
  }
  Cx<Value> result;
  if (auto row = row_spills_.find(n); row != row_spills_.end()) {
    result.re = b_.value(b_.load(row->second[0], row_terms()));
    if (row->second.size() > 1) result.im = b_.value(b_.load(row->second[1], row_terms()));
  } else if (auto held = spills_.find(n); held != spills_.end()) {
    internal_check(in_inner_, "lower: a value of the tile outside of its loop");
    result.re = b_.value(b_.load(held->second[0], tile_terms()));
    if (held->second.size() > 1) result.im = b_.value(b_.load(held->second[1], tile_terms()));
  } else if (n->op().kind == OpKind::reduction) {
    internal_check(reduction_role(group_, *n) == Role::P, "lower: a reduction is used before it ran");
    result = trivial_reduction(n);
  } else {
    result = n->op().kind == OpKind::indexed ? indexed_value(n) : elementwise_value(n);
    if (group_.kept.count(n)) spill(n, result);
  }
  remember(n, result);
  return result;
}

Cx<Value> Lowering::elementwise_value(const Node* n) {
  std::vector<Cx<Value>> in;
  for (size_t k = 0; k < n->inputs().size(); ++k) in.push_back(operand(*n, k));
  Cx<Value> result;
  n->op().elementwise.record(b_.record(), *n, in.data(), &result);
  return result;
}

// All reduced axes have the constant size 1: one step, no loop.
Cx<Value> Lowering::trivial_reduction(const Node* n) {
  const auto& fns = n->op().reduction.record;
  std::vector<Value> state(n->op().reduction.state(*n).size());
  fns.init(b_.record(), *n, state.data());
  std::vector<Value> absent = state;
  fns.step(b_.record(), *n, state.data(), operand(*n, 0), b_.record().lit_int(DType::i64, 0));
  // The order folds absent lanes, leaves and groups in; combining with an absent state changes nothing but is part of the definition.
  std::vector<Value> total = absent;
  fns.combine(b_.record(), *n, total.data(), state.data());
  Cx<Value> result;
  fns.finish(b_.record(), *n, total.data(), b_.record().lit_int(DType::i64, 1), &result);
  return result;
}

Cx<Value> Lowering::sink_value(size_t k) {
  const Node* n = sink_node(k);
  return group_.contains(n) ? value(n) : leaf(table_.source(k), n);
}

void Lowering::store_sink(size_t k) {
  const Cx<Value> v = sink_value(k);
  const LeafRef to = table_.destination(k);
  b_.store(kernel_access(to.access[0]), terms(to.access[0]), v.re.id);
  if (to.access[1] >= 0) b_.store(kernel_access(to.access[1]), terms(to.access[1]), v.im.id);
}

// Records, in the current scope, everything that the full values need and that does not depend on the I axes.
void Lowering::hoist(const std::vector<const Node*>& full_roots) {
  std::set<const Node*> seen;
  for (const Node* n : full_roots) {
    if (n->op().kind == OpKind::reduction) {
      const Node* m = operand_map(*n, 0).base;
      if (group_.contains(m)) hoist_below(m, seen);
    } else {
      hoist_below(n, seen);
    }
  }
}

void Lowering::hoist_below(const Node* n, std::set<const Node*>& seen) {
  if (!seen.insert(n).second || is_column(n)) return;
  if (!is_full(n)) {
    value(n);
    return;
  }
  if (n->op().kind == OpKind::reduction && reduction_role(group_, *n) != Role::P) return;
  for (size_t k = 0; k < n->inputs().size(); ++k) {
    const ViewMap map = operand_map(*n, k);
    if (group_.contains(map.base)) {
      hoist_below(map.base, seen);
      continue;
    }
    if (static_cast<int>(k) == n->op().indexed.source) continue;  // read where its indices are computed
    const LeafRef ref = table_.operand(*n, k);
    bool uniform = true;
    for (int part = 0; part < 2 && ref.access[part] >= 0; ++part) {
      for (const runtime::AxisTerm& t : step_.accesses[static_cast<size_t>(ref.access[part])].terms) {
        if (t.axis >= 0 && axes_[static_cast<size_t>(axis_of_[static_cast<size_t>(t.axis)])].index.empty()) uniform = false;
      }
    }
    if (uniform) leaf(ref, map.base);
  }
}

}  // namespace voxloom::codegen

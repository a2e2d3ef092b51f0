// codegen/lower_indexed.cpp: rows that compute indices: what they read is addressed by values.
#include <voxloom/codegen/lower_impl.h>

#include <array>

namespace voxloom::codegen {

/// Index of the current element along an axis of the node's output.
Value Lowering::position(const Node& n, int axis) {
  const int loop_axis = group_.domain.at(&n)[static_cast<size_t>(axis)];
  if (loop_axis < 0) return b_.record().lit_int(DType::i64, 0);
  const Axis& a = axes_[static_cast<size_t>(axis_of_[static_cast<size_t>(loop_axis)])];
  internal_check(a.members.size() == 1 && !a.index.empty(), "lower: a position along an axis that is not there");
  Id sum = a.index.front();
  for (size_t k = 1; k < a.index.size(); ++k) sum = add(sum, a.index[k]);
  return b_.value(sum);
}

Cx<Value> Lowering::indexed_value(const Node* n) {
  const IndexedFns& fns = n->op().indexed;
  std::vector<Cx<Value>> in(n->inputs().size());
  for (size_t k = 0; k < in.size(); ++k) {
    if (static_cast<int>(k) != fns.source) in[k] = operand(*n, k);
  }
  std::vector<Value> at, sizes;
  for (int k = 0; k < n->type().rank(); ++k) at.push_back(fns.reads_position(*n, k) ? position(*n, k) : b_.record().lit_int(DType::i64, 0));
  for (const Dim& d : fns.sizes(*n)) sizes.push_back(b_.value(dim(d)));
  const IndexedTemplates<ops::RecordBuilder, Value>::Element element{in.data(), at.data(), sizes.data()};
  Value inside = b_.record().boolean(true);
  if (fns.source >= 0) in[static_cast<size_t>(fns.source)] = source_value(*n, element, inside);
  Cx<Value> result;
  fns.record.value(b_.record(), *n, element, inside, &result);
  return result;
}

/// Reads the source at the computed indices, at 0 where one lies outside.
Cx<Value> Lowering::source_value(const Node& n, const IndexedTemplates<ops::RecordBuilder, Value>::Element& element, Value& inside) {
  const auto source = static_cast<size_t>(n.op().indexed.source);
  std::array<Value, max_rank> index, ok;
  n.op().indexed.record.index(b_.record(), n, element, index.data(), ok.data());
  std::vector<Id> gathered;
  const auto maps = axis_maps(n, source);
  for (size_t axis = 0; axis < maps.size(); ++axis) {
    if (maps[axis].relation != AxisRelation::gather) continue;
    const size_t k = gathered.size();
    if (n.op().indexed.checked) check_index(n, k, static_cast<int>(axis), n.input(source).shape()[axis], index[k], ok[k]);
    inside = k == 0 ? ok[k] : b_.record().bit_and(inside, ok[k]);
    gathered.push_back(index[k].id);
  }
  for (Id& id : gathered) id = b_.record().select(inside, b_.value(id), b_.record().lit_int(DType::i64, 0)).id;
  const Node* base = operand_map(n, source).base;
  if (group_.contains(base)) return value(base);  // only axes of size 1 are gathered
  const LeafRef ref = table_.operand(n, source);
  if (ref.scalar_constant) return leaf(ref, base);
  Cx<Value> result;
  for (int part = 0; part < 2 && ref.access[part] >= 0; ++part) {
    const Value v = b_.value(b_.load(kernel_access(ref.access[part]), terms(ref.access[part], gathered)));
    (part == 0 ? result.re : result.im) = v;
  }
  return result;
}

void Lowering::check_index(const Node& n, size_t number, int axis, const Dim& size, Value index, Value inside) {
  const auto [it, is_new] = checks_.try_emplace({&n, number}, 0);
  if (is_new) {
    it->second = scratch_access(ScratchRecipe::Count::one, DType::i64);
    out_.checks.push_back({static_cast<int>(out_.scratch.size()) - 1, size, axis, n.op().name, n.origin()});
  }
  b_.fault(it->second, b_.record().bit_not(inside).id, index.id);
}

}  // namespace voxloom::codegen

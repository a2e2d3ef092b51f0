// codegen/view_map.cpp: composition of index maps.
#include <voxloom/codegen/view_map.h>

namespace voxloom::codegen {
namespace {

// Terms of the operand's axes in the coordinates of `node`'s output: the row's relations, read as index maps.
std::vector<IndexTerm> relation_terms(const Node& node, size_t operand) {
  std::vector<IndexTerm> terms;
  int gathered = 0;
  for (const AxisMap& m : axis_maps(node, operand)) {
    switch (m.relation) {
      case AxisRelation::map: terms.push_back({m.out_axis, 1, 0}); break;
      case AxisRelation::broadcast: terms.push_back({-1, 1, 0}); break;
      case AxisRelation::affine: {
        const Dim& size = node.input(operand).shape()[terms.size()];
        terms.push_back({m.out_axis, m.a, m.b, m.out_axis >= 0 && size != node.type().shape[static_cast<size_t>(m.out_axis)]});
        break;
      }
      case AxisRelation::gather: terms.push_back({-1, 1, 0, false, gathered++}); break;
      default: fail_internal("resolve_views: a view row declares a relation that is no index map");
    }
  }
  return terms;
}

// outer: terms of the middle value in user coordinates; inner: terms of the base in middle coordinates.
std::vector<IndexTerm> compose(const std::vector<IndexTerm>& outer, const std::vector<IndexTerm>& inner) {
  std::vector<IndexTerm> result;
  result.reserve(inner.size());
  for (const IndexTerm& t : inner) {
    if (t.axis < 0) {
      result.push_back(t);
      continue;
    }
    const IndexTerm& o = outer[static_cast<size_t>(t.axis)];
    const Dim b = Dim(t.a) * o.b + t.b;
    if (o.axis < 0 && o.gathered < 0) result.push_back({-1, 1, b});
    else result.push_back({o.axis, t.a * o.a, b, t.part || o.part, o.gathered});
  }
  return result;
}

ViewMap descend(const Expr& start, std::vector<IndexTerm> terms) {
  const Node* node = start.get();
  while (node->op().kind == OpKind::view) {
    terms = compose(terms, relation_terms(*node, 0));
    node = node->input(0).get();
  }
  // An axis whose size is the constant 1 has index 0, whatever the viewing index says.
  for (size_t k = 0; k < terms.size(); ++k) {
    if (node->type().shape[k].is_one()) terms[k] = {-1, 1, 0};
  }
  return {node, std::move(terms)};
}

}  // namespace

ViewMap resolve_views(const Expr& expr) {
  std::vector<IndexTerm> identity;
  for (int k = 0; k < expr.rank(); ++k) identity.push_back({k, 1, 0});
  return descend(expr, std::move(identity));
}

ViewMap operand_map(const Node& node, size_t k) {
  const Expr& operand = node.input(k);
  if (node.op().kind == OpKind::reduction) return resolve_views(operand);
  return descend(operand, relation_terms(node, k));
}

const ViewMap& OperandMaps::of(const Node& node, size_t k) {
  std::vector<ViewMap>& maps = maps_[&node];
  if (maps.empty()) {
    for (size_t j = 0; j < node.inputs().size(); ++j) maps.push_back(operand_map(node, j));
  }
  return maps[k];
}

}  // namespace voxloom::codegen

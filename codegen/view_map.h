// codegen/view_map.h: views (transpose, slice, flip, broadcast) resolved to index maps of the value they look at.
#pragma once

#include <voxloom/graph/op_info.h>

#include <unordered_map>
#include <vector>

namespace voxloom::codegen {

/// One axis of the base value: base index = a * (index of `axis` of the viewing expression) + b; axis = -1: the constant b, or with
/// gathered >= 0 a * (index number `gathered` that the viewing row computes) + b.
struct IndexTerm {
  int axis = -1;
  int64_t a = 1;
  Dim b = 0;
  bool part = false;  ///< through a slice that leaves out elements at the end
  int gathered = -1;
  /// The same indices, all of them.
  bool identity() const { return a == 1 && b == Dim(0) && !part; }
  friend bool operator==(const IndexTerm&, const IndexTerm&) = default;
};

/// An expression seen through its views: `base` is the first node below that is no view; one term per base axis.
struct ViewMap {
  const Node* base = nullptr;
  std::vector<IndexTerm> terms;
  friend bool operator==(const ViewMap&, const ViewMap&) = default;
};

/// Walks down the views of `expr` (iteratively) and composes their index maps.
ViewMap resolve_views(const Expr& expr);

/// The map of operand k of `node`, in terms of the node's own domain axes: its output axes, or for a reduction the operand's axes.
/// Axes of size 1 that broadcast get axis = -1, b = 0.
ViewMap operand_map(const Node& node, size_t k);

/// operand_map() of nodes that are asked for again and again, as the partitioner does for every merge it tries. The nodes must outlive it.
class OperandMaps {
 public:
  const ViewMap& of(const Node& node, size_t k);

 private:
  std::unordered_map<const Node*, std::vector<ViewMap>> maps_;
};

}  // namespace voxloom::codegen

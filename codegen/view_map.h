// codegen/view_map.h: views (transpose, slice, flip, broadcast) resolved to index maps of the value they look at.
#pragma once

#include <voxloom/graph/op_info.h>

#include <vector>

namespace voxloom::codegen {

/// One axis of the base value: base index = a * (index of `axis` of the viewing expression) + b; axis = -1: the constant b.
struct IndexTerm {
  int axis = -1;
  int64_t a = 1;
  Dim b = 0;
  bool part = false;  ///< through a slice that leaves out elements at the end
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

}  // namespace voxloom::codegen

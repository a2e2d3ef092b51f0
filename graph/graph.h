// graph/graph.h: a closed set of nodes with inputs and outputs, interned when it is made (equal nodes become one).
#pragma once

#include <voxloom/graph/node.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom {

/// Immutable. Node order is topological, operands first, deterministic (a function of the structure alone).
class VOXLOOM_API Graph {
 public:
  /// Interns everything reachable from `outputs` (common subexpressions become one node). `inputs` are the leaves the caller binds, in
  /// order; an input leaf that is reachable but not listed is a UserError naming it. Iterative: depth does not matter.
  /// Of equal nodes the one met first (left to right, operands first) stays, with its name and origin.
  static Graph make(std::vector<Expr> inputs, std::vector<Expr> outputs);

  std::span<const Expr> inputs() const { return inputs_; }
  std::span<const Expr> outputs() const { return outputs_; }
  /// All nodes, operands before users, inputs first.
  std::span<const Expr> nodes() const { return nodes_; }
  /// Position of a node in nodes(); -1 when the node is not part of the graph.
  int index_of(const Node* node) const;
  size_t size() const { return nodes_.size(); }
  /// Depends on structure, types, attributes and constants; not on names of temporaries, origins or addresses.
  uint64_t structural_hash() const { return hash_; }
  /// Levels of sub-graphs inside the attributes of its nodes; 0 for none.
  int nesting() const { return nesting_; }

 private:
  friend struct GraphAccess;  // tests of the verifier make broken graphs
  std::vector<Expr> inputs_, outputs_, nodes_;
  std::unordered_map<const Node*, int> index_;
  uint64_t hash_ = 0;
  int nesting_ = 0;
};

/// Same nodes in the same places: ops, attributes, types, payloads, names of inputs.
VOXLOOM_API bool structurally_equal(const Graph& a, const Graph& b);
/// An input leaf: a leaf without a payload. Each is a variable of its own, whatever its name; other leaves are equal when their payloads are.
VOXLOOM_API bool is_input_leaf(const Node& node);

/// Leaves first, iterative; each node once.
VOXLOOM_API std::vector<Expr> topological_order(std::span<const Expr> outputs);

/// Rebuilds the part of the graph that changes: `replace(node, new_inputs)` is called in topological order and returns the new
/// expression for that node, of the same type (return with_inputs(node, new_inputs), or the node itself when nothing changed, or another expression).
/// Input leaves stay the inputs of the result. Returns the graph itself (same nodes) when nothing changed.
VOXLOOM_API Graph rewrite(const Graph& graph, const std::function<Expr(const Expr& node, std::span<const Expr> new_inputs)>& replace);

}  // namespace voxloom

// codegen/group.h: can a set of nodes become one kernel, and how: its loop axes, their roles, and the stages of its reductions.
//
// A kernel has three nested groups of axes, from the outside in:
//   P  map axes that every part of the kernel runs over independently (threads split them),
//   O  axes reduced while faster axes are still to be mapped or reduced,
//   I  the innermost axes: mapped, or reduced in lanes.
// A value lives at a level: full (has I axes, and O if there is one), row (P and O), column (P and I, the result of reducing O), point (P).
// Reductions over I give row values usable in later I loops of the same O iteration; reductions over O give column or point
// values usable in later passes over O. The stage of a store or reduction says how many of these must have finished before it.
#pragma once

#include <voxloom/codegen/view_map.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom::codegen {

enum class Role : uint8_t { P, O, I };

/// A loop axis: a class of node axes that run together.
struct LoopAxis {
  Dim extent;
  Role role = Role::P;
};

/// Number of passes over O, and of I loops inside the last of them, that come before.
struct Stage {
  int outer = 0, inner = 0;
  friend auto operator<=>(const Stage&, const Stage&) = default;
};

/// Where a value lives (see above).
enum class Level : uint8_t { full, row, column, point };

/// What a set of nodes is as a kernel. Axes are listed from the slowest to the fastest.
struct Group {
  std::vector<const Node*> nodes;  ///< compute nodes, operands first
  std::vector<LoopAxis> axes;
  /// Loop axis of each axis of a node's domain (its output axes; a reduction: its operand's axes); -1 for axes of constant size 1.
  std::unordered_map<const Node*, std::vector<int>> domain;
  /// Loop axis of each axis of a node's result.
  std::unordered_map<const Node*, std::vector<int>> result;
  std::unordered_map<const Node*, Stage> stage;  ///< of every node: when its value is available (for a reduction: when it runs)
  bool inner_reduced = false;                    ///< I axes are reduced (then they hold exactly the reduced axes)
  std::set<const Node*> after_outer;             ///< nodes that depend on a finished O reduction
  std::set<const Node*> kept;                    ///< full values that a later I loop of the same O index needs again: they wait in scratch

  bool contains(const Node* n) const { return domain.count(n) != 0; }
  bool has_role(Role r) const;
  bool has_role(const std::vector<int>& node_axes, Role r) const;
  /// Level of a node's result.
  Level level(const Node* n) const;
};

/// Analyses a set of compute nodes (elementwise, reduction) given in topological order. `stored` tells which of them are used outside
/// the set. Returns the empty string and fills `group`, or the reason why they cannot share a kernel.
std::string analyse_group(const std::vector<const Node*>& nodes, const std::function<bool(const Node*)>& stored, OperandMaps& maps,
                          Group& group);
/// A group without nodes that copies `value`, a leaf seen through views; its axes are those of the value (domain entry of nullptr).
Group copy_group(const Expr& value);

/// Role of the axes a reduction reduces: I or O; P when they all have the constant size 1.
Role reduction_role(const Group& group, const Node& reduction);
/// Whether reductions over I or O have the leaves of rows (ops/reduce_order.h).
bool leaves_of_rows(const Group& group, Role role);
/// Whether the definition of this reduction uses 32 interleaved states (the operand's fastest axis of size other than 1 is reduced).
bool reduces_in_lanes(const Node& reduction);

/// Limits of one kernel.
inline constexpr size_t max_group_nodes = 256;
inline constexpr size_t max_group_loads = 16;
inline constexpr size_t max_group_states = 16;  ///< components of the states of reductions
inline constexpr int max_recompute_chain = 4;

}  // namespace voxloom::codegen

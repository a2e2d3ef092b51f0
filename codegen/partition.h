// codegen/partition.h: the nodes of a graph divided into fused groups, by axis relations alone.
#pragma once

#include <voxloom/codegen/group.h>
#include <voxloom/graph/graph.h>

#include <string>
#include <vector>

namespace voxloom::codegen {

/// Where a group's value goes: the storage of a node, possibly at an offset (an operand of a join), or a graph output.
struct Store {
  Expr value;                  ///< a group node, seen through transpositions at most; in a copy group a leaf seen through any views
  const Node* into = nullptr;  ///< node whose storage receives it; nullptr: graph output number `output`
  int output = -1;
  std::vector<Dim> offsets;  ///< empty: all zero
};

struct PlannedGroup {
  Group group;
  std::vector<Store> stores;
};

/// Why two operations that could have shared data run in separate kernels.
struct Refusal {
  const Node* consumer = nullptr;
  const Node* producer = nullptr;
  std::string reason;
};

struct Partition {
  /// In an order in which they can run. Reshapes and library nodes stand between groups: see `order`.
  std::vector<PlannedGroup> groups;
  /// Execution order: a group (index >= 0) or a node computed outside of kernels (reshape, join, library).
  struct Item {
    int group = -1;
    const Node* node = nullptr;
    int output = -1;  ///< graph output whose array is the node's storage; -1: a temporary
  };
  std::vector<Item> order;
  std::vector<Refusal> refusals;
  /// Nodes outside of kernels that are outputs: their storage is that output.
  std::unordered_map<const Node*, int> in_output;
};

struct PartitionOptions {
  bool fuse = true;  ///< false: one kernel per operation
  /// Symbol of a streamed axis: reductions over it keep their states between blocks, so they share kernels with their like only.
  std::string stream_symbol = {};
};

Partition partition(const Graph& graph, const PartitionOptions& options = {});

}  // namespace voxloom::codegen

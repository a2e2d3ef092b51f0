// graph/interning.h: when two nodes whose operands are already interned are the same node. Internal to graph/.
#pragma once

#include <voxloom/graph/node.h>

namespace voxloom {

struct NodeHash {
  size_t operator()(const Node* node) const;
};
struct NodeEqual {
  bool operator()(const Node* a, const Node* b) const;
};
bool same_payload(const Node& a, const Node& b);

}  // namespace voxloom

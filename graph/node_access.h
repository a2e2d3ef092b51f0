// graph/node_access.h: making nodes without inferring their type again. Internal to graph/.
#pragma once

#include <voxloom/graph/node.h>

namespace voxloom {

struct NodeAccess {
  /// A copy with other operands of the same types; the type is taken over.
  static Expr clone_with(const Node& node, std::vector<Expr> inputs);
  static Node* create(const OpInfo& op);
  static Node* copy(const Node& node);
  static void set(Node& node, std::vector<Expr> inputs, Attrs attrs, OriginId origin);
  static void set_type(Node& node, Type type);
  static void set_leaf(Node& node, std::string name, std::shared_ptr<const Payload> payload);
  static void set_name(Node& node, std::string name);
  static uint32_t references(const Node& node);
};

}  // namespace voxloom

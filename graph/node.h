// graph/node.h: expressions: immutable, reference-counted nodes.
#pragma once

#include <voxloom/graph/error.h>
#include <voxloom/graph/strided_view.h>
#include <voxloom/graph/type.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace voxloom {

struct OpInfo;
class Node;
class Graph;

/// Something a leaf holds beside its type: the data of a constant, the block source of an image file, the slot of a shared variable.
struct VOXLOOM_API Payload {
  virtual ~Payload();
  /// Equal payloads make equal leaves (interning). The default is identity.
  virtual bool equals(const Payload& other) const { return this == &other; }
  virtual size_t hash() const { return reinterpret_cast<size_t>(this); }
  /// Depends on the content alone, never on addresses: part of Graph::structural_hash().
  virtual uint64_t structural_hash() const { return 0; }
  /// One line that names the content in the text form of a graph ("/data/bold.nii"); empty when there is nothing to say.
  virtual std::string text() const { return {}; }
};

/// Value of a node attribute. A sub-graph is closed: it uses nothing but its own inputs.
using AttrValue =
    std::variant<int64_t, double, bool, std::string, DType, std::vector<int64_t>, std::vector<Dim>, std::shared_ptr<const Graph>>;
struct Attr {
  std::string key;
  AttrValue value;
  friend bool operator==(const Attr&, const Attr&) = default;
};
/// Sorted by key.
using Attrs = std::vector<Attr>;
/// Equal as part of a structure: doubles by their bits, sub-graphs by their content.
VOXLOOM_API bool equal_attr_values(const AttrValue& a, const AttrValue& b);
VOXLOOM_API bool equal_attrs(const Attrs& a, const Attrs& b);
/// Depends on the content alone.
VOXLOOM_API uint64_t hash_of(const Attrs& attrs);

/// A counted reference to a node; the value that users pass around (with operators in ops/build.h). Copying costs one atomic add.
/// Releasing the last reference of a long chain is iterative: no recursion, whatever the depth.
class VOXLOOM_API Expr {
 public:
  Expr() = default;
  explicit Expr(const Node* node);  // takes a new reference
  Expr(const Expr& other);
  Expr(Expr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Expr& operator=(const Expr& other);
  Expr& operator=(Expr&& other) noexcept;
  ~Expr();

  explicit operator bool() const { return node_ != nullptr; }
  const Node* get() const { return node_; }
  const Node* operator->() const { return node_; }
  const Node& operator*() const { return *node_; }
  inline const Type& type() const;
  inline DType dtype() const;
  inline int rank() const;
  inline const std::vector<Dim>& shape() const;
  /// Same node (not: equal values).
  bool same_as(const Expr& other) const { return node_ == other.node_; }

 private:
  const Node* node_ = nullptr;
};

/// One operation with its operands, or a leaf. Built only through make_node(), which validates; a node that exists is well typed.
class VOXLOOM_API Node {
 public:
  const OpInfo& op() const { return *op_; }
  std::span<const Expr> inputs() const { return inputs_; }
  const Expr& input(size_t k) const { return inputs_[k]; }
  const Attrs& attrs() const { return attrs_; }
  const Type& type() const { return type_; }
  OriginId origin() const { return origin_; }
  /// Name given by the user (inputs, shared variables, named results); may be empty.
  const std::string& name() const { return name_; }
  const std::shared_ptr<const Payload>& payload() const { return payload_; }
  /// Unique in the process, increasing with creation.
  uint64_t id() const { return id_; }

  /// Attribute by key, or nullptr.
  const AttrValue* attr(std::string_view key) const;
  /// Attribute that must be there, else InternalError.
  int64_t attr_int(std::string_view key) const;
  double attr_double(std::string_view key) const;
  bool attr_bool(std::string_view key, bool fallback = false) const;
  DType attr_dtype(std::string_view key) const;
  const std::vector<int64_t>& attr_ints(std::string_view key) const;
  const std::vector<Dim>& attr_dims(std::string_view key) const;
  const std::string& attr_string(std::string_view key) const;

 private:
  friend class Expr;
  friend struct NodeAccess;
  static void release(const Node* node) noexcept;
  Node() = default;
  ~Node() = default;
  const OpInfo* op_ = nullptr;
  std::vector<Expr> inputs_;
  Attrs attrs_;
  Type type_;
  OriginId origin_;
  std::string name_;
  std::shared_ptr<const Payload> payload_;
  uint64_t id_ = 0;
  mutable std::atomic<uint32_t> references_{0};
  mutable Node* next_dying_ = nullptr;  // list of nodes whose last reference is gone
};

/// Bound on sub-graphs inside attributes of nodes inside sub-graphs.
inline constexpr int max_graph_nesting = 64;

/// Makes a node: checks the arity (a negative max_arity: no upper bound), sorts the attributes, then the row's `infer` gives the type (UserError when operands do not fit).
VOXLOOM_API Expr make_node(const OpInfo& op, std::vector<Expr> inputs, Attrs attrs = {}, OriginId origin = {});
/// Makes a leaf of a given type (input, constant, image, shared).
VOXLOOM_API Expr make_leaf(const OpInfo& op, Type type, std::string name, std::shared_ptr<const Payload> payload, OriginId origin = {},
                           Attrs attrs = {});
/// The same node with other operands (used by passes); the type is inferred again.
VOXLOOM_API Expr with_inputs(const Node& node, std::vector<Expr> inputs);
/// The same node under a name (of a result); names are no part of the structure.
VOXLOOM_API Expr with_name(const Node& node, std::string name);

const Type& Expr::type() const { return node_->type(); }
DType Expr::dtype() const { return node_->type().dtype; }
int Expr::rank() const { return node_->type().rank(); }
const std::vector<Dim>& Expr::shape() const { return node_->type().shape; }

}  // namespace voxloom

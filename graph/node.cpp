// graph/node.cpp: making, counting and releasing nodes; access to attributes.
#include <voxloom/graph/node.h>

#include <voxloom/graph/graph.h>
#include <voxloom/graph/node_access.h>
#include <voxloom/graph/node_hook.h>
#include <voxloom/graph/op_info.h>

#include <algorithm>

namespace voxloom {
namespace {

std::atomic<uint64_t> next_id{1};
constinit std::atomic<NodeHook> node_hook{nullptr};

// Nodes whose last reference went away while another node of this thread was being destroyed wait here, so that releasing a chain of
// any depth (through operands or through sub-graphs in attributes) takes a constant amount of stack.
struct DyingList {
  Node* first = nullptr;
  bool draining = false;
};
thread_local constinit DyingList dying;

void check_nesting(const OpInfo& op, const Attrs& attrs, OriginId origin) {
  for (const Attr& attr : attrs) {
    const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&attr.value);
    if (graph == nullptr) continue;
    internal_check(*graph != nullptr, "a sub-graph attribute is null");
    if ((*graph)->nesting() + 1 > max_graph_nesting)
      fail_user(ErrorCode::limit, op.name, "sub-graphs are nested more than 64 levels deep", origin);
  }
}

void check_type(const OpInfo& op, const Type& type, OriginId origin) {
  if (type.rank() > max_rank)
    fail_user(ErrorCode::shape, op.name, "the result has " + std::to_string(type.rank()) + " axes, at most 8 are supported", origin);
  internal_check(type.names.empty() || type.names.size() == type.shape.size(), "axis names do not match the rank");
}

void sort_attrs(Attrs& attrs) {
  std::sort(attrs.begin(), attrs.end(), [](const Attr& a, const Attr& b) { return a.key < b.key; });
  for (size_t k = 1; k < attrs.size(); ++k) internal_check(attrs[k - 1].key != attrs[k].key, "an attribute is given twice");
}

void check_arity(const OpInfo& op, const std::vector<Expr>& inputs, OriginId origin) {
  const auto count = static_cast<int>(inputs.size());
  if (count < op.min_arity || (op.max_arity >= 0 && count > op.max_arity)) {
    std::string wanted = std::to_string(op.min_arity);
    if (op.max_arity < 0) wanted += " or more";
    if (op.max_arity > op.min_arity) wanted += " to " + std::to_string(op.max_arity);
    fail_user(ErrorCode::usage, op.name, "takes " + wanted + " operands, got " + std::to_string(count), origin);
  }
  for (const Expr& input : inputs) {
    if (!input) fail_user(ErrorCode::usage, op.name, "an operand is an empty expression", origin);
  }
}

template <class T> const T& attr_as(const Node& node, std::string_view key) {
  const AttrValue* value = node.attr(key);
  const T* typed = value != nullptr ? std::get_if<T>(value) : nullptr;
  if (typed == nullptr) fail_internal(std::string(node.op().name) + " has no attribute \"" + std::string(key) + "\" of the wanted kind");
  return *typed;
}

}  // namespace

Payload::~Payload() = default;

Expr::Expr(const Node* node) : node_(node) {
  if (node_ != nullptr) node_->references_.fetch_add(1, std::memory_order_relaxed);
}

Expr::Expr(const Expr& other) : Expr(other.node_) {}

Expr& Expr::operator=(const Expr& other) {
  Expr copy(other);
  std::swap(node_, copy.node_);
  return *this;
}

Expr& Expr::operator=(Expr&& other) noexcept {
  Expr moved(std::move(other));
  std::swap(node_, moved.node_);
  return *this;
}

Expr::~Expr() {
  if (node_ != nullptr && node_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) Node::release(node_);
}

void Node::release(const Node* node) noexcept {
  auto* dead = const_cast<Node*>(node);  // the count is 0: nobody else sees it
  dead->next_dying_ = dying.first;
  dying.first = dead;
  if (dying.draining) return;
  dying.draining = true;
  while (dying.first != nullptr) {
    Node* next = dying.first;
    dying.first = next->next_dying_;
    delete next;  // its operands' destructors put nodes on the list
  }
  dying.draining = false;
}

Node* NodeAccess::create(const OpInfo& op) {
  auto* node = new Node;
  node->op_ = &op;
  node->id_ = next_id.fetch_add(1, std::memory_order_relaxed);
  return node;
}

Node* NodeAccess::copy(const Node& from) {
  Node* node = create(*from.op_);
  node->inputs_ = from.inputs_;
  node->attrs_ = from.attrs_;
  node->type_ = from.type_;
  node->origin_ = from.origin_;
  node->name_ = from.name_;
  node->payload_ = from.payload_;
  return node;
}

void NodeAccess::set(Node& node, std::vector<Expr> inputs, Attrs attrs, OriginId origin) {
  node.inputs_ = std::move(inputs);
  node.attrs_ = std::move(attrs);
  node.origin_ = origin;
}
void NodeAccess::set_type(Node& node, Type type) { node.type_ = std::move(type); }
void NodeAccess::set_name(Node& node, std::string name) { node.name_ = std::move(name); }
void NodeAccess::set_leaf(Node& node, std::string name, std::shared_ptr<const Payload> payload) {
  node.name_ = std::move(name);
  node.payload_ = std::move(payload);
}

Expr NodeAccess::clone_with(const Node& node, std::vector<Expr> inputs) {
  Expr result(copy(node));
  const_cast<Node*>(result.get())->inputs_ = std::move(inputs);
  return result;
}

Expr make_node(const OpInfo& op, std::vector<Expr> inputs, Attrs attrs, OriginId origin) {
  check_arity(op, inputs, origin);
  sort_attrs(attrs);
  check_nesting(op, attrs, origin);
  if (op.infer == nullptr) fail_internal(std::string("make_node: the row ") + op.name + " has no infer");
  Type type = op.infer(op, inputs, attrs, origin);
  check_type(op, type, origin);
  Node* node = NodeAccess::create(op);
  Expr result(node);
  NodeAccess::set(*node, std::move(inputs), std::move(attrs), origin);
  NodeAccess::set_type(*node, std::move(type));
  if (const NodeHook hook = node_hook.load(std::memory_order_acquire)) hook(result);
  return result;
}

void set_node_hook(NodeHook hook) { node_hook.store(hook, std::memory_order_release); }

uint32_t NodeAccess::references(const Node& node) { return node.references_.load(std::memory_order_acquire); }
uint32_t use_count(const Expr& node) { return NodeAccess::references(*node); }

Expr make_leaf(const OpInfo& op, Type type, std::string name, std::shared_ptr<const Payload> payload, OriginId origin, Attrs attrs) {
  internal_check(op.kind == OpKind::leaf, "make_leaf: the row is not a leaf");
  sort_attrs(attrs);
  check_nesting(op, attrs, origin);
  check_type(op, type, origin);
  Node* node = NodeAccess::create(op);
  Expr result(node);
  NodeAccess::set(*node, {}, std::move(attrs), origin);
  NodeAccess::set_type(*node, std::move(type));
  NodeAccess::set_leaf(*node, std::move(name), std::move(payload));
  return result;
}

Expr with_inputs(const Node& node, std::vector<Expr> inputs) {
  bool same_types = inputs.size() == node.inputs().size();
  for (size_t k = 0; k < inputs.size() && same_types; ++k) same_types = inputs[k] && inputs[k].type() == node.input(k).type();
  if (same_types && node.op().kind != OpKind::leaf) {
    // The type is a function of the row, the operands' types and the attributes, except where a row looks through to a constant operand.
    bool constants_kept = true;
    for (size_t k = 0; k < inputs.size() && constants_kept; ++k) {
      constants_kept = inputs[k].same_as(node.input(k)) || (inputs[k]->payload() == nullptr && node.input(k)->payload() == nullptr);
    }
    if (constants_kept) return NodeAccess::clone_with(node, std::move(inputs));
  }
  if (node.op().kind == OpKind::leaf) {
    internal_check(inputs.empty(), "with_inputs: a leaf has no operands");
    return Expr(&node);
  }
  Expr result = make_node(node.op(), std::move(inputs), node.attrs(), node.origin());
  if (!node.name().empty()) NodeAccess::set_name(*const_cast<Node*>(result.get()), node.name());
  return result;
}

Expr with_name(const Node& node, std::string name) {
  Node* renamed = NodeAccess::copy(node);
  Expr result(renamed);
  NodeAccess::set_name(*renamed, std::move(name));
  return result;
}

const AttrValue* Node::attr(std::string_view key) const {
  for (const Attr& attr : attrs_) {
    if (attr.key == key) return &attr.value;
  }
  return nullptr;
}

int64_t Node::attr_int(std::string_view key) const { return attr_as<int64_t>(*this, key); }
double Node::attr_double(std::string_view key) const { return attr_as<double>(*this, key); }
bool Node::attr_bool(std::string_view key, bool fallback) const { return attr(key) == nullptr ? fallback : attr_as<bool>(*this, key); }
DType Node::attr_dtype(std::string_view key) const { return attr_as<DType>(*this, key); }
const std::vector<int64_t>& Node::attr_ints(std::string_view key) const { return attr_as<std::vector<int64_t>>(*this, key); }
const std::vector<Dim>& Node::attr_dims(std::string_view key) const { return attr_as<std::vector<Dim>>(*this, key); }
const std::string& Node::attr_string(std::string_view key) const { return attr_as<std::string>(*this, key); }

}  // namespace voxloom

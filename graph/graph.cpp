// graph/graph.cpp: interning, topological order, structural hash, rewriting.
#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>

#include <voxloom/graph/hash.h>
#include <voxloom/graph/interning.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/node_access.h>
#include <voxloom/graph/op_info.h>

#include <algorithm>
#include <unordered_set>

namespace voxloom {
namespace {

uint64_t content_hash(const Graph& graph) {
  uint64_t h = mix_hash(graph.inputs().size(), graph.outputs().size());
  for (const Expr& node : graph.nodes()) {
    h = hash_bytes(h, node->op().name);
    h = hash_type(mix_hash(h, hash_of(node->attrs())), node.type());
    for (const Expr& input : node->inputs()) h = mix_hash(h, static_cast<uint64_t>(graph.index_of(input.get())));
    if (node->payload() != nullptr) h = mix_hash(h, node->payload()->structural_hash());
    if (node->op().kind == OpKind::leaf) h = hash_bytes(h, node->name());
  }
  for (const Expr& output : graph.outputs()) h = mix_hash(h, static_cast<uint64_t>(graph.index_of(output.get())));
  return h;
}

int nesting_of(const Node& node) {
  int levels = 0;
  for (const Attr& attr : node.attrs()) {
    if (const auto* sub = std::get_if<std::shared_ptr<const Graph>>(&attr.value)) levels = std::max(levels, (*sub)->nesting() + 1);
  }
  return levels;
}

void check_inputs(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs) {
  std::unordered_set<const Node*> seen;
  for (const Expr& input : inputs) {
    if (!input) fail_user(ErrorCode::usage, "graph", "an input is an empty expression");
    if (!is_input_leaf(*input) && &input->op() != &shared_op())
      fail_user(ErrorCode::usage, "graph", std::string("an input is not a variable but ") + input->op().name, input->origin());
    if (!seen.insert(input.get()).second)
      fail_user(ErrorCode::usage, "graph", "the input " + quoted(input->name()) + " is listed twice", input->origin());
  }
  for (const Expr& output : outputs) {
    if (!output) fail_user(ErrorCode::usage, "graph", "an output is an empty expression");
  }
}

}  // namespace

bool same_payload(const Node& a, const Node& b) {
  return a.payload() == b.payload() || (a.payload() != nullptr && b.payload() != nullptr && a.payload()->equals(*b.payload()));
}

// Operands are compared by address, which is enough because they are interned before their users.
size_t NodeHash::operator()(const Node* node) const {
  uint64_t h = hash_type(hash_of(node->attrs()), node->type());
  h = mix_hash(h, reinterpret_cast<uintptr_t>(&node->op()));
  for (const Expr& input : node->inputs()) h = mix_hash(h, reinterpret_cast<uintptr_t>(input.get()));
  if (node->payload() != nullptr) h = mix_hash(h, node->payload()->hash());
  return static_cast<size_t>(h);
}

bool NodeEqual::operator()(const Node* a, const Node* b) const {
  if (a == b) return true;
  if (&a->op() != &b->op() || a->inputs().size() != b->inputs().size() || is_input_leaf(*a)) return false;
  for (size_t k = 0; k < a->inputs().size(); ++k) {
    if (!a->input(k).same_as(b->input(k))) return false;
  }
  return a->type() == b->type() && equal_attrs(a->attrs(), b->attrs()) && same_payload(*a, *b);
}

bool is_input_leaf(const Node& node) { return node.op().kind == OpKind::leaf && node.payload() == nullptr; }

std::vector<Expr> topological_order(std::span<const Expr> outputs) {
  struct Frame {
    const Node* node;
    size_t next_operand;
  };
  std::vector<Expr> order;
  std::unordered_set<const Node*> visited;
  std::vector<Frame> stack;
  for (const Expr& output : outputs) {
    if (!output || !visited.insert(output.get()).second) continue;
    stack.push_back({output.get(), 0});
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next_operand < top.node->inputs().size()) {
        const Node* operand = top.node->input(top.next_operand++).get();
        if (visited.insert(operand).second) stack.push_back({operand, 0});
      } else {
        order.emplace_back(top.node);
        stack.pop_back();
      }
    }
  }
  return order;
}

Graph Graph::make(std::vector<Expr> inputs, std::vector<Expr> outputs) {
  check_inputs(inputs, outputs);
  std::vector<Expr> roots = inputs;
  roots.insert(roots.end(), outputs.begin(), outputs.end());
  const std::vector<Expr> order = topological_order(roots);

  Graph graph;
  std::unordered_map<const Node*, Expr> interned;  // reachable node -> the node that stands for it
  std::unordered_set<const Node*, NodeHash, NodeEqual> unique;
  for (size_t k = 0; k < order.size(); ++k) {
    const Node& node = *order[k];
    if (is_input_leaf(node) && k >= inputs.size()) {
      fail_user(ErrorCode::usage, "graph", "the expression uses the variable " + quoted(node.name()) + ", which is not listed as an input",
                node.origin());
    }
    bool changed = false;
    std::vector<Expr> operands;
    operands.reserve(node.inputs().size());
    for (const Expr& input : node.inputs()) {
      operands.push_back(interned.at(input.get()));
      changed |= !operands.back().same_as(input);
    }
    Expr candidate = changed ? NodeAccess::clone_with(node, std::move(operands)) : order[k];
    const auto [it, is_new] = unique.insert(candidate.get());
    if (is_new) {
      graph.index_.emplace(candidate.get(), static_cast<int>(graph.nodes_.size()));
      graph.nodes_.push_back(candidate);
      graph.nesting_ = std::max(graph.nesting_, nesting_of(*candidate));
    }
    interned.emplace(&node, is_new ? std::move(candidate) : Expr(*it));
  }
  for (Expr& output : outputs) output = interned.at(output.get());
  graph.inputs_ = std::move(inputs);
  graph.outputs_ = std::move(outputs);
  graph.hash_ = content_hash(graph);
  return graph;
}

int Graph::index_of(const Node* node) const {
  const auto found = index_.find(node);
  return found == index_.end() ? -1 : found->second;
}

bool structurally_equal(const Graph& a, const Graph& b) {
  if (a.structural_hash() != b.structural_hash() || a.size() != b.size() || a.inputs().size() != b.inputs().size() ||
      a.outputs().size() != b.outputs().size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    const Node &x = *a.nodes()[i], &y = *b.nodes()[i];
    if (&x.op() != &y.op() || x.inputs().size() != y.inputs().size() || !(x.type() == y.type())) return false;
    if (!equal_attrs(x.attrs(), y.attrs()) || !same_payload(x, y)) return false;
    if (x.op().kind == OpKind::leaf && x.name() != y.name()) return false;
    for (size_t k = 0; k < x.inputs().size(); ++k) {
      if (a.index_of(x.input(k).get()) != b.index_of(y.input(k).get())) return false;
    }
  }
  for (size_t k = 0; k < a.outputs().size(); ++k) {
    if (a.index_of(a.outputs()[k].get()) != b.index_of(b.outputs()[k].get())) return false;
  }
  return true;
}

Graph rewrite(const Graph& graph, const std::function<Expr(const Expr&, std::span<const Expr>)>& replace) {
  std::vector<Expr> images(graph.size());
  std::vector<Expr> operands;
  bool changed = false;
  for (size_t i = 0; i < graph.size(); ++i) {
    const Expr& node = graph.nodes()[i];
    operands.clear();
    for (const Expr& input : node->inputs()) operands.push_back(images[static_cast<size_t>(graph.index_of(input.get()))]);
    images[i] = replace(node, operands);
    internal_check(static_cast<bool>(images[i]), "rewrite: a replacement is empty");
    changed |= !images[i].same_as(node);
  }
  if (!changed) return graph;
  std::vector<Expr> outputs;
  for (const Expr& output : graph.outputs()) outputs.push_back(images[static_cast<size_t>(graph.index_of(output.get()))]);
  return Graph::make({graph.inputs().begin(), graph.inputs().end()}, std::move(outputs));
}

}  // namespace voxloom

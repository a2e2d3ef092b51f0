// graph/verify.cpp: checks the invariants of a graph.
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/verify.h>

#include <voxloom/graph/constant.h>
#include <voxloom/graph/interning.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/graph/print.h>

#include <unordered_set>

namespace voxloom {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, std::string prefix, std::vector<std::string>& faults)
      : graph_(graph), prefix_(std::move(prefix)), faults_(faults) {}

  void run() {
    check_inputs();
    check_reachable();
    std::unordered_set<const Node*, NodeHash, NodeEqual> unique;
    for (size_t i = 0; i < graph_.size(); ++i) {
      at_ = static_cast<int>(i);
      const Node& node = *graph_.nodes()[i];
      check(graph_.index_of(&node) == at_, "index_of() does not give its place");
      if (!unique.insert(&node).second) fault("is equal to an earlier node");
      const bool operands_known = check_operands(node);
      check_attrs(node);
      check_type(node.type());
      if (node.op().kind == OpKind::leaf) {
        check_leaf(node);
      } else if (operands_known) {
        check_inference(node);
      }
    }
  }

 private:
  void fault(const std::string& text) {
    const std::string where =
        at_ < 0 ? "" : "node " + std::to_string(at_) + " (" + graph_.nodes()[static_cast<size_t>(at_)]->op().name + ") ";
    faults_.push_back(prefix_ + where + text);
  }
  void check(bool condition, const char* text) {
    if (!condition) fault(text);
  }

  void check_inputs() {
    std::unordered_set<const Node*> listed;
    for (size_t k = 0; k < graph_.inputs().size(); ++k) {
      const Expr& input = graph_.inputs()[k];
      check(is_input_leaf(*input) || &input->op() == &shared_op(), "an input is not a variable");
      check(listed.insert(input.get()).second, "an input is listed twice");
      check(graph_.index_of(input.get()) == static_cast<int>(k), "the inputs do not stand first in their order");
    }
    for (const Expr& node : graph_.nodes()) {
      if (is_input_leaf(*node) && !listed.contains(node.get()))
        fault("the variable " + quoted(node->name()) + " is not listed as an input");
    }
    for (const Expr& output : graph_.outputs()) check(graph_.index_of(output.get()) >= 0, "an output is not a node of the graph");
  }

  void check_reachable() {
    std::unordered_set<const Node*> reachable;
    for (const Expr& input : graph_.inputs()) reachable.insert(input.get());
    for (const Expr& node : topological_order(graph_.outputs())) reachable.insert(node.get());
    check(reachable.size() == graph_.size(), "some nodes are not reachable from the outputs, or the reverse");
  }

  bool check_operands(const Node& node) {
    const auto count = static_cast<int>(node.inputs().size());
    check(count >= node.op().min_arity && (node.op().max_arity < 0 || count <= node.op().max_arity),
          "has a number of operands its row does not allow");
    bool known = true;
    for (const Expr& input : node.inputs()) {
      const int place = graph_.index_of(input.get());
      check(place >= 0, "uses an operand that is not in the graph");
      check(place < at_, "stands before one of its operands");
      known &= place >= 0;
    }
    return known;
  }

  void check_attrs(const Node& node) {
    for (size_t k = 0; k < node.attrs().size(); ++k) {
      const Attr& attr = node.attrs()[k];
      if (k > 0) check(node.attrs()[k - 1].key < attr.key, "has attributes that are not sorted by key");
      const auto* sub = std::get_if<std::shared_ptr<const Graph>>(&attr.value);
      if (sub == nullptr) continue;
      if (*sub == nullptr || (*sub)->nesting() >= max_graph_nesting) {
        fault("has a sub-graph that is missing or nested too deep");
        continue;
      }
      Verifier(**sub, prefix_ + "in " + attr.key + " of node " + std::to_string(at_) + ": ", faults_).run();
    }
  }

  void check_type(const Type& type) {
    check(type.rank() <= max_rank, "has more than 8 axes");
    check(type.names.empty() || type.names.size() == type.shape.size(), "has another number of axis names than of axes");
    check(type.dtype != DType::f16 && type.dtype != DType::bf16, "has a reserved dtype");
    for (const Dim& d : type.shape) check(!d.is_constant() || d.constant() >= 0, "has a negative size");
    std::unordered_set<std::string> names;
    for (const std::string& name : type.names) check(name.empty() || names.insert(name).second, "has two axes of one name");
  }

  void check_leaf(const Node& node) {
    check(node.inputs().empty(), "is a leaf with operands");
    const ConstantPayload* constant = constant_of(node);
    if (constant == nullptr) return;
    const Type& type = node.type();
    bool same = constant->dtype() == type.dtype && constant->shape().size() == type.shape.size();
    for (size_t k = 0; same && k < type.shape.size(); ++k) same = type.shape[k] == Dim(constant->shape()[k]);
    check(same, "holds a constant of another type");
  }

  void check_inference(const Node& node) {
    try {
      const Type type = node.op().infer(node.op(), node.inputs(), node.attrs(), node.origin());
      if (!(type == node.type())) fault("has the type " + node.type().str() + ", but its row infers " + type.str());
    } catch (const Error& error) {
      fault(std::string("is refused by its row: ") + error.what());
      return;
    }
    if (node.op().axes == nullptr && node.op().kind != OpKind::elementwise) return;
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      const std::vector<AxisMap> maps = axis_maps(node, k);
      check(static_cast<int>(maps.size()) == node.input(k).rank(), "has axis relations that do not fit the rank of an operand");
      for (const AxisMap& map : maps)
        check(map.out_axis >= -1 && map.out_axis < node.type().rank(), "relates an operand to an axis that does not exist");
    }
  }

  const Graph& graph_;
  std::string prefix_;
  std::vector<std::string>& faults_;
  int at_ = -1;
};

}  // namespace

std::vector<std::string> verify(const Graph& graph) {
  std::vector<std::string> faults;
  Verifier(graph, "", faults).run();
  return faults;
}

void check_graph(const Graph& graph, const std::string& when) {
  const std::vector<std::string> faults = verify(graph);
  if (!faults.empty()) throw InternalError("the graph is broken after " + when + ": " + faults.front() + "\n" + to_text(graph));
}

}  // namespace voxloom

// api/print_dot.cpp: graphs in DOT, coloured by device and kernel.
#include <voxloom/api/print.h>

#include <voxloom/api/print_marks.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/op_info.h>

#include <array>

namespace voxloom {
namespace {

// Light tones, told apart in print too; kernels take them in turn.
constexpr std::array<const char*, 8> kernel_colours = {"#cfe2f3", "#d9ead3", "#fff2cc", "#ead1dc",
                                                       "#d9d2e9", "#fce5cd", "#d0e0e3", "#e6e6e6"};

std::string quoted_label(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 200)) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 32) out += c;
  }
  return out + "\"";
}

class DotPrinter {
 public:
  explicit DotPrinter(const detail::Marks* marks) : marks_(marks) {}

  std::string print(std::span<const Expr> nodes, std::span<const Expr> outputs, std::span<const std::string> output_names) {
    text_ = "digraph voxloom {\n  rankdir=TB;\n  node [fontname=\"sans\", fontsize=11];\n";
    for (size_t k = 0; k < nodes.size(); ++k) ids_.emplace(nodes[k].get(), k);
    kernel_boxes(nodes);
    for (const Expr& node : nodes) {
      if (!marks_ || marks_->kernel_of(node.get()) < 0) describe(*node, "  ", nullptr);
    }
    for (const Expr& node : nodes) edges(*node);
    for (size_t k = 0; k < outputs.size(); ++k) {
      text_ +=
          "  out" + std::to_string(k) + " [label=" + quoted_label(output_names[k]) + ", shape=box, style=filled, fillcolor=\"#9fc5e8\"];\n";
      text_ += "  n" + std::to_string(ids_.at(outputs[k].get())) + " -> out" + std::to_string(k) + ";\n";
    }
    return text_ + "}\n";
  }

 private:
  void kernel_boxes(std::span<const Expr> nodes) {
    if (!marks_) return;
    std::vector<std::vector<const Node*>> members(marks_->kernels().size());
    for (const Expr& node : nodes) {
      if (const int kernel = marks_->kernel_of(node.get()); kernel >= 0) members[static_cast<size_t>(kernel)].push_back(node.get());
    }
    for (size_t kernel = 0; kernel < members.size(); ++kernel) {
      if (members[kernel].empty()) continue;
      const char* colour = kernel_colours[kernel % kernel_colours.size()];
      text_ += "  subgraph cluster_" + std::to_string(kernel) + " {\n    label=\"kernel " + std::to_string(kernel) +
               " on cpu\";\n    style=\"rounded,filled\";\n    fillcolor=\"#fafafa\";\n";
      for (const Node* node : members[kernel]) describe(*node, "    ", colour);
      text_ += "  }\n";
    }
  }

  void describe(const Node& node, std::string_view indent, const char* colour) {
    const bool leaf = node.op().kind == OpKind::leaf;
    if (colour == nullptr) colour = !leaf ? "#ffffff" : constant_of(node) ? "#eeeeee" : node.payload() ? "#ffe599" : "#b6d7a8";
    text_ += std::string(indent) + "n" + std::to_string(ids_.at(&node)) +
             " [label=" + quoted_label(detail::node_label(node) + " " + node.type().str()) + ", shape=" + (leaf ? "box" : "ellipse") +
             ", style=filled, fillcolor=\"" + colour + "\"];\n";
  }

  void edges(const Node& node) {
    for (size_t k = 0; k < node.inputs().size(); ++k) {
      text_ += "  n" + std::to_string(ids_.at(node.input(k).get())) + " -> n" + std::to_string(ids_.at(&node));
      if (node.inputs().size() > 1) text_ += " [label=\"" + std::to_string(k) + "\", fontsize=9]";
      text_ += ";\n";
    }
  }

  const detail::Marks* marks_;
  std::unordered_map<const Node*, size_t> ids_;
  std::string text_;
};

}  // namespace

std::string to_dot(const Expr& expression) {
  if (!expression) fail_user(ErrorCode::usage, "to_dot", "the expression is empty");
  const std::array<Expr, 1> outputs = {expression};
  const std::array<std::string, 1> names = {expression->name().empty() ? "result" : expression->name()};
  return DotPrinter(nullptr).print(topological_order(outputs), outputs, names);
}

std::string to_dot(const Function& function) {
  const detail::Marks marks(FunctionAccess::impl(function));
  std::vector<std::string> names;
  for (size_t k = 0; k < function.graph().outputs().size(); ++k) names.push_back(marks.of_output(k));
  return DotPrinter(&marks).print(function.graph().nodes(), function.graph().outputs(), names);
}

}  // namespace voxloom

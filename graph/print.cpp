// graph/print.cpp: the text form of graphs.
#include <voxloom/graph/print.h>

#include <voxloom/graph/constant.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/literal.h>
#include <voxloom/graph/op_info.h>

#include <unordered_map>

namespace voxloom {
namespace {

constexpr int64_t longest_list = 32;          // longer constants are printed as bytes
constexpr size_t max_text = size_t{1} << 30;  // sub-graphs used twice at every level double the text
constexpr std::string_view hex_digits = "0123456789abcdef";

class Printer {
 public:
  std::string text;

  // The recursion is over sub-graphs, at most max_graph_nesting deep; nodes are walked by a loop.
  void print(const Graph& graph, int depth) {
    const std::vector<std::string> labels = labels_of(graph);
    const std::string indent(static_cast<size_t>(depth) * 2, ' ');
    text += "graph {\n";
    for (size_t i = 0; i < graph.size(); ++i) {
      if (text.size() > max_text) fail_user(ErrorCode::limit, "print", "the text of the graph is longer than 1 GiB");
      text += indent + "  " + labels[i] + " = ";
      print_node(graph, labels, *graph.nodes()[i], depth + 1);
      text += '\n';
    }
    text += indent + "  return";
    for (size_t k = 0; k < graph.outputs().size(); ++k) text += (k > 0 ? ", " : " ") + label(graph, labels, graph.outputs()[k]);
    text += '\n' + indent + '}';
  }

  void print_attr(const AttrValue& value, int depth) {
    std::visit([&](const auto& v) { print_value(v, depth); }, value);
  }

 private:
  static const std::string& label(const Graph& graph, const std::vector<std::string>& labels, const Expr& node) {
    return labels[static_cast<size_t>(graph.index_of(node.get()))];
  }

  void print_node(const Graph& graph, const std::vector<std::string>& labels, const Node& node, int depth) {
    text += node.op().name;
    if (node.op().kind == OpKind::leaf) {
      if (!node.name().empty() || is_input_leaf(node)) text += ' ' + quoted(node.name());
      print_payload(node);
    } else {
      text += '(';
      for (size_t k = 0; k < node.inputs().size(); ++k) text += (k > 0 ? ", " : "") + label(graph, labels, node.input(k));
      text += ')';
    }
    if (!node.attrs().empty()) {
      text += " {";
      for (size_t k = 0; k < node.attrs().size(); ++k) {
        text += (k > 0 ? ", " : "") + identifier_or_quoted(node.attrs()[k].key) + '=';
        print_attr(node.attrs()[k].value, depth);
      }
      text += '}';
    }
    if (node.op().kind != OpKind::leaf && !node.name().empty()) text += ' ' + quoted(node.name());
    text += " : " + node.type().str();
  }

  void print_payload(const Node& node) {
    if (node.payload() == nullptr) return;
    if (const ConstantPayload* constant = constant_of(node)) {
      text += ' ';
      print_constant(*constant);
    } else {
      text += " from " + quoted(node.payload()->text());
    }
  }

  void print_constant(const ConstantPayload& constant) {
    if (constant.shape().empty()) return print_element(constant, 0);
    if (constant.size() > longest_list) {
      text += "hex ";
      for (const std::byte b : constant.bytes()) {
        text += hex_digits[std::to_integer<size_t>(b) >> 4];
        text += hex_digits[std::to_integer<size_t>(b) & 15];
      }
      return;
    }
    text += '[';
    for (int64_t k = 0; k < constant.size(); ++k) {
      if (k > 0) text += ", ";
      print_element(constant, k);
    }
    text += ']';
  }

  void print_element(const ConstantPayload& constant, int64_t k) {
    const DType part = real_part_of(constant.dtype());
    if (!is_complex(constant.dtype())) {
      text += literal_text(part, constant.bits(k));
    } else {
      text += '(' + literal_text(part, constant.bits(k)) + ", " + literal_text(part, constant.bits(k, 1)) + ')';
    }
  }

  void print_value(int64_t v, int) { text += std::to_string(v); }
  void print_value(double v, int) {
    const std::string number = literal_text(DType::f64, std::bit_cast<uint64_t>(v));
    text += number;
    if (number.find_first_of(".en") == std::string::npos) text += ".0";  // told from an integer by its point
  }
  void print_value(bool v, int) { text += v ? "true" : "false"; }
  void print_value(const std::string& v, int) { text += quoted(v); }
  void print_value(DType v, int) { text += short_name_of(v); }
  void print_value(const std::vector<int64_t>& v, int) {
    text += '[';
    for (size_t k = 0; k < v.size(); ++k) text += (k > 0 ? ", " : "") + std::to_string(v[k]);
    text += ']';
  }
  void print_value(const std::vector<Dim>& v, int) {
    text += "dims[";
    for (size_t k = 0; k < v.size(); ++k) text += (k > 0 ? ", " : "") + v[k].str();
    text += ']';
  }
  void print_value(const std::shared_ptr<const Graph>& v, int depth) { print(*v, depth); }
};

}  // namespace

std::vector<std::string> labels_of(const Graph& graph) {
  std::unordered_map<std::string_view, int> uses;
  for (const Expr& node : graph.nodes()) {
    if (node->op().kind == OpKind::leaf) ++uses[node->name()];
  }
  std::vector<std::string> labels;
  labels.reserve(graph.size());
  for (size_t i = 0; i < graph.size(); ++i) {
    const Node& node = *graph.nodes()[i];
    const bool by_name = node.op().kind == OpKind::leaf && is_identifier(node.name()) && uses[node.name()] == 1;
    labels.push_back("%" + (by_name ? node.name() : std::to_string(i)));
  }
  return labels;
}

std::string to_text(const Graph& graph) {
  Printer printer;
  printer.print(graph, 0);
  return printer.text + "\n";
}

std::string attr_text(const AttrValue& value) {
  Printer printer;
  printer.print_attr(value, 0);
  return printer.text;
}

}  // namespace voxloom

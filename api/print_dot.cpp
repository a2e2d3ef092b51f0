// api/print_dot.cpp: graphs as drawings, coloured by device and kernel; drawings in DOT; pydotprint.
#include <voxloom/api/drawing.h>
#include <voxloom/api/print.h>
#include <voxloom/api/print_marks.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/io/atomic_file.h>

#include <array>

namespace voxloom {
namespace detail {
namespace {

// Light tones, told apart in print too; kernels take them in turn.
constexpr std::array<const char*, 8> kernel_colours = {"#cfe2f3", "#d9ead3", "#fff2cc", "#ead1dc",
                                                       "#d9d2e9", "#fce5cd", "#d0e0e3", "#e6e6e6"};

const char* colour_of(const Node& node, int kernel) {
  if (kernel >= 0) return kernel_colours[static_cast<size_t>(kernel) % kernel_colours.size()];
  if (node.op().kind != OpKind::leaf) return "#ffffff";
  return constant_of(node) ? "#eeeeee" : shared_value_of(node) ? "#ffe599" : "#b6d7a8";
}

Drawing drawn(std::span<const Expr> nodes, std::span<const Expr> outputs, std::span<const std::string> output_names, const Marks* marks) {
  Drawing drawing;
  std::unordered_map<const Node*, size_t> ids;
  for (const Expr& node : nodes) {
    ids.emplace(node.get(), drawing.boxes.size());
    const int kernel = marks ? marks->kernel_of(node.get()) : -1;
    drawing.boxes.push_back({.label = node_label(*node) + " " + node.type().str(),
                             .fill = colour_of(*node, kernel),
                             .round = node->op().kind != OpKind::leaf,
                             .kernel = kernel});
    for (size_t k = 0; k < node->inputs().size(); ++k) {
      drawing.lines.push_back(
          {ids.at(node->input(k).get()), drawing.boxes.size() - 1, node->inputs().size() > 1 ? std::to_string(k) : std::string()});
    }
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    drawing.lines.push_back({ids.at(outputs[k].get()), drawing.boxes.size()});
    drawing.boxes.push_back({.label = output_names[k], .fill = "#9fc5e8"});
  }
  for (size_t k = 0; marks && k < marks->kernels().size(); ++k) {
    drawing.kernels.push_back({"kernel " + std::to_string(k) + " on cpu", kernel_colours[k % kernel_colours.size()]});
  }
  return drawing;
}

std::string quoted_label(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 200)) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 32) out += c;
  }
  return out + "\"";
}

}  // namespace

Drawing drawing_of(const Expr& expression) {
  if (!expression) fail_user(ErrorCode::usage, "pydotprint", "the expression is empty");
  const std::array<Expr, 1> outputs = {expression};
  const std::array<std::string, 1> names = {expression->name().empty() ? "result" : expression->name()};
  return drawn(topological_order(outputs), outputs, names, nullptr);
}

Drawing drawing_of(const Function& function) {
  const Marks marks(FunctionAccess::impl(function));
  std::vector<std::string> names;
  for (size_t k = 0; k < function.graph().outputs().size(); ++k) names.push_back(marks.of_output(k));
  return drawn(function.graph().nodes(), function.graph().outputs(), names, &marks);
}

std::string dot_text(const Drawing& drawing) {
  std::string text = "digraph voxloom {\n  rankdir=TB;\n  node [fontname=\"sans\", fontsize=11];\n";
  const auto describe = [&](size_t k, std::string_view indent) {
    const Drawing::Box& box = drawing.boxes[k];
    text += std::string(indent) + "n" + std::to_string(k) + " [label=" + quoted_label(box.label) +
            ", shape=" + (box.round ? "ellipse" : "box") + ", style=filled, fillcolor=\"" + box.fill + "\"];\n";
  };
  std::vector<std::vector<size_t>> members(drawing.kernels.size());
  for (size_t k = 0; k < drawing.boxes.size(); ++k) {
    if (drawing.boxes[k].kernel >= 0) members[static_cast<size_t>(drawing.boxes[k].kernel)].push_back(k);
    else describe(k, "  ");
  }
  for (size_t kernel = 0; kernel < members.size(); ++kernel) {
    if (members[kernel].empty()) continue;
    text += "  subgraph cluster_" + std::to_string(kernel) + " {\n    label=" + quoted_label(drawing.kernels[kernel].label) +
            ";\n    style=\"rounded,filled\";\n    fillcolor=\"#fafafa\";\n";
    for (const size_t k : members[kernel]) describe(k, "    ");
    text += "  }\n";
  }
  for (const Drawing::Line& line : drawing.lines) {
    text += "  n" + std::to_string(line.from) + " -> n" + std::to_string(line.to);
    if (!line.label.empty()) text += " [label=" + quoted_label(line.label) + ", fontsize=9]";
    text += ";\n";
  }
  return text + "}\n";
}

}  // namespace detail

namespace {

void write_drawing(const detail::Drawing& drawing, const std::string& path) {
  const std::string ending = path.substr(std::min(path.size(), path.find_last_of('.')));
  if (ending != ".svg" && ending != ".dot" && ending != ".gv") {
    fail_user(ErrorCode::usage, "pydotprint",
              path + " ends in neither .svg, .dot nor .gv; Graphviz makes other formats from a .dot file: dot -Tpng -O FILE.dot");
  }
  const std::string text = ending == ".svg" ? detail::svg_text(drawing) : detail::dot_text(drawing);
  io::AtomicFile file(path, {});
  file.write_at(reinterpret_cast<const std::byte*>(text.data()), text.size(), 0);
  file.commit();
}

}  // namespace

std::string to_dot(const Expr& expression) { return detail::dot_text(detail::drawing_of(expression)); }
std::string to_dot(const Function& function) { return detail::dot_text(detail::drawing_of(function)); }
std::string to_svg(const Expr& expression) { return detail::svg_text(detail::drawing_of(expression)); }
std::string to_svg(const Function& function) { return detail::svg_text(detail::drawing_of(function)); }
void pydotprint(const Expr& expression, const std::string& path) { write_drawing(detail::drawing_of(expression), path); }
void pydotprint(const Function& function, const std::string& path) { write_drawing(detail::drawing_of(function), path); }

}  // namespace voxloom

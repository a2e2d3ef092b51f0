// api/drawing_svg.cpp: a drawing as one self-contained SVG.
#include <voxloom/api/drawing.h>
#include <voxloom/graph/error.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace voxloom::detail {
namespace {

constexpr size_t most_boxes = 1000, longest_label = 44;
constexpr double letter = 6.4;  // of a sans font of 11 px, on average

/// Text of XML: no control characters, nothing that is not ASCII or a whole UTF-8 sequence.
std::string escaped(std::string_view text) {
  std::string out;
  for (size_t k = 0; k < text.size(); ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c >= 32 && c < 127) out += text[k];
    else if (c >= 0xc2 && c < 0xf5) {
      const size_t more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
      const std::string_view rest = text.substr(k + 1, more);
      const bool whole = rest.size() == more && std::all_of(rest.begin(), rest.end(), [](char r) { return (r & 0xc0) == 0x80; });
      // Overlong forms, surrogates and what lies beyond Unicode are not allowed.
      const auto second = static_cast<unsigned char>(whole ? rest[0] : 0);
      const bool allowed = !(c == 0xe0 && second < 0xa0) && !(c == 0xed && second >= 0xa0) && !(c == 0xf0 && second < 0x90) &&
                           !(c == 0xf4 && second >= 0x90);
      if (whole && allowed) {
        out += text.substr(k, more + 1);
        k += more;
      } else {
        out += '?';
      }
    } else {
      out += '?';
    }
  }
  return out;
}

/// Cut between characters.
std::string shortened(const std::string& label) {
  if (label.size() <= longest_label) return label;
  size_t end = longest_label - 3;
  while (end > 0 && (label[end] & 0xc0) == 0x80) --end;
  return label.substr(0, end) + "...";
}

double width_of(const std::string& label) { return std::max(36.0, 18 + letter * static_cast<double>(shortened(label).size())); }

template <class... T> void put(std::string& out, fmt::format_string<T...> format, T&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
}

void put_line(std::string& out, const std::vector<Point>& path, const std::string& label) {
  put(out, "<path d=\"M{:.1f} {:.1f}", path[0].x, path[0].y);
  for (size_t k = 1; k < path.size(); ++k) {
    const Point &a = path[k - 1], &b = path[k];
    const double middle = (a.y + b.y) / 2;
    put(out, " C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", a.x, middle, b.x, middle, b.x, b.y);
  }
  out += "\" class=\"l\" marker-end=\"url(#a)\"/>\n";
  if (!label.empty())
    put(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"n\">{}</text>\n", path.back().x + 3, path.back().y - 7, escaped(label));
}

void put_box(std::string& out, const Drawing::Box& box, Point at, double width) {
  const std::string text = escaped(box.label);
  put(out,
      "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" rx=\"{}\" fill=\"{}\" stroke=\"#555\"/>"
      "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"t\">{}</text></g>\n",
      text, at.x - width / 2, at.y - box_height / 2, width, box_height, box.round ? 13 : 2, box.fill, at.x, at.y + 4,
      escaped(shortened(box.label)));
}

}  // namespace

std::string svg_text(const Drawing& drawing) {
  if (drawing.boxes.size() > most_boxes) {
    fail_user(ErrorCode::limit, "pydotprint",
              "the graph has " + std::to_string(drawing.boxes.size()) + " nodes, a picture at most " + std::to_string(most_boxes) +
                  "; debugprint, or a file.dot, shows all");
  }
  std::vector<double> widths;
  for (const auto& box : drawing.boxes) widths.push_back(width_of(box.label));
  const DrawingLayout layout = layout_of(drawing, widths);
  double legend_width = 0;
  for (const auto& kernel : drawing.kernels) legend_width = std::max(legend_width, width_of(kernel.label) + 40);
  const double legend_height = 22.0 * static_cast<double>(drawing.kernels.size());
  const double width = std::max(layout.width, legend_width), height = layout.height + legend_height;
  std::string out;
  put(out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n"
      "<style>text{{font:11px sans-serif}}.t{{text-anchor:middle}}.n{{fill:#777;font-size:9px}}.l{{fill:none;stroke:#777}}</style>\n"
      "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
      "<path d=\"M0 0L8 4L0 8z\" fill=\"#777\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      width, height);
  for (size_t k = 0; k < drawing.lines.size(); ++k) put_line(out, layout.lines[k], drawing.lines[k].label);
  for (size_t k = 0; k < drawing.boxes.size(); ++k) put_box(out, drawing.boxes[k], layout.boxes[k], layout.widths[k]);
  for (size_t k = 0; k < drawing.kernels.size(); ++k) {
    const double y = layout.height + 22.0 * static_cast<double>(k);
    put(out, "<rect x=\"16\" y=\"{:.1f}\" width=\"14\" height=\"14\" fill=\"{}\" stroke=\"#555\"/><text x=\"36\" y=\"{:.1f}\">{}</text>\n",
        y, drawing.kernels[k].fill, y + 11, escaped(shortened(drawing.kernels[k].label)));
  }
  return out + "</svg>\n";
}

}  // namespace voxloom::detail

// api/drawing.h: graphs as boxes and lines, for DOT and SVG. Internal to api/.
#pragma once

#include <voxloom/api/function.h>
#include <voxloom/graph/node.h>

#include <string>
#include <vector>

namespace voxloom::detail {

struct Drawing {
  struct Box {
    std::string label;
    std::string fill;  ///< "#rrggbb"
    bool round = false;
    int kernel = -1;
  };
  struct Line {
    size_t from, to;
    std::string label = {};  ///< which operand, where there are several
  };
  struct Kernel {
    std::string label;  ///< "kernel 0 on cpu"
    std::string fill;
  };
  std::vector<Box> boxes;  ///< operands before users, outputs last
  std::vector<Line> lines;
  std::vector<Kernel> kernels;
};

Drawing drawing_of(const Expr& expression);
/// The graph after the passes.
Drawing drawing_of(const Function& function);

std::string dot_text(const Drawing& drawing);
/// UserError for more than 1000 boxes: no one can look at such a picture.
std::string svg_text(const Drawing& drawing);

struct Point {
  double x = 0, y = 0;
};
struct DrawingLayout {
  double width = 0, height = 0;
  std::vector<Point> boxes;               ///< centres
  std::vector<double> widths;             ///< of boxes; all are box_height high
  std::vector<std::vector<Point>> lines;  ///< from the lower edge of a box to the upper edge of another one, through points in between
};
inline constexpr double box_height = 26;
/// In layers, operands above their users; boxes of a layer do not touch each other.
DrawingLayout layout_of(const Drawing& drawing, const std::vector<double>& widths);

}  // namespace voxloom::detail

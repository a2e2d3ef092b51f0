// tests/api/print_test.cpp: debugprint, pprint and DOT.
#include <voxloom/api/drawing.h>
#include <voxloom/api/voxloom.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

/// Every tag is closed in its order, and nothing in the text could end one.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const size_t end = xml.find('>', at);
    if (end == std::string::npos || xml.substr(at + 1, end - at - 1).find('<') != std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.back() == '/') continue;
    const std::string name = tag.substr(0, tag.find(' '));
    if (name[0] != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("debugprint of an expression: each node once, types, lines") {
  const auto x = vl::fvector("x", {"n"});
  const auto e = vl::exp(x) + 2;
  const auto twice = e * e;
  CHECK(vl::debugprint(twice) ==
        "mul [A] <f32[n]>\n"
        " |add [B] <f32[n]>\n"
        " | |exp [C] <f32[n]>\n"
        " | | |x [D] <f32[n]>\n"
        " | |dimshuffle{pattern=[-1]} [E] <f32[1]>\n"
        " | | |2 [F] <f32[]>\n"
        " |add [B] <f32[n]> ...\n");
  CHECK(vl::debugprint(twice, {.depth = 1, .print_type = false}) == "mul [A]\n");
  CHECK_THAT(vl::debugprint(twice, {.print_origin = true}), Contains("print_test.cpp:"));
  CHECK_THROWS_AS(vl::debugprint(vl::Expr()), vl::UserError);
}

TEST_CASE("debugprint of a function: kernels, memory, views, what is destroyed, updates") {
  const auto x = vl::fvector("x"), y = vl::fmatrix("y");
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  const vl::Function f = vl::function({x}, {vl::Out(vl::exp(x) * w, {.borrow = true})}, {.updates = {{w, w + x}}});
  const std::string text = vl::debugprint(f);
  CHECK_THAT(text, Contains("kernel 0") && Contains("argument 0") && Contains("shared") && Contains("output 0 (borrowed)") &&
                       Contains("update of w"));
  const vl::Function g = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(vl::exp(x), {.borrow = true})});
  CHECK_THAT(vl::debugprint(g), Contains("may be destroyed by output 0"));
  const vl::Function h = vl::function({y}, {vl::exp(vl::flip(vl::reshape(y, {-1}), 0))});
  CHECK_THAT(vl::debugprint(h), Contains("view"));
}

TEST_CASE("pprint writes the formula with the parentheses it needs") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  CHECK(vl::pprint(x + y * 2) == "x + y * 2");
  CHECK(vl::pprint((x + y) * 2) == "(x + y) * 2");
  CHECK(vl::pprint(x - (y - 2)) == "x - (y - 2)");
  CHECK(vl::pprint(x - y - 2) == "x - y - 2");
  CHECK(vl::pprint(-(x + y)) == "-(x + y)");
  CHECK(vl::pprint(vl::pow(-x, y)) == "(-x) ** y");
  CHECK(vl::pprint(1 / (1 + vl::exp(-x))) == "1 / (1 + exp(-x))");
  CHECK_THAT(vl::pprint(vl::sum(x * y)), Contains("sum(x * y, "));
  vl::Expr deep = x;
  for (int k = 0; k < 100000; ++k) deep = vl::sin(deep);
  CHECK_THAT(vl::pprint(deep), Contains("..."));
  CHECK(vl::debugprint(deep, {.print_type = false}).size() > 1000000);
  vl::Expr wide = x;
  for (int k = 0; k < 40; ++k) wide = wide * wide + 1;  // a tree of 2^40 leaves
  CHECK(vl::pprint(wide).size() < 200000);
}

TEST_CASE("DOT: kernels in boxes, leaves and outputs by kind, text quoted") {
  const auto x = vl::fvector("x \"1\"");
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  const vl::Function f = vl::function({x}, {vl::exp(x) + w, vl::sum(vl::flip(vl::exp(x), 0) * w)});
  const std::string dot = vl::to_dot(f);
  CHECK_THAT(dot, Contains("digraph voxloom {") && Contains("cluster_0") && Contains("on cpu") && Contains("x \\\"1\\\"") &&
                      Contains("\"output 1\"") && Contains(" -> "));
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
  CHECK_THAT(vl::to_dot(vl::exp(x)), Contains("\"result\""));
}

TEST_CASE("SVG: well formed, every node once, kernels in the legend; names of any bytes") {
  const auto x = vl::fvector("a<b>&\"c\x01\xff\xc3\xa4"), y = vl::fvector("y");
  const auto w = vl::shared(Array::zeros({3}, vl::f32), "w");
  const vl::Function f = vl::function({x, y}, {vl::exp(x) + w, vl::sum(vl::flip(vl::exp(x), 0) * w) - y}, {.fuse = false});
  const std::string svg = vl::to_svg(f);
  CHECK(well_formed(svg));
  CHECK_THAT(svg, Contains("<svg xmlns=\"http://www.w3.org/2000/svg\"") && Contains("a&lt;b&gt;&amp;&quot;c??\xc3\xa4") &&
                      Contains("output 1") && Contains("kernel 0 on cpu") && Contains("kernel 3 on cpu"));
  const vl::detail::Drawing drawing = vl::detail::drawing_of(f);
  size_t titles = 0;
  for (size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) ++titles;
  CHECK(titles == drawing.boxes.size());
  CHECK(well_formed(vl::to_svg(vl::exp(x))));
  vl::Expr deep = y;
  for (int k = 0; k < 1500; ++k) deep = vl::sin(deep);
  CHECK_THROWS_WITH(vl::to_svg(deep), Contains("the graph has 1502 nodes") && Contains("debugprint"));
  CHECK_NOTHROW(vl::to_dot(deep));
}

TEST_CASE("layout: boxes of any graph stand apart, operands above users, lines end at their boxes") {
  std::mt19937 rng(5);
  for (int round = 0; round < 200; ++round) {
    vl::detail::Drawing drawing;
    std::vector<double> widths;
    const size_t count = 1 + rng() % 40;
    for (size_t k = 0; k < count; ++k) {
      drawing.boxes.push_back({.label = "n", .fill = "#ffffff"});
      widths.push_back(20 + static_cast<double>(rng() % 100));
      for (size_t operands = k == 0 ? 0 : rng() % 4; operands > 0; --operands) drawing.lines.push_back({rng() % k, k});
    }
    const vl::detail::DrawingLayout layout = vl::detail::layout_of(drawing, widths);
    for (size_t k = 0; k < count; ++k) {
      CHECK(layout.boxes[k].x - widths[k] / 2 >= 0);
      CHECK(layout.boxes[k].x + widths[k] / 2 <= layout.width);
      CHECK(layout.boxes[k].y + vl::detail::box_height / 2 <= layout.height);
      for (size_t j = 0; j < k; ++j) {
        const bool apart = std::abs(layout.boxes[j].y - layout.boxes[k].y) > vl::detail::box_height ||
                           std::abs(layout.boxes[j].x - layout.boxes[k].x) >= (widths[j] + widths[k]) / 2;
        CHECK(apart);
      }
    }
    for (size_t k = 0; k < drawing.lines.size(); ++k) {
      const auto& path = layout.lines[k];
      CHECK(path.front().x == layout.boxes[drawing.lines[k].from].x);
      CHECK(std::abs(path.back().x - layout.boxes[drawing.lines[k].to].x) < widths[drawing.lines[k].to] / 2);
      for (size_t j = 0; j < k; ++j) {
        if (drawing.lines[j].to == drawing.lines[k].to) CHECK(layout.lines[j].back().x != path.back().x);
      }
      for (size_t at = 1; at < path.size(); ++at) CHECK(path[at].y > path[at - 1].y);
    }
  }
}

TEST_CASE("pydotprint writes what the ending says") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::exp(x)});
  for (const char* path : {"voxloom_print_test.svg", "voxloom_print_test.dot", "voxloom_print_test.gv"}) {
    vl::pydotprint(f, path);
    CHECK(read(path) == (std::string(path).ends_with("svg") ? vl::to_svg(f) : vl::to_dot(f)));
    std::remove(path);
  }
  vl::pydotprint(vl::exp(x), "voxloom_print_test.svg");
  CHECK(read("voxloom_print_test.svg") == vl::to_svg(vl::exp(x)));
  std::remove("voxloom_print_test.svg");
  CHECK_THROWS_WITH(vl::pydotprint(f, "f.png"), Contains("pydotprint: f.png ends in neither .svg, .dot nor .gv") && Contains("dot -Tpng"));
  CHECK_THROWS_WITH(vl::pydotprint(f, "f"), Contains("ends in neither"));
  CHECK_THROWS_AS(vl::pydotprint(f, "no_such_folder/f.svg"), vl::RuntimeError);
  CHECK_THROWS_AS(vl::pydotprint(vl::Expr(), "f.svg"), vl::UserError);
}

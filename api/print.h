// api/print.h: expressions and functions as text for people: trees, formulas, graphs in DOT.
#pragma once

#include <voxloom/api/function.h>
#include <voxloom/graph/node.h>

#include <string>

namespace voxloom {

struct DebugPrintOptions {
  int depth = -1;  ///< levels of the tree; -1: all
  bool print_type = true;
  bool print_origin = false;  ///< the user's line
};

/// Theano's debugprint: one node a line, operands below it, each node's operands once:
///     add [A] <f32[n]> kernel 0, output 0
///      |mul [B] <f32[n]> kernel 0
///      | |x [C] <f32[n]> argument 0
/// Of a function it is the graph after the passes, with the kernel that computes a node, where its value lives, `view of` for values that
/// are another's memory, and `destroys` for an argument that may be written over.
VOXLOOM_API std::string debugprint(const Expr& expression, const DebugPrintOptions& options = {});
VOXLOOM_API std::string debugprint(const Function& function, const DebugPrintOptions& options = {});

/// The formula: "((x * 2) + exp(-y))" with as few parentheses as the precedence of C++ and Python asks for. Levels deeper than 64 are "...".
VOXLOOM_API std::string pprint(const Expr& expression);

/// A graph in Graphviz's DOT. Of a function: the graph after the passes, each kernel in a box and colour of its own, labelled with its device;
/// inputs, shared variables, constants and outputs in colours of their kinds.
VOXLOOM_API std::string to_dot(const Expr& expression);
VOXLOOM_API std::string to_dot(const Function& function);
/// The same picture as an SVG of its own, without Graphviz; of at most 1000 nodes.
VOXLOOM_API std::string to_svg(const Expr& expression);
VOXLOOM_API std::string to_svg(const Function& function);
/// Writes one of them; the ending of the path says which: .dot, .gv or .svg.
VOXLOOM_API void pydotprint(const Expr& expression, const std::string& path);
VOXLOOM_API void pydotprint(const Function& function, const std::string& path);

}  // namespace voxloom

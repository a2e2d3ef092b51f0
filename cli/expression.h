// cli/expression.h: the expression language of the command: NumPy's infix over named images, read by a bounded parser of its own.
//
// Numbers (also hex, exponents, 2j), True, False, None, pi, e, nan, inf; images by name; + - * / // % ** << >> & | ~, comparisons (not
// chained); calls f(x, axis="t", keepdims=True), methods x.mean("t") and x.T, prefixes np. and numpy.; indexing x[..., 0], x[1:-1, ::2],
// x[None]. Functions are a closed table (cli/functions.h): the language reaches no file, environment or process.
// Bounds: 64 KiB of text, 256 levels of nesting, 100 000 nodes.
#pragma once

#include <voxloom/cli/value.h>
#include <voxloom/graph/node.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom::cli {

inline constexpr size_t longest_expression = size_t{64} << 10;
inline constexpr int deepest_expression = 256;
inline constexpr int64_t most_nodes = 100000;

struct NamedExpr {
  std::string name;
  Expr expr;
};

struct ParsedExpression {
  Expr value;
  std::vector<bool> used;  ///< one per image: whether the expression mentions it
};

/// Names of images win over functions and constants of the language. UserError "expression: column N: ..." otherwise.
ParsedExpression parse_expression(std::string_view text, std::span<const NamedExpr> images, const ExpressionOptions& options = {});

/// The row that an operator such as "**" or "<" stands for; null for other texts. "-" is the subtraction.
const OpInfo* operator_row(std::string_view symbol);

}  // namespace voxloom::cli

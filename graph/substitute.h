// graph/substitute.h: expressions with some of their nodes replaced by others.
#pragma once

#include <voxloom/graph/node.h>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace voxloom {

/// The dim with symbols replaced; symbols without an entry stay.
VOXLOOM_API Dim substitute(const Dim& dim, const std::map<std::string, Dim, std::less<>>& symbols);

/// What a node becomes. It must have the dtype, rank and axis names of the node (UserError naming `function`); sizes may differ, and what
/// attributes say about the old sizes is said about the new ones.
using Replacement = std::pair<Expr, Expr>;

/// `values` with every replacement made at once: inside replacements nothing is replaced. Types are inferred again. Iterative. A replacement
/// may mention what it replaces.
VOXLOOM_API std::vector<Expr> substitute(std::span<const Expr> values, std::span<const Replacement> replacements,
                                         std::string_view function = "substitute");

}  // namespace voxloom

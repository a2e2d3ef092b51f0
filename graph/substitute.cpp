// graph/substitute.cpp: expressions with some of their nodes replaced by others.
#include <voxloom/graph/substitute.h>

#include <voxloom/graph/dim_node.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/op_info.h>

#include <unordered_map>

namespace voxloom {
namespace {

using Symbols = std::map<std::string, Dim, std::less<>>;

void check_types(const Expr& from, const Expr& to, std::string_view function) {
  if (!from || !to) fail_user(ErrorCode::usage, function, "an expression of a substitution is empty");
  if (from.dtype() == to.dtype() && from.rank() == to.rank() && from.type().names == to.type().names) return;
  fail_user(from.dtype() == to.dtype() ? ErrorCode::shape : ErrorCode::dtype, function,
            quoted(from->name()) + " is " + from.type().str() + ", but its replacement is " + to.type().str(), to->origin());
}

/// Sizes that the replaced nodes name by a symbol of their own.
Symbols renamed_sizes(std::span<const Replacement> replacements) {
  Symbols symbols;
  for (const auto& [from, to] : replacements) {
    for (size_t axis = 0; axis < from.shape().size(); ++axis) {
      const Dim &old_size = from.shape()[axis], &new_size = to.shape()[axis];
      if (old_size.is_symbol() && !(old_size == new_size)) symbols.try_emplace(old_size.symbols()[0], new_size);
    }
  }
  return symbols;
}

Attrs with_sizes(const Attrs& attrs, const Symbols& symbols) {
  Attrs result = attrs;
  for (Attr& attr : result) {
    if (auto* dims = std::get_if<std::vector<Dim>>(&attr.value)) {
      for (Dim& d : *dims) d = substitute(d, symbols);
    }
  }
  return result;
}

}  // namespace

Dim substitute(const Dim& dim, const Symbols& symbols) {
  if (symbols.empty() || dim.is_constant()) return dim;
  Dim sum = 0;
  for (const DimTerm& term : dim.node()->terms) {
    Dim product = term.coefficient;
    for (const DimAtom* atom : term.atoms) {
      if (atom->kind == DimAtom::Kind::symbol) {
        const auto found = symbols.find(atom->name);
        product = product * (found == symbols.end() ? Dim::symbol(atom->name) : found->second);
        continue;
      }
      Dim value = substitute(dim_of(atom->args[0]), symbols);
      for (size_t k = 1; k < atom->args.size(); ++k) {
        const Dim next = substitute(dim_of(atom->args[k]), symbols);
        value = atom->kind == DimAtom::Kind::floor_div ? floor_div(value, next)
                : atom->kind == DimAtom::Kind::max     ? max(value, next)
                                                       : min(value, next);
      }
      product = product * value;
    }
    sum = sum + product;
  }
  return sum;
}

std::vector<Expr> substitute(std::span<const Expr> values, std::span<const Replacement> replacements, std::string_view function) {
  std::unordered_map<const Node*, Expr> image;
  for (const auto& [from, to] : replacements) {
    check_types(from, to, function);
    if (!image.emplace(from.get(), to).second) {
      fail_user(ErrorCode::usage, function, quoted(from->name()) + " is replaced twice", from->origin());
    }
  }
  const Symbols symbols = renamed_sizes(replacements);
  for (const Expr& node : topological_order(values)) {
    if (image.contains(node.get())) continue;
    bool changed = false;
    std::vector<Expr> operands;
    for (const Expr& input : node->inputs()) {
      operands.push_back(image.at(input.get()));
      changed = changed || !operands.back().same_as(input);
    }
    // Sizes are also said by nodes below which nothing is replaced: an array of ones, a size as a value.
    if (const Dim* size = size_of_leaf(*node)) {
      const Dim renamed = substitute(*size, symbols);
      image.emplace(node.get(), renamed == *size ? node : make_size(renamed, node->origin()));
      continue;
    }
    Attrs attrs = with_sizes(node->attrs(), symbols);
    if (equal_attrs(attrs, node->attrs())) {
      image.emplace(node.get(), changed ? with_inputs(*node, std::move(operands)) : node);
      continue;
    }
    Expr rebuilt = make_node(node->op(), std::move(operands), std::move(attrs), node->origin());
    image.emplace(node.get(), node->name().empty() ? rebuilt : with_name(*rebuilt, node->name()));
  }
  std::vector<Expr> result;
  for (const Expr& value : values) result.push_back(image.at(value.get()));
  return result;
}

}  // namespace voxloom

// ops/docs.cpp: writes the op table as Markdown.
#include <voxloom/ops/docs.h>
#include <voxloom/ops/table.h>

#include <string_view>

namespace voxloom {
namespace {

const char* promotion_text(Promotion rule) {
  switch (rule) {
    case Promotion::none: return "as they are";
    case Promotion::arithmetic: return "common dtype; integer voxels as floats";
    case Promotion::power: return "common dtype; integer voxels as floats; bool as int8";
    case Promotion::keep: return "common dtype";
    case Promotion::number: return "common dtype; bool as int8";
    case Promotion::floating: return "common float";
    case Promotion::division: return "common float";
    case Promotion::logical: return "bool";
    case Promotion::choice: return "bool; the others their common dtype";
  }
  return "";
}

/// The row's formula is shown with its operands; "|" would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string arity_text(const OpInfo& row) {
  if (row.min_arity == row.max_arity) return std::to_string(row.min_arity);
  return std::to_string(row.min_arity) + " or more";
}

std::string flags_text(const OpInfo& row) {
  std::string text;
  const auto add = [&](bool set, const char* name) {
    if (set) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(row.flags.commutative, "commutative");
  add(row.flags.associative, "associative");
  add(row.flags.idempotent, "idempotent");
  add(row.flags.order_free, "any order");
  add(row.identity[0] != '\0', "neutral ");
  if (row.identity[0] != '\0') text += row.identity;
  add(row.absorbing[0] != '\0', "absorbing ");
  if (row.absorbing[0] != '\0') text += row.absorbing;
  return text;
}

}  // namespace

std::string ops_markdown() {
  std::string text =
      "# Ops\n\n"
      "Made from the op table (`ops/rows_*.cpp`); `tests/ops/docs_test.cpp` keeps it true. Elementwise ops broadcast by NumPy's rule, "
      "images\n"
      "by axis names. \"Operands\" says how they are brought to one dtype first (see `ops/policy.h` for the promotion table); host numbers "
      "are\n"
      "weak: they never widen a dtype. Names without code marks are NumPy's and Theano's for the same. Reductions combine their elements "
      "in the order of `ops/reduce_order.h`, a function of shape and "
      "type\n"
      "alone. Measured error bounds of functions are in `docs/vecmath.md`.\n";
  std::string_view family;
  for (const OpInfo* row : all_ops()) {
    if (family != row->family) {
      family = row->family;
      text += "\n## " + std::string(family) + "\n\n| op | operands | meaning | domain | algebra |\n|---|---|---|---|---|\n";
    }
    const std::string operands =
        row->promotion == Promotion::none ? arity_text(*row) : arity_text(*row) + ": " + promotion_text(row->promotion);
    std::string name = "`" + std::string(row->name) + "`";
    for (const std::string_view alias : aliases_of(*row)) name += " " + std::string(alias);
    text += "| " + name + " | " + operands + " | " + cell(row->doc) + " | " + cell(row->domain) + " | " + flags_text(*row) + " |\n";
  }
  return text;
}

}  // namespace voxloom

// graph/dim_node.h: the canonical form behind Dim. Internal to graph/dim*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace voxloom {

struct DimNode;

/// What products are made of. Interned by text.
struct DimAtom {
  enum class Kind : uint8_t { symbol, floor_div, max, min };
  Kind kind = Kind::symbol;
  std::string name;                  // of a symbol
  std::vector<const DimNode*> args;  // floor_div: two; max and min: two or more, sorted by text
  std::string text;
  int depth = 0;
  bool non_negative = true;
};

/// coefficient * product of atoms; no atoms: the constant term.
struct DimTerm {
  int64_t coefficient = 0;
  std::vector<const DimAtom*> atoms;  // sorted by text
};

/// A sum of terms with different products, by degree (highest first), then text; no coefficient is 0; no terms: the constant 0.
/// Interned by text, so that equal forms are one node.
struct DimNode {
  std::vector<DimTerm> terms;
  std::string text;
  uint64_t text_hash = 0;
  int depth = 0;

  bool is_constant() const { return terms.empty() || (terms.size() == 1 && terms[0].atoms.empty()); }
  int64_t constant_term() const { return !terms.empty() && terms.back().atoms.empty() ? terms.back().coefficient : 0; }
};

/// Combines, sorts and interns. UserError(limit) when the form grows beyond the bounds of dim.cpp.
const DimNode* intern_dim(std::vector<DimTerm> terms);
/// Interns max(args), min(args) or floor_div(args) as an atom without simplifying it further.
const DimAtom* intern_atom(DimAtom::Kind kind, std::vector<const DimNode*> args, bool non_negative);
const DimNode* dim_of_atom(const DimAtom* atom);
/// True when the value is at least 0 for all sizes (symbols are sizes, hence never negative).
bool provably_non_negative(const DimNode* node);
/// a*b and a+b; UserError when they overflow.
int64_t checked_mul(int64_t a, int64_t b);
int64_t checked_add(int64_t a, int64_t b);
/// Rounds towards minus infinity; b > 0.
int64_t floor_quotient(int64_t a, int64_t b);

}  // namespace voxloom

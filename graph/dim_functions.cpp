// graph/dim_functions.cpp: floor_div, max and min of dims with the foldings that keep sizes of slices and reshapes readable.
#include <voxloom/graph/dim.h>

#include <voxloom/graph/dim_node.h>
#include <voxloom/graph/error.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace voxloom {

Dim dim_of(const DimNode* node) { return Dim(node); }

namespace {

using Kind = DimAtom::Kind;

// The quotient when `divisor` divides the term exactly whatever the sizes are.
std::optional<DimTerm> exact_quotient(const DimTerm& term, const DimTerm& divisor) {
  if (divisor.coefficient <= 0 || term.coefficient % divisor.coefficient != 0) return std::nullopt;
  DimTerm out{term.coefficient / divisor.coefficient, term.atoms};
  for (const DimAtom* atom : divisor.atoms) {
    const auto found = std::find(out.atoms.begin(), out.atoms.end(), atom);
    if (found == out.atoms.end()) return std::nullopt;
    out.atoms.erase(found);
  }
  return out;
}

const DimNode* floor_div_atom(const DimNode* a, const DimNode* b) {
  return dim_of_atom(intern_atom(Kind::floor_div, {a, b}, provably_non_negative(a)));
}

// floor((g*x + c) / (g*d)) = floor((x + floor(c/g)) / d): divides out the common factor of the coefficients.
const DimNode* floor_div_reduced(const DimNode* a, int64_t divisor) {
  int64_t common = divisor;
  for (const DimTerm& term : a->terms) {
    if (!term.atoms.empty()) common = std::gcd(common, term.coefficient % common);
  }
  std::vector<DimTerm> terms;
  for (const DimTerm& term : a->terms) {
    terms.push_back({term.atoms.empty() ? floor_quotient(term.coefficient, common) : term.coefficient / common, term.atoms});
  }
  a = intern_dim(std::move(terms));
  divisor /= common;
  if (divisor == 1) return a;
  // floor((floor(x/c) + k) / d) = floor((x + k*c) / (c*d))
  const bool single = a->terms.size() == 1 || (a->terms.size() == 2 && a->terms[1].atoms.empty());
  if (single && a->terms[0].coefficient == 1 && a->terms[0].atoms.size() == 1) {
    const DimAtom* inner = a->terms[0].atoms[0];
    if (inner->kind == Kind::floor_div && inner->args[1]->is_constant()) {
      const int64_t c = inner->args[1]->constant_term();
      const Dim shifted = dim_of(inner->args[0]) + Dim(checked_mul(a->constant_term(), c));
      return floor_div(shifted, Dim(checked_mul(c, divisor))).node();
    }
  }
  return floor_div_atom(a, Dim(divisor).node());
}

// Arguments of max or min with nested ones flattened: max(max(a, b) + k, c) = max(a + k, b + k, c).
void flatten(Kind kind, const Dim& d, std::vector<Dim>& out) {
  const DimNode* node = d.node();
  const bool single = node->terms.size() == 1 || (node->terms.size() == 2 && node->terms[1].atoms.empty());
  if (single && node->terms[0].coefficient == 1 && node->terms[0].atoms.size() == 1 && node->terms[0].atoms[0]->kind == kind) {
    for (const DimNode* arg : node->terms[0].atoms[0]->args) out.push_back(dim_of(arg) + Dim(node->constant_term()));
  } else {
    out.push_back(d);
  }
}

// max(a + k, b + k) = max(a, b) + k: the constant taken out is the largest constant term for max, the smallest for min, so that equal values
// have one form and arguments that are sizes stay provably non-negative.
Dim shifted_atom(Kind kind, std::vector<Dim> args) {
  int64_t shift = args[0].node()->constant_term();
  for (const Dim& d : args) {
    const int64_t constant = d.node()->constant_term();
    shift = kind == Kind::max ? std::max(shift, constant) : std::min(shift, constant);
  }
  for (Dim& d : args) d = d - Dim(shift);
  std::sort(args.begin(), args.end(), [](const Dim& x, const Dim& y) { return x.node()->text < y.node()->text; });
  std::vector<const DimNode*> nodes;
  bool any = false, all = true;
  for (const Dim& d : args) {
    nodes.push_back(d.node());
    const bool non_negative = provably_non_negative(d.node());
    any |= non_negative;
    all &= non_negative;
  }
  return Dim(shift) + dim_of(dim_of_atom(intern_atom(kind, std::move(nodes), kind == Kind::max ? any : all)));
}

Dim extremum(Kind kind, const Dim& a, const Dim& b) {
  std::vector<Dim> args;
  flatten(kind, a, args);
  flatten(kind, b, args);
  std::vector<Dim> kept;
  for (size_t i = 0; i < args.size(); ++i) {
    bool dominated = false;
    for (size_t k = 0; k < args.size() && !dominated; ++k) {
      if (k == i || (args[k] == args[i] && k > i)) continue;
      const Dim excess = kind == Kind::max ? args[k] - args[i] : args[i] - args[k];
      dominated = provably_non_negative(excess.node());
    }
    if (!dominated) kept.push_back(args[i]);
  }
  if (kept.size() == 1) return kept[0];
  return shifted_atom(kind, std::move(kept));
}

}  // namespace

Dim floor_div(const Dim& a, const Dim& b) {
  if (b.is_constant() && b.constant() <= 0) fail_user(ErrorCode::shape, "floor_div", "the divisor is " + b.str() + ", not positive");
  if (a == b) return 1;
  if (b.node()->terms.size() != 1) return dim_of(floor_div_atom(a.node(), b.node()));
  const DimTerm& divisor = b.node()->terms[0];
  // floor((q*b + r) / b) = q + floor(r / b)
  std::vector<DimTerm> whole, rest;
  for (const DimTerm& term : a.node()->terms) {
    if (auto quotient = exact_quotient(term, divisor)) {
      whole.push_back(std::move(*quotient));
    } else if (term.atoms.empty() && divisor.atoms.empty()) {
      const int64_t q = floor_quotient(term.coefficient, divisor.coefficient);
      whole.push_back({q, {}});
      rest.push_back({term.coefficient - q * divisor.coefficient, {}});
    } else {
      rest.push_back(term);
    }
  }
  const Dim outside = dim_of(intern_dim(std::move(whole)));
  const DimNode* remainder = intern_dim(std::move(rest));
  if (remainder->terms.empty()) return outside;
  if (!divisor.atoms.empty()) return outside + dim_of(floor_div_atom(remainder, b.node()));
  if (remainder->is_constant()) return outside;  // 0 <= remainder < divisor
  return outside + dim_of(floor_div_reduced(remainder, divisor.coefficient));
}

Dim ceil_div(const Dim& a, const Dim& b) { return floor_div(a + b - Dim(1), b); }
Dim max(const Dim& a, const Dim& b) { return extremum(Kind::max, a, b); }
Dim min(const Dim& a, const Dim& b) { return extremum(Kind::min, a, b); }

}  // namespace voxloom

// graph/passes/rule.h: rewrite rules as data: a pattern, a guard, a result, and the algebra that makes them equal.
#pragma once

#include <voxloom/graph/node.h>
#include <voxloom/graph/parse.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace voxloom {

/// The two classes of the law file (graph/passes/README.md).
enum class RuleClass : uint8_t {
  exact,      ///< the same bits for every operand (all NaNs count as equal)
  improving,  ///< the error against the real function is never larger
};

/// What a pattern has bound.
class VOXLOOM_API Match {
 public:
  /// The expression bound to a variable; InternalError if there is none.
  const Expr& operator[](std::string_view variable) const;
  /// Nodes matched by the ops of the pattern, in the order of its text; node(0) is the root.
  const Node& node(size_t k = 0) const { return *nodes_[k]; }
  const Expr& root() const { return nodes_[0]; }
  DType dtype() const { return nodes_[0].dtype(); }

 private:
  friend struct MatchAccess;
  std::vector<std::pair<std::string_view, Expr>> bindings_;
  std::vector<Expr> nodes_;
};

/// A rule. Patterns are written as "sub(x, neg(y))":
///   x, y, z     variables; the same variable twice means the same node
///   $c, $d      variables that bind uniform real constants only (every element has the same bits)
///   0 -0 1 inf  uniform constants of that value; for floats the sign of zero counts
///   name(x, y)  a node of that op; the operands of commutative rows match in both orders; "..." after them: and any further operands
/// A result holds variables, numbers (constants of the root's dtype) and ops; an op that is also the root's op takes the root's attributes,
/// others have none. A rule fires only if the result has exactly the type of the root.
struct Rule {
  const char* name;
  RuleClass cls = RuleClass::exact;
  const char* pattern;
  const char* result;
  /// Why the two are equal (or why the result is closer to the truth).
  const char* algebra;
  /// Extra condition; null for none.
  bool (*guard)(const Match&) = nullptr;
  /// Makes the result instead of `result` when it needs attributes or computed constants; `result` then shows its shape, for the termination
  /// proof, with computed constants written as numbers. An empty expression means that the rule does not apply after all.
  Expr (*build)(const Match&) = nullptr;
};

/// A term of a pattern.
struct Pattern {
  enum class Kind : uint8_t { op, variable, constant_variable, number };
  Kind kind = Kind::variable;
  const OpInfo* op = nullptr;
  std::string name;
  double value = 0;
  std::vector<Pattern> args;
  bool open = false;  ///< of a pattern's op: more operands may follow
};
VOXLOOM_API Pattern parse_pattern(std::string_view text, const OpLookup& lookup);

/// Rules compiled against an op table. The constructor proves that they end: every result must be smaller than its pattern in the recursive
/// path order given by `precedence` (names of ops, lowest first; names in one string, separated by blanks, are equal); InternalError names a rule that is not.
class VOXLOOM_API RuleSet {
 public:
  struct Compiled {
    const Rule* rule;
    Pattern pattern, result;
  };
  RuleSet(std::vector<std::span<const Rule>> rules, std::span<const char* const> precedence, const OpLookup& lookup);
  /// Rules whose pattern has this op at the root, in the order given.
  std::span<const Compiled> rules_of(const OpInfo& op) const;
  /// All rules, for the law file's tests and listings.
  std::span<const Rule* const> all() const { return all_; }

 private:
  std::vector<const Rule*> all_;
  std::unordered_map<const OpInfo*, std::vector<Compiled>> by_root_;
};

/// Whether `smaller` is below `larger` in the recursive path order; `rank` gives the precedence of an op (-1: unknown, never comparable).
VOXLOOM_API bool is_smaller(const Pattern& smaller, const Pattern& larger, const std::unordered_map<const OpInfo*, int>& rank);

/// Tries the rules of one class on a node; empty when none applies.
VOXLOOM_API Expr apply_rule(const RuleSet::Compiled& compiled, const Expr& node);

}  // namespace voxloom

// graph/passes/rule_set.cpp: compiling rules, and the proof that they end.
#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/graph/passes/rule.h>

#include <algorithm>

namespace voxloom {
namespace {

using Rank = std::unordered_map<const OpInfo*, int>;

bool equal_terms(const Pattern& a, const Pattern& b) {
  if (a.kind != b.kind || a.op != b.op || a.name != b.name || a.args.size() != b.args.size()) return false;
  if (a.kind == Pattern::Kind::number && a.value != b.value) return false;
  return std::equal(a.args.begin(), a.args.end(), b.args.begin(), equal_terms);
}

// Operands compared as a multiset, because a commutative op may hold them in either order: after striking out equal pairs, each one of the
// smaller side lies below some one of the larger side.
bool smaller_operands(const Pattern& s, const Pattern& l, const Rank& rank) {
  std::vector<const Pattern*> small, large;
  for (const Pattern& p : s.args) small.push_back(&p);
  for (const Pattern& p : l.args) {
    const auto twin = std::find_if(small.begin(), small.end(), [&](const Pattern* q) { return equal_terms(*q, p); });
    if (twin != small.end()) {
      small.erase(twin);
    } else {
      large.push_back(&p);
    }
  }
  return !large.empty() && std::all_of(small.begin(), small.end(), [&](const Pattern* p) {
    return std::any_of(large.begin(), large.end(), [&](const Pattern* q) { return is_smaller(*p, *q, rank); });
  });
}

int rank_of(const OpInfo* op, const Rank& rank) {
  const auto found = rank.find(op);
  return found == rank.end() ? -1 : found->second;
}

}  // namespace

// The recursive path order (Dershowitz): a term is larger than its parts, and larger than any term whose op has lower precedence and whose
// parts are all smaller. It has no infinite descent and holds under substitution, so rules that lower it end on every graph.
bool is_smaller(const Pattern& smaller, const Pattern& larger, const Rank& rank) {
  if (larger.kind != Pattern::Kind::op) return false;
  for (const Pattern& arg : larger.args) {
    if (equal_terms(smaller, arg) || is_smaller(smaller, arg, rank)) return true;
  }
  if (smaller.kind == Pattern::Kind::number) return true;  // constants are the least terms
  if (smaller.kind != Pattern::Kind::op) return false;
  const auto below = [&](const Pattern& arg) { return is_smaller(arg, larger, rank); };
  if (!std::all_of(smaller.args.begin(), smaller.args.end(), below)) return false;
  const int low = rank_of(smaller.op, rank), high = rank_of(larger.op, rank);
  if (smaller.op == larger.op || (low >= 0 && low == high)) return smaller_operands(smaller, larger, rank);
  return low >= 0 && high >= 0 && low < high;
}

RuleSet::RuleSet(std::vector<std::span<const Rule>> rules, std::span<const char* const> precedence, const OpLookup& lookup) {
  Rank rank;
  for (size_t k = 0; k < precedence.size(); ++k) {
    for (Lexer words(precedence[k], "precedence"); !words.at_end();) {
      const std::string name(words.identifier());
      const OpInfo* op = lookup(name);
      if (op == nullptr) fail_internal("the precedence of rules names the unknown op " + name);
      rank.emplace(op, static_cast<int>(k));
    }
  }
  for (const auto& group : rules) {
    for (const Rule& rule : group) {
      Compiled compiled{&rule, parse_pattern(rule.pattern, lookup), parse_pattern(rule.result, lookup)};
      if (compiled.pattern.kind != Pattern::Kind::op) fail_internal(std::string("rule ") + rule.name + ": the pattern has no op");
      if (!is_smaller(compiled.result, compiled.pattern, rank))
        fail_internal(std::string("rule ") + rule.name + " does not lower the measure");
      all_.push_back(&rule);
      by_root_[compiled.pattern.op].push_back(std::move(compiled));
    }
  }
}

std::span<const RuleSet::Compiled> RuleSet::rules_of(const OpInfo& op) const {
  const auto found = by_root_.find(&op);
  if (found == by_root_.end()) return {};
  return found->second;
}

}  // namespace voxloom

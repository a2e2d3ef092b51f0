// graph/passes/pattern.cpp: reading patterns, matching them against nodes, building results.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/passes/rule.h>

#include <cmath>

namespace voxloom {

struct MatchAccess {
  static auto& bindings(Match& m) { return m.bindings_; }
  static auto& nodes(Match& m) { return m.nodes_; }
};

namespace {

Pattern parse_term(Lexer& lexer, const OpLookup& lookup) {
  Pattern term;
  if (lexer.take('$')) {
    term.kind = Pattern::Kind::constant_variable;
    term.name = "$" + std::string(lexer.identifier());
    return term;
  }
  const std::string word(lexer.word());
  if (lexer.peek() == '(') {
    term.kind = Pattern::Kind::op;
    term.op = lookup(word);
    if (term.op == nullptr) lexer.fail("unknown op " + quoted(word));
    lexer.expect('(');
    do term.args.push_back(parse_term(lexer, lookup));
    while (lexer.take(','));
    term.open = term.args.back().kind == Pattern::Kind::variable && term.args.back().name == "...";
    if (term.open) term.args.pop_back();
    lexer.expect(')');
  } else if (word == "...") {
    term.name = word;
  } else if (word == "inf" || word == "-inf" || word.find_first_not_of("+-.0123456789e") == std::string::npos) {
    term.kind = Pattern::Kind::number;
    term.value = std::stod(word);
  } else {
    term.name = word;
  }
  return term;
}

bool equals_number(const Node& node, double value) {
  const auto held = uniform_value(node);
  return held && *held == value && (!is_float(node.type().dtype) || std::signbit(*held) == std::signbit(value));
}

// Tries all orders of commutative operands: a choice made for one node is taken back when a later part of the pattern does not fit. The
// recursion is as deep as the pattern has terms.
class Matcher {
 public:
  explicit Matcher(Match& match) : match_(match) {}

  bool run(const Pattern& pattern, const Expr& expr) {
    goals_ = {{&pattern, expr}};
    return solve();
  }

 private:
  using Goals = std::vector<std::pair<const Pattern*, Expr>>;  // the next one last

  bool solve() {
    if (goals_.empty()) return true;
    const auto [pattern, expr] = goals_.back();
    goals_.pop_back();
    switch (pattern->kind) {
      case Pattern::Kind::number: return equals_number(*expr, pattern->value) && solve();
      case Pattern::Kind::constant_variable: return uniform_value(*expr).has_value() && bind(pattern->name, expr) && solve();
      case Pattern::Kind::variable: return bind(pattern->name, expr) && solve();
      case Pattern::Kind::op: return solve_op(*pattern, expr);
    }
    return false;
  }

  bool solve_op(const Pattern& pattern, const Expr& expr) {
    const size_t given = expr->inputs().size(), wanted = pattern.args.size();
    if (&expr->op() != pattern.op || (pattern.open ? given < wanted : given != wanted)) return false;
    const bool both_orders = pattern.op->flags.commutative && pattern.args.size() == 2;
    const Match before = match_;
    const Goals rest = goals_;
    for (const bool swapped : {false, true}) {
      if (swapped && !both_orders) break;
      match_ = before;
      goals_ = rest;
      MatchAccess::nodes(match_).push_back(expr);
      for (size_t k = pattern.args.size(); k-- > 0;) goals_.emplace_back(&pattern.args[k], expr->input(swapped ? 1 - k : k));
      if (solve()) return true;
    }
    return false;
  }

  bool bind(std::string_view name, const Expr& expr) {
    for (const auto& [bound, value] : MatchAccess::bindings(match_)) {
      if (bound == name) return value.same_as(expr);
    }
    MatchAccess::bindings(match_).emplace_back(name, expr);
    return true;
  }

  Match& match_;
  Goals goals_;
};

// A number in a result: a constant of the root's dtype with as many axes as the root, each of size 1.
Expr number_like(const Expr& root, double value) {
  const Expr scalar = make_scalar(root.dtype(), value, root->origin());
  const ConstantPayload& data = *constant_of(*scalar);
  std::vector<int64_t> shape(root.shape().size(), 1);
  return make_constant(constant_op(), std::make_shared<const ConstantPayload>(data.dtype(), std::move(shape), data.bytes()), Order::C, {},
                       root->origin());
}

Expr build_term(const Pattern& term, const Match& match) {
  switch (term.kind) {
    case Pattern::Kind::number: return number_like(match.root(), term.value);
    case Pattern::Kind::variable:
    case Pattern::Kind::constant_variable: return match[term.name];
    case Pattern::Kind::op: break;
  }
  std::vector<Expr> inputs;
  for (const Pattern& arg : term.args) inputs.push_back(build_term(arg, match));
  const bool same_op = term.op == &match.node().op();
  return make_node(*term.op, std::move(inputs), same_op ? match.node().attrs() : Attrs{}, match.node().origin());
}

}  // namespace

const Expr& Match::operator[](std::string_view variable) const {
  for (const auto& [name, value] : bindings_) {
    if (name == variable) return value;
  }
  fail_internal("a rule uses the unbound variable " + std::string(variable));
}

Pattern parse_pattern(std::string_view text, const OpLookup& lookup) {
  Lexer lexer(text, "rule");
  Pattern pattern = parse_term(lexer, lookup);
  if (!lexer.at_end()) lexer.fail("expected the end of the pattern");
  return pattern;
}

Expr apply_rule(const RuleSet::Compiled& compiled, const Expr& node) {
  Match match;
  if (!Matcher(match).run(compiled.pattern, node)) return {};
  if (compiled.rule->guard != nullptr && !compiled.rule->guard(match)) return {};
  Expr result;
  try {
    result = compiled.rule->build != nullptr ? compiled.rule->build(match) : build_term(compiled.result, match);
  } catch (const UserError&) {
    return {};  // the op of the result does not take these operands, e.g. their dtype
  }
  if (!result || result.same_as(node) || !(result.type() == node.type())) return {};
  return result;
}

}  // namespace voxloom

// graph/dim.cpp: interning, sums and products of dims, evaluation.
#include <voxloom/graph/dim.h>

#include <voxloom/graph/dim_node.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace voxloom {
namespace {

// Bounds that keep one hostile or careless expression from taking the memory or the stack.
constexpr size_t max_terms = 4096;
constexpr size_t max_text = size_t{1} << 16;
constexpr int max_depth = 64;
constexpr int64_t small_constants = 1024;

struct Tables {
  std::mutex mutex;
  std::unordered_map<std::string_view, const DimNode*> nodes;  // keys are the nodes' own texts
  std::unordered_map<std::string_view, const DimAtom*> atoms;
};

Tables& tables() {
  static auto* const instance = new Tables;  // never destroyed: dims live as long as the process
  return *instance;
}

std::atomic<uint64_t>& next_fresh() {
  static std::atomic<uint64_t> counter{0};
  return counter;
}

// FNV-1a: the hash of a dim must not depend on the process or the library, since structural hashes hold it.
uint64_t hash_text(std::string_view text) {
  uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h;
}

std::string product_text(const std::vector<const DimAtom*>& atoms) {
  std::string text;
  for (const DimAtom* atom : atoms) text += (text.empty() ? "" : "*") + atom->text;
  return text;
}

std::string sum_text(const std::vector<DimTerm>& terms) {
  if (terms.empty()) return "0";
  std::string text;
  for (const DimTerm& term : terms) {
    const bool negative = term.coefficient < 0;
    text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
    const uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(term.coefficient) : static_cast<uint64_t>(term.coefficient);
    if (term.atoms.empty()) {
      text += std::to_string(magnitude);
    } else {
      if (magnitude != 1) text += std::to_string(magnitude) + "*";
      text += product_text(term.atoms);
    }
  }
  return text;
}

[[noreturn]] void fail_too_large() {
  fail_user(ErrorCode::limit, "dim", "the size expression is too large (at most 4096 terms, 64 KiB of text, 64 levels)");
}

std::vector<DimTerm> combined(std::vector<DimTerm> terms) {
  struct Keyed {
    std::string text;
    DimTerm term;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(terms.size());
  for (DimTerm& term : terms) {
    std::sort(term.atoms.begin(), term.atoms.end(), [](const DimAtom* a, const DimAtom* b) { return a->text < b->text; });
    keyed.push_back({product_text(term.atoms), std::move(term)});
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
    if (a.term.atoms.size() != b.term.atoms.size()) return a.term.atoms.size() > b.term.atoms.size();
    return a.text < b.text;
  });
  std::vector<DimTerm> out;
  for (size_t i = 0; i < keyed.size();) {
    DimTerm sum = std::move(keyed[i].term);
    size_t k = i + 1;
    for (; k < keyed.size() && keyed[k].term.atoms.size() == sum.atoms.size() && keyed[k].text == keyed[i].text; ++k) {
      sum.coefficient = checked_add(sum.coefficient, keyed[k].term.coefficient);
    }
    if (sum.coefficient != 0) out.push_back(std::move(sum));
    i = k;
  }
  return out;
}

const DimNode* intern_canonical(std::vector<DimTerm> terms) {
  auto node = std::make_unique<DimNode>();
  node->text = sum_text(terms);
  if (terms.size() > max_terms || node->text.size() > max_text) fail_too_large();
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  const auto found = t.nodes.find(node->text);
  if (found != t.nodes.end()) return found->second;
  for (const DimTerm& term : terms) {
    for (const DimAtom* atom : term.atoms) node->depth = std::max(node->depth, atom->depth);
  }
  node->terms = std::move(terms);
  node->text_hash = hash_text(node->text);
  const DimNode* result = node.release();
  t.nodes.emplace(result->text, result);
  return result;
}

const DimNode* constant_node(int64_t value) {
  static const auto* const small = [] {
    auto* nodes = new std::array<const DimNode*, small_constants>;
    for (int64_t i = 0; i < small_constants; ++i) {
      (*nodes)[static_cast<size_t>(i)] = intern_canonical(i == 0 ? std::vector<DimTerm>{} : std::vector<DimTerm>{{i, {}}});
    }
    return nodes;
  }();
  if (value >= 0 && value < small_constants) return (*small)[static_cast<size_t>(value)];
  return intern_canonical({{value, {}}});
}

const DimAtom* intern_named(DimAtom atom) {
  if (atom.depth > max_depth || atom.text.size() > max_text) fail_too_large();
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  const auto found = t.atoms.find(atom.text);
  if (found != t.atoms.end()) return found->second;
  const auto* result = new DimAtom(std::move(atom));
  t.atoms.emplace(result->text, result);
  return result;
}

bool is_fresh_name(std::string_view name) {
  return name.size() > 1 && name.size() < 17 && name[0] == '#' &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A fresh symbol read from a text must stay different from those made later.
void reserve_fresh(std::string_view name) {
  uint64_t number = 0;
  std::from_chars(name.data() + 1, name.data() + name.size(), number);
  uint64_t expected = next_fresh().load();
  while (expected <= number && !next_fresh().compare_exchange_weak(expected, number + 1)) {}
}

int64_t value_of(const DimNode* node, const DimBindings& bindings);

int64_t value_of(const DimAtom* atom, const DimBindings& bindings) {
  if (atom->kind == DimAtom::Kind::symbol) {
    const auto found = bindings.find(atom->name);
    if (found == bindings.end()) fail_user(ErrorCode::shape, "size", "the size " + quoted(atom->name) + " has no value");
    if (found->second < 0)
      fail_user(ErrorCode::shape, "size", "the size " + quoted(atom->name) + " is negative: " + std::to_string(found->second));
    return found->second;
  }
  int64_t result = value_of(atom->args[0], bindings);
  for (size_t k = 1; k < atom->args.size(); ++k) {
    const int64_t other = value_of(atom->args[k], bindings);
    if (atom->kind == DimAtom::Kind::max) result = std::max(result, other);
    if (atom->kind == DimAtom::Kind::min) result = std::min(result, other);
    if (atom->kind == DimAtom::Kind::floor_div) {
      if (other <= 0)
        fail_user(ErrorCode::shape, "size", "the divisor of " + atom->text + " is " + std::to_string(other) + ", not positive");
      result = floor_quotient(result, other);
    }
  }
  return result;
}

int64_t value_of(const DimNode* node, const DimBindings& bindings) {
  int64_t sum = 0;
  for (const DimTerm& term : node->terms) {
    int64_t value = term.coefficient;
    for (const DimAtom* atom : term.atoms) value = checked_mul(value, value_of(atom, bindings));
    sum = checked_add(sum, value);
  }
  return sum;
}

void collect_symbols(const DimNode* node, std::vector<std::string>& names) {
  for (const DimTerm& term : node->terms) {
    for (const DimAtom* atom : term.atoms) {
      if (atom->kind == DimAtom::Kind::symbol && std::find(names.begin(), names.end(), atom->name) == names.end())
        names.push_back(atom->name);
      for (const DimNode* arg : atom->args) collect_symbols(arg, names);
    }
  }
}

const DimNode* sum_of(const DimNode* a, const DimNode* b, int64_t factor) {
  std::vector<DimTerm> terms = a->terms;
  for (const DimTerm& term : b->terms) terms.push_back({checked_mul(term.coefficient, factor), term.atoms});
  return intern_dim(std::move(terms));
}

}  // namespace

int64_t checked_mul(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result))
    fail_user(ErrorCode::limit, "size", std::to_string(a) + " * " + std::to_string(b) + " does not fit 64 bits");
  return result;
}

int64_t checked_add(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result))
    fail_user(ErrorCode::limit, "size", std::to_string(a) + " + " + std::to_string(b) + " does not fit 64 bits");
  return result;
}

int64_t floor_quotient(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

const DimNode* intern_dim(std::vector<DimTerm> terms) {
  if (terms.size() > max_terms) fail_too_large();
  std::vector<DimTerm> canonical = combined(std::move(terms));
  if (canonical.empty()) return constant_node(0);
  if (canonical.size() == 1 && canonical[0].atoms.empty()) return constant_node(canonical[0].coefficient);
  return intern_canonical(std::move(canonical));
}

const DimAtom* intern_atom(DimAtom::Kind kind, std::vector<const DimNode*> args, bool non_negative) {
  DimAtom atom;
  atom.kind = kind;
  atom.non_negative = non_negative;
  atom.text = kind == DimAtom::Kind::max ? "max(" : kind == DimAtom::Kind::min ? "min(" : "floor_div(";
  for (size_t k = 0; k < args.size(); ++k) {
    atom.text += (k > 0 ? ", " : "") + args[k]->text;
    atom.depth = std::max(atom.depth, args[k]->depth + 1);
  }
  atom.text += ")";
  atom.args = std::move(args);
  return intern_named(std::move(atom));
}

const DimNode* dim_of_atom(const DimAtom* atom) { return intern_dim({{1, {atom}}}); }

bool provably_non_negative(const DimNode* node) {
  for (const DimTerm& term : node->terms) {
    if (term.coefficient < 0) return false;
    for (const DimAtom* atom : term.atoms) {
      if (!atom->non_negative) return false;
    }
  }
  return true;
}

Dim::Dim(int64_t constant) : node_(constant_node(constant)) {}

Dim Dim::symbol(std::string_view name) {
  if (name.empty()) fail_user(ErrorCode::usage, "dim", "the name of a size is empty");
  if (is_fresh_name(name)) reserve_fresh(name);
  DimAtom atom;
  atom.name = std::string(name);
  atom.text = is_fresh_name(name) ? atom.name : identifier_or_quoted(name);
  return Dim(dim_of_atom(intern_named(std::move(atom))));
}

Dim Dim::fresh() {
  DimAtom atom;
  atom.name = "#" + std::to_string(next_fresh().fetch_add(1));
  atom.text = atom.name;
  return Dim(dim_of_atom(intern_named(std::move(atom))));
}

bool Dim::is_constant() const { return node_->is_constant(); }

int64_t Dim::constant() const {
  internal_check(node_->is_constant(), "constant() of a symbolic dim");
  return node_->constant_term();
}

bool Dim::is_symbol() const {
  return node_->terms.size() == 1 && node_->terms[0].coefficient == 1 && node_->terms[0].atoms.size() == 1 &&
         node_->terms[0].atoms[0]->kind == DimAtom::Kind::symbol;
}

int64_t Dim::evaluate(const DimBindings& bindings) const { return value_of(node_, bindings); }

std::vector<std::string> Dim::symbols() const {
  std::vector<std::string> names;
  collect_symbols(node_, names);
  return names;
}

std::string Dim::str() const { return node_->text; }

uint64_t Dim::stable_hash() const { return node_->text_hash; }

Dim operator+(const Dim& a, const Dim& b) { return Dim(sum_of(a.node_, b.node_, 1)); }
Dim operator-(const Dim& a, const Dim& b) { return Dim(sum_of(a.node_, b.node_, -1)); }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.node_->terms.size() * b.node_->terms.size() > max_terms) fail_too_large();
  std::vector<DimTerm> terms;
  for (const DimTerm& x : a.node_->terms) {
    for (const DimTerm& y : b.node_->terms) {
      DimTerm term{checked_mul(x.coefficient, y.coefficient), x.atoms};
      term.atoms.insert(term.atoms.end(), y.atoms.begin(), y.atoms.end());
      terms.push_back(std::move(term));
    }
  }
  return Dim(intern_dim(std::move(terms)));
}

Dim product(const std::vector<Dim>& dims) {
  Dim result = 1;
  for (const Dim& d : dims) result = result * d;
  return result;
}

}  // namespace voxloom

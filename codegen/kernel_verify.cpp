// codegen/kernel_verify.cpp: verify(): what every well-formed kernel obeys.
//
// Checked:
// - ids: in range, defined once, used only where a definition in an enclosing block came before
// - dtypes: values have a real dtype; operands and result of an instruction fit its primitive (head of ops/prim.h); literal bits fit the
//   dtype; rare names a function of rare_table, lookup a table of lookup_tables
// - lanes: a result has lanes exactly when an operand (or index) has; values that meet have one width: the width of the vector loop,
//   or the one that carried values and folds fix outside; every width outside loops is known
// - loops: lo, hi and extents are uniform i64, one i64 index per axis; vector loops have no extents, hold no loop and no fold; free ones
//   carry nothing; a fixed width is a power of two; carried values agree in dtype and lanes
// - accesses: real storage, a pointer or a scratch slot in range; strides come from i64 params; index terms are i64, lanes ones are
//   the index of the enclosing vector loop or, for loads, any of its i64 values; stores go to accesses marked written, have a lanes index inside vector loops and take
//   a lanes value only with one; non-temporal stores sit in a free loop and step by one unit term
// - fault: a boolean and an i64 index, to an i64 of scratch
// - if: a uniform boolean; folds: power of two, lanes values of that width, instructions only, inputs and outputs agree in dtype
// - params: real dtypes, slots in range
#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/codegen/kernel_names.h>

#include <bit>
#include <numeric>

namespace voxloom::codegen {

namespace {

using ops::Prim;

bool is_real(DType t) { return t == DType::boolean || is_integer(t) || is_float(t); }

/// Whether a primitive with operands of dtype `x` (select and rare: x is that of the last two) and result dtype `r` exists.
bool prim_fits(Prim p, DType r, DType x) {
  const bool number = is_integer(x) || is_float(x);
  switch (p) {
    case Prim::literal: return true;
    case Prim::add:
    case Prim::sub:
    case Prim::mul:
    case Prim::neg:
    case Prim::abs: return r == x && number;
    case Prim::div:
    case Prim::sqrt:
    case Prim::fma:
    case Prim::floor:
    case Prim::ceil:
    case Prim::trunc:
    case Prim::rint:
    case Prim::rare:
    case Prim::scale: return r == x && is_float(x);
    case Prim::lookup: return r == DType::f32 && x == DType::i32;
    case Prim::minimum:
    case Prim::maximum:
    case Prim::select: return r == x;
    case Prim::idiv:
    case Prim::imod:
    case Prim::shl:
    case Prim::shr: return r == x && is_integer(x);
    case Prim::eq:
    case Prim::ne:
    case Prim::lt:
    case Prim::le: return r == DType::boolean;
    case Prim::bit_and:
    case Prim::bit_or:
    case Prim::bit_xor:
    case Prim::bit_not: return r == x && !is_float(x);
    case Prim::cast: return true;
    case Prim::bitcast: return size_of(r) == size_of(x) && (r == DType::boolean) == (x == DType::boolean);
  }
  return false;
}

class Verifier {
 public:
  explicit Verifier(const Kernel& kernel) : k_(kernel), state_(kernel.values.size()), width_(kernel.values.size()) {
    std::iota(width_.begin(), width_.end(), uint32_t{0});
    class_width_.assign(kernel.values.size(), 0);
  }

  std::vector<std::string> run() {
    header();
    define(k_.begin, DType::i64, false, "begin");
    define(k_.end, DType::i64, false, "end");
    block(k_.body);
    for (const auto& [id, what] : outside_) {
      if (ok(id) && class_width_[root(id)] == 0) problem(what + ": the number of lanes is not known");
    }
    return std::move(problems_);
  }

 private:
  enum class State : uint8_t { undefined, live, dead };
  static constexpr size_t most_problems = 50;
  static constexpr int free_width = -1;

  // --- reports and ids ---
  void problem(std::string text) {
    if (problems_.size() < most_problems) problems_.push_back(std::move(text));
  }
  bool ok(Id id) const { return id < k_.values.size(); }
  static std::string name(Id id) { return "value " + std::to_string(id); }

  bool use(Id id, const std::string& what) {
    if (!ok(id)) {
      problem(what + ": no " + name(id));
      return false;
    }
    if (state_[id] == State::live) return true;
    problem(what + ": " + name(id) + (state_[id] == State::dead ? " is used outside its block" : " is used before its definition"));
    return false;
  }
  bool use_uniform(Id id, DType dtype, const std::string& what) {
    if (!use(id, what)) return false;
    const ValueInfo& v = k_.values[id];
    if (v.dtype != dtype || v.lanes) problem(what + ": " + name(id) + " is not a uniform " + short_name(dtype));
    return v.dtype == dtype && !v.lanes;
  }
  void define(Id id, DType dtype, bool lanes, const std::string& what) {
    if (!ok(id)) return problem(what + ": no " + name(id));
    if (state_[id] != State::undefined) problem(what + ": " + name(id) + " is defined twice");
    state_[id] = State::live;
    scope_.push_back(id);
    const ValueInfo& v = k_.values[id];
    if (!is_real(v.dtype)) problem(what + ": " + name(id) + " has dtype " + short_name(v.dtype));
    if (v.dtype != dtype) problem(what + ": " + name(id) + " has dtype " + short_name(v.dtype) + ", not " + short_name(dtype));
    if (v.lanes != lanes) problem(what + ": " + name(id) + (lanes ? " must have lanes" : " must be uniform"));
    if (!v.lanes) return;
    if (vector_loop_ != nullptr) {
      set_width(id, loop_width(*vector_loop_), what);
    } else if (fold_ == nullptr) {
      outside_.emplace_back(id, what);
    }
  }
  DType dtype_of(Id id) const { return ok(id) ? k_.values[id].dtype : DType::i64; }
  bool lanes_of(Id id) const { return ok(id) && k_.values[id].lanes; }

  // --- widths: classes of values that must have the same number of lanes ---
  static int loop_width(const Loop& l) { return l.lanes == 0 ? free_width : l.lanes; }
  uint32_t root(Id id) {
    while (width_[id] != id) id = width_[id] = width_[width_[id]];
    return id;
  }
  void set_width(Id id, int width, const std::string& what) {
    if (!lanes_of(id)) return;
    int& w = class_width_[root(id)];
    if (w != 0 && w != width) problem(what + ": " + name(id) + " has " + lanes_text(w) + " where " + lanes_text(width) + " meet");
    w = width;
  }
  void same_width(Id a, Id b, const std::string& what) {
    if (!lanes_of(a) || !lanes_of(b)) return;
    const uint32_t ra = root(a), rb = root(b);
    if (ra == rb) return;
    const int wa = class_width_[ra], wb = class_width_[rb];
    if (wa != 0 && wb != 0 && wa != wb) problem(what + ": " + lanes_text(wa) + " meet " + lanes_text(wb));
    width_[rb] = ra;
    class_width_[ra] = wa != 0 ? wa : wb;
  }
  static std::string lanes_text(int w) {
    if (w < free_width) return "the halved lanes of a fold";
    return w == free_width ? "the lanes of a free loop" : std::to_string(w) + " lanes";
  }

  // --- kernel ---
  void header() {
    for (size_t i = 0; i < k_.params.size(); ++i) {
      if (!is_real(k_.params[i].dtype)) problem("param " + std::to_string(i) + " has dtype " + short_name(k_.params[i].dtype));
    }
    for (size_t i = 0; i < k_.accesses.size(); ++i) {
      const Access& a = k_.accesses[i];
      const std::string what = "access " + std::to_string(i);
      if (!is_real(a.storage)) problem(what + " has storage " + short_name(a.storage));
      if (a.scratch_slot >= 0) {
        check_i64_slot(a.scratch_slot, what);
      } else if (a.pointer < 0 || a.pointer >= k_.pointer_count) {
        problem(what + ": pointer " + std::to_string(a.pointer) + " of " + std::to_string(k_.pointer_count));
      }
      if (a.nontemporal && !a.written) problem(what + " is non-temporal and never written");
    }
  }
  void check_i64_slot(int slot, const std::string& what) {
    if (slot < 0 || static_cast<size_t>(slot) >= k_.params.size()) return problem(what + ": no param " + std::to_string(slot));
    if (k_.params[static_cast<size_t>(slot)].dtype != DType::i64) problem(what + ": param " + std::to_string(slot) + " is not i64");
  }

  // --- statements ---
  void block(const Block& statements) {
    const size_t mark = scope_.size();
    for (const Stmt& s : statements) statement(s);
    close(mark);
  }
  void close(size_t mark) {
    for (; scope_.size() > mark; scope_.pop_back()) state_[scope_.back()] = State::dead;
  }

  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::Kind::inst: return inst(s);
      case Stmt::Kind::param: return param(s);
      case Stmt::Kind::load: return load(s);
      case Stmt::Kind::store: return store(s);
      case Stmt::Kind::fault: return fault(s);
      case Stmt::Kind::loop: return s.loop ? loop(*s.loop) : problem("a loop statement without a loop");
      case Stmt::Kind::if_: return if_statement(s);
      case Stmt::Kind::lane_fold: return s.fold ? fold(*s.fold) : problem("a fold statement without a fold");
    }
    problem("a statement of an unknown kind");
  }

  void inst(const Stmt& s) {
    const ops::Inst& in = s.inst;
    if (static_cast<int>(in.op) >= prim_count) return problem(name(s.id) + ": unknown primitive");
    const std::string what = name(s.id) + " = " + prim_name(in.op) + "." + short_name(in.type);
    const int n = ops::arity(in.op);
    bool lanes = false, usable = true;
    for (int k = 0; k < n; ++k) {
      const Id a = in.args[static_cast<size_t>(k)];
      usable = use(a, what) && usable;
      lanes = lanes || lanes_of(a);
    }
    if (usable) operands(in, what);
    define(s.id, in.type, lanes, what);
    for (int k = 0; k < n; ++k) same_width(s.id, in.args[static_cast<size_t>(k)], what);
  }

  void operands(const ops::Inst& in, const std::string& what) {
    const bool masked = in.op == Prim::select || in.op == Prim::rare;
    const int n = ops::arity(in.op);
    const auto arg = [&](int k) { return dtype_of(in.args[static_cast<size_t>(k)]); };
    const DType x = n == 0 ? in.type : arg(masked ? 1 : 0);
    if (masked && arg(0) != DType::boolean) problem(what + ": the mask is " + short_name(arg(0)));
    for (int k = masked ? 2 : 1; k < n; ++k) {
      if (arg(k) != x) problem(what + ": operands of " + short_name(x) + " and " + short_name(arg(k)));
    }
    if (!prim_fits(in.op, in.type, x)) problem(what + ": not defined for operands of " + short_name(x));
    if (in.op == Prim::literal && size_of(in.type) < 8 && (in.imm >> (8 * size_of(in.type))) != 0)
      problem(what + ": bits beyond the dtype");
    if (in.op == Prim::literal && in.type == DType::boolean && in.imm > 1) problem(what + ": a boolean is 0 or 1");
    if (in.op == Prim::rare && in.imm >= static_cast<uint64_t>(ops::rare_count)) problem(what + ": no such function");
    if (in.op == Prim::lookup && in.imm >= static_cast<uint64_t>(ops::lookup_count)) problem(what + ": no such table");
  }

  void param(const Stmt& s) {
    const std::string what = name(s.id) + " = param " + std::to_string(s.slot);
    const bool in_range = s.slot >= 0 && static_cast<size_t>(s.slot) < k_.params.size();
    if (!in_range) problem(what + ": no such slot");
    define(s.id, in_range ? k_.params[static_cast<size_t>(s.slot)].dtype : dtype_of(s.id), false, what);
  }

  /// Checks the address; how many terms have lanes.
  int terms(const Stmt& s, const std::string& what) {
    int lanes = 0;
    for (const Term& t : s.terms) {
      if (t.stride_slot >= 0) check_i64_slot(t.stride_slot, what);
      if (!use(t.index, what)) continue;
      if (dtype_of(t.index) != DType::i64) problem(what + ": the index " + name(t.index) + " is " + short_name(dtype_of(t.index)));
      if (!lanes_of(t.index)) continue;
      ++lanes;
      const bool of_loop = vector_loop_ != nullptr && !vector_loop_->index.empty();
      if (of_loop && s.kind == Stmt::Kind::load) same_width(vector_loop_->index[0], t.index, what);
      else if (!of_loop || vector_loop_->index[0] != t.index) {
        problem(what + ": the lanes index " + name(t.index) + " is not the index of the vector loop");
      }
    }
    return lanes;
  }
  const Access* access(const Stmt& s, const std::string& what) {
    if (fold_ != nullptr) problem(what + ": memory access in a fold");
    if (s.slot >= 0 && static_cast<size_t>(s.slot) < k_.accesses.size()) return &k_.accesses[static_cast<size_t>(s.slot)];
    problem(what + ": no such access");
    return nullptr;
  }

  void load(const Stmt& s) {
    const std::string what = name(s.id) + " = load @" + std::to_string(s.slot);
    const Access* a = access(s, what);
    const int lanes = terms(s, what);
    define(s.id, a != nullptr ? a->storage : dtype_of(s.id), lanes > 0, what);
  }

  void store(const Stmt& s) {
    const std::string what = "store @" + std::to_string(s.slot);
    const Access* a = access(s, what);
    const int lanes = terms(s, what);
    if (!use(s.value, what) || a == nullptr) return;
    if (!a->written) problem(what + ": the access is not marked written");
    if (dtype_of(s.value) != a->storage) problem(what + ": " + short_name(dtype_of(s.value)) + " into " + short_name(a->storage));
    if (lanes == 0 && lanes_of(s.value)) problem(what + ": a lanes value without a lanes index");
    if (lanes == 0 && vector_loop_ != nullptr) problem(what + ": no lanes index inside a vector loop");
    if (a->nontemporal) nontemporal(s, lanes, what);
  }
  void nontemporal(const Stmt& s, int lanes, const std::string& what) {
    if (vector_loop_ == nullptr || vector_loop_->lanes != 0) problem(what + ": non-temporal outside a free loop");
    bool unit = lanes == 1;
    for (const Term& t : s.terms) unit = unit && (!lanes_of(t.index) || t.stride_slot < 0);
    if (!unit) problem(what + ": non-temporal without a single unit term");
  }

  void fault(const Stmt& s) {
    const Access* a = access(s, "fault");
    if (a == nullptr) return;
    if (a->scratch_slot < 0 || a->storage != DType::i64 || !a->written) problem("fault: the access is no written i64 of scratch");
    if (s.terms.size() != 1) return problem("fault: one index is wanted");
    const Id index = s.terms[0].index;
    if (!use(s.value, "fault") || !use(index, "fault")) return;
    if (dtype_of(s.value) != DType::boolean || dtype_of(index) != DType::i64) problem("fault: a boolean and an i64 are wanted");
    if (vector_loop_ == nullptr && (lanes_of(s.value) || lanes_of(index))) problem("fault: lanes values outside vector loops");
    same_width(s.value, index, "fault");
  }

  void if_statement(const Stmt& s) {
    use_uniform(s.value, DType::boolean, "if");
    if (fold_ != nullptr) problem("if: inside a fold");
    if (s.body) block(*s.body);
    else problem("if: no body");
  }

  void loop(const Loop& l) {
    use_uniform(l.lo, DType::i64, "loop lo");
    use_uniform(l.hi, DType::i64, "loop hi");
    for (Id e : l.extents) use_uniform(e, DType::i64, "loop extent");
    for (const Carried& c : l.carried) use(c.init, "loop carried");
    if (fold_ != nullptr) problem("loop: inside a fold");
    if (l.index.size() != std::max<size_t>(1, l.extents.size())) problem("loop: one index per axis is wanted");
    const bool vector = l.lanes != 1;
    if (vector) vector_rules(l);
    const size_t mark = scope_.size();
    const Loop* outer = vector_loop_;
    if (vector) vector_loop_ = &l;
    for (Id id : l.index) define(id, DType::i64, vector, "loop index");
    for (const Carried& c : l.carried) define(c.phi, dtype_of(c.init), vector || lanes_of(c.phi), "loop carried");
    for (const Stmt& s : l.body) statement(s);
    for (const Carried& c : l.carried) use(c.next, "loop next");
    vector_loop_ = outer;
    close(mark);
    for (const Carried& c : l.carried) carried(c);
  }
  void vector_rules(const Loop& l) {
    if (l.lanes < 0 || (l.lanes > 1 && !std::has_single_bit(static_cast<unsigned>(l.lanes)))) problem("loop: lanes must be a power of two");
    if (!l.extents.empty()) problem("loop: a vector loop has no extents");
    if (vector_loop_ != nullptr) problem("loop: inside a vector loop");
    if (l.lanes == 0 && !l.carried.empty()) problem("loop: a free vector loop carries nothing");
  }
  void carried(const Carried& c) {
    const std::string what = "carried " + name(c.phi);
    if (dtype_of(c.next) != dtype_of(c.init)) problem(what + ": next is " + short_name(dtype_of(c.next)));
    if (lanes_of(c.next) != lanes_of(c.phi)) problem(what + ": phi and next differ in lanes");
    if (lanes_of(c.init) && !lanes_of(c.phi)) problem(what + ": init has lanes, phi has not");
    define(c.result, dtype_of(c.init), lanes_of(c.phi), what);
    if (!ok(c.phi) || !ok(c.next) || !ok(c.init) || !ok(c.result)) return;
    same_width(c.phi, c.init, what);
    same_width(c.phi, c.next, what);
    same_width(c.phi, c.result, what);
  }

  void fold(const LaneFold& f) {
    const size_t n = f.values.size();
    if (f.lanes < 2 || !std::has_single_bit(static_cast<unsigned>(f.lanes))) problem("fold: lanes must be a power of two");
    if (vector_loop_ != nullptr) problem("fold: inside a vector loop");
    if (fold_ != nullptr) problem("fold: inside a fold");
    if (n == 0 || f.left.size() != n || f.right.size() != n || f.outputs.size() != n || f.results.size() != n) {
      return problem("fold: values, inputs, outputs and results differ in number");
    }
    for (Id v : f.values) {
      if (!use(v, "fold")) continue;
      if (!lanes_of(v)) problem("fold: " + name(v) + " has no lanes");
      else set_width(v, f.lanes, "fold");
    }
    const size_t mark = scope_.size();
    fold_ = &f;
    for (size_t i = 0; i < n; ++i) define(f.left[i], dtype_of(f.values[i]), true, "fold left");
    for (size_t i = 0; i < n; ++i) define(f.right[i], dtype_of(f.values[i]), true, "fold right");
    for (size_t i = 1; i < n; ++i) same_width(f.left[0], f.left[i], "fold");
    for (size_t i = 0; i < n; ++i) same_width(f.left[0], f.right[i], "fold");
    set_width(f.left[0], half_of(f), "fold");
    combine(f);
    fold_ = nullptr;
    close(mark);
    for (size_t i = 0; i < n; ++i) define(f.results[i], dtype_of(f.values[i]), false, "fold result");
  }
  /// A width of its own for each fold: the halved ones differ from step to step, so nothing from outside may join.
  int half_of(const LaneFold&) { return -2 - fold_count_++; }
  void combine(const LaneFold& f) {
    for (const Stmt& s : f.combine) {
      if (s.kind == Stmt::Kind::inst) inst(s);
      else problem("fold: only instructions combine");
    }
    for (size_t i = 0; i < f.outputs.size(); ++i) {
      if (!use(f.outputs[i], "fold output")) continue;
      if (dtype_of(f.outputs[i]) != dtype_of(f.values[i])) problem("fold output: " + name(f.outputs[i]) + " changes the dtype");
      if (!lanes_of(f.outputs[i])) problem("fold output: " + name(f.outputs[i]) + " has no lanes");
      same_width(f.left[0], f.outputs[i], "fold output");
    }
  }

  const Kernel& k_;
  std::vector<State> state_;
  std::vector<uint32_t> width_;                      // union-find over values that share a width
  std::vector<int> class_width_;                     // 0 while unknown
  std::vector<std::pair<Id, std::string>> outside_;  // lanes values defined outside vector loops
  std::vector<Id> scope_;
  const Loop* vector_loop_ = nullptr;
  const LaneFold* fold_ = nullptr;
  int fold_count_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> verify(const Kernel& kernel) { return Verifier(kernel).run(); }

}  // namespace voxloom::codegen

// tests/fuzz/bugs.cpp: bugs as edits of a kernel between lowering and compilation, applied wherever they fit, as a wrong compiler would.
#include "bugs.h"

#include <algorithm>
#include <functional>

namespace voxloom::fuzz {

namespace {

using codegen::Block;
using codegen::Id;
using codegen::Kernel;
using codegen::Loop;
using codegen::Stmt;
using ops::Inst;
using ops::Prim;

// ---- walking and editing ----

void each_block(Block& block, const std::function<void(Block&)>& f) {
  for (Stmt& s : block) {
    if (s.loop) each_block(s.loop->body, f);
    if (s.body) each_block(*s.body, f);
    if (s.fold) each_block(s.fold->combine, f);
  }
  f(block);
}
void each_statement(Kernel& k, const std::function<void(Stmt&)>& f) {
  each_block(k.body, [&](Block& block) { std::for_each(block.begin(), block.end(), f); });
}
void each_inst(Kernel& k, Prim op, const std::function<void(Stmt&)>& f) {
  each_statement(k, [&](Stmt& s) {
    if (s.kind == Stmt::Kind::inst && s.inst.op == op) f(s);
  });
}
void each_loop(Kernel& k, const std::function<void(Loop&)>& f) {
  each_statement(k, [&](Stmt& s) {
    if (s.loop) f(*s.loop);
  });
}

/// Puts new instructions before a statement.
class Before {
 public:
  Before(Kernel& k, Block& out) : k_(k), out_(out) {}
  Id emit(Prim op, DType type, std::initializer_list<Id> args, uint64_t imm = 0) {
    Stmt s;
    s.kind = Stmt::Kind::inst;
    s.inst.op = op;
    s.inst.type = type;
    s.inst.imm = imm;
    std::copy(args.begin(), args.end(), s.inst.args.begin());
    bool lanes = false;
    for (Id a : args) lanes = lanes || k_.values[a].lanes;
    k_.values.push_back({type, lanes});
    s.id = static_cast<Id>(k_.values.size() - 1);
    out_.push_back(std::move(s));
    return out_.back().id;
  }
  Id number(DType type, int64_t v) { return emit(Prim::literal, type, {}, ops::bits_of_int(type, v)); }
  DType dtype(Id id) const { return k_.values[id].dtype; }

 private:
  Kernel& k_;
  Block& out_;
};
/// Rebuilds all blocks; f may emit before each statement and change it.
void rewrite(Kernel& k, const std::function<void(Before&, Stmt&)>& f) {
  each_block(k.body, [&](Block& block) {
    Block out;
    Before before(k, out);
    for (Stmt& s : block) {
      f(before, s);
      out.push_back(std::move(s));
    }
    block = std::move(out);
  });
}
bool lanes(const Kernel& k, Id id) { return k.values[id].lanes; }

// ---- the bugs ----

void swapped_sub(Kernel& k) {
  each_inst(k, Prim::sub, [](Stmt& s) { std::swap(s.inst.args[0], s.inst.args[1]); });
}
void wrong_stride(Kernel& k) {
  each_statement(k, [&](Stmt& s) {
    if (s.kind == Stmt::Kind::load && s.terms.size() > 1) std::swap(s.terms[0].stride_slot, s.terms[1].stride_slot);
  });
}
void dropped_term(Kernel& k) {
  each_statement(k, [&](Stmt& s) {
    if (s.kind == Stmt::Kind::load && s.terms.size() > 1) s.terms.erase(s.terms.begin());
  });
}
void last_element_missing(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.loop && s.loop->lanes != 1) s.loop->hi = b.emit(Prim::sub, DType::i64, {s.loop->hi, b.number(DType::i64, 1)});
  });
}
void tail_not_masked(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (!s.loop || s.loop->lanes != 0) return;
    const Id up = b.emit(Prim::add, DType::i64, {s.loop->hi, b.number(DType::i64, 7)});
    s.loop->hi = b.emit(Prim::bit_and, DType::i64, {up, b.number(DType::i64, -8)});
  });
}
void first_element_missing(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.loop && s.loop->lanes > 1) s.loop->lo = b.emit(Prim::add, DType::i64, {s.loop->lo, b.number(DType::i64, 1)});
  });
}
void wrong_neutral(Kernel& k) {
  each_inst(k, Prim::literal, [](Stmt& s) {
    if (s.inst.imm == (s.inst.type == DType::f32 ? 0x80000000u : 0x8000000000000000u) && is_float(s.inst.type)) s.inst.imm = 0;
  });
}
void fold_forgets_half(Kernel& k) {
  each_statement(k, [](Stmt& s) {
    if (s.fold) s.fold->outputs = s.fold->left;
  });
}
void fold_order(Kernel& k) {
  each_statement(k, [](Stmt& s) {
    if (s.fold) std::swap(s.fold->left, s.fold->right);
  });
}
void half_the_lanes(Kernel& k) {
  each_loop(k, [](Loop& loop) { loop.lanes = loop.lanes == 32 ? 16 : loop.lanes; });
  each_statement(k, [](Stmt& s) {
    if (s.fold && s.fold->lanes == 32) s.fold->lanes = 16;
  });
}
void extremum_drops_nan(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || (s.inst.op != Prim::minimum && s.inst.op != Prim::maximum)) return;
    const Id x = s.inst.args[0], y = s.inst.args[1];
    const Id less = s.inst.op == Prim::minimum ? b.emit(Prim::lt, DType::boolean, {x, y}) : b.emit(Prim::lt, DType::boolean, {y, x});
    s.inst.op = Prim::select;
    s.inst.args = {less, x, y};
  });
}
void byte_order_ignored(Kernel& k) {
  for (codegen::Access& a : k.accesses) a.swapped = false;
}
void extents_swapped(Kernel& k) {
  each_loop(k, [](Loop& loop) {
    if (loop.extents.size() > 1) std::swap(loop.extents[0], loop.extents[1]);
  });
}
void sign_lost_in_cast(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || s.inst.op != Prim::cast) return;
    const DType from = b.dtype(s.inst.args[0]);
    const DType to = from == DType::i8 ? DType::u8 : from == DType::i16 ? DType::u16 : from == DType::i32 ? DType::u32 : from;
    if (to != from) s.inst.args[0] = b.emit(Prim::bitcast, to, {s.inst.args[0]});
  });
}
void contraction(Kernel& k) {
  std::vector<const Inst*> products(k.values.size(), nullptr);
  each_inst(k, Prim::mul, [&](Stmt& s) {
    if (is_float(s.inst.type)) products[s.id] = &s.inst;
  });
  each_inst(k, Prim::add, [&](Stmt& s) {
    const Inst* product = products[s.inst.args[0]];
    if (product == nullptr) return;
    s.inst.op = Prim::fma;
    s.inst.args = {product->args[0], product->args[1], s.inst.args[1]};
  });
}
void reciprocal_division(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || s.inst.op != Prim::div) return;
    const Id one = b.emit(Prim::literal, s.inst.type, {}, ops::bits_of(s.inst.type, 1.0));
    s.inst.args[1] = b.emit(Prim::div, s.inst.type, {one, s.inst.args[1]});
    s.inst.op = Prim::mul;
  });
}
void select_swapped(Kernel& k) {
  each_inst(k, Prim::select, [](Stmt& s) { std::swap(s.inst.args[1], s.inst.args[2]); });
}
void store_missing(Kernel& k) {
  Block* last = nullptr;
  each_block(k.body, [&](Block& block) {
    for (const Stmt& s : block) last = s.kind == Stmt::Kind::store ? &block : last;
  });
  if (last == nullptr) return;
  const auto it = std::find_if(last->rbegin(), last->rend(), [](const Stmt& s) { return s.kind == Stmt::Kind::store; });
  last->erase(std::next(it).base());
}
void less_is_less_equal(Kernel& k) {
  each_inst(k, Prim::lt, [](Stmt& s) { s.inst.op = Prim::le; });
}
void load_taken_for_uniform(Kernel& k) {
  each_loop(k, [&](Loop& loop) {
    if (loop.lanes == 1) return;
    for (Stmt& s : loop.body) {
      if (s.kind != Stmt::Kind::load) continue;
      for (codegen::Term& t : s.terms) {
        if (lanes(k, t.index) && t.stride_slot >= 0) t.stride_slot = -1;
      }
    }
  });
}
void state_not_updated(Kernel& k) {
  each_loop(k, [](Loop& loop) {
    if (loop.carried.size() > 1) loop.carried.back().next = loop.carried.back().phi;
  });
}
void wrong_leaf_length(Kernel& k) {
  each_statement(k, [&](Stmt& s) {
    if (s.kind != Stmt::Kind::param || k.params[static_cast<size_t>(s.slot)].name != "leaf") return;
    s.kind = Stmt::Kind::inst;
    s.inst = {.op = Prim::literal, .type = DType::i64, .args = {}, .imm = 32};
  });
}
void floor_truncates(Kernel& k) {
  each_inst(k, Prim::floor, [](Stmt& s) { s.inst.op = Prim::trunc; });
}
void shift_count_masked(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || (s.inst.op != Prim::shl && s.inst.op != Prim::shr)) return;
    const Id most = b.number(s.inst.type, static_cast<int64_t>(8 * size_of(s.inst.type)) - 1);
    s.inst.args[1] = b.emit(Prim::bit_and, s.inst.type, {s.inst.args[1], most});
  });
}
void narrow_accumulator(Kernel& k) {
  rewrite(k, [](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || s.inst.op != Prim::add || s.inst.type != DType::f64) return;
    const Id narrow = b.emit(Prim::cast, DType::f32, {s.inst.args[1]});
    s.inst.args[1] = b.emit(Prim::cast, DType::f64, {narrow});
  });
}
void wrong_part(Kernel& k) {
  // Common subexpressions joined although they differ in one operand's place: every second load reads what the first one reads.
  int first = -1;
  each_statement(k, [&](Stmt& s) {
    if (s.kind != Stmt::Kind::load) return;
    if (first >= 0 && first != s.slot &&
        k.accesses[static_cast<size_t>(first)].storage == k.accesses[static_cast<size_t>(s.slot)].storage) {
      s.slot = first;
    } else {
      first = s.slot;
    }
  });
}
void wrong_operand_stride(Kernel& k) {
  Stmt* before = nullptr;
  each_statement(k, [&](Stmt& s) {
    if (s.kind != Stmt::Kind::load || s.terms.empty()) return;
    if (before != nullptr && before->slot != s.slot) std::swap(before->terms[0].stride_slot, s.terms[0].stride_slot);
    before = &s;
  });
}

void index_not_wrapped(Kernel& k) {
  // Indices that count from the end: the choice between i and i + n always takes i, which then lies outside.
  each_inst(k, Prim::select, [&](Stmt& s) {
    if (s.inst.type != DType::i64) return;
    each_inst(k, Prim::add, [&](Stmt& sum) {
      if (sum.id == s.inst.args[1] && sum.inst.args[0] == s.inst.args[2]) s.inst.args[1] = s.inst.args[2];
    });
  });
}
void index_moved_on(Kernel& k) {
  // Gathered loads read the neighbour of what the index says.
  rewrite(k, [&](Before& b, Stmt& s) {
    if (s.kind != Stmt::Kind::inst || s.inst.op != Prim::select || s.inst.type != DType::i64) return;
    const Id zero = b.number(DType::i64, 0);
    const Id less = b.emit(Prim::sub, DType::i64, {s.inst.args[1], b.number(DType::i64, 1)});
    s.inst.args[1] = b.emit(Prim::maximum, DType::i64, {less, zero});
  });
}

// ---- wrong plans ----

void reused_too_early(runtime::Program& p) {
  for (runtime::Slot& s : p.slots) {
    if (s.kind == runtime::Slot::Kind::temporary) s.last_step = s.first_step;
  }
}
void sizes_not_checked(runtime::Program& p) { p.size_checks.clear(); }

// ---- wrong passes ----

bool is(const Expr& e, const char* name) { return std::string_view(e->op().name) == name; }

/// cast(cast(x, narrow), wide) -> cast(x, wide)
Graph casts_joined(const Graph& graph) {
  return rewrite(graph, [](const Expr& node, std::span<const Expr> in) {
    if (is(node, "cast") && is(in[0], "cast")) return make_node(node->op(), {in[0]->input(0)}, node->attrs(), node->origin());
    return with_inputs(*node, {in.begin(), in.end()});
  });
}
/// add(add(x, y), z) -> add(x, add(y, z))
Graph sums_reassociated(const Graph& graph) {
  return rewrite(graph, [](const Expr& node, std::span<const Expr> in) {
    if (is(node, "add") && is(in[0], "add") && in[0]->input(1).type() == node.type() && in[1].type() == node.type()) {
      return make_node(node->op(), {in[0]->input(0), make_node(node->op(), {in[0]->input(1), in[1]})});
    }
    return with_inputs(*node, {in.begin(), in.end()});
  });
}
/// flip(x) -> x
Graph flips_dropped(const Graph& graph) {
  return rewrite(graph, [](const Expr& node, std::span<const Expr> in) {
    const bool flip = is(node, "slice") && node.type() == in[0].type();
    return flip ? in[0] : with_inputs(*node, {in.begin(), in.end()});
  });
}

constexpr Bug bugs[] = {
    {"swapped_sub", "operands of subtractions change places", swapped_sub},
    {"wrong_stride", "two axes of an operand use each other's stride", wrong_stride, true},
    {"dropped_term", "an axis of an operand is forgotten in its address", dropped_term, true},
    {"last_element_missing", "vector loops end one element early", last_element_missing},
    {"tail_not_masked", "free vector loops run on to a multiple of 8", tail_not_masked},
    {"first_element_missing", "reductions begin one element late", first_element_missing},
    {"wrong_neutral", "sums start from +0 instead of -0", wrong_neutral},
    {"fold_forgets_half", "folding lanes keeps the lower half only", fold_forgets_half},
    {"fold_order", "folding lanes takes the upper half first", fold_order},
    {"half_the_lanes", "reductions use 16 interleaved states instead of 32", half_the_lanes},
    {"extremum_drops_nan", "minimum and maximum as one comparison", extremum_drops_nan},
    {"byte_order_ignored", "byte-swapped operands are read as they are", byte_order_ignored, true},
    {"extents_swapped", "flattened axes are taken apart with each other's size", extents_swapped},
    {"sign_lost_in_cast", "narrow signed integers are converted as unsigned", sign_lost_in_cast},
    {"contraction", "a product and a sum are rounded once", contraction},
    {"reciprocal_division", "division as a product with the reciprocal", reciprocal_division},
    {"select_swapped", "the branches of a choice change places", select_swapped},
    {"store_missing", "one result is not stored", store_missing},
    {"less_is_less_equal", "< compiled as <=", less_is_less_equal},
    {"load_taken_for_uniform", "a strided operand is taken to be dense", load_taken_for_uniform, true},
    {"state_not_updated", "the last state of a reduction keeps its first value", state_not_updated},
    {"wrong_leaf_length", "leaves of 32 elements whatever the shape", wrong_leaf_length},
    {"floor_truncates", "floor rounds towards zero", floor_truncates},
    {"shift_count_masked", "shift counts modulo the width, as x86 does it", shift_count_masked},
    {"narrow_accumulator", "float64 sums take in float32 numbers", narrow_accumulator},
    {"wrong_part", "a second operand is confused with the first", wrong_part},
    {"wrong_operand_stride", "strides of two operands change places", wrong_operand_stride, true},
    {"index_not_wrapped", "indices that count from the end are not taken so", index_not_wrapped},
    {"index_moved_on", "computed indices are off by one", index_moved_on},
    {.name = "reused_too_early", .what = "temporaries lie where one that is still read lies", .program = reused_too_early},
    {.name = "sizes_not_checked", .what = "sizes that do not fit are not refused", .program = sizes_not_checked},
    {.name = "casts_joined", .what = "a pass drops the inner one of two casts", .graph = casts_joined},
    {.name = "sums_reassociated", .what = "a pass changes the order of sums", .graph = sums_reassociated},
    {.name = "flips_dropped", .what = "a pass drops flips", .graph = flips_dropped},
};

}  // namespace

std::span<const Bug> all_bugs() { return bugs; }

}  // namespace voxloom::fuzz

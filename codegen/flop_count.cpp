// codegen/flop_count.cpp: FlopCounter.
#include <voxloom/codegen/flop_count.h>

#include <voxloom/codegen/kernel_widths.h>

#include <algorithm>
#include <array>
#include <utility>

namespace voxloom::codegen {
namespace {

using ops::Inst;
using ops::Prim;
using runtime::Flops;

/// As the processors' own counters have it: signs, comparisons, selections, conversions and roundings to integers are free.
int weight(Prim op) {
  switch (op) {
    case Prim::add:
    case Prim::sub:
    case Prim::mul:
    case Prim::div:
    case Prim::scale:
    case Prim::sqrt:
    case Prim::minimum:
    case Prim::maximum: return 1;
    case Prim::fma: return 2;
    default: return 0;
  }
}

Flops flops_of(const Inst& inst, int64_t times) {
  const int64_t n = weight(inst.op) * times;
  return {inst.type == DType::f32 ? n : 0, inst.type == DType::f64 ? n : 0};
}

}  // namespace

/// Keeps of a kernel what decides about its loops, and sums up the rest.
class FlopCounter::Builder {
 public:
  Builder(const Kernel& kernel, FlopCounter& out) : kernel_(kernel), out_(out), widths_(lane_widths(kernel)) {
    needed_.assign(kernel.values.size(), 0);
    find_needed(kernel.body);
    block(kernel.body);
  }

 private:
  // What loop bounds and conditions are computed from; backwards, so that users come before what they use.
  void find_needed(const codegen::Block& statements) {
    for (auto s = statements.rbegin(); s != statements.rend(); ++s) {
      switch (s->kind) {
        case Stmt::Kind::loop:
          need({s->loop->lo, s->loop->hi});
          need(s->loop->extents);
          if (s->loop->lanes == 1) find_needed(s->loop->body);
          break;
        case Stmt::Kind::if_:
          need({s->value});
          find_needed(*s->body);
          break;
        case Stmt::Kind::inst:
          if (needed_[s->id] == 0) break;
          for (int k = 0; k < ops::arity(s->inst.op); ++k) needed_[s->inst.args[static_cast<size_t>(k)]] = 1;
          break;
        default: break;
      }
    }
  }
  void need(const std::vector<Id>& ids) {
    for (Id id : ids) needed_[id] = 1;
  }

  int block(const codegen::Block& statements) {
    Block result;
    for (const Stmt& s : statements) add(s, result);
    out_.blocks_.push_back(std::move(result));
    return static_cast<int>(out_.blocks_.size()) - 1;
  }

  void add(const Stmt& s, Block& to) {
    switch (s.kind) {
      case Stmt::Kind::inst:
        to.own += flops_of(s.inst, std::max(1, widths_[s.id]));
        if (needed_[s.id] != 0) to.items.push_back({Item::Kind::inst, s.id, s.inst, argument_of(s.inst), 0});
        break;
      case Stmt::Kind::param:
        if (needed_[s.id] != 0) to.items.push_back({Item::Kind::param, s.id, {}, DType::i64, s.slot});
        break;
      case Stmt::Kind::lane_fold:
        // Of n lanes n / 2 are combined, then n / 4, ...
        for (const Stmt& c : s.fold->combine) to.own += flops_of(c.inst, s.fold->lanes - 1);
        break;
      case Stmt::Kind::if_: to.items.push_back({Item::Kind::branch, s.value, {}, DType::i64, block(*s.body)}); break;
      case Stmt::Kind::loop: to.items.push_back({Item::Kind::loop, 0, {}, DType::i64, loop(*s.loop)}); break;
      case Stmt::Kind::load:
      case Stmt::Kind::store:
      case Stmt::Kind::fault: break;
    }
  }

  DType argument_of(const Inst& inst) const {
    if (ops::arity(inst.op) == 0) return inst.type;
    return kernel_.values[inst.args[inst.op == Prim::select ? 2 : 0]].dtype;
  }

  int loop(const codegen::Loop& l) {
    Loop result;
    result.lo = l.lo, result.hi = l.hi;
    result.extents = l.extents, result.index = l.index;
    result.vector = l.lanes != 1;
    for (Id id : l.index) result.matters.push_back(needed_[id]);
    if (result.vector) {
      Block once;
      vector_body(l.body, once.own, result.per_element);
      out_.blocks_.push_back(once);
      result.body = static_cast<int>(out_.blocks_.size()) - 1;
    } else {
      result.body = block(l.body);
    }
    out_.loops_.push_back(std::move(result));
    return static_cast<int>(out_.loops_.size()) - 1;
  }

  void vector_body(const codegen::Block& statements, Flops& once, Flops& per_element) {
    for (const Stmt& s : statements) {
      if (s.kind == Stmt::Kind::if_) vector_body(*s.body, once, per_element);
      if (s.kind == Stmt::Kind::inst) (kernel_.values[s.id].lanes ? per_element : once) += flops_of(s.inst, 1);
    }
  }

  const Kernel& kernel_;
  FlopCounter& out_;
  std::vector<int> widths_;
  std::vector<char> needed_;
};

/// One evaluation: the values of bounds, and sums over the loops.
class FlopCounter::Walk {
 public:
  Walk(const FlopCounter& counter, const int64_t* params)
      : c_(counter), params_(params), value_(counter.values_), known_(counter.values_) {}

  void set(Id id, int64_t v) {
    value_[id] = v;
    known_[id] = 1;
  }

  Flops block(int number) {
    const Block& b = c_.blocks_[static_cast<size_t>(number)];
    Flops sum = b.own;
    for (const Item& item : b.items) {
      switch (item.kind) {
        case Item::Kind::param: set(item.id, params_[item.number]); break;
        case Item::Kind::inst: evaluate(item); break;
        case Item::Kind::loop: sum += loop(c_.loops_[static_cast<size_t>(item.number)]); break;
        case Item::Kind::branch:
          if (known_[item.id] == 0 || value_[item.id] != 0) sum += block(item.number);
          break;
      }
    }
    return sum;
  }

 private:
  // Only uniform integers: whatever depends on loads or carried values stays unknown.
  void evaluate(const Item& item) {
    std::array<uint64_t, 3> args{};
    known_[item.id] = 1;
    for (int k = 0; k < ops::arity(item.inst.op); ++k) {
      const Id id = item.inst.args[static_cast<size_t>(k)];
      args[static_cast<size_t>(k)] = static_cast<uint64_t>(value_[id]);
      if (known_[id] == 0) known_[item.id] = 0;
    }
    value_[item.id] =
        static_cast<int64_t>(ops::eval_prim(item.inst.op, item.inst.type, item.argument, args[0], args[1], args[2], item.inst.imm));
  }

  Flops loop(const Loop& l) {
    if (known_[l.lo] == 0 || known_[l.hi] == 0) return block(l.body);
    const int64_t lo = value_[l.lo], n = value_[l.hi] - lo;
    if (n <= 0) return {};
    if (l.vector) return block(l.body) + l.per_element * n;
    int64_t all = 1;
    for (Id e : l.extents) all *= value_[e];
    if (l.extents.size() > 1 && lo == 0 && n == all) return axes(l, l.extents.size());
    if (std::count(l.matters.begin(), l.matters.end(), 0) == static_cast<std::ptrdiff_t>(l.matters.size())) return block(l.body) * n;
    return over(n, [&](int64_t position) {
      place(l, lo + position);
      return block(l.body);
    });
  }

  // The sum over 0 ... n - 1 of what is the same for all but the first and the last.
  template <class F> static Flops over(int64_t n, F&& f) {
    Flops sum = f(0);
    if (n > 2) sum += f(1) * (n - 2);
    if (n > 1) sum += f(n - 1);
    return sum;
  }

  // All positions of the loop's first `count` axes, one axis at a time.
  Flops axes(const Loop& l, size_t count) {
    if (count == 0) return block(l.body);
    const size_t axis = count - 1;
    const int64_t n = value_[l.extents[axis]];
    if (l.matters[axis] == 0) return axes(l, axis) * n;
    return over(n, [&](int64_t index) {
      set(l.index[axis], index);
      return axes(l, axis);
    });
  }

  void place(const Loop& l, int64_t position) {
    for (size_t k = 0; k + 1 < l.index.size(); ++k) {
      const int64_t extent = std::max<int64_t>(1, value_[l.extents[k]]);
      set(l.index[k], position % extent);
      position /= extent;
    }
    set(l.index.back(), position);
  }

  const FlopCounter& c_;
  const int64_t* params_;
  std::vector<int64_t> value_;
  std::vector<char> known_;
};

FlopCounter::FlopCounter(const Kernel& kernel) : begin_(kernel.begin), end_(kernel.end), values_(kernel.values.size()) {
  const Builder builder(kernel, *this);
}

Flops FlopCounter::count(const int64_t* params, int64_t begin, int64_t end) const {
  Walk walk(*this, params);
  walk.set(begin_, begin);
  walk.set(end_, end);
  return walk.block(static_cast<int>(blocks_.size()) - 1);
}

}  // namespace voxloom::codegen

// codegen/kernel_eval.cpp: eval_kernel(): the meaning of the kernel IR, written for clarity.
#include <voxloom/codegen/kernel_eval.h>

#include <algorithm>
#include <cstring>

namespace voxloom::codegen {

namespace {

class Evaluator {
 public:
  Evaluator(const Kernel& kernel, const int64_t* params, char* const* pointers, char* scratch)
      : k_(kernel), params_(params), pointers_(pointers), scratch_(scratch), values_(kernel.values.size(), std::vector<uint64_t>(1, 0)) {}

  void run(int64_t begin, int64_t end) {
    set(k_.begin, begin);
    set(k_.end, end);
    block(k_.body);
  }

 private:
  /// Lanes of a value; one entry stands for all lanes.
  using Lanes = std::vector<uint64_t>;

  void set(Id id, int64_t v) { values_[id].assign(1, static_cast<uint64_t>(v)); }
  int64_t integer(Id id) const { return static_cast<int64_t>(values_[id][0]); }
  static void splat(Lanes& v, size_t lanes) {
    const uint64_t first = v[0];
    v.resize(lanes, first);
  }
  static uint64_t lane(const Lanes& v, size_t l) { return v.size() == 1 ? v[0] : v[l]; }

  void block(const Block& statements) {
    for (const Stmt& s : statements) statement(s);
  }
  void statement(const Stmt& s) {
    switch (s.kind) {
      case Stmt::Kind::inst: return inst(s);
      case Stmt::Kind::param: {
        const size_t bytes = size_of(k_.params[static_cast<size_t>(s.slot)].dtype);
        const auto bits = static_cast<uint64_t>(params_[s.slot]);
        values_[s.id].assign(1, bytes == 8 ? bits : bits & ((uint64_t{1} << (8 * bytes)) - 1));
        return;
      }
      case Stmt::Kind::load: return load(s);
      case Stmt::Kind::store: return store(s);
      case Stmt::Kind::fault: return fault(s);
      case Stmt::Kind::loop: return s.loop->lanes == 1 ? scalar_loop(*s.loop) : vector_loop(*s.loop);
      case Stmt::Kind::if_:
        if (values_[s.value][0] != 0) block(*s.body);
        return;
      case Stmt::Kind::lane_fold: return fold(*s.fold);
    }
  }

  void inst(const Stmt& s) {
    const auto n = static_cast<size_t>(ops::arity(s.inst.op));
    size_t width = 1;
    for (size_t k = 0; k < n; ++k) width = std::max(width, values_[s.inst.args[k]].size());
    const bool masked = s.inst.op == ops::Prim::select || s.inst.op == ops::Prim::rare;
    const DType arg_type = n == 0 ? s.inst.type : k_.values[s.inst.args[masked ? 2 : 0]].dtype;
    Lanes out(width);
    for (size_t l = 0; l < width; ++l) {
      uint64_t args[3] = {0, 0, 0};
      for (size_t k = 0; k < n; ++k) args[k] = lane(values_[s.inst.args[k]], l);
      out[l] = ops::eval_prim(s.inst.op, s.inst.type, arg_type, args[0], args[1], args[2], s.inst.imm);
    }
    values_[s.id] = std::move(out);
  }

  char* address(const Stmt& s, size_t l) const {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    char* p = a.scratch_slot >= 0 ? scratch_ + params_[a.scratch_slot] : pointers_[a.pointer];
    for (const Term& t : s.terms) {
      const int64_t stride = t.stride_slot < 0 ? static_cast<int64_t>(size_of(a.storage)) : params_[t.stride_slot];
      p += static_cast<int64_t>(lane(values_[t.index], l)) * stride;
    }
    return p;
  }
  size_t width_of(const Stmt& s) const {
    size_t width = 1;
    for (const Term& t : s.terms) width = std::max(width, values_[t.index].size());
    return width;
  }
  static void copy(char* to, const char* from, const Access& a) {
    const size_t n = size_of(a.storage);
    for (size_t i = 0; i < n; ++i) to[i] = from[a.swapped ? n - 1 - i : i];
  }
  bool active(size_t l) const { return mask_.empty() || mask_[l]; }

  void load(const Stmt& s) {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    Lanes out(width_of(s), 0);
    for (size_t l = 0; l < out.size(); ++l) {
      if (out.size() > 1 && !active(l)) continue;
      copy(reinterpret_cast<char*>(&out[l]), address(s, l), a);
      if (a.storage == DType::boolean) out[l] = out[l] != 0 ? 1 : 0;
    }
    values_[s.id] = std::move(out);
  }
  void store(const Stmt& s) {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    const size_t width = width_of(s);
    for (size_t l = 0; l < width; ++l) {
      if (width > 1 && !active(l)) continue;
      const uint64_t bits = lane(values_[s.value], l);
      copy(address(s, l), reinterpret_cast<const char*>(&bits), a);
    }
  }

  void fault(const Stmt& s) {
    const Access& a = k_.accesses[static_cast<size_t>(s.slot)];
    const Lanes &wrong = values_[s.value], &index = values_[s.terms[0].index];
    for (size_t l = 0; l < std::max(wrong.size(), index.size()); ++l) {
      if (lane(wrong, l) == 0 || (wrong.size() > 1 && !active(l))) continue;
      const int64_t found = std::max(static_cast<int64_t>(lane(index, l)), INT64_MIN + 1);
      std::memcpy(scratch_ + params_[a.scratch_slot], &found, sizeof found);
    }
  }

  void indices(const Loop& l, int64_t p) {
    for (size_t k = 0; k < l.index.size(); ++k) {
      if (k + 1 >= l.index.size()) {
        set(l.index[k], p);
      } else {
        const int64_t e = integer(l.extents[k]);
        set(l.index[k], p % e);
        p /= e;
      }
    }
  }
  void scalar_loop(const Loop& l) {
    std::vector<Lanes> state = start(l);
    const int64_t hi = integer(l.hi);
    for (int64_t p = integer(l.lo); p < hi; ++p) {
      indices(l, p);
      for (size_t k = 0; k < state.size(); ++k) values_[l.carried[k].phi] = state[k];
      block(l.body);
      for (size_t k = 0; k < state.size(); ++k) state[k] = values_[l.carried[k].next];
    }
    finish(l, state);
  }
  std::vector<Lanes> start(const Loop& l) const {
    std::vector<Lanes> state;
    for (const Carried& c : l.carried) state.push_back(values_[c.init]);
    return state;
  }
  void finish(const Loop& l, std::vector<Lanes>& state) {
    for (size_t k = 0; k < state.size(); ++k) values_[l.carried[k].result] = std::move(state[k]);
  }

  void vector_loop(const Loop& l) {
    const int64_t lo = integer(l.lo), hi = integer(l.hi);
    const int64_t n = l.lanes == 0 ? 2 : l.lanes;  // free: any width does; two shows more than one
    std::vector<Lanes> state = start(l);
    for (Lanes& v : state) splat(v, static_cast<size_t>(n));
    for (int64_t base = lo - ((lo % n) + n) % n; base < hi; base += n) {
      Lanes index(static_cast<size_t>(n));
      mask_.assign(static_cast<size_t>(n), false);
      for (int64_t i = 0; i < n; ++i) {
        index[static_cast<size_t>(i)] = static_cast<uint64_t>(base + i);
        mask_[static_cast<size_t>(i)] = base + i >= lo && base + i < hi;
      }
      values_[l.index[0]] = std::move(index);
      for (size_t k = 0; k < state.size(); ++k) values_[l.carried[k].phi] = state[k];
      block(l.body);
      for (size_t k = 0; k < state.size(); ++k) {
        for (size_t i = 0; i < mask_.size(); ++i) {
          if (mask_[i]) state[k][i] = lane(values_[l.carried[k].next], i);
        }
      }
    }
    mask_.clear();
    finish(l, state);
  }

  void fold(const LaneFold& f) {
    std::vector<Lanes> state;
    for (Id v : f.values) {
      state.push_back(values_[v]);
      splat(state.back(), static_cast<size_t>(f.lanes));
    }
    for (auto half = static_cast<size_t>(f.lanes) / 2; half > 0; half /= 2) {
      for (size_t k = 0; k < state.size(); ++k) {
        values_[f.left[k]].assign(state[k].begin(), state[k].begin() + static_cast<std::ptrdiff_t>(half));
        values_[f.right[k]].assign(state[k].begin() + static_cast<std::ptrdiff_t>(half),
                                   state[k].begin() + static_cast<std::ptrdiff_t>(2 * half));
      }
      block(f.combine);
      for (size_t k = 0; k < state.size(); ++k) {
        for (size_t i = 0; i < half; ++i) state[k][i] = lane(values_[f.outputs[k]], i);
      }
    }
    for (size_t k = 0; k < state.size(); ++k) values_[f.results[k]].assign(1, state[k][0]);
  }

  const Kernel& k_;
  const int64_t* params_;
  char* const* pointers_;
  char* scratch_;
  std::vector<Lanes> values_;
  std::vector<bool> mask_;  // of the vector loop being run
};

}  // namespace

void eval_kernel(const Kernel& kernel, const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch) {
  Evaluator(kernel, params, pointers, scratch).run(begin, end);
}

}  // namespace voxloom::codegen

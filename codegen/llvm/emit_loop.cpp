// codegen/llvm/emit_loop.cpp: scalar loops with flat indices, free and fixed vector loops, lane folds.
#include <voxloom/codegen/llvm/emit_kernel.h>
#include <voxloom/graph/error.h>

namespace voxloom::codegen {

void KernelEmitter::loop(const Loop& l) {
  if (l.lanes == 1) return scalar_loop(l);
  internal_check(part_ == nullptr, "a vector loop inside a vector loop");
  if (l.lanes == 0) return free_loop(l);
  fixed_loop(l);
}

/// The value a carried one starts from, with as many lanes as its phi.
KernelEmitter::V KernelEmitter::carried_init(const Carried& c) {
  const V v = use(c.init);
  if (!kernel_.values[c.phi].lanes || Ir::lanes_of(v) > 1) return v;
  internal_check(outer_lanes_[c.phi] > 0, "nothing fixes the number of lanes of a carried value");
  return ir_.splat(v, static_cast<unsigned>(outer_lanes_[c.phi]));
}

std::vector<KernelEmitter::V> KernelEmitter::first_indices(const Loop& l, V lo) {
  std::vector<V> index;
  V rest = lo;
  for (size_t k = 0; k + 1 < l.extents.size(); ++k) {
    const V e = use(l.extents[k]);
    index.push_back(LLVMBuildURem(ir_.builder(), rest, e, ""));
    rest = LLVMBuildUDiv(ir_.builder(), rest, e, "");
  }
  index.push_back(rest);
  return index;
}

std::vector<KernelEmitter::V> KernelEmitter::next_indices(const Loop& l, const std::vector<V>& index, V next_p) {
  if (index.size() == 1) return {next_p};
  std::vector<V> next;
  V carry = ir_.c64(1);
  for (size_t k = 0; k < index.size(); ++k) {
    V v = ir_.add(index[k], carry);
    if (k + 1 < index.size()) {
      const V full = ir_.icmp(LLVMIntEQ, v, use(l.extents[k]));
      v = ir_.select(full, ir_.c64(0), v);
      carry = LLVMBuildZExt(ir_.builder(), full, ir_.i64(), "");
    }
    next.push_back(v);
  }
  return next;
}

void KernelEmitter::scalar_loop(const Loop& l) {
  const V lo = use(l.lo), hi = use(l.hi);
  std::vector<V> init, phis;
  for (const Carried& c : l.carried) init.push_back(carried_init(c));
  const Ir::Block guard = ir_.here(), before = ir_.new_block("loop.begin"), body = ir_.new_block("loop"), end = ir_.new_block("loop.end");
  ir_.branch(ir_.icmp(LLVMIntSLT, lo, hi), before, end);
  ir_.at(before);  // the divisions happen only if there is a position, so no extent is 0
  const std::vector<V> first = first_indices(l, lo);
  ir_.jump(body);
  ir_.at(body);
  const V p = ir_.phi(ir_.i64());
  Ir::incoming(p, lo, before);
  std::vector<V> index;
  for (size_t k = 0; k < l.index.size(); ++k) {
    index.push_back(l.index.size() == 1 ? p : ir_.phi(ir_.i64()));
    if (l.index.size() > 1) Ir::incoming(index[k], first[k], before);
    define(l.index[k], index[k]);
  }
  for (size_t k = 0; k < init.size(); ++k) {
    phis.push_back(ir_.phi(LLVMTypeOf(init[k])));
    Ir::incoming(phis[k], init[k], before);
    define(l.carried[k].phi, phis[k]);
  }
  block(l.body);
  const V p1 = ir_.add(p, ir_.c64(1));
  const std::vector<V> next = next_indices(l, index, p1);
  std::vector<V> carried;
  for (size_t k = 0; k < init.size(); ++k) carried.push_back(use(l.carried[k].next, Ir::lanes_of(init[k])));
  const Ir::Block latch = ir_.here();
  Ir::incoming(p, p1, latch);
  for (size_t k = 0; k < index.size() && index.size() > 1; ++k) Ir::incoming(index[k], next[k], latch);
  for (size_t k = 0; k < init.size(); ++k) Ir::incoming(phis[k], carried[k], latch);
  ir_.branch(ir_.icmp(LLVMIntSLT, p1, hi), body, end);
  ir_.at(end);
  for (size_t k = 0; k < init.size(); ++k) {
    const V result = ir_.phi(LLVMTypeOf(init[k]));
    Ir::incoming(result, init[k], guard);
    Ir::incoming(result, carried[k], latch);
    define(l.carried[k].result, result);
  }
}

/// Lanes from <= k < to of a vector; both are within 0 .. width.
KernelEmitter::V KernelEmitter::lane_mask(unsigned width, V from, V to) {
  const bool whole_start = LLVMIsAConstantInt(from) != nullptr && LLVMConstIntGetZExtValue(from) == 0;
  if (avx512()) {
    const V ones = ir_.c64(-1);
    V bits = ir_.intrinsic("llvm.x86.bmi.bzhi.64", {}, {ones, to});
    if (!whole_start) bits = ir_.bit_and(bits, LLVMBuildNot(ir_.builder(), ir_.intrinsic("llvm.x86.bmi.bzhi.64", {}, {ones, from}), ""));
    return ir_.bitcast(LLVMBuildTrunc(ir_.builder(), bits, ir_.int_type(width), ""), ir_.vector(ir_.int_type(1), width));
  }
  const V lanes = ir_.iota(ir_.int_type(32), width);
  const auto splat32 = [&](V v) { return ir_.splat(LLVMBuildTrunc(ir_.builder(), v, ir_.int_type(32), ""), width); };
  const V below = ir_.icmp(LLVMIntULT, lanes, splat32(to));
  return whole_start ? below : ir_.bit_and(below, ir_.icmp(LLVMIntUGE, lanes, splat32(from)));
}

KernelEmitter::V KernelEmitter::clamp(V v, int64_t low, int64_t high) {
  return ir_.intrinsic("llvm.smax", {ir_.i64()}, {ir_.c64(low), ir_.intrinsic("llvm.smin", {ir_.i64()}, {ir_.c64(high), v})});
}

void KernelEmitter::vector_body(const Loop& l, unsigned width, unsigned first_lane, V start, const Range* range, std::vector<V>& carried) {
  Part part;
  part.width = width;
  part.first_lane = first_lane;
  if (range != nullptr) {
    part.from = range->lo == start ? ir_.c64(0) : clamp(ir_.sub(range->lo, start), 0, width);
    part.to = clamp(ir_.sub(range->hi, start), 0, width);
    part.mask = lane_mask(width, part.from, part.to);
  }
  part_ = &part;
  define(l.index[0], ir_.add(ir_.splat(start, width), ir_.iota(ir_.i64(), width)));
  affine_[l.index[0]] = start;
  for (size_t c = 0; c < carried.size(); ++c) define(l.carried[c].phi, carried[c]);
  block(l.body);
  for (size_t c = 0; c < carried.size(); ++c) {
    const V next = use(l.carried[c].next, width);
    carried[c] = part.mask == nullptr ? next : ir_.select(part.mask, next, carried[c]);
  }
  part_ = nullptr;
}

void KernelEmitter::chunk(const Loop& l, const LoopShape& shape, V first, const Range* range, std::vector<std::vector<V>>& carried) {
  for (unsigned k = 0; k < shape.parts; ++k) {
    std::vector<V> part;
    for (const std::vector<V>& c : carried) part.push_back(c[k]);
    vector_body(l, shape.width, k * shape.width, ir_.add(first, ir_.c64(k * shape.width)), range, part);
    for (size_t c = 0; c < carried.size(); ++c) carried[c][k] = part[c];
  }
}

void KernelEmitter::partial_chunk(const Loop& l, const LoopShape& shape, V first, const Range& range,
                                  std::vector<std::vector<V>>& carried) {
  if (uses_outer_lanes(kernel_, l)) return chunk(l, shape, first, &range, carried);
  const auto as_memory = [&](V v) {  // vectors of bits have no place in memory lane by lane
    return LLVMGetTypeKind(Ir::element_of(LLVMTypeOf(v))) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(Ir::element_of(LLVMTypeOf(v))) == 1
               ? LLVMBuildZExt(ir_.builder(), v, ir_.vector(ir_.int_type(8), Ir::lanes_of(v)), "")
               : v;
  };
  std::vector<V> memory;
  std::vector<int64_t> sizes;
  for (size_t c = 0; c < carried.size(); ++c) {
    sizes.push_back(static_cast<int64_t>(size_of(kernel_.values[l.carried[c].phi].dtype)));
    memory.push_back(stack_memory(shape.chunk() * static_cast<unsigned>(sizes[c])));
    for (unsigned k = 0; k < shape.parts; ++k)
      ir_.store(as_memory(carried[c][k]), ir_.offset(memory[c], ir_.c64(k * shape.width * sizes[c])), 1);
  }
  const V offset = ir_.bit_and(clamp(ir_.sub(range.lo, first), 0, shape.chunk()), ir_.c64(-static_cast<int64_t>(shape.narrow)));
  const V end_offset = clamp(ir_.sub(range.hi, first), 0, shape.chunk());
  const Ir::Block before = ir_.here(), body = ir_.new_block("narrow"), end = ir_.new_block("narrow.end");
  ir_.jump(body);  // the caller sees to it that a position lies here
  ir_.at(body);
  const V at = ir_.phi(ir_.i64());
  Ir::incoming(at, offset, before);
  std::vector<V> part, places;
  for (size_t c = 0; c < carried.size(); ++c) {
    const DType t = kernel_.values[l.carried[c].phi].dtype;
    places.push_back(ir_.offset(memory[c], ir_.mul(at, ir_.c64(sizes[c]))));
    const V v = ir_.load(ir_.vector(ir_.memory_type(t), shape.narrow), places[c], 1);
    part.push_back(t == DType::boolean ? ir_.icmp(LLVMIntNE, v, ir_.zero(LLVMTypeOf(v))) : v);
  }
  vector_body(l, shape.narrow, 0, ir_.add(first, at), &range, part);
  for (size_t c = 0; c < carried.size(); ++c) ir_.store(as_memory(part[c]), places[c], 1);
  const V next = ir_.add(at, ir_.c64(shape.narrow));
  Ir::incoming(at, next, ir_.here());
  ir_.branch(ir_.icmp(LLVMIntSLT, next, end_offset), body, end);
  ir_.at(end);
  for (size_t c = 0; c < carried.size(); ++c) {
    for (unsigned k = 0; k < shape.parts; ++k) {
      const DType t = kernel_.values[l.carried[c].phi].dtype;
      const V v = ir_.load(ir_.vector(ir_.memory_type(t), shape.width), ir_.offset(memory[c], ir_.c64(k * shape.width * sizes[c])), 1);
      carried[c][k] = t == DType::boolean ? ir_.icmp(LLVMIntNE, v, ir_.zero(LLVMTypeOf(v))) : v;
    }
  }
}

/// Chunks without masks while a full one fits; returns where they end.
KernelEmitter::V KernelEmitter::full_chunks(const Loop& l, const LoopShape& shape, V lo, V hi) {
  const V step = ir_.c64(shape.chunk());
  std::vector<std::vector<V>> none;
  const Ir::Block before = ir_.here(), main = ir_.new_block("chunk"), end = ir_.new_block("rest");
  const V last = ir_.sub(hi, step);  // the last position where a full chunk fits
  ir_.branch(ir_.icmp(LLVMIntSLE, lo, last), main, end);
  ir_.at(main);
  const V p = ir_.phi(ir_.i64());
  Ir::incoming(p, lo, before);
  chunk(l, shape, p, nullptr, none);
  const V p1 = ir_.add(p, step);
  const Ir::Block latch = ir_.here();
  Ir::incoming(p, p1, latch);
  ir_.branch(ir_.icmp(LLVMIntSLE, p1, last), main, end);
  ir_.at(end);
  const V done = ir_.phi(ir_.i64());
  Ir::incoming(done, lo, before);
  Ir::incoming(done, p1, latch);
  return done;
}

/// Full chunks, then masked narrow vectors for the rest; masked vectors alone where the loop runs seldom.
void KernelEmitter::free_loop(const Loop& l) {
  const LoopShape shape = loop_shape(kernel_, l, target_.vector_bits);
  const V lo = use(l.lo), hi = use(l.hi);
  const V done = l.seldom ? lo : full_chunks(l, shape, lo, hi);
  std::vector<V> nothing;
  const Ir::Block check = ir_.here(), rest = ir_.new_block("narrow"), end = ir_.new_block("vector.end");
  ir_.branch(ir_.icmp(LLVMIntSLT, done, hi), rest, end);
  ir_.at(rest);
  const V q = ir_.phi(ir_.i64());
  Ir::incoming(q, done, check);
  const Range range{q, hi};
  vector_body(l, shape.narrow, 0, q, &range, nothing);
  const V q1 = ir_.add(q, ir_.c64(shape.narrow));
  Ir::incoming(q, q1, ir_.here());
  ir_.branch(ir_.icmp(LLVMIntSLT, q1, hi), rest, end);
  ir_.at(end);
}

// A dispatch block sends full chunks to a tight inner loop and the partial ones, first and last, to one masked copy of the body.
void KernelEmitter::fixed_loop(const Loop& l) {
  const LoopShape shape = loop_shape(kernel_, l, target_.vector_bits);
  const V lo = use(l.lo), hi = use(l.hi), step = ir_.c64(shape.chunk());
  const size_t count = l.carried.size();
  std::vector<std::vector<V>> start(count), at_dispatch(count), carried(count);
  for (size_t c = 0; c < count; ++c) {
    const V init = carried_init(l.carried[c]);
    for (unsigned k = 0; k < shape.parts; ++k) start[c].push_back(ir_.slice(init, k * shape.width, shape.width));
  }
  // An empty range starts at its end: not even uniform loads of the body may happen.
  const V aligned = ir_.bit_and(lo, ir_.c64(-static_cast<int64_t>(shape.chunk())));
  const V first = ir_.select(ir_.icmp(LLVMIntSLT, lo, hi), aligned, hi);
  const Ir::Block before = ir_.here(), dispatch = ir_.new_block("dispatch"), choose = ir_.new_block("choose"),
                  main = ir_.new_block("chunk"), partial = ir_.new_block("partial"), end = ir_.new_block("vector.end");
  ir_.jump(dispatch);

  // Phis for the carried values at the current block, fed with `from` coming from `block`.
  const auto phis = [&](std::vector<std::vector<V>>& out, const std::vector<std::vector<V>>& from, Ir::Block block) {
    for (size_t c = 0; c < count; ++c) {
      out[c].clear();
      for (unsigned k = 0; k < shape.parts; ++k) {
        out[c].push_back(ir_.phi(LLVMTypeOf(from[c][k])));
        Ir::incoming(out[c][k], from[c][k], block);
      }
    }
  };
  const auto feed = [&](const std::vector<std::vector<V>>& phi, const std::vector<std::vector<V>>& from, Ir::Block block) {
    for (size_t c = 0; c < count; ++c) {
      for (unsigned k = 0; k < shape.parts; ++k) Ir::incoming(phi[c][k], from[c][k], block);
    }
  };
  ir_.at(dispatch);
  const V p = ir_.phi(ir_.i64());
  Ir::incoming(p, first, before);
  phis(at_dispatch, start, before);
  ir_.branch(ir_.icmp(LLVMIntSLT, p, hi), choose, end);
  ir_.at(choose);
  const V full = ir_.bit_and(ir_.icmp(LLVMIntSGE, p, lo), ir_.icmp(LLVMIntSLE, ir_.add(p, step), hi));
  ir_.branch(full, main, partial);

  ir_.at(main);
  const V m = ir_.phi(ir_.i64());
  Ir::incoming(m, p, choose);
  std::vector<std::vector<V>> in_main(count);
  phis(in_main, at_dispatch, choose);
  carried = in_main;
  chunk(l, shape, m, nullptr, carried);
  const V m1 = ir_.add(m, step);
  const Ir::Block latch = ir_.here();
  Ir::incoming(m, m1, latch);
  feed(in_main, carried, latch);
  ir_.branch(ir_.icmp(LLVMIntSLE, ir_.add(m1, step), hi), main, dispatch);
  Ir::incoming(p, m1, latch);
  feed(at_dispatch, carried, latch);

  ir_.at(partial);
  carried = at_dispatch;
  partial_chunk(l, shape, p, Range{lo, hi}, carried);
  Ir::incoming(p, ir_.add(p, step), ir_.here());
  feed(at_dispatch, carried, ir_.here());
  ir_.jump(dispatch);

  ir_.at(end);
  for (size_t c = 0; c < count; ++c) define(l.carried[c].result, ir_.concat(at_dispatch[c].data(), shape.parts));
}

void KernelEmitter::lane_fold(const LaneFold& f) {
  std::vector<V> state;
  for (Id id : f.values) state.push_back(use(id, static_cast<unsigned>(f.lanes)));
  for (auto half = static_cast<unsigned>(f.lanes) / 2; half >= 1; half /= 2) {
    for (size_t k = 0; k < state.size(); ++k) {
      define(f.left[k], ir_.slice(state[k], 0, half));
      define(f.right[k], ir_.slice(state[k], half, half));
    }
    block(f.combine);
    for (size_t k = 0; k < state.size(); ++k) state[k] = use(f.outputs[k], half);
  }
  for (size_t k = 0; k < state.size(); ++k) define(f.results[k], state[k]);
}

}  // namespace voxloom::codegen

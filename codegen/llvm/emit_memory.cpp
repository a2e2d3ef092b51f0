// codegen/llvm/emit_memory.cpp: loads and stores of uniform, contiguous, strided and scattered lanes, with and without a mask.
#include <voxloom/codegen/llvm/emit_kernel.h>
#include <voxloom/graph/error.h>

#include <algorithm>

namespace voxloom::codegen {

/// Sums the terms: those of uniform indices into one pointer, so that they move out of the loop, then those along the lanes.
KernelEmitter::Address KernelEmitter::address(const Stmt& s) {
  const DType storage = kernel_.accesses[static_cast<size_t>(s.slot)].storage;
  const V item = ir_.c64(static_cast<int64_t>(size_of(storage)));
  Address a;
  a.pointer = base(s.slot);
  V uniform = nullptr, first = nullptr;
  const auto plus = [&](V& sum, V v) { sum = sum == nullptr ? v : ir_.add(sum, v); };
  bool unit = false;
  for (const Term& t : s.terms) {
    const V stride = t.stride_slot < 0 ? item : slot(t.stride_slot);
    if (!kernel_.values[t.index].lanes) {
      plus(uniform, ir_.mul(use(t.index), stride));
    } else if (affine_[t.index] != nullptr) {
      plus(first, ir_.mul(affine_[t.index], stride));
      unit = a.stride == nullptr && t.stride_slot < 0;
      plus(a.stride, stride);
    } else {
      const V index = use(t.index);
      plus(a.offsets, ir_.mul(index, ir_.splat(stride, Ir::lanes_of(index))));
    }
  }
  if (uniform != nullptr) a.pointer = ir_.offset(a.pointer, uniform);
  if (first != nullptr) a.pointer = ir_.offset(a.pointer, first);
  if (a.offsets != nullptr) {
    a.kind = Address::Kind::scattered;
    const unsigned lanes = Ir::lanes_of(a.offsets);
    if (a.stride != nullptr) a.offsets = ir_.add(a.offsets, ir_.mul(ir_.iota(ir_.i64(), lanes), ir_.splat(a.stride, lanes)));
  } else if (a.stride != nullptr) {
    a.kind = unit ? Address::Kind::contiguous : Address::Kind::strided;
  }
  return a;
}

KernelEmitter::V KernelEmitter::lane_pointer(const Address& a, V lane) {
  if (a.kind != Address::Kind::scattered) return ir_.offset(a.pointer, ir_.mul(lane, a.stride));
  return ir_.offset(a.pointer, ir_.load(ir_.i64(), ir_.offset(buffer(1), ir_.mul(lane, ir_.c64(8))), 8));
}

/// AVX2 masks elements of 4 and 8 bytes only; LLVM would take narrower ones apart into a branch per lane.
bool KernelEmitter::masks_natively(const Address& a, unsigned size) const {
  return a.kind == Address::Kind::contiguous && (avx512() || size >= 4);
}

/// Runs f(lane) for the active lanes of a masked part, in a loop: compact, and it touches no other element.
template <class F> void KernelEmitter::for_active_lanes(F&& f) {
  const Ir::Block before = ir_.here(), body = ir_.new_block("lane"), end = ir_.new_block("lane.end");
  ir_.branch(ir_.icmp(LLVMIntSLT, part_->from, part_->to), body, end);
  ir_.at(body);
  const V k = ir_.phi(ir_.i64());
  Ir::incoming(k, part_->from, before);
  f(k);
  const V k1 = ir_.add(k, ir_.c64(1));
  Ir::incoming(k, k1, ir_.here());
  ir_.branch(ir_.icmp(LLVMIntSLT, k1, part_->to), body, end);
  ir_.at(end);
}

/// Runs `whole` when all lanes of a masked part are active, else `part`; returns the blocks where they end, and goes on behind them.
template <class Whole, class PartOnly> std::pair<Ir::Block, Ir::Block> KernelEmitter::if_all_lanes(Whole&& whole, PartOnly&& part) {
  const V count = ir_.sub(part_->to, part_->from);
  const Ir::Block yes = ir_.new_block("all"), no = ir_.new_block("some"), join = ir_.new_block("joined");
  ir_.branch(ir_.icmp(LLVMIntEQ, count, ir_.c64(part_->width)), yes, no);
  ir_.at(yes);
  whole();
  const Ir::Block from_whole = ir_.here();
  ir_.jump(join);
  ir_.at(no);
  part();
  const Ir::Block from_part = ir_.here();
  ir_.jump(join);
  ir_.at(join);
  return {from_whole, from_part};
}

KernelEmitter::V KernelEmitter::load_through_buffer(const Address& a, T element, unsigned size) {
  const T type = ir_.vector(element, part_->width);
  const V values = buffer(0);
  ir_.store(ir_.zero(type), values, 64);
  if (a.kind == Address::Kind::scattered) ir_.store(a.offsets, buffer(1), 64);
  for_active_lanes([&](V k) { ir_.store(ir_.load(element, lane_pointer(a, k), 1), ir_.offset(values, ir_.mul(k, ir_.c64(size))), size); });
  return ir_.load(type, values, 64);
}

KernelEmitter::V KernelEmitter::load_lane_by_lane(const Address& a, T element) {
  V result = LLVMGetPoison(ir_.vector(element, part_->width)), pointer = a.pointer;
  for (unsigned k = 0; k < part_->width; ++k) {
    if (a.kind == Address::Kind::scattered) pointer = ir_.offset(a.pointer, ir_.lane(a.offsets, k));
    result = ir_.with_lane(result, ir_.load(element, pointer, 1), k);
    if (a.kind == Address::Kind::strided) pointer = ir_.offset(pointer, a.stride);
  }
  return result;
}

KernelEmitter::V KernelEmitter::load_lanes(const Address& a, T element, unsigned size) {
  const T type = ir_.vector(element, part_->width);
  if (part_->mask != nullptr) {
    if (a.kind == Address::Kind::contiguous && !masks_natively(a, size)) {
      V whole = nullptr, part = nullptr;
      const auto [from_whole, from_part] =
          if_all_lanes([&] { whole = ir_.load(type, a.pointer, 1); }, [&] { part = load_through_buffer(a, element, size); });
      const V v = ir_.phi(type);
      Ir::incoming(v, whole, from_whole);
      Ir::incoming(v, part, from_part);
      return v;
    }
    if (a.kind != Address::Kind::contiguous) return load_through_buffer(a, element, size);
    return ir_.intrinsic("llvm.masked.load", {type, ir_.ptr()}, {a.pointer, ir_.c32(1), part_->mask, ir_.zero(type)});
  }
  return a.kind == Address::Kind::contiguous ? ir_.load(type, a.pointer, 1) : load_lane_by_lane(a, element);
}

KernelEmitter::V KernelEmitter::load(const Stmt& s) {
  const Access& access = kernel_.accesses[static_cast<size_t>(s.slot)];
  const Address a = address(s);
  const T element = ir_.memory_type(access.storage);
  V v;
  if (a.kind == Address::Kind::uniform) {
    v = ir_.load(element, a.pointer, 1);
  } else {
    internal_check(part_ != nullptr, "a load of lanes outside vector loops");
    v = load_lanes(a, element, static_cast<unsigned>(size_of(access.storage)));
  }
  if (access.swapped) v = ir_.reverse_bytes(v);
  return access.storage == DType::boolean ? ir_.icmp(LLVMIntNE, v, ir_.zero(LLVMTypeOf(v))) : v;
}

void KernelEmitter::store_through_buffer(const Address& a, V v, unsigned size) {
  const V values = buffer(0);
  ir_.store(v, values, 64);
  if (a.kind == Address::Kind::scattered) ir_.store(a.offsets, buffer(1), 64);
  const T element = Ir::element_of(LLVMTypeOf(v));
  for_active_lanes([&](V k) { ir_.store(ir_.load(element, ir_.offset(values, ir_.mul(k, ir_.c64(size))), size), lane_pointer(a, k), 1); });
}

void KernelEmitter::store_lanes(const Address& a, V v, unsigned size, bool nontemporal) {
  if (part_->mask != nullptr) {
    if (a.kind == Address::Kind::contiguous && !masks_natively(a, size)) {
      if_all_lanes([&] { ir_.store(v, a.pointer, 1); }, [&] { store_through_buffer(a, v, size); });
      return;
    }
    if (a.kind != Address::Kind::contiguous) return store_through_buffer(a, v, size);
    ir_.intrinsic("llvm.masked.store", {LLVMTypeOf(v), ir_.ptr()}, {v, a.pointer, ir_.c32(1), part_->mask});
    return;
  }
  if (a.kind == Address::Kind::contiguous) {
    // Chunks start at multiples of their own size from an address aligned to 64; below 16 bytes there is no vector form.
    const unsigned bytes = part_->width * size;
    const bool streams = nontemporal && bytes >= 16;
    const V stored = ir_.store(v, a.pointer, streams ? std::min(64U, bytes) : 1);
    if (streams) ir_.mark_nontemporal(stored);
    return;
  }
  V pointer = a.pointer;
  for (unsigned k = 0; k < part_->width; ++k) {
    if (a.kind == Address::Kind::scattered) pointer = ir_.offset(a.pointer, ir_.lane(a.offsets, k));
    ir_.store(ir_.lane(v, k), pointer, 1);
    if (a.kind == Address::Kind::strided) pointer = ir_.offset(pointer, a.stride);
  }
}

/// Behind a branch that is hardly ever taken.
void KernelEmitter::fault(const Stmt& s) {
  V wrong = use(s.value), index = use(s.terms[0].index);
  const unsigned lanes = std::max(Ir::lanes_of(wrong), Ir::lanes_of(index));
  wrong = use(s.value, lanes);
  index = use(s.terms[0].index, lanes);
  const bool masked = part_ != nullptr && part_->mask != nullptr && Ir::lanes_of(part_->mask) == lanes && kernel_.values[s.value].lanes;
  if (masked) wrong = ir_.bit_and(wrong, part_->mask);
  const V any = lanes == 1 ? wrong : ir_.intrinsic("llvm.vector.reduce.or", {LLVMTypeOf(wrong)}, {wrong});
  const Ir::Block found = ir_.new_block("fault"), end = ir_.new_block("fault.end");
  ir_.mark_unlikely(ir_.branch(any, found, end));
  ir_.at(found);
  const V least = ir_.c64(INT64_MIN + 1);
  if (lanes > 1) {
    const V chosen = ir_.select(wrong, index, ir_.splat(least, lanes));
    index = ir_.intrinsic("llvm.vector.reduce.smax", {LLVMTypeOf(chosen)}, {chosen});
  }
  ir_.store(ir_.intrinsic("llvm.smax", {ir_.i64()}, {index, least}), base(s.slot), 8);
  ir_.jump(end);
  ir_.at(end);
}

void KernelEmitter::store(const Stmt& s) {
  const Access& access = kernel_.accesses[static_cast<size_t>(s.slot)];
  const Address a = address(s);
  const bool uniform = a.kind == Address::Kind::uniform;
  internal_check(uniform || part_ != nullptr, "a store of lanes outside vector loops");
  V v = uniform ? use(s.value) : use(s.value, part_->width);
  if (access.storage == DType::boolean) v = LLVMBuildZExt(ir_.builder(), v, ir_.vector(ir_.int_type(8), Ir::lanes_of(v)), "");
  if (access.swapped) v = ir_.reverse_bytes(v);
  if (uniform) {
    ir_.store(v, a.pointer, 1);
  } else {
    store_lanes(a, v, static_cast<unsigned>(size_of(access.storage)), access.nontemporal);
  }
}

}  // namespace voxloom::codegen

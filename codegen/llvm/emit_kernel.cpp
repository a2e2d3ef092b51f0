// codegen/llvm/emit_kernel.cpp: function header, blocks, instructions, rare calls.
#include <voxloom/codegen/kernel_widths.h>
#include <voxloom/codegen/llvm/emit_kernel.h>
#include <voxloom/codegen/llvm/emit_prim.h>
#include <voxloom/graph/error.h>

#include <cstring>

namespace voxloom::codegen {

namespace {
constexpr unsigned buffer_bytes = 64 * 8;  // 64 lanes of the widest element
}  // namespace

void emit_kernel(Ir& ir, const Kernel& kernel, const Target& target, const char* symbol) { KernelEmitter(ir, kernel, target).emit(symbol); }

KernelEmitter::KernelEmitter(Ir& ir, const Kernel& kernel, const Target& target)
    : ir_(ir),
      kernel_(kernel),
      target_(target),
      outer_lanes_(lane_widths(kernel)),
      values_(kernel.values.size()),
      affine_(kernel.values.size()),
      params_(kernel.params.size()),
      bases_(kernel.accesses.size()),
      buffers_(3) {}

void KernelEmitter::emit(const char* symbol) {
  function_header(symbol);
  entry_ = ir_.new_block("entry");
  const Ir::Block start = ir_.new_block("start");
  ir_.at(start);
  block(kernel_.body);
  if (has_nontemporal(kernel_)) ir_.intrinsic("llvm.x86.sse.sfence", {}, {});
  LLVMBuildRetVoid(ir_.builder());
  ir_.at(entry_);
  ir_.jump(start);
}

void KernelEmitter::attribute(const char* name, const std::string& value) {
  LLVMAddAttributeAtIndex(ir_.function(), static_cast<LLVMAttributeIndex>(LLVMAttributeFunctionIndex),
                          LLVMCreateStringAttribute(ir_.context(), name, static_cast<unsigned>(std::strlen(name)), value.data(),
                                                    static_cast<unsigned>(value.size())));
}

void KernelEmitter::parameter_attribute(unsigned index, const char* name) {
  const unsigned kind = LLVMGetEnumAttributeKindForName(name, std::strlen(name));
  LLVMAddAttributeAtIndex(ir_.function(), index, LLVMCreateEnumAttribute(ir_.context(), kind, 0));
}

void KernelEmitter::function_header(const char* symbol) {
  T args[] = {ir_.ptr(), ir_.ptr(), ir_.i64(), ir_.i64(), ir_.ptr()};
  const V f = LLVMAddFunction(ir_.module(), symbol, LLVMFunctionType(LLVMVoidTypeInContext(ir_.context()), args, 5, 0));
  ir_.set_function(f);
  parameter_attribute(static_cast<unsigned>(LLVMAttributeFunctionIndex), "nounwind");
  // Nobody writes params or the pointer table during a call, and no access reaches scratch through the table.
  for (unsigned k : {1U, 2U, 5U}) parameter_attribute(k, "noalias");
  for (unsigned k : {1U, 2U}) parameter_attribute(k, "readonly");
  attribute("target-cpu", target_.name);
  attribute("target-features", target_.features);
  if (!target_.tune.empty()) attribute("tune-cpu", target_.tune);
  if (avx512()) {
    attribute("prefer-vector-width", "512");
    attribute("min-legal-vector-width", "512");
  }
  params_arg_ = LLVMGetParam(f, 0);
  pointers_arg_ = LLVMGetParam(f, 1);
  scratch_arg_ = LLVMGetParam(f, 4);
  values_[kernel_.begin] = LLVMGetParam(f, 2);
  values_[kernel_.end] = LLVMGetParam(f, 3);
}

void KernelEmitter::block(const Block& statements) {
  for (const Stmt& s : statements) {
    switch (s.kind) {
      case Stmt::Kind::inst: inst(s); break;
      case Stmt::Kind::param: define(s.id, param(s.slot)); break;
      case Stmt::Kind::load: define(s.id, load(s)); break;
      case Stmt::Kind::store: store(s); break;
      case Stmt::Kind::fault: fault(s); break;
      case Stmt::Kind::loop: loop(*s.loop); break;
      case Stmt::Kind::if_: if_(s); break;
      case Stmt::Kind::lane_fold: lane_fold(*s.fold); break;
    }
  }
}

void KernelEmitter::define(Id id, V v) {
  values_[id] = v;
  affine_[id] = nullptr;
}

/// A value as the current part sees it: of an outer lanes value, the part's lanes.
KernelEmitter::V KernelEmitter::use(Id id) {
  const V v = values_[id];
  internal_check(v != nullptr, "a kernel value is used before its definition");
  return part_ != nullptr && Ir::lanes_of(v) > part_->width ? ir_.slice(v, part_->first_lane, part_->width) : v;
}

KernelEmitter::V KernelEmitter::use(Id id, unsigned lanes) {
  const V v = use(id);
  return Ir::lanes_of(v) == lanes ? v : ir_.splat(v, lanes);
}

void KernelEmitter::inst(const Stmt& s) {
  const ops::Inst& i = s.inst;
  if (i.op == ops::Prim::literal) return define(s.id, ir_.bits_constant(i.type, i.imm));
  const auto n = static_cast<size_t>(ops::arity(i.op));
  unsigned lanes = 1;
  for (size_t k = 0; k < n; ++k) lanes = std::max(lanes, Ir::lanes_of(use(i.args[k])));
  PrimArgs args{i.type, kernel_.values[i.args[n == 3 ? 2 : 0]].dtype};
  if (n > 0) args.a = use(i.args[0], lanes);
  if (n > 1) args.b = use(i.args[1], lanes);
  if (n > 2) args.c = use(i.args[2], lanes);
  args.imm = i.imm;
  if (i.op == ops::Prim::rare) return define(s.id, rare(s, args.a, args.b, args.c, lanes));
  define(s.id, emit_prim(ir_, avx512(), i.op, args));
  // index + c and index - c still step by one per lane.
  if (i.type != DType::i64 || (i.op != ops::Prim::add && i.op != ops::Prim::sub)) return;
  const V a0 = affine_[i.args[0]], b0 = affine_[i.args[1]];
  const bool a_uniform = !kernel_.values[i.args[0]].lanes, b_uniform = !kernel_.values[i.args[1]].lanes;
  if (a0 != nullptr && b_uniform) affine_[s.id] = i.op == ops::Prim::add ? ir_.add(a0, use(i.args[1])) : ir_.sub(a0, use(i.args[1]));
  if (b0 != nullptr && a_uniform && i.op == ops::Prim::add) affine_[s.id] = ir_.add(use(i.args[0]), b0);
}

void KernelEmitter::if_(const Stmt& s) {
  const Ir::Block yes = ir_.new_block("then"), join = ir_.new_block("endif");
  ir_.branch(use(s.value), yes, join);
  ir_.at(yes);
  block(*s.body);
  ir_.jump(join);
  ir_.at(join);
}

/// Lanes whose mask is set are computed one by one, behind a branch that is hardly ever taken.
KernelEmitter::V KernelEmitter::rare(const Stmt& s, V mask, V otherwise, V x, unsigned lanes) {
  const Ir::Block before = ir_.here(), slow = ir_.new_block("rare"), join = ir_.new_block("rare.end");
  if (lanes == 1) {
    ir_.mark_unlikely(ir_.branch(mask, slow, join));
    ir_.at(slow);
    const V result = rare_call(s.inst.imm, s.inst.type, x);
    const Ir::Block from = ir_.here();
    ir_.jump(join);
    ir_.at(join);
    const V phi = ir_.phi(LLVMTypeOf(x));
    Ir::incoming(phi, otherwise, before);
    Ir::incoming(phi, result, from);
    return phi;
  }
  if (part_ != nullptr && part_->mask != nullptr) mask = ir_.bit_and(mask, part_->mask);
  const V any = ir_.intrinsic("llvm.vector.reduce.or", {LLVMTypeOf(mask)}, {mask});
  ir_.mark_unlikely(ir_.branch(any, slow, join));
  ir_.at(slow);
  const T element = ir_.value_type(s.inst.type);
  const auto size = static_cast<unsigned>(size_of(s.inst.type));
  const V xs = buffer(0), results = buffer(1), flags = buffer(2);
  ir_.store(x, xs, 64);
  ir_.store(otherwise, results, 64);
  ir_.store(LLVMBuildZExt(ir_.builder(), mask, ir_.vector(ir_.int_type(8), lanes), ""), flags, 64);
  const Ir::Block head = ir_.new_block("rare.lane"), call = ir_.new_block("rare.call"), next = ir_.new_block("rare.next"),
                  end = ir_.new_block("rare.done");
  ir_.jump(head);
  ir_.at(head);
  const V k = ir_.phi(ir_.i64()), at = ir_.mul(k, ir_.c64(size));
  Ir::incoming(k, ir_.c64(0), slow);
  const V flag = ir_.load(ir_.int_type(8), ir_.offset(flags, k), 1);
  ir_.branch(ir_.icmp(LLVMIntNE, flag, ir_.zero(ir_.int_type(8))), call, next);
  ir_.at(call);
  ir_.store(rare_call(s.inst.imm, s.inst.type, ir_.load(element, ir_.offset(xs, at), size)), ir_.offset(results, at), size);
  ir_.jump(next);
  ir_.at(next);
  const V k1 = ir_.add(k, ir_.c64(1));
  Ir::incoming(k, k1, next);
  ir_.branch(ir_.icmp(LLVMIntULT, k1, ir_.c64(lanes)), head, end);
  ir_.at(end);
  const V result = ir_.load(LLVMTypeOf(x), results, 64);
  ir_.jump(join);
  ir_.at(join);
  const V phi = ir_.phi(LLVMTypeOf(x));
  Ir::incoming(phi, otherwise, before);
  Ir::incoming(phi, result, end);
  return phi;
}

KernelEmitter::V KernelEmitter::rare_call(uint64_t function, DType dtype, V x) {
  T f64 = LLVMDoubleTypeInContext(ir_.context());
  const T type = LLVMFunctionType(f64, &f64, 1, 0);
  const std::string name = "voxloom_rare_" + std::to_string(function);
  V callee = LLVMGetNamedFunction(ir_.module(), name.c_str());
  if (callee == nullptr) callee = LLVMAddFunction(ir_.module(), name.c_str(), type);
  V arg = dtype == DType::f64 ? x : LLVMBuildFPExt(ir_.builder(), x, f64, "");
  const V result = LLVMBuildCall2(ir_.builder(), type, callee, &arg, 1, "");
  return dtype == DType::f64 ? result : LLVMBuildFPTrunc(ir_.builder(), result, ir_.value_type(dtype), "");
}

/// Emits at the function's entry, for what every block may use.
template <class F> KernelEmitter::V KernelEmitter::at_entry(F&& f) {
  const Ir::Block here = ir_.here();
  ir_.at(entry_);
  const V v = f();
  ir_.at(here);
  return v;
}

KernelEmitter::V KernelEmitter::param_as(int index, T type) {
  return at_entry([&] {
    const V v = ir_.load(type, ir_.offset(params_arg_, ir_.c64(8 * index)), 8);
    ir_.mark_invariant(v);
    return v;
  });
}

KernelEmitter::V KernelEmitter::param(int slot) {
  V& v = params_[static_cast<size_t>(slot)];
  if (v != nullptr) return v;
  const DType t = kernel_.params[static_cast<size_t>(slot)].dtype;
  v = param_as(slot, ir_.memory_type(t));
  if (t == DType::boolean) v = at_entry([&] { return ir_.icmp(LLVMIntNE, v, ir_.zero(ir_.int_type(8))); });
  return v;
}

KernelEmitter::V KernelEmitter::base(int access) {
  V& v = bases_[static_cast<size_t>(access)];
  if (v != nullptr) return v;
  const Access& a = kernel_.accesses[static_cast<size_t>(access)];
  if (a.scratch_slot >= 0) {
    const V offset = slot(a.scratch_slot);
    return v = at_entry([&] { return ir_.offset(scratch_arg_, offset); });
  }
  return v = at_entry([&] {
           const V pointer = ir_.load(ir_.ptr(), ir_.offset(pointers_arg_, ir_.c64(8 * a.pointer)), 8);
           ir_.mark_invariant(pointer);
           return pointer;
         });
}

KernelEmitter::V KernelEmitter::stack_memory(unsigned bytes) {
  return at_entry([&] {
    const V memory = LLVMBuildAlloca(ir_.builder(), LLVMArrayType2(ir_.int_type(8), bytes), "");
    LLVMSetAlignment(memory, 64);
    return memory;
  });
}

KernelEmitter::V KernelEmitter::buffer(size_t which) {
  V& v = buffers_[which];
  return v != nullptr ? v : v = stack_memory(buffer_bytes);
}

}  // namespace voxloom::codegen

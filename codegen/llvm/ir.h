// codegen/llvm/ir.h: short forms over LLVM's C API for what kernels need: typed constants, vectors, intrinsics, blocks.
#pragma once

#include <llvm-c/Core.h>
#include <voxloom/graph/dtype.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace voxloom::codegen {

/// Emits into one function. Vectors of one lane are plain scalars everywhere.
class Ir {
 public:
  using V = LLVMValueRef;
  using T = LLVMTypeRef;
  using Block = LLVMBasicBlockRef;

  Ir(LLVMContextRef context, LLVMModuleRef module);
  ~Ir();
  Ir(const Ir&) = delete;
  Ir& operator=(const Ir&) = delete;

  LLVMContextRef context() const { return context_; }
  LLVMModuleRef module() const { return module_; }
  LLVMBuilderRef builder() const { return builder_; }

  // types
  T int_type(unsigned bits) const { return LLVMIntTypeInContext(context_, bits); }
  T i64() const { return i64_; }
  T ptr() const { return ptr_; }
  /// In registers: booleans are i1.
  T value_type(DType t) const;
  /// In memory: booleans are i8.
  T memory_type(DType t) const;
  T vector(T element, unsigned lanes) const { return lanes == 1 ? element : LLVMVectorType(element, lanes); }
  static unsigned lanes_of(V v);
  static T element_of(T type) { return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type; }
  /// An integer type (or vector) as wide as `type`.
  T int_like(T type) const;

  // constants
  V c64(int64_t v) const { return LLVMConstInt(i64_, static_cast<uint64_t>(v), 1); }
  V c32(uint32_t v) const { return LLVMConstInt(int_type(32), v, 0); }
  V bits_constant(DType t, uint64_t bits) const;
  V splat_constant(V scalar, unsigned lanes) const;
  /// A constant of `type` (scalar or vector) from an integer or double.
  V int_constant(T type, uint64_t v) const;
  V real_constant(T type, double v) const;
  V zero(T type) const { return LLVMConstNull(type); }
  /// <first, first + 1, ...> in `element`.
  V iota(T element, unsigned lanes) const;

  // vectors
  V splat(V scalar, unsigned lanes);
  V lane(V vector, unsigned k) { return LLVMBuildExtractElement(builder_, vector, c32(k), ""); }
  V with_lane(V vector, V element, unsigned k) { return LLVMBuildInsertElement(builder_, vector, element, c32(k), ""); }
  /// Lanes [from, from + count).
  V slice(V vector, unsigned from, unsigned count);
  /// The parts one after another; a power of two of them.
  V concat(const V* parts, unsigned count);
  /// With lanes of no meaning behind.
  V widen(V vector, unsigned lanes);
  V reverse_bytes(V v);

  // instructions
  V add(V a, V b) { return LLVMBuildAdd(builder_, a, b, ""); }
  V sub(V a, V b) { return LLVMBuildSub(builder_, a, b, ""); }
  V mul(V a, V b) { return LLVMBuildMul(builder_, a, b, ""); }
  V bit_and(V a, V b) { return LLVMBuildAnd(builder_, a, b, ""); }
  V bit_or(V a, V b) { return LLVMBuildOr(builder_, a, b, ""); }
  V bit_xor(V a, V b) { return LLVMBuildXor(builder_, a, b, ""); }
  V icmp(LLVMIntPredicate p, V a, V b) { return LLVMBuildICmp(builder_, p, a, b, ""); }
  V fcmp(LLVMRealPredicate p, V a, V b) { return LLVMBuildFCmp(builder_, p, a, b, ""); }
  V select(V c, V a, V b) { return LLVMBuildSelect(builder_, c, a, b, ""); }
  V bitcast(V v, T type) { return LLVMBuildBitCast(builder_, v, type, ""); }
  V offset(V base, V bytes);
  V load(T type, V address, unsigned alignment);
  V store(V value, V address, unsigned alignment);
  /// Calls intrinsic `name` overloaded on `types`.
  V intrinsic(std::string_view name, std::initializer_list<T> types, std::initializer_list<V> args);
  /// The value is the same whenever it is read in this call of the kernel.
  void mark_invariant(V load);
  void mark_nontemporal(V store);
  /// Marks a conditional branch whose first way is hardly ever taken.
  void mark_unlikely(V branch);

  // control
  Block new_block(const char* name);
  Block here() const { return LLVMGetInsertBlock(builder_); }
  void at(Block block) { LLVMPositionBuilderAtEnd(builder_, block); }
  void jump(Block to) { LLVMBuildBr(builder_, to); }
  V branch(V condition, Block yes, Block no) { return LLVMBuildCondBr(builder_, condition, yes, no); }
  V phi(T type) { return LLVMBuildPhi(builder_, type, ""); }
  static void incoming(V phi, V value, Block from) { LLVMAddIncoming(phi, &value, &from, 1); }
  void set_function(V function) { function_ = function; }
  V function() const { return function_; }

 private:
  void metadata(V inst, const char* kind, std::initializer_list<V> operands);

  LLVMContextRef context_;
  LLVMModuleRef module_;
  LLVMBuilderRef builder_;
  V function_ = nullptr;
  T i64_, ptr_;
};

}  // namespace voxloom::codegen

// codegen/llvm/ir.cpp: Ir.
#include <voxloom/codegen/llvm/ir.h>
#include <voxloom/graph/error.h>

#include <cstring>
#include <vector>

namespace voxloom::codegen {

Ir::Ir(LLVMContextRef context, LLVMModuleRef module)
    : context_(context),
      module_(module),
      builder_(LLVMCreateBuilderInContext(context)),
      i64_(LLVMInt64TypeInContext(context)),
      ptr_(LLVMPointerTypeInContext(context, 0)) {}

Ir::~Ir() { LLVMDisposeBuilder(builder_); }

Ir::T Ir::value_type(DType t) const {
  switch (t) {
    case DType::boolean: return int_type(1);
    case DType::f32: return LLVMFloatTypeInContext(context_);
    case DType::f64: return LLVMDoubleTypeInContext(context_);
    default:
      internal_check(is_integer(t), "kernel values are booleans, integers or floats");
      return int_type(static_cast<unsigned>(8 * size_of(t)));
  }
}

Ir::T Ir::memory_type(DType t) const { return t == DType::boolean ? int_type(8) : value_type(t); }

unsigned Ir::lanes_of(V v) {
  const T type = LLVMTypeOf(v);
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetVectorSize(type) : 1;
}

Ir::T Ir::int_like(T type) const {
  const T element = element_of(type);
  const LLVMTypeKind kind = LLVMGetTypeKind(element);
  const unsigned bits = kind == LLVMFloatTypeKind ? 32 : kind == LLVMDoubleTypeKind ? 64 : LLVMGetIntTypeWidth(element);
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMVectorType(int_type(bits), LLVMGetVectorSize(type)) : int_type(bits);
}

Ir::V Ir::bits_constant(DType t, uint64_t bits) const {
  if (!is_float(t)) return LLVMConstInt(value_type(t), bits, 0);
  return LLVMConstBitCast(LLVMConstInt(int_type(t == DType::f32 ? 32 : 64), bits, 0), value_type(t));
}

Ir::V Ir::splat_constant(V scalar, unsigned lanes) const {
  if (lanes == 1) return scalar;
  const std::vector<V> all(lanes, scalar);
  return LLVMConstVector(const_cast<V*>(all.data()), lanes);
}

Ir::V Ir::int_constant(T type, uint64_t v) const {
  const V scalar = LLVMConstInt(element_of(type), v, 0);
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? splat_constant(scalar, LLVMGetVectorSize(type)) : scalar;
}

Ir::V Ir::real_constant(T type, double v) const {
  const V scalar = LLVMConstReal(element_of(type), v);
  return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? splat_constant(scalar, LLVMGetVectorSize(type)) : scalar;
}

Ir::V Ir::iota(T element, unsigned lanes) const {
  std::vector<V> all;
  for (unsigned k = 0; k < lanes; ++k) all.push_back(LLVMConstInt(element, k, 0));
  return lanes == 1 ? all[0] : LLVMConstVector(all.data(), lanes);
}

Ir::V Ir::splat(V scalar, unsigned lanes) {
  if (lanes == 1) return scalar;
  if (LLVMIsConstant(scalar)) return splat_constant(scalar, lanes);
  const T type = LLVMVectorType(LLVMTypeOf(scalar), lanes);
  const V first = with_lane(LLVMGetPoison(type), scalar, 0);
  return LLVMBuildShuffleVector(builder_, first, LLVMGetPoison(type), zero(LLVMVectorType(int_type(32), lanes)), "");
}

Ir::V Ir::slice(V vector, unsigned from, unsigned count) {
  if (count == lanes_of(vector)) return vector;
  if (count == 1) return lane(vector, from);
  std::vector<V> mask;
  for (unsigned k = 0; k < count; ++k) mask.push_back(c32(from + k));
  return LLVMBuildShuffleVector(builder_, vector, LLVMGetPoison(LLVMTypeOf(vector)), LLVMConstVector(mask.data(), count), "");
}

Ir::V Ir::widen(V vector, unsigned lanes) {
  std::vector<V> mask;
  for (unsigned k = 0; k < lanes; ++k) mask.push_back(k < lanes_of(vector) ? c32(k) : LLVMGetPoison(int_type(32)));
  return LLVMBuildShuffleVector(builder_, vector, LLVMGetPoison(LLVMTypeOf(vector)), LLVMConstVector(mask.data(), lanes), "");
}

Ir::V Ir::concat(const V* parts, unsigned count) {
  if (count == 1) return parts[0];
  const V low = concat(parts, count / 2), high = concat(parts + count / 2, count / 2);
  const unsigned lanes = lanes_of(low);
  if (lanes == 1) {
    const V first = with_lane(LLVMGetPoison(LLVMVectorType(LLVMTypeOf(low), 2)), low, 0);
    return with_lane(first, high, 1);
  }
  std::vector<V> mask;
  for (unsigned k = 0; k < 2 * lanes; ++k) mask.push_back(c32(k));
  return LLVMBuildShuffleVector(builder_, low, high, LLVMConstVector(mask.data(), 2 * lanes), "");
}

Ir::V Ir::reverse_bytes(V v) {
  const T type = LLVMTypeOf(v), as_int = int_like(type);
  if (LLVMGetIntTypeWidth(element_of(as_int)) <= 8) return v;
  return bitcast(intrinsic("llvm.bswap", {as_int}, {bitcast(v, as_int)}), type);
}

Ir::V Ir::offset(V base, V bytes) { return LLVMBuildGEP2(builder_, int_type(8), base, &bytes, 1, ""); }

Ir::V Ir::load(T type, V address, unsigned alignment) {
  const V v = LLVMBuildLoad2(builder_, type, address, "");
  LLVMSetAlignment(v, alignment);
  return v;
}

Ir::V Ir::store(V value, V address, unsigned alignment) {
  const V v = LLVMBuildStore(builder_, value, address);
  LLVMSetAlignment(v, alignment);
  return v;
}

Ir::V Ir::intrinsic(std::string_view name, std::initializer_list<T> types, std::initializer_list<V> args) {
  const unsigned id = LLVMLookupIntrinsicID(name.data(), name.size());
  internal_check(id != 0, "an intrinsic that this LLVM does not have");
  auto* type_list = const_cast<T*>(types.begin());
  const V callee = LLVMGetIntrinsicDeclaration(module_, id, type_list, types.size());
  const T type = LLVMIntrinsicGetType(context_, id, type_list, types.size());
  return LLVMBuildCall2(builder_, type, callee, const_cast<V*>(args.begin()), static_cast<unsigned>(args.size()), "");
}

void Ir::metadata(V inst, const char* kind, std::initializer_list<V> operands) {
  const unsigned id = LLVMGetMDKindIDInContext(context_, kind, static_cast<unsigned>(std::strlen(kind)));
  std::vector<LLVMMetadataRef> list;
  for (V v : operands) list.push_back(LLVMValueAsMetadata(v));
  LLVMSetMetadata(inst, id, LLVMMetadataAsValue(context_, LLVMMDNodeInContext2(context_, list.data(), list.size())));
}

void Ir::mark_invariant(V load) { metadata(load, "invariant.load", {}); }
void Ir::mark_nontemporal(V store) { metadata(store, "nontemporal", {c32(1)}); }

void Ir::mark_unlikely(V branch) {
  static constexpr std::string_view text = "branch_weights";
  LLVMMetadataRef list[] = {LLVMMDStringInContext2(context_, text.data(), text.size()), LLVMValueAsMetadata(c32(1)),
                            LLVMValueAsMetadata(c32(2000))};
  LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(context_, "prof", 4),
                  LLVMMetadataAsValue(context_, LLVMMDNodeInContext2(context_, list, 3)));
}

Ir::Block Ir::new_block(const char* name) { return LLVMAppendBasicBlockInContext(context_, function_, name); }

}  // namespace voxloom::codegen

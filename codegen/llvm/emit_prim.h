// codegen/llvm/emit_prim.h: LLVM IR for one primitive instruction.
#pragma once

#include <voxloom/codegen/llvm/ir.h>
#include <voxloom/ops/prim.h>

namespace voxloom::codegen {

struct PrimArgs {
  DType type, arg_type;  ///< of the result and of the operands (select: of the last two)
  LLVMValueRef a = nullptr, b = nullptr, c = nullptr;
  uint64_t imm = 0;
};

/// Operands have the same number of lanes. Every primitive except literal and rare; nothing it emits can trap or is poison for any operand.
LLVMValueRef emit_prim(Ir& ir, bool avx512, ops::Prim op, const PrimArgs& args);

}  // namespace voxloom::codegen

// codegen/llvm/start.cpp: registers the X86 target.
#include <voxloom/codegen/llvm/start.h>

#include <llvm-c/Target.h>

#include <mutex>

namespace voxloom::codegen {

void start_target() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
  });
}

void start_code_generation() {
  start_target();
  static std::once_flag once;
  std::call_once(once, [] { LLVMInitializeX86AsmPrinter(); });
}

}  // namespace voxloom::codegen

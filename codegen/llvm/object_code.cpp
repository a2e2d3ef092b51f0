// codegen/llvm/object_code.cpp: a fresh context and target machine per kernel, a short pass pipeline, an object or text.
#include <voxloom/codegen/llvm/object_code.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <voxloom/codegen/llvm/emit_kernel.h>
#include <voxloom/codegen/llvm/start.h>
#include <voxloom/graph/error.h>

#include <memory>

namespace voxloom::codegen {

namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";

// Kernels come as explicit vectors in SSA form: what is left is common code, invariant addresses and folding.
constexpr const char* passes = "function(early-cse,instcombine<no-verify-fixpoint>,loop-mssa(licm),early-cse,simplifycfg)";

void check(LLVMErrorRef error, const char* what) {
  if (error == nullptr) return;
  char* text = LLVMGetErrorMessage(error);
  const std::string message = std::string(what) + ": " + text;
  LLVMDisposeErrorMessage(text);
  fail_internal(message);
}

struct ContextDeleter {
  void operator()(LLVMContextRef c) const { LLVMContextDispose(c); }
};
struct ModuleDeleter {
  void operator()(LLVMModuleRef m) const { LLVMDisposeModule(m); }
};
struct MachineDeleter {
  void operator()(LLVMTargetMachineRef m) const { LLVMDisposeTargetMachine(m); }
};
template <class Ref, class Deleter> using Handle = std::unique_ptr<std::remove_pointer_t<Ref>, Deleter>;

Handle<LLVMTargetMachineRef, MachineDeleter> target_machine(const Target& target) {
  start_code_generation();
  LLVMTargetRef t = nullptr;
  char* text = nullptr;
  if (LLVMGetTargetFromTriple(triple, &t, &text) != 0) {
    const std::string message = text;
    LLVMDisposeMessage(text);
    fail_internal(message);
  }
  LLVMTargetMachineOptionsRef options = LLVMCreateTargetMachineOptions();
  LLVMTargetMachineOptionsSetCPU(options, target.name.c_str());
  LLVMTargetMachineOptionsSetFeatures(options, target.features.c_str());
  LLVMTargetMachineOptionsSetCodeGenOptLevel(options, LLVMCodeGenLevelDefault);
  LLVMTargetMachineOptionsSetRelocMode(options, LLVMRelocPIC);
  LLVMTargetMachineOptionsSetCodeModel(options, LLVMCodeModelSmall);
  Handle<LLVMTargetMachineRef, MachineDeleter> machine(LLVMCreateTargetMachineWithOptions(t, triple, options));
  LLVMDisposeTargetMachineOptions(options);
  return machine;
}

/// Nothing reaches stderr: a remark or warning of LLVM concerns nobody, an error shows as a failed emission.
void ignore_diagnostic(LLVMDiagnosticInfoRef, void*) {}

class Unit {
 public:
  Unit(const Kernel& kernel, const Target& target, const std::string& symbol)
      : context_(LLVMContextCreate()),
        module_(LLVMModuleCreateWithNameInContext("kernel", context_.get())),
        machine_(target_machine(target)) {
    LLVMContextSetDiagnosticHandler(context_.get(), ignore_diagnostic, nullptr);
    LLVMSetTarget(module_.get(), triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine_.get());
    LLVMSetModuleDataLayout(module_.get(), layout);
    LLVMDisposeTargetData(layout);
    Ir ir(context_.get(), module_.get());
    emit_kernel(ir, kernel, target, symbol.c_str());
    verify();
  }

  void optimise() {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    check(LLVMRunPasses(module_.get(), passes, machine_.get(), options), "LLVM passes");
    LLVMDisposePassBuilderOptions(options);
  }

  std::string emit(LLVMCodeGenFileType type) {
    char* text = nullptr;
    LLVMMemoryBufferRef buffer = nullptr;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine_.get(), module_.get(), type, &text, &buffer) != 0) {
      const std::string message = text != nullptr ? text : "LLVM code generation";
      LLVMDisposeMessage(text);
      fail_internal(message);
    }
    std::string bytes(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return bytes;
  }

  std::string ir_text() {
    char* text = LLVMPrintModuleToString(module_.get());
    std::string result = text;
    LLVMDisposeMessage(text);
    return result;
  }

 private:
  // The distribution's LLVM has its assertions off: unchecked, malformed IR would become wrong code in silence.
  void verify() {
    char* text = nullptr;
    const bool bad = LLVMVerifyModule(module_.get(), LLVMReturnStatusAction, &text) != 0;
    const std::string message = text != nullptr ? text : "";
    LLVMDisposeMessage(text);
    internal_check(!bad, message);
  }

  Handle<LLVMContextRef, ContextDeleter> context_;
  Handle<LLVMModuleRef, ModuleDeleter> module_;
  Handle<LLVMTargetMachineRef, MachineDeleter> machine_;
};

}  // namespace

std::string llvm_version() {
  unsigned major = 0, minor = 0, patch = 0;
  LLVMGetVersion(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string object_code(const Kernel& kernel, const Target& target, const std::string& symbol) {
  Unit unit(kernel, target, symbol);
  unit.optimise();
  return unit.emit(LLVMObjectFile);
}

std::string llvm_ir_text(const Kernel& kernel, const Target& target) {
  Unit unit(kernel, target, "kernel");
  unit.optimise();
  return unit.ir_text();
}

std::string assembly_text(const Kernel& kernel, const Target& target) {
  Unit unit(kernel, target, "kernel");
  unit.optimise();
  return unit.emit(LLVMAssemblyFile);
}

}  // namespace voxloom::codegen

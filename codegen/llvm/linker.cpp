// codegen/llvm/linker.cpp: one LLJIT for the process, never destroyed: code may run until the very end.
#include <voxloom/codegen/llvm/linker.h>

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <unistd.h>
#include <voxloom/codegen/llvm/start.h>
#include <voxloom/graph/error.h>
#include <voxloom/ops/prim.h>

#include <cstring>
#include <mutex>
#include <vector>

namespace voxloom::codegen {

namespace {

void check(LLVMErrorRef error, const std::string& what) {
  if (error == nullptr) return;
  char* text = LLVMGetErrorMessage(error);
  const std::string message = what + ": " + text;
  LLVMDisposeErrorMessage(text);
  fail_internal(message);
}

void ignore_error(void*, LLVMErrorRef error) { LLVMConsumeError(error); }

class Linker {
 public:
  static Linker& get() {
    static auto* linker = new Linker;
    return *linker;
  }

  KernelEntry load(const std::string& object, const std::string& symbol, LLVMOrcResourceTrackerRef& tracker) {
    LLVMOrcJITDylibRef library = this->library();
    tracker = LLVMOrcJITDylibCreateResourceTracker(library);
    LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(object.data(), object.size(), symbol.c_str());
    LLVMErrorRef error = LLVMOrcLLJITAddObjectFileWithRT(jit_, tracker, buffer);
    Found found;
    if (error == nullptr) error = look_up(library, symbol, found);
    if (error != nullptr) {
      unload(tracker);
      check(error, "linking a kernel");
    }
    return reinterpret_cast<KernelEntry>(found.address);
  }

  void unload(LLVMOrcResourceTrackerRef tracker) {
    LLVMConsumeError(LLVMOrcResourceTrackerRemove(tracker));
    LLVMOrcReleaseResourceTracker(tracker);
    std::lock_guard lock(mutex_);
    if (++unloaded_ % 256 == 0) LLVMOrcSymbolStringPoolClearDeadEntries(LLVMOrcExecutionSessionGetSymbolStringPool(session_));
  }

 private:
  struct Found {
    LLVMErrorRef error = nullptr;
    uint64_t address = 0;
  };

  Linker() {
    start_target();
    check(LLVMOrcCreateLLJIT(&jit_, nullptr), "starting the linker");
    session_ = LLVMOrcLLJITGetExecutionSession(jit_);
    LLVMOrcExecutionSessionSetErrorReporter(session_, ignore_error, nullptr);
  }

  /// Where kernels of this process go. A child of fork() opens its own: a kernel that another thread was about to unload stays in the old one.
  LLVMOrcJITDylibRef library() {
    const std::lock_guard lock(mutex_);
    if (library_ != nullptr && owner_ == getpid()) return library_;
    // A bare library sees no symbol of the process, only those defined here.
    owner_ = getpid();
    library_ = LLVMOrcExecutionSessionCreateBareJITDylib(session_, ("voxloom-" + std::to_string(owner_)).c_str());
    std::vector<LLVMOrcCSymbolMapPair> symbols;
    const auto define = [&](const std::string& name, void* address) {
      symbols.push_back(
          {LLVMOrcExecutionSessionIntern(session_, name.c_str()),
           {reinterpret_cast<uint64_t>(address), {LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable, 0}}});
    };
    for (int k = 0; k < ops::rare_count; ++k)
      define("voxloom_rare_" + std::to_string(k), reinterpret_cast<void*>(ops::rare_table[k].function));
    define("memset", reinterpret_cast<void*>(static_cast<void* (*)(void*, int, size_t)>(std::memset)));
    define("memcpy", reinterpret_cast<void*>(static_cast<void* (*)(void*, const void*, size_t)>(std::memcpy)));
    check(LLVMOrcJITDylibDefine(library_, LLVMOrcAbsoluteSymbols(symbols.data(), symbols.size())), "host symbols");
    return library_;
  }

  static void found(LLVMErrorRef error, LLVMOrcCSymbolMapPairs result, size_t count, void* context) {
    auto* out = static_cast<Found*>(context);
    out->error = error;
    if (error == nullptr && count == 1) out->address = result[0].Sym.Address;
  }

  // The session runs its work in place, so the answer is there when the call returns.
  LLVMErrorRef look_up(LLVMOrcJITDylibRef library, const std::string& symbol, Found& out) {
    LLVMOrcCJITDylibSearchOrderElement order = {library, LLVMOrcJITDylibLookupFlagsMatchExportedSymbolsOnly};
    LLVMOrcCLookupSetElement wanted = {LLVMOrcExecutionSessionIntern(session_, symbol.c_str()), LLVMOrcSymbolLookupFlagsRequiredSymbol};
    LLVMOrcExecutionSessionLookup(session_, LLVMOrcLookupKindStatic, &order, 1, &wanted, 1, found, &out);
    if (out.error == nullptr && out.address == 0) return LLVMCreateStringError("the object does not define the kernel");
    return out.error;
  }

  LLVMOrcLLJITRef jit_ = nullptr;
  LLVMOrcExecutionSessionRef session_ = nullptr;
  LLVMOrcJITDylibRef library_ = nullptr;
  pid_t owner_ = 0;
  std::mutex mutex_;
  uint64_t unloaded_ = 0;
};

class LinkedKernel final : public CompiledKernel {
 public:
  LinkedKernel(const std::string& object, const std::string& symbol) { entry_ = Linker::get().load(object, symbol, tracker_); }
  ~LinkedKernel() override { Linker::get().unload(tracker_); }

 private:
  LLVMOrcResourceTrackerRef tracker_ = nullptr;
};

}  // namespace

std::unique_ptr<const CompiledKernel> link_object(const std::string& object, const std::string& symbol) {
  return std::make_unique<LinkedKernel>(object, symbol);
}

}  // namespace voxloom::codegen

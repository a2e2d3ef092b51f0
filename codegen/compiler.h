// codegen/compiler.h: from a kernel to callable machine code, through the cache in memory and on disk. Implemented in codegen/llvm.
#pragma once

#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/runtime/profile.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace voxloom::codegen {

using KernelEntry = void (*)(const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch);

/// What code is generated for. The text form is "x86-64-v3", "x86-64-v4" or "native" (the widest of the two the machine has, tuned for it).
struct Target {
  std::string name;       ///< "x86-64-v3" or "x86-64-v4"
  std::string features;   ///< LLVM feature string; part of the cache key
  std::string tune;       ///< the processor that instructions are chosen and ordered for; empty: none in particular. Changes no bits.
  int vector_bits = 256;  ///< 256 or 512
};
/// UserError for an unknown name, or one this machine cannot run (the text names the missing feature).
Target target_from_name(std::string_view name);

struct CompileOptions {
  Target target;
  std::string cache_dir;  ///< empty: no disk cache
  int64_t cache_bytes = int64_t{1} << 30;
};

/// How a kernel came to be, for the profile and `explain`.
struct CompileInfo {
  using Origin = KernelRecord::Origin;
  Origin origin = Origin::compiled;
  double seconds = 0;
  size_t code_bytes = 0;
  std::string why;  ///< why it was compiled again, when a cache entry was refused
};

/// Machine code of one kernel; unloaded when the last reference goes and the memory cache drops it. Thread-safe.
class CompiledKernel {
 public:
  virtual ~CompiledKernel() = default;
  KernelEntry entry() const { return entry_; }

 protected:
  KernelEntry entry_ = nullptr;
};

/// Compiles, or takes from the cache. Thread-safe; equal kernels requested at once compile once.
std::shared_ptr<const CompiledKernel> compile_kernel(const Kernel& kernel, const CompileOptions& options, CompileInfo* info = nullptr);

/// LLVM IR and assembly of a kernel, for explain and the debug ladder.
std::string llvm_ir_text(const Kernel& kernel, const Target& target);
std::string assembly_text(const Kernel& kernel, const Target& target);

/// BLAKE3 of bytes, as 64 hexadecimal digits.
std::string blake3_hex(std::string_view bytes);

/// The disk cache: a folder of mode 0700 owned by us; entries are checked before use.
struct CacheStatus {
  std::string dir;
  bool usable = false;
  std::string reason;  ///< why it is off
  int64_t entries = 0, bytes = 0;
};
CacheStatus cache_status(const std::string& dir);
int64_t cache_clear(const std::string& dir);
/// $XDG_CACHE_HOME/voxloom or ~/.cache/voxloom.
std::string default_cache_dir();

}  // namespace voxloom::codegen

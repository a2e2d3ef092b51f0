// codegen/llvm/compiler.cpp: compile_kernel: memory, then disk, then LLVM.
#include <voxloom/codegen/cache.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/codegen/llvm/linker.h>
#include <voxloom/codegen/llvm/object_code.h>
#include <voxloom/codegen/llvm/perf_map.h>
#include <voxloom/codegen/llvm/registry.h>
#include <voxloom/graph/error.h>

#include <chrono>

namespace voxloom::codegen {

namespace {

std::string key_of(const Kernel& kernel, const Target& target) {
  std::string text = canonical_text(kernel);
  for (const std::string& part :
       {target.name, target.features, target.tune, std::to_string(target.vector_bits), std::to_string(codegen_version), llvm_version()}) {
    text += '\n';
    text += part;
  }
  return blake3_hex(text);
}

KernelRegistry::Built build(const Kernel& kernel, const CompileOptions& options, const std::string& key, CompileInfo& info) {
  const std::string symbol = "voxloom_" + key.substr(0, 32);
  DiskCache disk(options.cache_dir, options.cache_bytes);
  if (const std::optional<std::string> object = disk.read(key)) {
    info.origin = CompileInfo::Origin::disk;
    KernelRegistry::Built built{link_object(*object, symbol), object->size()};
    note_for_perf(*object, symbol, kernel.name, reinterpret_cast<const void*>(built.kernel->entry()));
    return built;
  }
  if (!options.cache_dir.empty()) info.why = disk.reason();
#ifndef NDEBUG
  const std::vector<std::string> problems = verify(kernel);
  internal_check(problems.empty(), "malformed kernel: " + (problems.empty() ? std::string() : problems.front()));
#endif
  const std::string object = object_code(kernel, options.target, symbol);
  info.origin = CompileInfo::Origin::compiled;
  KernelRegistry::Built built{link_object(object, symbol), object.size()};
  note_for_perf(object, symbol, kernel.name, reinterpret_cast<const void*>(built.kernel->entry()));
  disk.write(key, object);
  return built;
}

}  // namespace

std::shared_ptr<const CompiledKernel> compile_kernel(const Kernel& kernel, const CompileOptions& options, CompileInfo* info) {
  const auto start = std::chrono::steady_clock::now();
  CompileInfo local;
  CompileInfo& told = info != nullptr ? *info : local;
  told = CompileInfo{};
  const std::string key = key_of(kernel, options.target);
  bool built = false;
  std::shared_ptr<const CompiledKernel> result =
      KernelRegistry::get().find_or_build(key, [&] { return build(kernel, options, key, told); }, built, told.code_bytes);
  if (!built) told.origin = CompileInfo::Origin::memory;
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace voxloom::codegen

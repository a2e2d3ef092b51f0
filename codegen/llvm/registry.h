// codegen/llvm/registry.h: the kernels of this process by key; equal ones asked for at once are built once.
#pragma once

#include <voxloom/codegen/compiler.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace voxloom::codegen {

/// A kernel stays loaded while someone uses it, and after that while it is among the kernels used last that fit in the limit.
class KernelRegistry {
 public:
  struct Built {
    std::unique_ptr<const CompiledKernel> kernel;
    size_t bytes = 0;
  };
  static KernelRegistry& get();

  /// Bytes that kernels nobody uses may keep; 0 unloads them with their last reference.
  void set_limit(size_t bytes);

  /// The kernel under `key`, built by `build` unless it is there. `built` tells which. Exceptions of `build` go to its caller; others that
  /// wait for the same key then build for themselves.
  std::shared_ptr<const CompiledKernel> find_or_build(const std::string& key, const std::function<Built()>& build, bool& built,
                                                      size_t& bytes);

 private:
  KernelRegistry();
  // fork(): waits until nobody compiles, links or unloads, so that the child gets LLVM's locks open.
  void before_fork();
  void after_fork(bool in_child);
  struct Slot {
    std::weak_ptr<const CompiledKernel> kernel;
    size_t bytes = 0;
    bool building = false;
    std::list<std::shared_ptr<const CompiledKernel>>::iterator recent;
    bool in_recent = false;
  };
  void unload(const std::string& key, const CompiledKernel* kernel);
  /// Puts the kernel in front of the recent ones; what falls out is handed to `dropped`, to be released without the lock.
  void touch(Slot& slot, std::shared_ptr<const CompiledKernel> kernel, std::list<std::shared_ptr<const CompiledKernel>>& dropped);
  void shrink(std::list<std::shared_ptr<const CompiledKernel>>& dropped);

  /// Code and constants of a kernel are pages of their own.
  static constexpr size_t bytes_beside_code = 12288;
  size_t limit_ = size_t{32} << 20;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_llvm_ = 0;        ///< threads that compile, link or unload right now
  int waiting_forks_ = 0;  ///< while some wait, nobody begins to compile
  std::unordered_map<std::string, Slot> slots_;
  std::list<std::shared_ptr<const CompiledKernel>> recent_;
  size_t recent_bytes_ = 0;
};

}  // namespace voxloom::codegen

// codegen/llvm/registry.cpp: KernelRegistry.
#include <pthread.h>
#include <voxloom/codegen/llvm/registry.h>

#include <iterator>
#include <new>

namespace voxloom::codegen {

KernelRegistry::KernelRegistry() {
  pthread_atfork([] { get().before_fork(); }, [] { get().after_fork(false); }, [] { get().after_fork(true); });
}

void KernelRegistry::before_fork() {
  std::unique_lock lock(mutex_);
  ++waiting_forks_;
  changed_.wait(lock, [&] { return in_llvm_ == 0; });
  --waiting_forks_;
  lock.release();
}

void KernelRegistry::after_fork(bool in_child) {
  if (in_child) {
    // Threads that waited to build or unload a kernel do not exist here, nor do those that the condition variable counts.
    new (&changed_) std::condition_variable;
    std::erase_if(slots_, [](const auto& entry) { return entry.second.building || entry.second.kernel.expired(); });
  }
  changed_.notify_all();
  mutex_.unlock();
}

KernelRegistry& KernelRegistry::get() {
  static auto* registry = new KernelRegistry;  // kernels may outlive static destruction
  return *registry;
}

std::shared_ptr<const CompiledKernel> KernelRegistry::find_or_build(const std::string& key, const std::function<Built()>& build,
                                                                    bool& built, size_t& bytes) {
  std::list<std::shared_ptr<const CompiledKernel>> dropped;
  std::unique_lock lock(mutex_);
  built = false;
  // A slot without a kernel is being built or unloaded; its symbol is taken until that is over.
  for (auto it = slots_.find(key); it != slots_.end(); it = slots_.find(key)) {
    if (std::shared_ptr<const CompiledKernel> kernel = it->second.building ? nullptr : it->second.kernel.lock()) {
      bytes = it->second.bytes;
      touch(it->second, kernel, dropped);
      lock.unlock();
      return kernel;
    }
    changed_.wait(lock);
  }
  slots_[key].building = true;
  changed_.wait(lock, [&] { return waiting_forks_ == 0; });
  ++in_llvm_;
  lock.unlock();
  Built result;
  try {
    result = build();
  } catch (...) {
    lock.lock();
    slots_.erase(key);
    --in_llvm_;
    changed_.notify_all();
    throw;
  }
  built = true;
  bytes = result.bytes;
  std::shared_ptr<const CompiledKernel> kernel(result.kernel.release(), [this, key](const CompiledKernel* k) { unload(key, k); });
  lock.lock();
  Slot& slot = slots_[key];
  slot.kernel = kernel;
  slot.bytes = bytes;
  slot.building = false;
  --in_llvm_;
  touch(slot, kernel, dropped);
  changed_.notify_all();
  lock.unlock();
  return kernel;
}

void KernelRegistry::unload(const std::string& key, const CompiledKernel* kernel) {
  {
    const std::lock_guard lock(mutex_);
    ++in_llvm_;
  }
  delete kernel;
  const std::lock_guard lock(mutex_);
  --in_llvm_;
  slots_.erase(key);
  changed_.notify_all();
}

void KernelRegistry::set_limit(size_t bytes) {
  std::list<std::shared_ptr<const CompiledKernel>> dropped;
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
  shrink(dropped);
}

void KernelRegistry::touch(Slot& slot, std::shared_ptr<const CompiledKernel> kernel,
                           std::list<std::shared_ptr<const CompiledKernel>>& dropped) {
  if (slot.in_recent) {
    recent_.splice(recent_.begin(), recent_, slot.recent);
    return;
  }
  recent_.push_front(std::move(kernel));
  slot.recent = recent_.begin();
  slot.in_recent = true;
  recent_bytes_ += slot.bytes + bytes_beside_code;
  shrink(dropped);
}

void KernelRegistry::shrink(std::list<std::shared_ptr<const CompiledKernel>>& dropped) {
  while (recent_bytes_ > limit_) {
    for (auto& [key, slot] : slots_) {
      if (!slot.in_recent || slot.recent != std::prev(recent_.end())) continue;
      recent_bytes_ -= slot.bytes + bytes_beside_code;
      slot.in_recent = false;
      dropped.splice(dropped.end(), recent_, slot.recent);
      break;
    }
  }
}

}  // namespace voxloom::codegen

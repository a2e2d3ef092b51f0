// api/compile_log.h: what compiling took: passes and kernels of everything that one function or one run needed. Internal.
#pragma once

#include <voxloom/runtime/profile.h>

#include <mutex>
#include <string>

namespace voxloom::detail {

/// Thread-safe.
class CompileLog {
 public:
  /// Runs of a pass of the same name are added up.
  void add_pass(const std::string& name, double seconds, bool changed);
  void add_kernel(KernelRecord kernel);
  /// Of everything so far.
  double seconds() const;
  /// Sets passes, kernels and compile_seconds.
  void fill(Profile& profile) const;

 private:
  mutable std::mutex mutex_;
  std::vector<PassRecord> passes_;
  std::vector<KernelRecord> kernels_;
  double seconds_ = 0;
};

}  // namespace voxloom::detail

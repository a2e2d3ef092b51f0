// api/compile_log.cpp: CompileLog.
#include <voxloom/api/compile_log.h>

#include <algorithm>
#include <utility>

namespace voxloom::detail {

void CompileLog::add_pass(const std::string& name, double seconds, bool changed) {
  const std::lock_guard lock(mutex_);
  seconds_ += seconds;
  const auto known = std::find_if(passes_.begin(), passes_.end(), [&](const PassRecord& p) { return p.name == name; });
  PassRecord& pass = known == passes_.end() ? passes_.emplace_back(PassRecord{.name = name}) : *known;
  pass.seconds += seconds;
  pass.changed = pass.changed || changed;
}

void CompileLog::add_kernel(KernelRecord kernel) {
  const std::lock_guard lock(mutex_);
  seconds_ += kernel.seconds;
  kernels_.push_back(std::move(kernel));
}

double CompileLog::seconds() const {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

void CompileLog::fill(Profile& profile) const {
  const std::lock_guard lock(mutex_);
  profile.passes = passes_;
  profile.kernels = kernels_;
  profile.compile_seconds = seconds_;
}

}  // namespace voxloom::detail

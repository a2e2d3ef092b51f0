// runtime/log.cpp: the process-wide log receiver.
#include <voxloom/runtime/log.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace voxloom {
namespace {

constexpr uint8_t silent = 255;

struct Receiver {
  std::mutex mutex;
  LogCallback callback;
};

Receiver& receiver() {
  static auto* const instance = new Receiver;  // never destroyed: threads may log during exit
  return *instance;
}

std::atomic<uint8_t> threshold_level{silent};
thread_local bool inside_callback = false;

}  // namespace

void set_log(LogCallback callback, LogLevel threshold) {
  Receiver& r = receiver();
  LogCallback old;  // destroyed after the lock is released: its destructor may be anybody's code
  const std::lock_guard lock(r.mutex);
  threshold_level.store(callback ? static_cast<uint8_t>(threshold) : silent, std::memory_order_relaxed);
  old = std::exchange(r.callback, std::move(callback));
}

bool log_enabled(LogLevel level) noexcept { return static_cast<uint8_t>(level) >= threshold_level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view message) noexcept {
  if (!log_enabled(level) || inside_callback) return;
  try {
    Receiver& r = receiver();
    const std::lock_guard lock(r.mutex);
    if (!r.callback) return;
    inside_callback = true;
    r.callback(level, message);
  } catch (...) {  // NOLINT: see the header
  }
  inside_callback = false;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "";
}

}  // namespace voxloom

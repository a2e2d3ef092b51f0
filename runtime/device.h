// runtime/device.h: names of devices, and the stream and event handles that steps and buffers carry.
#pragma once

#include <voxloom/graph/export.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom {

enum class DeviceKind : uint8_t { cpu, cuda };

/// One device; the default is the CPU.
struct DeviceId {
  DeviceKind kind = DeviceKind::cpu;
  int32_t index = 0;
  constexpr bool is_cpu() const { return kind == DeviceKind::cpu; }
  friend constexpr bool operator==(DeviceId, DeviceId) = default;
};

/// What `devices()` tells about one device.
struct DeviceInfo {
  DeviceId id = {};
  std::string name = {};         ///< "cpu", "cuda:0"
  std::string description = {};  ///< the model as the system reports it
  int64_t memory_bytes = 0;      ///< memory a plan may count on, 0 if unknown
  int threads = 0;               ///< default number of CPU threads; 0 on a GPU
};

/// "cpu" or "cuda:1".
VOXLOOM_API std::string name_of(DeviceId device);
/// Accepts "cpu", "cuda", "cuda:N", "cudaN" and "auto" (the best device there is); anything else is a UserError that lists them.
/// A well-formed name of a device that is not there is a RuntimeError(device).
VOXLOOM_API DeviceId device_from_name(std::string_view name);
/// All devices of this machine that this build can use; the CPU is always the first.
VOXLOOM_API std::vector<DeviceInfo> devices();
/// Throws RuntimeError(device), naming `op`, unless the device can be used by this build on this machine.
VOXLOOM_API void require_device(DeviceId device, std::string_view op);

/// An ordered queue of work on a device. The CPU's queue is the calling thread: everything on it is done when its call returns.
struct Stream {
  DeviceId device = {};
  void* handle = nullptr;
  /// Returns when all work queued so far is done.
  VOXLOOM_API void synchronize() const;
};

/// A point in a stream's order. On the CPU every recorded point has already been passed.
struct Event {
  DeviceId device = {};
  void* handle = nullptr;
  VOXLOOM_API static Event record(const Stream& stream);
  VOXLOOM_API bool ready() const;
  VOXLOOM_API void wait() const;
};

}  // namespace voxloom

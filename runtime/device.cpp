// runtime/device.cpp: the device list of a build without a GPU back end; streams and events of the CPU.
#include <voxloom/runtime/device.h>

#include <voxloom/graph/error.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/threads.h>

#include <charconv>
#include <fstream>

namespace voxloom {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

[[noreturn]] void fail_no_cuda(std::string_view op, const std::string& name) {
  fail_runtime(ErrorCode::device, op, "device " + name + " is not available: this build has no CUDA support (available: cpu)");
}

}  // namespace

std::string name_of(DeviceId device) { return device.is_cpu() ? "cpu" : "cuda:" + std::to_string(device.index); }

DeviceId device_from_name(std::string_view name) {
  if (name == "cpu" || name == "auto") return {};
  if (name.starts_with("cuda")) {
    std::string_view digits = name.substr(4);
    if (digits.starts_with(':')) digits.remove_prefix(1);
    int index = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool number = !digits.empty() && status == std::errc() && end == digits.data() + digits.size() && index >= 0;
    if (name == "cuda" || number) {
      const DeviceId device{DeviceKind::cuda, index};
      require_device(device, "device");
      return device;
    }
  }
  fail_user(ErrorCode::usage, "device", "\"" + std::string(name) + "\" is no device name (allowed: cpu, cuda, cuda:N, cudaN, auto)");
}

std::vector<DeviceInfo> devices() {
  return {{.id = {}, .name = "cpu", .description = cpu_model(), .memory_bytes = default_memory_budget(), .threads = default_threads()}};
}

void require_device(DeviceId device, std::string_view op) {
  if (!device.is_cpu()) fail_no_cuda(op, name_of(device));
  if (device.index != 0)
    fail_runtime(ErrorCode::device, op, "device cpu:" + std::to_string(device.index) + " does not exist (available: cpu)");
}

void Stream::synchronize() const { require_device(device, "synchronize"); }

Event Event::record(const Stream& stream) {
  require_device(stream.device, "record");
  return {stream.device, nullptr};
}

bool Event::ready() const {
  require_device(device, "event");
  return true;
}

void Event::wait() const { require_device(device, "event"); }

}  // namespace voxloom

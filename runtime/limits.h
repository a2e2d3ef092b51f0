// runtime/limits.h: what the machine and the job allow: memory budget, cache sizes, resident memory of this process.
#pragma once

#include <voxloom/graph/export.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace voxloom {

constexpr int64_t KiB(int64_t n) { return n << 10; }
constexpr int64_t MiB(int64_t n) { return n << 20; }
constexpr int64_t GiB(int64_t n) { return n << 30; }

/// Bytes of "512M", "64MiB", "1.5G", "4096". K M G T (also KiB ...) are powers of 1024; kB MB GB TB are powers of 1000; a number is bytes.
/// Anything else, a negative number or more than 2^62 is a UserError(usage).
VOXLOOM_API int64_t parse_size(std::string_view text);
/// "64.0 MiB", "512 B".
VOXLOOM_API std::string format_size(int64_t bytes);

/// Physical memory of the machine (MemTotal).
VOXLOOM_API int64_t total_memory();
/// Memory that can be had without swapping (MemAvailable).
VOXLOOM_API int64_t available_memory();
/// The smallest memory limit of this process's cgroup and its parents (v1 and v2). `root` is put before /proc and /sys, for tests.
VOXLOOM_API std::optional<int64_t> cgroup_memory_limit(const std::string& root = "");
/// The smallest CPU quota of this process's cgroup and its parents, in CPUs.
VOXLOOM_API std::optional<double> cgroup_cpu_quota(const std::string& root = "");
/// 80 % of the smaller of the cgroup's limit and the available memory, at the time of the call.
VOXLOOM_API int64_t default_memory_budget();

/// Resident memory of this process now; 0 if the system does not tell.
VOXLOOM_API int64_t current_rss();
/// The highest resident memory since the start or the last reset (VmHWM).
VOXLOOM_API int64_t peak_rss();
/// Sets the peak to the current value; false where the system does not allow it.
VOXLOOM_API bool reset_peak_rss();

struct CacheSizes {
  int64_t l1 = KiB(32), l2 = MiB(1), l3 = MiB(8), line = 64;
};
/// Data caches of CPU 0, read once; where the system does not tell, the values above.
VOXLOOM_API const CacheSizes& cache_sizes();

}  // namespace voxloom

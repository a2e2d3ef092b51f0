// runtime/limits.cpp: reads /proc, /sys and cgroups.
#include <voxloom/runtime/limits.h>

#include <voxloom/graph/error.h>

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace voxloom {
namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  return line;
}

std::optional<int64_t> parse_int(std::string_view text) {
  int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::optional<int64_t> int_in(const std::string& path) {
  const auto line = first_line(path);
  return line ? parse_int(*line) : std::nullopt;
}

/// The value in kB of "Name:   123 kB" in a /proc file, in bytes.
std::optional<int64_t> proc_field(const char* path, std::string_view name) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    const size_t digit = line.find_first_of("0123456789");
    const auto value = digit == std::string::npos ? std::nullopt : parse_int(std::string_view(line).substr(digit));
    if (value) return *value * 1024;
  }
  return std::nullopt;
}

/// Path of this process in the hierarchy of `controller` ("" for v2); nothing if it is in none.
std::optional<std::string> cgroup_path(const std::string& root, std::string_view controller) {
  std::ifstream in(root + "/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::istringstream names(line.substr(first + 1, second - first - 1));
    if (controller.empty() && second == first + 1) return line.substr(second + 1);
    for (std::string name; std::getline(names, name, ',');) {
      if (!controller.empty() && name == controller) return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

/// Calls read(folder) for the group's folder and every parent up to the hierarchy's root, and keeps the smallest answer. In a
/// container the path may name folders that only the host sees; those read as nothing.
template <class Read> auto smallest_up(const std::string& base, std::string path, Read read) -> decltype(read(base)) {
  decltype(read(base)) best;
  for (;;) {
    while (path.ends_with('/')) path.pop_back();
    const auto here = read(base + path);
    if (here && (!best || *here < *best)) best = here;
    if (path.empty()) return best;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

template <class T> std::optional<T> smaller(std::optional<T> a, std::optional<T> b) {
  if (!a) return b;
  return b && *b < *a ? b : a;
}

std::optional<int64_t> cache_file(int index, const char* field) {
  const auto line = first_line("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/" + field);
  if (!line) return std::nullopt;
  auto value = parse_int(*line);
  if (value && line->ends_with('K')) *value <<= 10;
  if (value && line->ends_with('M')) *value <<= 20;
  return value && *value > 0 ? value : std::nullopt;
}

CacheSizes read_caches() {
  CacheSizes sizes;
  for (int index = 0; index < 8; ++index) {
    const auto level = cache_file(index, "level");
    const auto bytes = cache_file(index, "size");
    const auto type = first_line("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/type");
    if (!level || !bytes || !type || *type == "Instruction") continue;
    if (*level == 1) sizes.l1 = *bytes;
    if (*level == 2) sizes.l2 = *bytes;
    if (*level == 3) sizes.l3 = *bytes;
    if (const auto line = cache_file(index, "coherency_line_size")) sizes.line = *line;
  }
  return sizes;
}

/// Factor of a unit, 0 for an unknown one.
double unit_factor(std::string_view unit) {
  if (unit.empty() || unit == "B") return 1;
  constexpr std::string_view letters = "KMGT";
  const char upper = unit[0] == 'k' ? 'K' : unit[0] == 'm' ? 'M' : unit[0] == 'g' ? 'G' : unit[0] == 't' ? 'T' : unit[0];
  const size_t power = letters.find(upper);
  if (power == std::string_view::npos) return 0;
  const std::string_view rest = unit.substr(1);
  const double base = rest == "B" ? 1000. : rest.empty() || rest == "iB" ? 1024. : 0.;
  return std::pow(base, static_cast<double>(power + 1));
}

}  // namespace

int64_t parse_size(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = status == std::errc() ? text.substr(static_cast<size_t>(end - text.data())) : std::string_view("?");
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const double bytes = number * unit_factor(unit);
  const bool known = unit_factor(unit) > 0 && std::isfinite(bytes) && bytes >= 0 && bytes <= 0x1p62;
  if (!known)
    fail_user(ErrorCode::usage, "memory", "size \"" + std::string(text) + "\" is not understood (write 512M, 64MiB, 1.5G or bytes)");
  return static_cast<int64_t>(bytes);
}

std::string format_size(int64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (std::abs(value) >= 1024 && unit < 4) value /= 1024, ++unit;
  char text[48];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

int64_t total_memory() {
  static const int64_t total = proc_field("/proc/meminfo", "MemTotal").value_or(GiB(1));
  return total;
}

int64_t available_memory() { return proc_field("/proc/meminfo", "MemAvailable").value_or(total_memory() / 2); }

std::optional<int64_t> cgroup_memory_limit(const std::string& root) {
  std::optional<int64_t> limit;
  if (const auto path = cgroup_path(root, "")) {
    limit = smallest_up(root + "/sys/fs/cgroup", *path, [](const std::string& folder) { return int_in(folder + "/memory.max"); });
  }
  if (const auto path = cgroup_path(root, "memory")) {
    limit = smaller(limit, smallest_up(root + "/sys/fs/cgroup/memory", *path, [](const std::string& folder) -> std::optional<int64_t> {
                      const auto value = int_in(folder + "/memory.limit_in_bytes");
                      return value && *value < (int64_t{1} << 60) ? value : std::nullopt;  // v1 writes "no limit" as a huge number
                    }));
  }
  return limit && *limit > 0 ? limit : std::nullopt;
}

std::optional<double> cgroup_cpu_quota(const std::string& root) {
  const auto share = [](std::optional<int64_t> quota, std::optional<int64_t> period) -> std::optional<double> {
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    return static_cast<double>(*quota) / static_cast<double>(*period);
  };
  std::optional<double> limit;
  if (const auto path = cgroup_path(root, "")) {
    limit = smallest_up(root + "/sys/fs/cgroup", *path, [&](const std::string& folder) -> std::optional<double> {
      const auto line = first_line(folder + "/cpu.max");
      const size_t space = line ? line->find(' ') : std::string::npos;
      if (space == std::string::npos) return std::nullopt;
      return share(parse_int(*line), parse_int(std::string_view(*line).substr(space + 1)));
    });
  }
  if (const auto path = cgroup_path(root, "cpu")) {
    limit = smaller(limit, smallest_up(root + "/sys/fs/cgroup/cpu", *path, [&](const std::string& folder) {
                      return share(int_in(folder + "/cpu.cfs_quota_us"), int_in(folder + "/cpu.cfs_period_us"));
                    }));
  }
  return limit;
}

int64_t default_memory_budget() {
  const int64_t available = available_memory();
  const int64_t bound = std::min(available, cgroup_memory_limit().value_or(available));
  return bound / 5 * 4;
}

int64_t current_rss() {
  std::ifstream in("/proc/self/statm");
  int64_t total = 0, resident = 0;
  if (!(in >> total >> resident)) return 0;
  return resident * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
}

int64_t peak_rss() { return proc_field("/proc/self/status", "VmHWM").value_or(0); }

bool reset_peak_rss() {
  std::ofstream out("/proc/self/clear_refs");
  out << "5" << std::flush;
  return out.good();
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = read_caches();
  return sizes;
}

}  // namespace voxloom

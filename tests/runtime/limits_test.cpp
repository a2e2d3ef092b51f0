// tests/runtime/limits_test.cpp: sizes as text, cgroups from made-up trees, resident memory, devices, log.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/buffer_pool.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>

#include <catch2/catch.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

using namespace voxloom;
namespace fs = std::filesystem;

namespace {

/// A made-up /proc and /sys, removed at the end.
struct Tree {
  fs::path root = fs::path(VOXLOOM_BINARY_DIR) / ("limits_test_" + std::to_string(::getpid()));
  Tree() { fs::remove_all(root); }
  ~Tree() { fs::remove_all(root); }
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
};

template <class F> ErrorCode code_of(F f) {
  try {
    f();
  } catch (const Error& e) { return e.code(); }
  return ErrorCode::internal;
}

}  // namespace

TEST_CASE("limits: sizes are read as the documentation says") {
  CHECK(parse_size("512M") == MiB(512));
  CHECK(parse_size("64MiB") == MiB(64));
  CHECK(parse_size("4G") == GiB(4));
  CHECK(parse_size("1.5 GiB") == GiB(3) / 2);
  CHECK(parse_size("64k") == KiB(64));
  CHECK(parse_size("2T") == GiB(2048));
  CHECK(parse_size("4096") == 4096);
  CHECK(parse_size("7B") == 7);
  CHECK(parse_size("3MB") == 3000000);
  CHECK(parse_size("0") == 0);
  for (const char* bad : {"", "M", "12X", "-1M", "1e30G", "nan", "inf", "5 M M", "1MiBs", "0x10", "1m b"}) {
    INFO(bad);
    CHECK(code_of([&] { parse_size(bad); }) == ErrorCode::usage);
  }
}

TEST_CASE("limits: sizes are printed") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(MiB(64)) == "64.0 MiB");
  CHECK(format_size(GiB(3) / 2) == "1.5 GiB");
}

TEST_CASE("limits: cgroup v2, the tightest of the group and its parents") {
  Tree tree;
  CHECK_FALSE(cgroup_memory_limit(tree.root.string()));
  tree.write("proc/self/cgroup", "0::/slurm/job_7\n");
  tree.write("sys/fs/cgroup/slurm/memory.max", "1073741824\n");
  tree.write("sys/fs/cgroup/slurm/job_7/memory.max", "max\n");
  tree.write("sys/fs/cgroup/slurm/job_7/cpu.max", "150000 100000\n");
  tree.write("sys/fs/cgroup/slurm/cpu.max", "max 100000\n");
  CHECK(cgroup_memory_limit(tree.root.string()) == GiB(1));
  CHECK(cgroup_cpu_quota(tree.root.string()) == 1.5);
  tree.write("sys/fs/cgroup/slurm/job_7/memory.max", "1000\n");
  CHECK(cgroup_memory_limit(tree.root.string()) == 1000);
  tree.write("sys/fs/cgroup/slurm/job_7/memory.max", "4294967296\n");
  CHECK(cgroup_memory_limit(tree.root.string()) == GiB(1));
}

TEST_CASE("limits: cgroup v1, and a container that sees only its own root") {
  Tree tree;
  tree.write("proc/self/cgroup", "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n");
  tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n");
  tree.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  tree.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_memory_limit(tree.root.string()) == GiB(2));
  CHECK_FALSE(cgroup_cpu_quota(tree.root.string()));
  tree.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  CHECK(cgroup_cpu_quota(tree.root.string()) == 2.0);
  tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(cgroup_memory_limit(tree.root.string()));
}

TEST_CASE("limits: the machine's figures are plausible") {
  CHECK(total_memory() > MiB(64));
  CHECK(available_memory() <= total_memory());
  CHECK(default_memory_budget() > 0);
  CHECK(default_memory_budget() <= total_memory() / 5 * 4);
  const CacheSizes& c = cache_sizes();
  CHECK((c.l1 >= KiB(8) && c.l1 <= c.l2 && c.l2 <= std::max(c.l2, c.l3) && c.line >= 16 && c.line <= 256));
}

TEST_CASE("limits: resident memory rises with touched memory and its peak can be reset") {
  BufferPool pool({.cache_cap = 0});
  CHECK(current_rss() > KiB(100));
  if (!reset_peak_rss()) return;  // some containers refuse
  const int64_t before = peak_rss();
  {
    const Buffer b = pool.allocate(MiB(32));
    std::memset(b.data(), 1, static_cast<size_t>(MiB(32)));
  }
  CHECK(peak_rss() >= before + MiB(28));
  reset_peak_rss();
  CHECK(peak_rss() < before + MiB(16));
}

TEST_CASE("device: names, and what is missing is said") {
  CHECK(device_from_name("cpu").is_cpu());
  CHECK(device_from_name("auto").is_cpu());
  CHECK(name_of(DeviceId{DeviceKind::cuda, 1}) == "cuda:1");
  for (const char* gpu : {"cuda", "cuda:0", "cuda3"}) CHECK(code_of([&] { device_from_name(gpu); }) == ErrorCode::device);
  for (const char* bad : {"", "gpu", "cuda:", "cuda:x", "cuda-1", "cpu0"})
    CHECK(code_of([&] { device_from_name(bad); }) == ErrorCode::usage);
  CHECK_THROWS_WITH(device_from_name("cuda:2"), Catch::Contains("cuda:2") && Catch::Contains("no CUDA support"));
  REQUIRE(devices().size() == 1);
  CHECK((devices()[0].id.is_cpu() && devices()[0].threads >= 1 && !devices()[0].description.empty()));
  const Event event = Event::record(Stream{});
  CHECK(event.ready());
  CHECK_NOTHROW(event.wait());
  CHECK(code_of([] { Stream{{DeviceKind::cuda, 0}, nullptr}.synchronize(); }) == ErrorCode::device);
}

TEST_CASE("log: levels, replacement, and a callback that throws or logs itself") {
  std::vector<std::string> got;
  log(LogLevel::error, "to nobody");
  set_log([&](LogLevel level, std::string_view text) { got.push_back(std::string(name_of(level)) + " " + std::string(text)); },
          LogLevel::warning);
  CHECK(log_enabled(LogLevel::error));
  CHECK_FALSE(log_enabled(LogLevel::info));
  log(LogLevel::info, "dropped");
  log(LogLevel::warning, "kept");
  CHECK(got == std::vector<std::string>{"warning kept"});
  int calls = 0;
  set_log([&](LogLevel, std::string_view) {
    ++calls;
    log(LogLevel::error, "from inside");
    throw std::runtime_error("no");
  });
  log(LogLevel::error, "one");
  log(LogLevel::error, "two");
  CHECK(calls == 2);
  set_log({});
  CHECK_FALSE(log_enabled(LogLevel::error));
}

// cli/doctor.cpp: `voxloom doctor`, `cache`, `config` and `devices`: the machine, the defaults, the disk cache, a self-test of compiled code.
#include <voxloom/cli/commands.h>

#include <voxloom/api/voxloom.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/codegen/llvm/object_code.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/threads.h>

#include <fmt/format.h>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace voxloom::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string cache_dir() {
  const Config& c = voxloom::config();
  return c.cache_dir.empty() ? codegen::default_cache_dir() : c.cache_dir;
}

struct SelfTest {
  bool right = false;
  double compile_seconds = 0;
  std::string problem;
};

/// exp(-x / 2) over odd sizes and a sum, against the C library.
SelfTest self_test() {
  SelfTest test;
  try {
    const auto start = std::chrono::steady_clock::now();
    const Expr x = fvector("x");
    const Function f = function({x}, {exp(-x / 2), sum(x)}, {.name = "self-test"});
    std::vector<float> values;
    for (int k = 0; k < 1037; ++k) values.push_back(0.01f * static_cast<float>(k));
    const std::vector<Array> results = f.call({Array::from(values)});
    test.compile_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double total = 0;
    test.right = true;
    for (size_t k = 0; k < values.size(); ++k) {
      const float expected = std::exp(-values[k] / 2), found = results[0].span<float>()[k];
      total += static_cast<double>(values[k]);
      if (!(std::fabs(found - expected) <= 3e-7f * expected)) test.right = false;
    }
    if (!(std::fabs(static_cast<double>(results[1].item<float>()) - total) <= 1e-3 * total)) test.right = false;
    if (!test.right) test.problem = "wrong results";
  } catch (const Error& error) { test.problem = error.what(); }
  return test;
}

std::string target_text() {
  try {
    const codegen::Target target = codegen::target_from_name(voxloom::config().target);
    return fmt::format("{}, {}-bit vectors{}", target.name, target.vector_bits, target.tune.empty() ? "" : ", tuned for " + target.tune);
  } catch (const Error& error) { return error.what(); }
}

Json cache_json(const codegen::CacheStatus& status) {
  return {{"dir", status.dir}, {"usable", status.usable}, {"reason", status.reason}, {"entries", status.entries}, {"bytes", status.bytes}};
}

std::string cache_text(const codegen::CacheStatus& status) {
  if (!status.usable) return fmt::format("{}: off, {}", status.dir, status.reason);
  return fmt::format("{}: {} kernels, {}", status.dir, status.entries, format_size(status.bytes));
}

}  // namespace

void configure(const Options& options) {
  Config& c = voxloom::config();
  if (!options.target.empty()) c.target = options.target;
  if (options.threads > 0) c.threads = options.threads;
  if (options.memory > 0) c.memory = options.memory;
  c.debug_level = options.debug_level;
}

void doctor(const Options& options) {
  const DeviceInfo cpu = voxloom::devices().at(0);
  const CacheSizes& sizes = cache_sizes();
  const codegen::CacheStatus status = codegen::cache_status(cache_dir());
  const std::optional<int64_t> limit = cgroup_memory_limit();
  const SelfTest test = self_test();
  if (options.json) {
    Json j{{"version", VOXLOOM_VERSION}, {"llvm", codegen::llvm_version()}, {"cpu", cpu.description}, {"target", target_text()}};
    j["caches"] = {{"l1", sizes.l1}, {"l2", sizes.l2}, {"l3", sizes.l3}, {"line", sizes.line}};
    j["memory"] = {{"total", total_memory()},
                   {"available", available_memory()},
                   {"cgroup_limit", limit ? Json(*limit) : Json()},
                   {"default_budget", default_memory_budget()}};
    j["threads"] = default_threads();
    j["disk_cache"] = cache_json(status);
    j["gpu"] = nullptr;
    j["self_test"] = {{"right", test.right}, {"seconds", test.compile_seconds}, {"problem", test.problem}};
    print(j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) { text += fmt::format("{:12} {}\n", name, value); };
    line("voxloom", fmt::format("{}, LLVM {}", VOXLOOM_VERSION, codegen::llvm_version()));
    line("cpu", cpu.description);
    line("target", target_text());
    line("caches", fmt::format("L1 {}, L2 {}, L3 {}", format_size(sizes.l1), format_size(sizes.l2), format_size(sizes.l3)));
    line("memory",
         fmt::format("{} of {} available{}; runs may use {}", format_size(available_memory()), format_size(total_memory()),
                     limit ? ", limited to " + format_size(*limit) + " by the cgroup" : "", format_size(default_memory_budget())));
    line("threads", std::to_string(default_threads()));
    line("disk cache", cache_text(status));
    line("gpu", "none: this build has no CUDA support");
    line("self-test", test.right ? fmt::format("right, first call {}", format_seconds(test.compile_seconds)) : "FAILED: " + test.problem);
    print(text);
  }
  if (!test.right) fail_runtime(ErrorCode::device, "doctor", "compiled code does not work here: " + test.problem);
}

void cache(const Options& options) {
  const std::string dir = cache_dir();
  if (options.subject == "clear") return print(fmt::format("{} kernels removed from {}\n", codegen::cache_clear(dir), dir));
  print(cache_text(codegen::cache_status(dir)) + "\n");
}

void show_config(const Options& options) {
  const Config& c = voxloom::config();
  // What "automatic" comes to on this machine.
  const std::map<std::string, std::string> resolved = {
      {"threads", std::to_string(c.threads > 0 ? c.threads : default_threads())},
      {"memory", std::to_string(c.memory > 0 ? c.memory : default_memory_budget())},
      {"cache_dir", cache_dir()},
      {"device", "cpu"},
  };
  Json j;
  std::string text;
  for (const ConfigOption& option : config_options()) {
    const auto found = resolved.find(option.name);
    const std::string value = found != resolved.end() ? found->second : c.get(option.name);
    j[option.name] = value;
    text += fmt::format("{:20} {:18} {}\n", option.name, value, option.doc);
  }
  j["threads"] = std::stoi(resolved.at("threads"));
  j["memory"] = std::stoll(resolved.at("memory"));
  j["cache_size"] = c.cache_size;
  print(options.json ? j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : text);
}

void devices(const Options&) {
  for (const DeviceInfo& device : voxloom::devices())
    print(fmt::format("{:8} {}, {} threads, {}\n", device.name, device.description, device.threads, format_size(device.memory_bytes)));
}

}  // namespace voxloom::cli

// api/config_environment.cpp: the configuration that the environment gives, read when the library is loaded.
#include <voxloom/api/config.h>

#include <voxloom/graph/error.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

namespace voxloom {
namespace {

constexpr std::streamsize longest_file = 1 << 16;

std::string read_ini(const std::string& path, bool required) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (required) fail_runtime(ErrorCode::file, path, "VOXLOOMRC names this file, but it cannot be read");
    return {};
  }
  std::string text(static_cast<size_t>(longest_file) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (static_cast<std::streamsize>(text.size()) > longest_file) fail_user(ErrorCode::limit, path, "is longer than 64 KiB");
  return text;
}

/// Read once, before main: variables made before the first function see floatX. A library throws nothing while it is loaded, so what
/// went wrong waits for the first config().
struct Loaded {
  Config config;
  std::exception_ptr problem;
  Loaded() {
    try {
      apply_environment(config);
    } catch (...) { problem = std::current_exception(); }
  }
};

Loaded& loaded() {
  static auto* const instance = new Loaded;  // outlives every function
  return *instance;
}

[[maybe_unused]] const Loaded& at_load = loaded();

}  // namespace

void apply_environment(Config& config) {
  const char* const rc = std::getenv("VOXLOOMRC");
  const char* const home = std::getenv("HOME");
  const std::string path = rc != nullptr && *rc != '\0' ? rc : home != nullptr ? std::string(home) + "/.voxloomrc" : "";
  if (!path.empty()) apply_ini(config, read_ini(path, rc != nullptr && *rc != '\0'), path);
  if (const char* const flags = std::getenv("VOXLOOM_FLAGS")) apply_flags(config, flags);
}

Config& config() {
  Loaded& l = loaded();
  if (l.problem) [[unlikely]]
    std::rethrow_exception(l.problem);
  return l.config;
}

}  // namespace voxloom

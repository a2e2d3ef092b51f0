// codegen/llvm/target.cpp: target names; asks the processor itself, so that choosing a target starts nothing of LLVM.
#include <cpuid.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/graph/error.h>

#include <array>
#include <cstring>

namespace voxloom::codegen {

namespace {

struct Feature {
  const char* name;
  bool present;
};

// LLVM's names of what each level adds to the one before.
constexpr const char* v3_features =
    "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+crc32,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf,+sse,"
    "+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave";
constexpr const char* v4_features = ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl";

const char* missing_for_v3() {
  __builtin_cpu_init();
  const Feature list[] = {{"avx2", __builtin_cpu_supports("avx2") != 0},
                          {"fma", __builtin_cpu_supports("fma") != 0},
                          {"bmi", __builtin_cpu_supports("bmi") != 0},
                          {"bmi2", __builtin_cpu_supports("bmi2") != 0},
                          {"popcnt", __builtin_cpu_supports("popcnt") != 0}};
  for (const Feature& f : list) {
    if (!f.present) return f.name;
  }
  return nullptr;
}

const char* missing_for_v4() {
  if (const char* missing = missing_for_v3()) return missing;
  const Feature list[] = {{"avx512f", __builtin_cpu_supports("avx512f") != 0},
                          {"avx512bw", __builtin_cpu_supports("avx512bw") != 0},
                          {"avx512cd", __builtin_cpu_supports("avx512cd") != 0},
                          {"avx512dq", __builtin_cpu_supports("avx512dq") != 0},
                          {"avx512vl", __builtin_cpu_supports("avx512vl") != 0}};
  for (const Feature& f : list) {
    if (!f.present) return f.name;
  }
  return nullptr;
}

/// The name LLVM has for the processor, for families whose schedule differs from the generic one; empty for others.
std::string tuning_name() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return {};
  char vendor[13] = {};
  std::memcpy(vendor, &b, 4);
  std::memcpy(vendor + 4, &d, 4);
  std::memcpy(vendor + 8, &c, 4);
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return {};
  const unsigned family = ((a >> 8) & 15) + (((a >> 8) & 15) == 15 ? (a >> 20) & 255 : 0);
  const unsigned model = ((a >> 4) & 15) | ((a >> 12) & 0xf0);
  if (std::strcmp(vendor, "AuthenticAMD") == 0) {
    if (family == 26) return "znver4";  // Zen 5: LLVM 19 has no schedule of its own for it
    if (family == 25) return (model >= 0x10 && model <= 0x1f) || model >= 0x60 ? "znver4" : "znver3";
    if (family == 23) return "znver2";
  }
  if (std::strcmp(vendor, "GenuineIntel") == 0 && family == 6) {
    if (model == 0x55) return "skylake-avx512";
    if (model == 0x6a || model == 0x6c) return "icelake-server";
    if (model == 0x8f || model == 0xcf) return "sapphirerapids";
  }
  return {};
}

Target level3() { return {"x86-64-v3", v3_features, "", 256}; }
Target level4() { return {"x86-64-v4", std::string(v3_features) + v4_features, "", 512}; }

}  // namespace

Target target_from_name(std::string_view name) {
  const bool native = name == "native";
  if (!native && name != "x86-64-v3" && name != "x86-64-v4") {
    fail_user(ErrorCode::usage, "target", "unknown target '" + std::string(name) + "'; known are native, x86-64-v3 and x86-64-v4");
  }
  const char* missing = name == "x86-64-v4" ? missing_for_v4() : missing_for_v3();
  if (missing != nullptr) {
    fail_user(ErrorCode::device, "target", "'" + std::string(name) + "' needs " + missing + ", which this processor does not have");
  }
  if (!native) return name == "x86-64-v4" ? level4() : level3();
  Target target = missing_for_v4() == nullptr ? level4() : level3();
  target.tune = tuning_name();
  return target;
}

}  // namespace voxloom::codegen

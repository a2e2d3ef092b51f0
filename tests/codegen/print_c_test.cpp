// tests/codegen/print_c_test.cpp: printed kernels, compiled by g++, against direct evaluation, bit for bit.
#include "kernel_samples.h"

#include <voxloom/codegen/compiler.h>
#include <voxloom/codegen/kernel_eval.h>
#include <voxloom/codegen/print_c.h>

#include <catch2/catch.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace voxloom::codegen {

namespace {

/// Kernels compiled in one run of g++. Functions are called k0, k1, ...
class CLibrary {
 public:
  explicit CLibrary(const std::vector<samples::KernelCase>& cases) {
    std::string text(c_preamble());
    for (int i = 0; i < ops::rare_count; ++i) {
      const std::string n = std::to_string(i);
      text += "extern \"C\" { double (*rare_" + n + ")(double); double voxloom_rare_" + n + "(double x) { return rare_" + n + "(x); } }\n";
    }
    for (size_t i = 0; i < cases.size(); ++i) text += print_c(cases[i].kernel, "k" + std::to_string(i));
    const std::string pattern = (std::filesystem::temp_directory_path() / "voxloom_print_c_XXXXXX").string();
    folder_ = make_folder(pattern);
    std::ofstream(folder_ + "/k.cpp") << text;
    const std::string command = "g++ -std=c++17 -O1 -ffp-contract=off -w -shared -fPIC -o " + folder_ + "/k.so " + folder_ + "/k.cpp";
    REQUIRE(std::system(command.c_str()) == 0);
    handle_ = ::dlopen((folder_ + "/k.so").c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(handle_ != nullptr);
    for (int i = 0; i < ops::rare_count; ++i) {
      *static_cast<ops::RareFunction*>(::dlsym(handle_, ("rare_" + std::to_string(i)).c_str())) = ops::rare_table[i].function;
    }
  }
  ~CLibrary() {
    if (handle_ != nullptr) ::dlclose(handle_);
    std::filesystem::remove_all(folder_);
  }
  CLibrary(const CLibrary&) = delete;
  CLibrary& operator=(const CLibrary&) = delete;

  KernelEntry entry(size_t i) const { return reinterpret_cast<KernelEntry>(::dlsym(handle_, ("k" + std::to_string(i)).c_str())); }

 private:
  static std::string make_folder(std::string pattern) {
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    return pattern;
  }
  std::string folder_;
  void* handle_ = nullptr;
};

samples::Entry evaluated(const Kernel& kernel) {
  return [&kernel](const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch) {
    eval_kernel(kernel, params, pointers, begin, end, scratch);
  };
}

}  // namespace

TEST_CASE("printed kernels compiled by g++ give the bits of direct evaluation") {
  const std::vector<samples::KernelCase> cases = samples::all_cases();
  const CLibrary library(cases);
  for (size_t i = 0; i < cases.size(); ++i) {
    const samples::KernelCase& c = cases[i];
    INFO(print_c(c.kernel, "k" + std::to_string(i)));
    const auto want = samples::run_case(c, evaluated(c.kernel));
    CHECK(samples::first_difference(c, want, samples::run_case(c, library.entry(i))) == "");
    CHECK((samples::first_difference(c, want, samples::run_case(c, [](auto...) {})) != "") == c.writes);
  }
}

TEST_CASE("printed text is readable and stays on its lines") {
  KernelBuilder b("Fused{add}\nint x = 1;");
  const int in = b.add_access({.storage = DType::f32, .pointer = b.add_pointer()});
  const int out = b.add_access({.storage = DType::f32, .written = true, .pointer = b.add_pointer()});
  const Id scale = b.read_param(b.add_param(DType::f32, "for"));
  const Id i = b.begin_loop(b.begin(), b.end(), {}, 0)[0];
  auto& r = b.record();
  const Id half = r.lit(DType::f32, -0.5).id, x = b.load(in, {{i, -1}});
  b.store(out, {{i, -1}}, r.add(r.mul(b.value(scale), b.value(x)), b.value(half)).id);
  b.end_loop();
  CHECK(print_c(b.finish(), "f") ==
        "// Fused{add} int x = 1;\n"
        "extern \"C\" void f(const i64* params, char* const* pointers, i64 begin, i64 end, char* scratch) {\n"
        "  (void)params; (void)pointers; (void)begin; (void)end; (void)scratch;\n"
        "  char* const m0 = pointers[0];  // f32\n"
        "  char* const m1 = pointers[1];  // f32, written\n"
        "  const f32 for_2 = vl_param<f32>(params, 0);\n"
        "  for (i64 j3 = begin; j3 < end; ++j3) {  // vector loop\n"
        "    const f32 v5 = vl_load<f32>(m0 + j3 * 4);\n"
        "    const f32 v6 = for_2 * v5;\n"
        "    const f32 v7 = v6 + (-0.5f);\n"
        "    vl_store<f32>(m1 + j3 * 4, v7);\n"
        "  }\n"
        "}\n");
}

}  // namespace voxloom::codegen

// tests/codegen/llvm_jit_test.cpp: code in the process: page protection, unloading, threads, targets, texts.
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <thread>

#include <voxloom/codegen/llvm/registry.h>

#include "llvm_support.h"

namespace voxloom::codegen {

namespace {

Kernel add_constant(double constant) {
  KernelBuilder b("add_constant");
  const int in = b.add_access({.storage = DType::f32, .pointer = b.add_pointer()});
  const int out = b.add_access({.storage = DType::f32, .written = true, .pointer = b.add_pointer()});
  const Id i = b.begin_loop(b.begin(), b.end(), {}, 0)[0];
  b.store(out, {{i, -1}}, b.record().add(b.value(b.load(in, {{i, -1}})), b.record().lit(DType::f32, constant)).id);
  b.end_loop();
  return b.finish();
}

struct Mappings {
  int executable = 0, writable_and_executable = 0;
};
Mappings mappings() {
  Mappings m;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::string mode = line.substr(line.find(' ') + 1, 3);
    m.executable += mode[2] == 'x' ? 1 : 0;
    m.writable_and_executable += mode == "rwx" ? 1 : 0;
  }
  return m;
}
long resident_kib() {
  std::ifstream in("/proc/self/statm");
  long size = 0, resident = 0;
  in >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE) / 1024;
}

}  // namespace

TEST_CASE("no page is writable and executable; dropped kernels leave nothing", "[llvm]") {
  const Target target = target_from_name("x86-64-v3");
  KernelRegistry::get().set_limit(0);
  const int cycles = std::getenv("VOXLOOM_LONG_TESTS") != nullptr ? 1000 : 60;
  Mappings before;
  [[maybe_unused]] long resident = 0;
  for (int k = -20; k < cycles; ++k) {
    const auto kernel = compile_kernel(add_constant(k + 0.25), {target, "", 0});
    if (k % 16 == 0) CHECK(mappings().writable_and_executable == 0);
    if (k != -1) continue;
    before = mappings();
    resident = resident_kib();
  }
  compile_kernel(add_constant(0.75), {target, "", 0});
  CHECK(mappings().executable <= before.executable);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their allocators hold on to freed memory
  CHECK(resident_kib() - resident < 4096 + 2 * cycles);
#endif
  KernelRegistry::get().set_limit(size_t{32} << 20);
}

TEST_CASE("equal kernels asked for at once are compiled once", "[llvm]") {
  const Target target = target_from_name("x86-64-v3");
  constexpr size_t threads = 8;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::shared_ptr<const CompiledKernel>> kernels(threads);
    std::vector<CompileInfo> infos(threads);
    std::vector<std::thread> workers;
    for (size_t k = 0; k < threads; ++k) {
      workers.emplace_back([&, k] { kernels[k] = compile_kernel(add_constant(1000 + round), {target, "", 0}, &infos[k]); });
    }
    for (std::thread& t : workers) t.join();
    int compiled = 0;
    for (size_t k = 0; k < threads; ++k) {
      compiled += infos[k].origin == CompileInfo::Origin::compiled ? 1 : 0;
      CHECK(kernels[k]->entry() == kernels[0]->entry());
      CHECK(infos[k].code_bytes > 100);
    }
    CHECK(compiled == 1);
  }
}

TEST_CASE("kernels may be compiled, dropped and compiled again from many threads", "[llvm]") {
  const Target target = target_from_name("x86-64-v3");
  KernelRegistry::get().set_limit(0);
  std::vector<std::thread> workers;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    workers.emplace_back([&, t] {
      for (int round = 0; round < 12; ++round) {
        const auto constant = static_cast<float>(round % 3);
        const auto kernel = compile_kernel(add_constant(2000 + constant), {target, "", 0});
        float x[5] = {1, 2, 3, 4, 5}, y[5] = {};
        char* pointers[] = {reinterpret_cast<char*>(x), reinterpret_cast<char*>(y)};
        kernel->entry()(nullptr, pointers, 0, 5, nullptr);
        for (int k = 0; k < 5; ++k) wrong[t] += y[k] == x[k] + 2000 + constant ? 0 : 1;
      }
    });
  }
  for (std::thread& w : workers) w.join();
  KernelRegistry::get().set_limit(size_t{32} << 20);
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a child of fork() compiles while the parent's threads do", "[llvm]") {
  const Target target = target_from_name("x86-64-v3");
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  for (int t = 0; t < 2; ++t) {
    workers.emplace_back([&, t] {
      for (int k = 0; !stop; ++k) compile_kernel(add_constant(3000 + 1000 * t + k % 900), {target, "", 0});
    });
  }
  int good = 0;
  constexpr int children = 6;
  for (int c = 0; c < children; ++c) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      alarm(60);
      const auto kernel = compile_kernel(add_constant(9000 + c), {target, "", 0});
      float x = 1, y = 0;
      char* pointers[] = {reinterpret_cast<char*>(&x), reinterpret_cast<char*>(&y)};
      kernel->entry()(nullptr, pointers, 0, 1, nullptr);
      _exit(y == static_cast<float>(9001 + c) ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    good += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
  }
  stop = true;
  for (std::thread& w : workers) w.join();
  CHECK(good == children);
}

TEST_CASE("targets are chosen by name", "[llvm]") {
  CHECK(target_from_name("x86-64-v3").vector_bits == 256);
  const Target native = target_from_name("native");
  CHECK((native.name == "x86-64-v3" || native.name == "x86-64-v4"));
  CHECK_THROWS_WITH(target_from_name("x86-64-v9"), Catch::Contains("unknown target 'x86-64-v9'"));
  CHECK_THROWS_AS(target_from_name(""), UserError);
}

TEST_CASE("kernels show as LLVM IR and assembly", "[llvm]") {
  const Kernel kernel = add_constant(1);
  for (const Target& target : test::targets()) {
    CHECK(llvm_ir_text(kernel, target).find("fadd <") != std::string::npos);
    const std::string text = assembly_text(kernel, target);
    CHECK(text.find("vaddps") != std::string::npos);
    CHECK((text.find("zmm") != std::string::npos) == (target.vector_bits == 512));
  }
}

TEST_CASE("perf can be told the names of kernels", "[llvm]") {
  REQUIRE(setenv("VOXLOOM_PERF_MAP", "1", 1) == 0);
  const auto kernel = compile_kernel(add_constant(77.5), {target_from_name("x86-64-v3"), "", 0});
  unsetenv("VOXLOOM_PERF_MAP");
  const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::ifstream in(path);
  std::uintptr_t address = 0;
  size_t size = 0;
  std::string name;
  in >> std::hex >> address >> size >> name;
  std::filesystem::remove(path);
  CHECK(address == reinterpret_cast<std::uintptr_t>(kernel->entry()));
  CHECK(size > 50);
  CHECK(name == "add_constant");
}

TEST_CASE("blake3 of nothing is the published one", "[llvm]") {
  CHECK(blake3_hex("") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

}  // namespace voxloom::codegen

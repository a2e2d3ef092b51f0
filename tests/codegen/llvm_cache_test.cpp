// tests/codegen/llvm_cache_test.cpp: the disk cache: hits, damage of every kind, foreign folders, crashes of writers.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <random>

#include <voxloom/codegen/cache.h>
#include <voxloom/codegen/llvm/registry.h>

#include "llvm_support.h"

namespace voxloom::codegen {

namespace {

namespace fs = std::filesystem;

/// o[i] = x[i] * factor + 1; the factor makes kernels differ.
Kernel scale(double factor) {
  KernelBuilder b("scale");
  const int in = b.add_access({.storage = DType::f64, .pointer = b.add_pointer()});
  const int out = b.add_access({.storage = DType::f64, .written = true, .pointer = b.add_pointer()});
  const Id i = b.begin_loop(b.begin(), b.end(), {}, 0)[0];
  auto& r = b.record();
  b.store(out, {{i, -1}}, r.add(r.mul(b.value(b.load(in, {{i, -1}})), r.lit(DType::f64, factor)), r.lit(DType::f64, 1)).id);
  b.end_loop();
  return b.finish();
}

bool works(const CompiledKernel& kernel, double factor) {
  double x[19], y[19];
  for (int k = 0; k < 19; ++k) x[k] = k;
  char* pointers[] = {reinterpret_cast<char*>(x), reinterpret_cast<char*>(y)};
  kernel.entry()(nullptr, pointers, 0, 19, nullptr);
  for (int k = 0; k < 19; ++k) {
    if (y[k] != k * factor + 1) return false;
  }
  return true;
}

/// Kernels go away with their last reference, so that every compile_kernel() asks the disk.
struct NothingInMemory {
  NothingInMemory() { KernelRegistry::get().set_limit(0); }
  NothingInMemory(const NothingInMemory&) = delete;
  NothingInMemory& operator=(const NothingInMemory&) = delete;
  ~NothingInMemory() { KernelRegistry::get().set_limit(size_t{32} << 20); }
};

CompileInfo compile(const std::string& dir, double factor) {
  CompileInfo info;
  const auto kernel = compile_kernel(scale(factor), {target_from_name("x86-64-v3"), dir, 1 << 20}, &info);
  CHECK(works(*kernel, factor));
  return info;
}

fs::path only_entry(const std::string& dir) {
  fs::path found;
  for (const auto& e : fs::directory_iterator(dir)) {
    if (e.path().extension() == ".o") found = e.path();
  }
  return found;
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void set_content(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

using Origin = CompileInfo::Origin;

}  // namespace

TEST_CASE("a kernel is compiled once, then taken from memory or disk", "[cache]") {
  const test::TemporaryFolder folder;
  const std::string dir = folder.path() + "/a/b";
  {
    const auto kept = compile_kernel(scale(2), {target_from_name("x86-64-v3"), dir, 1 << 20});
    CHECK(compile(dir, 2).origin == Origin::memory);
  }
  const NothingInMemory guard;
  CHECK(compile(dir, 2).origin == Origin::disk);
  CHECK(compile("", 2).origin == Origin::compiled);
  CHECK(compile(dir, 3).origin == Origin::compiled);
  struct stat s{};
  REQUIRE(stat(dir.c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0700);
  const CacheStatus status = cache_status(dir);
  CHECK(status.usable);
  CHECK(status.entries == 2);
  CHECK(status.bytes > 1000);
  CHECK(cache_clear(dir) == 2);
  CHECK(compile(dir, 2).origin == Origin::compiled);
}

TEST_CASE("damaged cache entries are refused, deleted and written anew", "[cache]") {
  const NothingInMemory guard;
  const test::TemporaryFolder folder;
  const std::string dir = folder.path();
  REQUIRE(compile(dir, 5).origin == Origin::compiled);
  const fs::path entry = only_entry(dir);
  const std::string good = content(entry);
  std::vector<std::string> damaged;
  std::mt19937 random(7);
  for (int k = 0; k < 40; ++k) {
    std::string bad = good;
    bad[k < 20 ? static_cast<size_t>(k) * 8 % 152 : random() % bad.size()] ^= static_cast<char>(1 << (random() % 8));
    damaged.push_back(bad);
  }
  for (size_t length : {size_t{0}, size_t{1}, size_t{151}, size_t{152}, good.size() - 1}) damaged.push_back(good.substr(0, length));
  damaged.push_back(good + "x");
  std::string huge = good;
  huge[23] = 0x7f;  // the top byte of the payload's size
  damaged.push_back(huge);
  for (const std::string& bad : damaged) {
    set_content(entry, bad);
    const CompileInfo info = compile(dir, 5);
    CHECK(info.origin == Origin::compiled);
    CHECK(info.why.find("refused") != std::string::npos);
    CHECK(content(entry) == good);
  }
  std::string other_version = good;
  other_version[8] = 99;
  set_content(entry, other_version);
  CHECK(compile(dir, 5).why == "the cache entry was refused: another version wrote it");
}

TEST_CASE("an entry of another kernel is refused", "[cache]") {
  const NothingInMemory guard;
  const test::TemporaryFolder folder;
  const std::string dir = folder.path();
  compile(dir, 6);
  const fs::path first = only_entry(dir);
  const std::string bytes = content(first);
  fs::remove(first);
  compile(dir, 7);
  set_content(only_entry(dir), bytes);
  CHECK(compile(dir, 7).why == "the cache entry was refused: it holds another kernel");
}

TEST_CASE("entries that are no files of ours are refused", "[cache]") {
  const NothingInMemory guard;
  const test::TemporaryFolder folder;
  const std::string dir = folder.path();
  compile(dir, 8);
  const fs::path entry = only_entry(dir);
  const std::string good = content(entry);
  const std::string elsewhere = folder.path() + "/elsewhere";
  set_content(elsewhere, good);
  fs::remove(entry);
  fs::create_symlink(elsewhere, entry);
  CHECK(compile(dir, 8).origin == Origin::compiled);
  CHECK(compile(dir, 8).origin == Origin::disk);  // the link gave way to a file
  fs::remove(entry);
  REQUIRE(mkfifo(entry.c_str(), 0600) == 0);
  CHECK(compile(dir, 8).origin == Origin::compiled);
  fs::remove(entry);
  fs::create_directory(entry);
  CHECK(compile(dir, 8).origin == Origin::compiled);
  fs::remove(entry);
  set_content(entry, good);
  REQUIRE(chmod(entry.c_str(), 0666) == 0);
  CHECK(compile(dir, 8).origin == Origin::compiled);
  if (geteuid() == 0) {
    set_content(entry, good);
    REQUIRE(chmod(entry.c_str(), 0600) == 0);
    REQUIRE(chown(entry.c_str(), 12345, 12345) == 0);
    CHECK(compile(dir, 8).origin == Origin::compiled);
  }
}

TEST_CASE("a folder that others may touch is not used", "[cache]") {
  const NothingInMemory guard;
  const test::TemporaryFolder folder;
  const std::string dir = folder.path() + "/cache";
  compile(dir, 9);
  const auto off = [&](const std::string& where, const std::string& reason) {
    const CacheStatus status = cache_status(where);
    CHECK_FALSE(status.usable);
    CHECK(status.reason.find(reason) != std::string::npos);
    const CompileInfo info = compile(where, 9);
    CHECK(info.origin == Origin::compiled);
    CHECK(info.why.find(reason) != std::string::npos);
  };
  REQUIRE(chmod(dir.c_str(), 0777) == 0);
  off(dir, "0700");
  REQUIRE(chmod(dir.c_str(), 0700) == 0);
  fs::create_directory_symlink(dir, folder.path() + "/link");
  off(folder.path() + "/link", "symbolic link");
  set_content(folder.path() + "/file", "x");
  off(folder.path() + "/file", "not a folder");
  if (geteuid() == 0) {
    REQUIRE(chown(dir.c_str(), 12345, 12345) == 0);
    off(dir, "belongs to user 12345");
  }
  CHECK_FALSE(cache_status("").usable);
}

TEST_CASE("the cache keeps to its size", "[cache]") {
  const test::TemporaryFolder folder;
  const std::string dir = folder.path();
  const std::string payload(1000, 'p');
  const auto key = [](int k) { return blake3_hex("key " + std::to_string(k)); };
  for (int k = 0; k < 50; ++k) {
    DiskCache(dir, 20000).write(key(k), payload);
    timespec times[2] = {{1000 + k, 0}, {1000 + k, 0}};
    utimensat(AT_FDCWD, (dir + "/" + key(k) + ".o").c_str(), times, 0);
  }
  set_content(dir + "/.new-1-1", "left by a crash");
  timespec old[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(utimensat(AT_FDCWD, (dir + "/.new-1-1").c_str(), old, 0) == 0);
  REQUIRE(utimensat(AT_FDCWD, (dir + "/.swept").c_str(), old, 0) == 0);
  DiskCache cache(dir, 20000);
  cache.write(key(50), payload);
  CHECK(cache_status(dir).bytes <= 20000);
  CHECK(cache_status(dir).entries > 5);
  CHECK_FALSE(fs::exists(dir + "/.new-1-1"));
  CHECK(cache.read(key(50)) == payload);  // the oldest went
  CHECK(cache.read(key(0)) == std::nullopt);
  CHECK(cache.reason().empty());
}

TEST_CASE("writers that are killed leave whole entries or none", "[cache]") {
  const test::TemporaryFolder folder;
  const std::string dir = folder.path();
  const auto key = [](int k) { return blake3_hex(std::to_string(k)); };
  const auto payload = [](int k) { return std::string(static_cast<size_t>(20000 + k), static_cast<char>('a' + k)); };
  std::vector<pid_t> writers;
  for (int w = 0; w < 4; ++w) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      DiskCache cache(dir, 1 << 30);
      for (int k = w;; k = (k + 1) % 8) cache.write(key(k), payload(k));
    }
    writers.push_back(pid);
  }
  DiskCache cache(dir, 1 << 30);
  int hits = 0, wrong = 0;
  for (int round = 0; round < 400; ++round) {
    const std::optional<std::string> got = cache.read(key(round % 8));
    hits += got ? 1 : 0;
    wrong += (got && *got != payload(round % 8)) || !cache.reason().empty() ? 1 : 0;
    if (round % 100 == 50) kill(writers[static_cast<size_t>(round / 100)], SIGKILL);
    usleep(200);
  }
  for (pid_t pid : writers) waitpid(pid, nullptr, 0);
  CHECK(wrong == 0);
  CHECK(hits > 100);
  for (int k = 0; k < 8; ++k) CHECK(cache.read(key(k)) == payload(k));
}

}  // namespace voxloom::codegen

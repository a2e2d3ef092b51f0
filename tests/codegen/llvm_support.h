// tests/codegen/llvm_support.h: what the tests of compiled code share: targets, guarded memory, temporary folders.
#pragma once

#include <sys/mman.h>
#include <unistd.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/graph/error.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace voxloom::codegen::test {

/// The targets this machine can run: both levels, and the tuned one.
inline std::vector<Target> targets() {
  std::vector<Target> list;
  for (const char* name : {"x86-64-v3", "x86-64-v4", "native"}) {
    try {
      list.push_back(target_from_name(name));
    } catch (const UserError&) {}
  }
  return list;
}

/// `bytes` of memory that end (or begin) exactly at a page nobody may touch.
class Guarded {
 public:
  explicit Guarded(size_t bytes, bool at_end = true) : bytes_(bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), body = (bytes + page - 1) / page * page;
    size_ = body + 2 * page;
    map_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (map_ == MAP_FAILED || mprotect(map_, page, PROT_NONE) != 0 || mprotect(map_ + page + body, page, PROT_NONE) != 0) std::abort();
    data_ = at_end ? map_ + page + body - bytes : map_ + page;
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(map_, size_); }
  char* data() { return data_; }
  size_t size() const { return bytes_; }

 private:
  size_t bytes_, size_ = 0;
  char *map_ = nullptr, *data_ = nullptr;
};

/// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "voxloom-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace voxloom::codegen::test

// codegen/llvm/perf_map.cpp: reads the size of a function out of its object and writes one line.
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>
#include <voxloom/codegen/llvm/perf_map.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace voxloom::codegen {

namespace {

template <class T> bool read_at(const std::string& bytes, size_t offset, T& out) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof out) return false;
  std::memcpy(&out, bytes.data() + offset, sizeof out);
  return true;
}

/// Bytes of the function `symbol`; 0 when the symbol table does not tell.
uint64_t function_size(const std::string& object, const std::string& symbol) {
  Elf64_Ehdr header;
  if (!read_at(object, 0, header)) return 0;
  for (size_t k = 0; k < header.e_shnum; ++k) {
    Elf64_Shdr table, names;
    if (!read_at(object, header.e_shoff + k * sizeof table, table) || table.sh_type != SHT_SYMTAB) continue;
    if (!read_at(object, header.e_shoff + table.sh_link * sizeof names, names)) return 0;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym entry;
      if (!read_at(object, table.sh_offset + at, entry)) return 0;
      const uint64_t name = names.sh_offset + entry.st_name;
      if (name < object.size() && object.compare(name, symbol.size() + 1, symbol.c_str(), symbol.size() + 1) == 0) return entry.st_size;
    }
  }
  return 0;
}

}  // namespace

void note_for_perf(const std::string& object, const std::string& symbol, const std::string& name, const void* entry) {
  if (std::getenv("VOXLOOM_PERF_MAP") == nullptr) return;
  const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  char line[256];
  const int n = std::snprintf(line, sizeof line, "%" PRIxPTR " %" PRIx64 " %.150s\n", reinterpret_cast<uintptr_t>(entry),
                              function_size(object, symbol), name.c_str());
  [[maybe_unused]] const ssize_t written = write(fd, line, static_cast<size_t>(n));  // a lost line concerns nobody
  close(fd);
}

}  // namespace voxloom::codegen

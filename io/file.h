// io/file.h: one open file, read and written at offsets; errors are voxloom's and name the file.
#pragma once

#include <voxloom/graph/export.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace voxloom::io {

/// Which file it is, whatever its name: equal for hard and symbolic links, different after it was replaced or written to.
struct FileId {
  uint64_t device = 0, inode = 0;
  int64_t bytes = 0, modified_ns = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// Owns a file descriptor. Reads and writes at offsets are thread-safe.
class VOXLOOM_API File {
 public:
  File() = default;
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Opens a regular file for reading, never blocking and never becoming a controlling terminal. Links are followed.
  /// UserError(bad_input) if it is anything else than a regular file, RuntimeError(file) if the system refuses.
  static File open_read(const std::string& path);
  /// Creates a file that must not exist yet (O_EXCL); permissions follow the umask. `shown` is the name used in messages.
  static File create_exclusive(const std::string& path, const std::string& shown);

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  /// Size when it was opened (reading) or 0 (writing).
  int64_t size() const { return id_.bytes; }
  /// As it was when opened for reading.
  const FileId& id() const { return id_; }

  /// Reads exactly n bytes. RuntimeError(file) "changed while reading" if the file has become shorter.
  void read_at(std::byte* dst, size_t n, int64_t offset) const;
  /// Writes exactly n bytes; RuntimeError(file) with the system's reason (also when RLIMIT_FSIZE would be passed: no signal is raised).
  void write_at(const std::byte* src, size_t n, int64_t offset) const;
  /// fsync; RuntimeError(file) on failure.
  void sync() const;
  /// Closes and reports a failure of close, as some file systems report a full disk only there.
  void close();

 private:
  int fd_ = -1;
  FileId id_;
  std::string path_;
};

}  // namespace voxloom::io

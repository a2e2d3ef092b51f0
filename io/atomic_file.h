// io/atomic_file.h: a file that appears under its name only when it is complete. Internal to io.
#pragma once

#include <voxloom/io/file.h>

#include <string>

namespace voxloom::io {

struct AtomicFileOptions {
  bool no_fsync = false;
  bool no_clobber = false;
};

/// Writes to a hidden temporary beside the target; commit() renames it. Links are followed, so that the file behind a link is replaced.
/// Without commit the destructor removes the temporary and the old file is untouched.
class AtomicFile {
 public:
  /// RuntimeError(file) if the folder is not writable, the target is no regular file, or it exists and no_clobber is set.
  /// Temporaries of writers of the same target that have died are removed.
  AtomicFile(const std::string& path, const AtomicFileOptions& options);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  void write_at(const std::byte* src, size_t n, int64_t offset);
  /// Makes the data durable (unless no_fsync) and closes the temporary; the target is still the old file.
  void seal();
  /// seal, then the rename, then fsync of the folder.
  void commit();

 private:
  void discard() noexcept;
  void publish();

  std::string path_;    // as the user named it
  std::string target_;  // with links resolved
  std::string folder_, temporary_;
  AtomicFileOptions options_;
  File file_;
  int slot_ = -1;
  bool sealed_ = false;
};

}  // namespace voxloom::io

// codegen/cache.h: object code kept on disk between runs.
//
// A folder of mode 0700 that belongs to us holds one file per key. Files appear by rename, so a reader sees a whole one or none; sizes are
// checked before anything is allocated, and a BLAKE3 hash covers the content. The hash guards against rot and half-written files, not
// against someone who may write into the folder: such a person can run code as this user anyway, hence the checks of owner and mode.
#pragma once

#include <voxloom/codegen/compiler.h>

#include <optional>
#include <string>

namespace voxloom::codegen {

class DiskCache {
 public:
  /// Creates the folder when it is missing. Never throws: a cache that cannot be used is off, with a reason.
  DiskCache(const std::string& dir, int64_t max_bytes);
  ~DiskCache();
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;

  bool usable() const { return fd_ >= 0; }
  /// Why the cache is off, or why the last read refused an entry; empty when there was simply none.
  const std::string& reason() const { return reason_; }

  /// The payload stored under `key`. An entry with wrong content is deleted; a failing disk counts as a miss.
  std::optional<std::string> read(const std::string& key);
  /// Failure leaves nothing behind and is no error.
  void write(const std::string& key, const std::string& payload);

 private:
  std::optional<std::string> checked(int file, const std::string& key);
  void sweep_hourly();

  int fd_ = -1;
  int64_t max_bytes_;
  std::string reason_;
};

}  // namespace voxloom::codegen

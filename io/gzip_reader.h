// io/gzip_reader.h: decodes a gzip file in order, every member checked. Internal to io.
#pragma once

#include <voxloom/io/file.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct inflate_state;

namespace voxloom::io {

/// Reads the decompressed bytes of `file` from the start. Not thread-safe. The file must outlive it.
/// Damage is a UserError(bad_input) that names the place in the compressed file.
class GzipReader {
 public:
  explicit GzipReader(const File& file);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Fills dst; delivers fewer than n bytes only at the end of the data, when the checksums of all members have been found right.
  size_t read(std::byte* dst, size_t n);
  /// Compressed bytes fetched from the disk so far.
  uint64_t bytes_fetched() const { return static_cast<uint64_t>(fetched_); }
  /// Set at the end if bytes that are no gzip member follow the last one.
  const std::optional<std::string>& trailing_garbage() const { return garbage_; }

 private:
  bool refill();
  void start_member();
  void end_member();
  [[noreturn]] void fail(const std::string& what) const;
  int64_t position() const;

  const File& file_;
  std::unique_ptr<inflate_state> state_;
  std::vector<std::byte> input_;
  int64_t fetched_ = 0;
  bool in_member_ = false, at_end_ = false;
  std::optional<std::string> garbage_;
};

}  // namespace voxloom::io

// io/inflate_thread.h: one pass over a gzip file, decoded ahead of its reader on a thread of its own. Internal to io.
#pragma once

#include <voxloom/io/file.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace voxloom::io {

/// A bounded ring of decoded pieces between the decoder (own thread) and one reader. Errors of the decoder are rethrown to the reader
/// when it reaches the place; whoever reads to the last byte of `wanted` gets it only after the whole stream has been verified.
class InflateThread {
 public:
  /// Starts decoding. `wanted` decompressed bytes are of interest; a stream much longer than that is refused.
  InflateThread(const File& file, int64_t wanted);
  ~InflateThread();
  InflateThread(const InflateThread&) = delete;
  InflateThread& operator=(const InflateThread&) = delete;

  /// Of the ring, the compressed input and the decoder.
  static constexpr int64_t buffer_bytes = 8 * (256 << 10) + (512 << 10);

  int64_t position() const { return position_; }
  /// The next n bytes; with dst == nullptr they are skipped.
  void read(std::byte* dst, int64_t n, const std::atomic<bool>* cancel);
  /// Decodes what is left and checks it.
  void finish(const std::atomic<bool>* cancel);
  uint64_t bytes_fetched() const { return fetched_.load(std::memory_order_relaxed); }
  /// What was odd at the end of the stream; complete after finish().
  std::vector<std::string> take_remarks();

 private:
  static constexpr size_t pieces = 8;
  static constexpr size_t piece_bytes = size_t{256} << 10;
  struct Piece {
    std::vector<std::byte> bytes;
    size_t size = 0;
  };

  void decode();
  void decode_pieces();
  void check_surplus(class GzipReader& reader, int64_t delivered);
  bool wait_for_piece(const std::atomic<bool>* cancel);

  const File& file_;
  int64_t wanted_;
  int64_t position_ = 0;  // of the reader
  std::array<Piece, pieces> ring_;
  size_t used_ = 0;  // bytes taken from the oldest piece
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t produced_ = 0, consumed_ = 0;  // pieces
  bool ended_ = false, stop_ = false;
  std::exception_ptr error_;
  std::vector<std::string> remarks_;
  std::atomic<uint64_t> fetched_{0};
  std::thread thread_;  // last: starts when all else stands
};

}  // namespace voxloom::io

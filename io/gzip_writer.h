// io/gzip_writer.h: one gzip member made of independently compressed blocks, so that threads share the work. Internal to io.
#pragma once

#include <voxloom/io/atomic_file.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace voxloom::io {

/// Input is cut into blocks of fixed size; each ends in a full flush (the last in the end of the stream), so the bytes depend on the level
/// only, never on the threads, and each flush point is a place to start decoding. No name and no time are stored.
class GzipWriter {
 public:
  GzipWriter(AtomicFile& file, int level, int threads);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  /// Blocks waiting, being compressed and compressed, at most.
  static int64_t buffer_bytes(int threads);

  void write(const std::byte* src, size_t n);
  /// Compresses what is left and writes the trailer.
  void finish();

 private:
  struct Block {
    uint64_t number = 0;
    bool last = false;
    std::vector<std::byte> data;
  };
  struct Result {
    std::vector<std::byte> data;
    uint32_t crc = 0;
    uint64_t input_bytes = 0;
  };
  void submit(bool last);
  void work();
  void store(uint64_t number, Result result);
  void wait_for_room(uint64_t most_open);
  Result compress(const Block& block) const;

  AtomicFile& file_;
  const int level_;
  std::vector<std::byte> current_;
  uint64_t submitted_ = 0;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> queue_;
  std::map<uint64_t, Result> finished_;  // waiting for the blocks before them
  uint64_t written_blocks_ = 0;
  bool writing_ = false, stop_ = false;
  std::exception_ptr error_;
  int64_t offset_ = 0;
  uint32_t crc_ = 0;
  uint64_t input_bytes_ = 0;
};

}  // namespace voxloom::io

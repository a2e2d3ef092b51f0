// runtime/buffer_pool.h: keeps released buffers for the next call; a fresh large buffer costs several times a reused one.
#pragma once

#include <voxloom/graph/export.h>
#include <voxloom/runtime/buffer.h>

#include <cstdint>
#include <string_view>

namespace voxloom {

struct PoolOptions {
  int64_t cache_cap = -1;  ///< most bytes kept after release; -1: a quarter of the machine's memory
  int64_t limit = 0;       ///< most bytes held (in use and kept); 0: what the system gives
};

struct PoolStats {
  int64_t live_bytes = 0;    ///< capacity of the buffers in use
  int64_t peak_bytes = 0;    ///< highest live_bytes since the start or reset_peak()
  int64_t cached_bytes = 0;  ///< kept for reuse
  int64_t hits = 0;          ///< allocations served by a kept buffer
  int64_t misses = 0;        ///< allocations that went to the system
};

/// Thread-safe, fork-safe. Buffers may outlive their pool. Contents of an allocated buffer are undefined.
/// Blocks of 1 MiB and more are own mappings (page-aligned, huge pages asked for from 2 MiB on); smaller ones are 64-byte aligned, in size
/// classes at most a quarter apart. A large request takes a kept block at most a quarter bigger than itself.
class VOXLOOM_API BufferPool {
 public:
  explicit BufferPool(const PoolOptions& options = {});
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// The pool of the process; never destroyed.
  static BufferPool& process();

  /// At least `bytes` bytes. RuntimeError(limit), naming `op`, if the limit or the system's memory does not allow it; nothing else is
  /// thrown.
  Buffer allocate(int64_t bytes, std::string_view op = "allocate");
  /// Gives kept buffers back to the system until at most `keep_bytes` are kept.
  void trim(int64_t keep_bytes = 0);
  PoolStats stats() const;
  void reset_peak();
  void set_limit(int64_t bytes);
  void set_cache_cap(int64_t bytes);
  /// Test hook: the n-th allocation from now on (1 is the next) fails as if memory were short; 0 disarms.
  void fail_allocation(int64_t nth);

  struct State;

 private:
  State* state_;
};

}  // namespace voxloom

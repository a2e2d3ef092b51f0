// bench/hand_threads.h: as many threads as voxloom gets, for the hand-written loops; they share out chunks by an atomic counter.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace bench {

/// Workers spin briefly for the next job, then sleep.
class HandThreads {
 public:
  explicit HandThreads(int threads);
  ~HandThreads();
  HandThreads(const HandThreads&) = delete;
  HandThreads& operator=(const HandThreads&) = delete;
  /// body(chunk) for each of them, the caller takes part.
  void run(int64_t chunks, const std::function<void(int64_t)>& body);
  /// body(begin, end) over pieces of [0, n) of at most `grain` elements.
  void run_pieces(size_t n, size_t grain, const std::function<void(size_t begin, size_t end)>& body);

 private:
  void work();
  void take_chunks();
  /// A worker joins a job only while it is open; the caller waits for those that joined, not for those still asleep.
  bool join();
  void lock();
  void unlock() { locked_.clear(std::memory_order_release); }

  std::vector<std::thread> workers_;
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t chunks_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<uint32_t> job_{0};
  std::atomic_flag locked_;
  bool open_ = false;            // under the lock
  std::atomic<int> at_work_{0};  // raised under the lock
  std::atomic<bool> stop_{false};
};

}  // namespace bench

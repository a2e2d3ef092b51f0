// bench/hand_threads.cpp: see hand_threads.h.
#include "hand_threads.h"

#include <immintrin.h>

#include <algorithm>

namespace bench {

HandThreads::HandThreads(int threads) {
  for (int t = 1; t < threads; ++t) workers_.emplace_back([this] { work(); });
}

HandThreads::~HandThreads() {
  stop_ = true;
  ++job_;
  job_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void HandThreads::take_chunks() {
  for (int64_t c = next_++; c < chunks_; c = next_++) (*body_)(c);
}

void HandThreads::lock() {
  while (locked_.test_and_set(std::memory_order_acquire)) _mm_pause();
}

bool HandThreads::join() {
  lock();
  const bool open = open_;
  if (open) ++at_work_;
  unlock();
  return open;
}

void HandThreads::work() {
  uint32_t seen = 0;
  while (true) {
    for (int spins = 0; job_.load(std::memory_order_acquire) == seen && spins < 4000; ++spins) _mm_pause();
    job_.wait(seen, std::memory_order_acquire);
    seen = job_.load(std::memory_order_acquire);
    if (stop_) return;
    if (!join()) continue;
    take_chunks();
    at_work_.fetch_sub(1, std::memory_order_release);
  }
}

void HandThreads::run(int64_t chunks, const std::function<void(int64_t)>& body) {
  lock();
  body_ = &body;
  chunks_ = chunks;
  next_ = 0;
  open_ = true;
  unlock();
  ++job_;
  job_.notify_all();
  take_chunks();
  lock();
  open_ = false;
  unlock();
  for (int spins = 0; at_work_.load(std::memory_order_acquire) != 0; ++spins) {
    if (spins < 4000) _mm_pause();
    else std::this_thread::yield();
  }
}

void HandThreads::run_pieces(size_t n, size_t grain, const std::function<void(size_t, size_t)>& body) {
  const size_t pieces = (n + grain - 1) / grain;
  run(static_cast<int64_t>(pieces), [&](int64_t c) {
    const size_t begin = static_cast<size_t>(c) * grain;
    body(begin, std::min(n, begin + grain));
  });
}

}  // namespace bench

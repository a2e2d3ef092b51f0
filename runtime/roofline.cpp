// runtime/roofline.cpp: short measurements of memory bandwidth and float32 throughput.
#include <voxloom/runtime/roofline.h>

#include <voxloom/runtime/buffer_pool.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace voxloom {
namespace {

double seconds_of(FunctionRef<void()> work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::max(1e-9, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

/// Reads and rewrites every cache line in place: no line is fetched only to be overwritten, so that bytes = read + written.
void rewrite(std::byte* data, int64_t bytes) {
  auto* const words = reinterpret_cast<uint64_t*>(data);
  const int64_t n = bytes / 8;
  for (int64_t i = 0; i < n; ++i) words[i] = words[i] ^ 0x5a5aU;
}

/// The result is kept from being optimised away; four sums hide the latency of the additions.
uint64_t read_all(const std::byte* data, int64_t bytes) {
  const auto* const words = reinterpret_cast<const uint64_t*>(data);
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (int64_t i = 0; i + 32 <= bytes / 8; i += 32) {
    for (int64_t k = 0; k < 32; k += 4) a += words[i + k], b ^= words[i + k + 1], c += words[i + k + 2], d ^= words[i + k + 3];
  }
  return a ^ b ^ c ^ d;
}

#if defined(__x86_64__)
constexpr int chains = 12;  // enough independent multiply-adds to fill two units of latency four

__attribute__((target("avx512f"))) double flops_512(int64_t rounds) {
  __m512 acc[chains];
  for (auto& a : acc) a = _mm512_set1_ps(1.0f);
  const __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(0.001f);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < chains; ++k) acc[k] = _mm512_fmadd_ps(acc[k], x, y);
  }
  for (int k = 1; k < chains; ++k) acc[0] = _mm512_add_ps(acc[0], acc[k]);
  volatile float sink = _mm512_cvtss_f32(acc[0]);
  static_cast<void>(sink);
  return static_cast<double>(rounds) * chains * 16 * 2;
}

__attribute__((target("avx2,fma"))) double flops_256(int64_t rounds) {
  __m256 acc[chains];
  for (auto& a : acc) a = _mm256_set1_ps(1.0f);
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < chains; ++k) acc[k] = _mm256_fmadd_ps(acc[k], x, y);
  }
  for (int k = 1; k < chains; ++k) acc[0] = _mm256_add_ps(acc[0], acc[k]);
  volatile float sink = _mm256_cvtss_f32(acc[0]);
  static_cast<void>(sink);
  return static_cast<double>(rounds) * chains * 8 * 2;
}

double do_flops(int64_t rounds) { return __builtin_cpu_supports("avx512f") ? flops_512(rounds) : flops_256(rounds); }
#else
double do_flops(int64_t rounds) {
  float acc[64];
  std::fill(acc, acc + 64, 1.0f);
  for (int64_t i = 0; i < rounds; ++i) {
    for (float& a : acc) a = a * 0.999f + 0.001f;
  }
  volatile float sink = acc[static_cast<size_t>(rounds) % 64];
  static_cast<void>(sink);
  return static_cast<double>(rounds) * 64 * 2;
}
#endif

double flop_rate(int threads) {
  constexpr int64_t rounds = 400000;  // about a millisecond
  double flops = 0;
  double best = 0;
  for (int repeat = 0; repeat < 2; ++repeat) {
    std::atomic<int64_t> total{0};
    const double seconds = seconds_of([&] {
      ThreadPool::process().parallel_for(threads, threads, [&](int64_t, int) { total += static_cast<int64_t>(do_flops(rounds)); });
    });
    flops = static_cast<double>(total.load());
    best = std::max(best, flops / seconds);
  }
  return best;
}

double byte_rate(std::byte* data, int64_t bytes, int threads) {
  constexpr int64_t chunk = MiB(1);
  const int64_t chunks = bytes / chunk;
  ThreadPool& pool = ThreadPool::process();
  std::atomic<uint64_t> sink{0};
  const double read =
      seconds_of([&] { pool.parallel_for(chunks, threads, [&](int64_t i, int) { sink ^= read_all(data + i * chunk, chunk); }); });
  const double both = seconds_of([&] { pool.parallel_for(chunks, threads, [&](int64_t i, int) { rewrite(data + i * chunk, chunk); }); });
  return static_cast<double>(chunks * chunk) * std::max(1 / read, 2 / both);
}

Roofline measure(int threads) {
  // Larger than most last-level caches, small enough to be touched in a few milliseconds.
  const int64_t bytes = std::clamp(cache_sizes().l3 / 2 * 3, MiB(24), MiB(48)) / MiB(1) * MiB(1);
  BufferPool pool({.cache_cap = 0});
  const Buffer buffer = pool.allocate(bytes, "roofline");
  ThreadPool::process().parallel_for(bytes / MiB(1), threads,
                                     [&](int64_t i, int) { std::memset(buffer.data() + i * MiB(1), 1, static_cast<size_t>(MiB(1))); });
  Roofline result;
  result.threads = threads;
  result.bytes_per_second_one = byte_rate(buffer.data(), bytes, 1);
  // Several threads can do whatever one can; a lower figure only says that the measurement was disturbed.
  result.bytes_per_second_all = std::max(result.bytes_per_second_one, threads > 1 ? byte_rate(buffer.data(), bytes, threads) : 0);
  result.flops_per_second_one = flop_rate(1);
  result.flops_per_second_all = std::max(result.flops_per_second_one, threads > 1 ? flop_rate(threads) : 0);
  return result;
}

}  // namespace

Roofline measure_roofline(int threads) {
  static auto* const mutex = new std::mutex;
  static auto* const known = new std::map<int, Roofline>;
  if (threads <= 0) threads = default_threads();
  const std::lock_guard lock(*mutex);
  const auto [entry, is_new] = known->try_emplace(threads);
  if (is_new) entry->second = measure(threads);
  return entry->second;
}

}  // namespace voxloom

// tests/runtime/buffer_test.cpp: handles, the pool's reuse, caps, counters and failures.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/buffer_pool.h>
#include <voxloom/runtime/limits.h>

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <cstring>
#include <thread>
#include <vector>

using namespace voxloom;

namespace {
bool aligned_to(const Buffer& b, uintptr_t n) { return reinterpret_cast<uintptr_t>(b.data()) % n == 0; }

ErrorCode code_of_failure(BufferPool& pool, int64_t bytes) {
  try {
    pool.allocate(bytes, "test");
  } catch (const RuntimeError& e) {
    CHECK(e.op() == "test");
    return e.code();
  }
  return ErrorCode::internal;
}
}  // namespace

TEST_CASE("buffer: handles count and the memory of somebody else is let go once") {
  int released = 0;
  {
    std::byte memory[8];
    Buffer a = Buffer::wrap(memory, 8, std::shared_ptr<const void>(memory, [&](const void*) { ++released; }));
    CHECK(a.unique());
    Buffer b = a;
    CHECK((a.use_count() == 2 && !a.unique() && a == b && b.data() == memory && b.bytes() == 8));
    Buffer c = std::move(a);
    CHECK((!a && c.use_count() == 2));
    b.reset();
    CHECK((c.unique() && released == 0));
    c = Buffer();
    CHECK(released == 1);
  }
  CHECK(released == 1);
}

TEST_CASE("pool: a released block is used again, a held one never") {
  BufferPool pool;
  for (int64_t bytes : {int64_t{1}, int64_t{64}, int64_t{65}, int64_t{5000}, MiB(1) - 1, MiB(1), MiB(3) + 1}) {
    Buffer held = pool.allocate(bytes);
    std::memset(held.data(), 0x5a, static_cast<size_t>(bytes));
    CHECK(aligned_to(held, bytes >= MiB(2) ? static_cast<uintptr_t>(MiB(2)) : bytes >= MiB(1) ? 4096 : 64));
    CHECK((held.bytes() == bytes && held.capacity() >= bytes && held.capacity() <= std::max<int64_t>(64, bytes + bytes / 4 + 4096)));
    Buffer other = pool.allocate(bytes);
    CHECK(other.data() != held.data());
    const std::byte* const place = other.data();
    other.reset();
    Buffer again = pool.allocate(bytes);
    CHECK(again.data() == place);
    CHECK(held.data()[bytes - 1] == std::byte{0x5a});
  }
  CHECK(pool.stats().live_bytes == 0);
  CHECK(pool.stats().hits == 9);  // 1 and 64 bytes share a class
  CHECK(pool.stats().misses == 12);
}

TEST_CASE("pool: every size fits its class and classes never overlap") {
  BufferPool pool;
  std::vector<Buffer> held;
  for (int64_t bytes = 0; bytes < 20000; bytes += 61) held.push_back(pool.allocate(bytes));
  for (size_t i = 0; i < held.size(); ++i) std::memset(held[i].data(), static_cast<int>(i % 251), static_cast<size_t>(held[i].capacity()));
  for (size_t i = 0; i < held.size(); ++i) {
    for (int64_t k = 0; k < held[i].bytes(); ++k) REQUIRE(held[i].data()[k] == static_cast<std::byte>(i % 251));
  }
}

TEST_CASE("pool: counters, peak and trim") {
  BufferPool pool;
  Buffer a = pool.allocate(MiB(4));
  { Buffer b = pool.allocate(MiB(8)); }
  CHECK(pool.stats().live_bytes == MiB(4));
  CHECK(pool.stats().peak_bytes == MiB(12));
  CHECK(pool.stats().cached_bytes == MiB(8));
  pool.reset_peak();
  CHECK(pool.stats().peak_bytes == MiB(4));
  pool.trim();
  CHECK(pool.stats().cached_bytes == 0);
  CHECK(pool.stats().live_bytes == MiB(4));
}

TEST_CASE("pool: a large request does not take a block more than a quarter too big") {
  BufferPool pool;
  const std::byte* const big = pool.allocate(MiB(16)).data();
  Buffer small = pool.allocate(MiB(4));
  CHECK(small.data() != big);
  CHECK(pool.allocate(MiB(13)).data() == big);
}

TEST_CASE("pool: the cap bounds what is kept, least recently released first") {
  BufferPool pool({.cache_cap = MiB(10)});
  Buffer a = pool.allocate(MiB(6)), b = pool.allocate(MiB(6));
  const std::byte* const kept = b.data();
  a.reset();
  b.reset();
  CHECK(pool.stats().cached_bytes == MiB(6));
  CHECK(pool.allocate(MiB(6)).data() == kept);
  pool.set_cache_cap(0);
  CHECK(pool.stats().cached_bytes == 0);
  pool.allocate(100);
  CHECK(pool.stats().cached_bytes == 0);
}

TEST_CASE("pool: over the limit kept blocks go first, then the request is refused") {
  BufferPool pool({.cache_cap = MiB(64), .limit = MiB(10)});
  Buffer a = pool.allocate(MiB(4));
  pool.allocate(MiB(5)).reset();
  CHECK(pool.stats().cached_bytes == MiB(5));
  Buffer b = pool.allocate(MiB(3));
  CHECK(pool.stats().cached_bytes == 0);
  CHECK(code_of_failure(pool, MiB(4)) == ErrorCode::limit);
  CHECK(pool.stats().live_bytes == MiB(7));
  Buffer c = pool.allocate(MiB(3));
  CHECK(c);
  CHECK(code_of_failure(pool, 1) == ErrorCode::limit);
}

TEST_CASE("pool: impossible sizes and a lack of memory are limit errors") {
  BufferPool pool;
  CHECK(code_of_failure(pool, -1) == ErrorCode::limit);
  CHECK(code_of_failure(pool, INT64_MAX) == ErrorCode::limit);
  CHECK(code_of_failure(pool, total_memory() * 4) == ErrorCode::limit);
  CHECK(pool.stats().live_bytes == 0);
  CHECK(pool.allocate(64));
}

TEST_CASE("pool: the n-th allocation can be made to fail") {
  BufferPool pool;
  pool.fail_allocation(3);
  CHECK(pool.allocate(10));
  CHECK(pool.allocate(MiB(2)));
  CHECK(code_of_failure(pool, 10) == ErrorCode::limit);
  CHECK(pool.allocate(10));
  pool.fail_allocation(1);
  pool.fail_allocation(0);
  CHECK(pool.allocate(10));
}

TEST_CASE("pool: buffers outlive their pool") {
  Buffer small, large;
  {
    BufferPool pool;
    small = pool.allocate(100);
    large = pool.allocate(MiB(3));
    pool.allocate(500).reset();
  }
  std::memset(small.data(), 1, 100);
  std::memset(large.data(), 1, static_cast<size_t>(MiB(3)));
  small.reset();
  large.reset();
}

TEST_CASE("pool: many threads take and give back") {
  BufferPool pool({.cache_cap = MiB(8)});
  std::vector<std::thread> threads;
  std::atomic<int> torn{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i) {
        const int64_t bytes = i % 50 == 0 ? MiB(1) + i : 64 + (i * 37) % 3000;
        Buffer b = pool.allocate(bytes);
        const auto mark = static_cast<std::byte>(t * 50 + i % 50);
        b.data()[0] = b.data()[bytes - 1] = mark;
        Buffer c = b;
        if (b.data()[0] != mark || c.data()[bytes - 1] != mark) ++torn;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(torn == 0);
  CHECK(pool.stats().live_bytes == 0);
  CHECK(pool.stats().cached_bytes <= MiB(8));
}

TEST_CASE("pool: a forked child can allocate while other threads were allocating") {
  BufferPool pool;
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) pool.allocate(100), pool.allocate(MiB(1));
  });
  int bad = 0;
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      Buffer a = pool.allocate(100), b = pool.allocate(MiB(1));
      _exit(a && b ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    bad += status != 0;
  }
  stop = true;
  busy.join();
  CHECK(bad == 0);
}

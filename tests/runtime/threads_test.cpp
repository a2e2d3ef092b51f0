// tests/runtime/threads_test.cpp: coverage of chunks, worker numbers, exceptions, nesting, cancellation, fork, float environment.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/cancel.h>
#include <voxloom/runtime/float_env.h>
#include <voxloom/runtime/threads.h>

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using namespace voxloom;

namespace {

/// Runs `body` in a forked child; its exit status, or -1 if it hung for `seconds`.
template <class Body> int in_child(unsigned seconds, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(seconds);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int64_t sum_of_chunks(ThreadPool& pool, int64_t n, int threads) {
  std::atomic<int64_t> sum{0};
  pool.parallel_for(n, threads, [&](int64_t chunk, int) { sum += chunk + 1; });
  return sum;
}

struct EnvironmentValue {
  EnvironmentValue(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  }
  ~EnvironmentValue() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("threads: every chunk runs once, whatever the number of threads") {
  ThreadPool pool;
  for (int threads : {0, 1, 2, 3, 8}) {
    for (int64_t n : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
      pool.parallel_for(n, threads, [&](int64_t chunk, int) { ++seen[static_cast<size_t>(chunk)]; });
      for (auto& count : seen) REQUIRE(count == 1);
    }
  }
  CHECK(pool.started() == 7);
}

TEST_CASE("threads: a worker number is one thread's for the whole call") {
  ThreadPool pool;
  constexpr int threads = 4;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<pid_t>> owner(threads);
    std::atomic<int> clashes{0};
    pool.parallel_for(64, threads, [&](int64_t, int worker) {
      if (worker < 0 || worker >= threads) {
        ++clashes;
        return;
      }
      pid_t none = 0;
      const pid_t me = gettid();
      if (!owner[static_cast<size_t>(worker)].compare_exchange_strong(none, me) && none != me) ++clashes;
      std::this_thread::yield();
    });
    REQUIRE(clashes == 0);
    if (owner[0] != 0) REQUIRE(owner[0] == gettid());
  }
}

TEST_CASE("threads: other threads do take part") {
  ThreadPool pool;
  std::atomic<int> arrived{0};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  pool.parallel_for(3, 3, [&](int64_t, int) {  // a chunk ends only when all three run at once
    ++arrived;
    while (arrived < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  CHECK(std::chrono::steady_clock::now() < end);
}

TEST_CASE("threads: a pool's own bound holds") {
  ThreadPool pool(2);
  std::atomic<int> highest{0};
  pool.parallel_for(100, 16, [&](int64_t, int worker) {
    int old = highest;
    while (worker > old && !highest.compare_exchange_weak(old, worker)) {}
  });
  CHECK(highest <= 1);
  CHECK(pool.started() == 1);
}

TEST_CASE("threads: nested calls run inline, in order, as worker 0") {
  ThreadPool pool;
  std::atomic<int> wrong{0};
  pool.parallel_for(8, 4, [&](int64_t, int) {
    if (!ThreadPool::inside()) ++wrong;
    const auto me = std::this_thread::get_id();
    int64_t expected = 0;
    pool.parallel_for(5, 4, [&](int64_t chunk, int worker) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // time enough for an idle worker to join by mistake
      if (std::this_thread::get_id() != me || worker != 0 || chunk != expected++) ++wrong;
    });
    if (expected != 5) ++wrong;
  });
  CHECK(wrong == 0);
  CHECK_FALSE(ThreadPool::inside());
}

TEST_CASE("threads: an exception comes out, no chunk starts after it, and the pool goes on") {
  ThreadPool pool;
  for (int threads : {1, 4}) {
    std::atomic<int> ran{0};
    const auto body = [&](int64_t chunk, int) {
      ++ran;
      if (chunk == 3) throw std::runtime_error("chunk three");
    };
    CHECK_THROWS_WITH(pool.parallel_for(1 << 20, threads, body), "chunk three");
    CHECK(ran < 1 << 20);
    CHECK_FALSE(ThreadPool::inside());
    CHECK(sum_of_chunks(pool, 100, threads) == 5050);
  }
}

TEST_CASE("threads: of several exceptions the lowest chunk's comes out") {
  ThreadPool pool;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> arrived{0};
    const auto body = [&](int64_t chunk, int) {
      ++arrived;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (arrived < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      throw std::runtime_error(std::to_string(chunk));
    };
    CHECK_THROWS_WITH(pool.parallel_for(3, 3, body), "0");
  }
}

TEST_CASE("threads: several callers share a pool") {
  ThreadPool pool;
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        if (sum_of_chunks(pool, 50, 3) != 1275) ++wrong;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads: cancellation stops between chunks") {
  ThreadPool pool;
  CancelToken token;
  std::atomic<int> ran{0};
  const auto body = [&](int64_t, int) {
    check(&token, "job");
    if (++ran == 10) token.cancel();
  };
  try {
    pool.parallel_for(1 << 20, 4, body);
    FAIL("not cancelled");
  } catch (const RuntimeError& e) {
    CHECK(e.code() == ErrorCode::cancelled);
    CHECK(e.op() == "job");
  }
  CHECK(ran < 100);
  token.reset();
  CHECK_NOTHROW(check(&token, "job"));
  CHECK_NOTHROW(check(nullptr, "job"));
}

#if !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)  // new threads in a forked child: refused, and stuck in the allocator's locks
/// True if two threads run chunks of one call at the same time.
static bool two_meet(ThreadPool& pool) {
  std::atomic<int> arrived{0};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  pool.parallel_for(2, 2, [&](int64_t, int) {
    ++arrived;
    while (arrived < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  return std::chrono::steady_clock::now() < end;
}

TEST_CASE("threads: a child forked after warm-up has a working pool") {
  ThreadPool own;
  REQUIRE(sum_of_chunks(ThreadPool::process(), 100, 4) == 5050);
  REQUIRE(sum_of_chunks(own, 100, 4) == 5050);
  for (int i = 0; i < 5; ++i) {
    CHECK(in_child(20, [&] {
            if (sum_of_chunks(ThreadPool::process(), 100, 4) != 5050) return false;
            if (!two_meet(ThreadPool::process())) return false;
            return sum_of_chunks(own, 100, 4) == 5050;  // inline: its threads are not here
          }) == 0);
  }
  CHECK(in_child(20, [] {
          ThreadPool& pool = ThreadPool::process();
          return sum_of_chunks(pool, 10, 2) == 55;
        }) == 0);
  CHECK(sum_of_chunks(ThreadPool::process(), 100, 4) == 5050);
}
#endif

TEST_CASE("threads: a pool of the parent is dropped in the child without a join") {
  auto* const pool = new ThreadPool;
  sum_of_chunks(*pool, 100, 3);
  CHECK(in_child(20, [&] {
          delete pool;
          return true;
        }) == 0);
  delete pool;
}

TEST_CASE("threads: a fork inside a parallel section ends in an error, not a hang") {
  ThreadPool& pool = ThreadPool::process();
  pid_t child = -1;
  bool failed = false;
  const auto caller = gettid();
  std::atomic<bool> caller_came{false};
  try {
    pool.parallel_for(64, 3, [&](int64_t, int worker) {
      if (worker == 0 && !caller_came.exchange(true)) {
        child = fork();
        if (child == 0) alarm(20);
      }
      while (!caller_came && gettid() != caller) std::this_thread::yield();
    });
  } catch (const RuntimeError&) { failed = true; }
  if (child == 0) _exit(failed ? 0 : 1);
  CHECK_FALSE(failed);
  REQUIRE(child > 0);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

#if defined(__x86_64__)
TEST_CASE("threads: bodies run with IEEE defaults and the caller's setting comes back") {
  const uint32_t before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);  // flush to zero, denormals are zero
  const uint32_t set = _mm_getcsr();
  ThreadPool pool;
  std::atomic<int> wrong{0};
  volatile float tiny = 1e-39f;
  for (int threads : {1, 3}) {
    pool.parallel_for(32, threads, [&](int64_t, int) {
      if (tiny * 0.5f == 0.0f) ++wrong;
    });
  }
  CHECK(tiny * 0.5f == 0.0f);
  CHECK((_mm_getcsr() & 0xFFC0) == (set & 0xFFC0));
  _mm_setcsr(before);
  CHECK(wrong == 0);
}
#endif

TEST_CASE("threads: the default number follows affinity and the environment") {
  const EnvironmentValue omp("OMP_NUM_THREADS", nullptr), slurm("SLURM_CPUS_PER_TASK", nullptr);
  const int all = default_threads();
  CHECK(all >= 1);
  CHECK(all <= static_cast<int>(std::thread::hardware_concurrency()));
  {
    const EnvironmentValue one("OMP_NUM_THREADS", "1,4");
    CHECK(default_threads() == 1);
  }
  {
    const EnvironmentValue one("SLURM_CPUS_PER_TASK", "1");
    CHECK(default_threads() == 1);
  }
  {
    const EnvironmentValue nonsense("OMP_NUM_THREADS", "many");
    CHECK(default_threads() == all);
  }
  {
    const EnvironmentValue more("OMP_NUM_THREADS", "100000");
    CHECK(default_threads() == all);
  }
}

// runtime/threads.cpp: workers that claim chunks, spin for a bounded time and then sleep; the rules around fork.
#include <voxloom/runtime/threads.h>

#include <voxloom/graph/error.h>
#include <voxloom/runtime/float_env.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/spin_lock.h>

#include <pthread.h>
#include <sched.h>
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace voxloom {
namespace {

constexpr size_t stack_bytes = 8 << 20;  // code generation may run on workers
constexpr auto spin_time = std::chrono::microseconds(30);

/// Counts the forks between the process that loaded the library and this one. Threads of an older generation do not exist here.
std::atomic<uint64_t> fork_generation{0};
thread_local bool inside_body = false;

int affinity_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return 1024;  // more CPUs than the mask can tell
}

std::optional<int> count_from_environment(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  int value = 0;
  const auto [end, status] =
      std::from_chars(text, text + std::strlen(text), value);  // OMP_NUM_THREADS may be a list: its first entry counts
  if (status != std::errc() || value < 1) return std::nullopt;
  return value;
}

/// One parallel_for, on its caller's stack. Workers join and leave under the pool's mutex, so that it can go once nobody is left in it.
/// Each worker begins with a run of neighbouring chunks of its own, the same at every call, so that small arrays stay in the cache of the
/// core that had them; then it helps the others.
struct Job {
  Job(FunctionRef<void(int64_t, int)> f, int64_t chunks, int workers)
      : body(f), n_chunks(chunks), max_workers(workers), n_runs(std::min(workers, most_runs)) {
    for (int k = 0; k < n_runs; ++k) runs[k].next.store(run_begin(k), std::memory_order_relaxed), runs[k].end = run_begin(k + 1);
  }

  static constexpr int most_runs = 64;
  struct alignas(64) Run {
    std::atomic<int64_t> next;
    int64_t end;
  };

  FunctionRef<void(int64_t, int)> body;
  const int64_t n_chunks;
  const int max_workers;
  const int n_runs;
  int joined = 1;              ///< seats given so far, the caller's included
  std::atomic<int> active{0};  ///< workers inside, without the caller; changes under the mutex only
  std::condition_variable all_left;
  std::mutex error_mutex;
  std::exception_ptr error;
  int64_t error_chunk = std::numeric_limits<int64_t>::max();
  Run runs[most_runs];

  // Neither product overflows: the remainder is below most_runs.
  int64_t run_begin(int k) const { return n_chunks / n_runs * k + n_chunks % n_runs * k / n_runs; }

  bool has_work() const {
    return std::any_of(runs, runs + n_runs, [](const Run& r) { return r.next.load(std::memory_order_relaxed) < r.end; });
  }

  void fail(int64_t chunk) {
    const std::lock_guard lock(error_mutex);
    if (chunk < error_chunk) error = std::current_exception(), error_chunk = chunk;
    for (int k = 0; k < n_runs; ++k) runs[k].next.store(runs[k].end, std::memory_order_relaxed);
  }

  void work_on(Run& run, int worker) noexcept {
    while (run.next.load(std::memory_order_relaxed) < run.end) {
      const int64_t chunk = run.next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= run.end) return;
      try {
        body(chunk, worker);
      } catch (...) { fail(chunk); }
    }
  }

  void work(int worker) noexcept {
    const bool was_inside = std::exchange(inside_body, true);
    const FloatEnvGuard float_env;
    for (int k = 0; k < n_runs; ++k) work_on(runs[(worker + k) % n_runs], worker);
    inside_body = was_inside;
  }
};

void run_inline(int64_t n_chunks, FunctionRef<void(int64_t, int)> body) {
  struct Restore {
    bool was = std::exchange(inside_body, true);
    ~Restore() { inside_body = was; }
  } restore;
  const FloatEnvGuard float_env;
  for (int64_t chunk = 0; chunk < n_chunks; ++chunk) body(chunk, 0);
}

}  // namespace

int default_threads() {
  static const std::optional<double> quota = cgroup_cpu_quota();
  int count = affinity_count();
  if (quota) count = std::min(count, std::max(1, static_cast<int>(std::ceil(*quota - 1e-9))));
  for (const char* name : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) count = std::min(count, count_from_environment(name).value_or(count));
  return std::max(1, count);
}

/// The pool's mutex is held for nanoseconds at a time, often by the very thread whose store this one has just seen; to sleep in the kernel
/// for it would cost microseconds.
void lock_soon(std::unique_lock<std::mutex>& lock) {
  for (int tries = 0; tries < 200; ++tries) {
    if (lock.try_lock()) return;
    detail::pause_cpu();
  }
  lock.lock();
}

struct ThreadPool::State {
  explicit State(int limit) : max_threads(limit), cpus(affinity_count()), generation(fork_generation.load()) {}

  const int max_threads;
  const int cpus;
  const uint64_t generation;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Job*> jobs;              ///< those with free seats and chunks left
  std::atomic<uint64_t> published{0};  ///< counts jobs; spinning workers watch it
  std::vector<pthread_t> threads;
  int sleeping = 0;
  std::atomic<int> busy{0};  ///< threads at work, callers included: spinning pays only while there are CPUs for it
  bool stopping = false;

  void ensure_threads(int wanted);
  void worker_loop();
  Job* take_seat(int& seat);
  template <class Done> void spin(Done done) const;
  void run(Job& job);
};

void ThreadPool::State::ensure_threads(int wanted) {
  while (static_cast<int>(threads.size()) < wanted) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    sigset_t all, before;
    sigfillset(&all);  // signals belong to the host program's threads
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const auto entry = +[](void* state) -> void* {
      static_cast<State*>(state)->worker_loop();
      return nullptr;
    };
    threads.reserve(threads.size() + 1);
    const int status = pthread_create(&thread, &attributes, entry, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    if (status != 0) return;  // the caller does the work with those there are
    pthread_setname_np(thread, "voxloom");
    threads.push_back(thread);
  }
}

/// Needs the mutex. A job whose seats or chunks are used up leaves the list.
Job* ThreadPool::State::take_seat(int& seat) {
  while (!jobs.empty()) {
    Job* const job = jobs.front();
    if (job->joined < job->max_workers && job->has_work()) {
      seat = job->joined++;
      ++job->active;
      return job;
    }
    jobs.erase(jobs.begin());
  }
  return nullptr;
}

template <class Done> void ThreadPool::State::spin(Done done) const {
  const auto end = std::chrono::steady_clock::now() + spin_time;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return;
      detail::pause_cpu();
    }
  } while (busy.load(std::memory_order_relaxed) < cpus && std::chrono::steady_clock::now() < end);
}

void ThreadPool::State::worker_loop() {
  std::unique_lock lock(mutex);
  bool has_worked = false;  // since it last looked for more in vain
  while (!stopping) {
    int seat = 0;
    Job* const job = take_seat(seat);
    if (job == nullptr && has_worked && static_cast<int>(threads.size()) < cpus) {
      has_worked = false;
      const uint64_t seen = published.load(std::memory_order_relaxed);
      lock.unlock();
      spin([&] { return published.load(std::memory_order_acquire) != seen; });
      lock_soon(lock);
      continue;
    }
    if (job == nullptr) {
      ++sleeping;
      wake.wait(lock);
      --sleeping;
      continue;
    }
    lock.unlock();
    busy.fetch_add(1, std::memory_order_relaxed);
    job->work(seat);
    busy.fetch_sub(1, std::memory_order_relaxed);
    lock_soon(lock);
    if (--job->active == 0) job->all_left.notify_one();
    has_worked = true;
  }
}

void ThreadPool::State::run(Job& job) {
  int asleep = 0;
  {
    std::unique_lock lock(mutex, std::defer_lock);
    lock_soon(lock);
    ensure_threads(job.max_workers - 1);
    jobs.push_back(&job);
    published.fetch_add(1, std::memory_order_release);
    asleep = std::min(job.max_workers - 1, sleeping);
  }
  for (int i = 0; i < asleep; ++i) wake.notify_one();
  busy.fetch_add(1, std::memory_order_relaxed);
  job.work(0);
  busy.fetch_sub(1, std::memory_order_relaxed);
  if (fork_generation.load() != generation) {
    fail_runtime(ErrorCode::usage, "parallel_for",
                 "the process forked inside a parallel section; its other threads are not in this process");
  }
  std::unique_lock lock(mutex, std::defer_lock);
  lock_soon(lock);
  std::erase(jobs, &job);  // nobody joins from here on
  if (job.active == 0) return;
  lock.unlock();
  spin([&] { return job.active.load(std::memory_order_acquire) == 0; });
  lock_soon(lock);  // also waits for the last worker to let go of the mutex: the job goes when this returns
  job.all_left.wait(lock, [&] { return job.active == 0; });
}

namespace {

std::mutex process_mutex;
std::atomic<ThreadPool*> process_pool{nullptr};

void before_fork() { process_mutex.lock(); }
void after_fork_in_parent() { process_mutex.unlock(); }

/// The parent's pool is left where it is: its threads do not exist here and its locks may be held by them.
void after_fork_in_child() {
  fork_generation.fetch_add(1);
  process_pool.store(nullptr);
  process_mutex.unlock();
}

[[maybe_unused]] const int fork_handlers = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

}  // namespace

ThreadPool::ThreadPool(int max_threads) : state_(new State(max_threads)) {}

ThreadPool::~ThreadPool() {
  if (state_->generation != fork_generation.load()) return;  // leaked on purpose
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->wake.notify_all();
  }
  for (const pthread_t thread : state_->threads) pthread_join(thread, nullptr);
  delete state_;
}

ThreadPool& ThreadPool::process() {
  if (ThreadPool* const pool = process_pool.load(std::memory_order_acquire)) return *pool;
  const std::lock_guard lock(process_mutex);
  if (process_pool.load() == nullptr) process_pool.store(new ThreadPool, std::memory_order_release);
  return *process_pool.load();
}

void ThreadPool::parallel_for(int64_t n_chunks, int max_threads, FunctionRef<void(int64_t chunk, int worker)> body) {
  int workers = static_cast<int>(std::min<int64_t>(n_chunks, max_threads));
  if (state_->max_threads > 0) workers = std::min(workers, state_->max_threads);
  const bool stale = state_->generation != fork_generation.load(std::memory_order_relaxed);
  if (workers <= 1 || inside_body || stale) return run_inline(n_chunks, body);
  Job job(body, n_chunks, workers);
  state_->run(job);
  if (job.error) std::rethrow_exception(job.error);
}

int ThreadPool::started() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int>(state_->threads.size());
}

bool ThreadPool::inside() noexcept { return inside_body; }

}  // namespace voxloom

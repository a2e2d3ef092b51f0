// runtime/threads.h: our thread pool: a fixed grid of chunks shared out among workers, the caller among them.
#pragma once

#include <voxloom/graph/export.h>
#include <voxloom/graph/function_ref.h>

#include <cstdint>

namespace voxloom {

/// Number of threads this process should use: the smallest of its CPU affinity, its cgroup's CPU quota (rounded up), SLURM_CPUS_PER_TASK
/// and OMP_NUM_THREADS; at least 1. Reads the environment at every call: keep the answer.
VOXLOOM_API int default_threads();

/// Several callers may use one pool at once; each gets whatever workers are free and always takes part itself. Threads start with the first
/// call that wants them. After fork the child starts its own threads.
class VOXLOOM_API ThreadPool {
 public:
  /// At most `max_threads` at work, the caller of parallel_for included; 0 means as many as a call asks for.
  explicit ThreadPool(int max_threads = 0);
  /// Joins the threads; does not in a forked child, where they do not exist. No call may be running.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The pool of the process; never destroyed, and started afresh in a forked child.
  static ThreadPool& process();

  /// Calls body(chunk, worker) once for each chunk of [0, n_chunks), in any order, from at most `max_threads` threads. The caller is
  /// worker 0; every other thread has a number in [1, max_threads) of its own for the whole call, so that scratch memory can be
  /// indexed by it.
  /// Returns when all chunks are done. The floating-point environment is IEEE's default inside.
  /// If a body throws, no further chunks start and the exception of the lowest chunk that threw is passed on.
  /// Inside a body of any pool, on one chunk, or with max_threads <= 1, everything runs on the calling thread as worker 0, in order.
  void parallel_for(int64_t n_chunks, int max_threads, FunctionRef<void(int64_t chunk, int worker)> body);

  /// Threads started so far, without callers.
  int started() const;
  /// True while the calling thread runs a body: parallel_for would run inline.
  static bool inside() noexcept;

  struct State;

 private:
  State* state_;
};

}  // namespace voxloom

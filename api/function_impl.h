// api/function_impl.h: what a compiled function holds and how its calls go. Internal to api/.
#pragma once

#include <voxloom/api/checks.h>
#include <voxloom/api/function.h>
#include <voxloom/api/pipeline.h>
#include <voxloom/runtime/executor.h>
#include <voxloom/runtime/spin_lock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace voxloom {

namespace detail {

/// What one call at a time uses: sizes and memory of the last call, kept for the next one like it.
struct Context {
  runtime::Binding binding;
  runtime::Workspace workspace;
  std::vector<Array> borrowed;
  bool bound = false, dense_outputs = true, aligned_outputs = true;
  int threads = 0;
};

/// Contexts that no call uses; shared by the copies of a function that share memory.
struct ContextPool {
  SpinLock lock;
  std::vector<std::unique_ptr<Context>> idle;
};

/// A context for the length of a call.
class Lease {
 public:
  explicit Lease(ContextPool& pool) : pool_(pool) {
    const std::lock_guard guard(pool_.lock);
    if (pool_.idle.empty()) return;
    context_ = std::move(pool_.idle.back());
    pool_.idle.pop_back();
  }
  ~Lease() {
    if (!context_) return;
    const std::lock_guard guard(pool_.lock);
    if (pool_.idle.size() < 64) pool_.idle.push_back(std::move(context_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Context& operator*() {
    if (!context_) context_ = std::make_unique<Context>();
    return *context_;
  }

 private:
  ContextPool& pool_;
  std::unique_ptr<Context> context_;
};

/// Options with the configuration's values where the caller said nothing.
struct Settings {
  bool profile = false, allow_gc = true, strict_borrow = false;
  int threads = 0;
  int64_t memory = 0;
};

/// The part of a function that never changes.
struct FunctionParts {
  Compiled compiled;
  Graph written;
  FunctionOptions options;
  Settings settings;
  std::vector<InOptions> ins;    ///< of the user; shared variables follow them as arguments of the program
  std::vector<DType> in_dtypes;  ///< of the user's inputs
  std::vector<OutOptions> outs;  ///< of the user; updates follow them as outputs of the program
  std::vector<char> borrowed;    ///< per output of the program: the function may reuse its buffer
  std::vector<int> passed;       ///< per output of the user: the input it is, handed through without a copy, or -1
  Results::Names names;
  std::vector<std::shared_ptr<const SharedValue>> shared;  ///< read by the function, one argument each
  std::vector<std::shared_ptr<SharedValue>> updated;       ///< one output each
  bool map_only = true;                                    ///< the output may lie on an argument, element by element: see maps_only()
  bool any_mutable = false, plain = true;                  ///< plain: arguments and outputs are the program's, nothing is checked
  std::shared_ptr<const RunCheck> check;                   ///< DebugMode, NanGuardMode

  size_t program_outputs() const { return compiled.program->output_slots.size(); }
};

/// Locks of all variables that a call updates, in one order for every function.
class UpdateLocks {
 public:
  explicit UpdateLocks(std::span<const std::shared_ptr<SharedValue>> updated);

 private:
  std::vector<std::unique_lock<std::recursive_mutex>> locks_;
};

}  // namespace detail

struct Function::Impl : detail::FunctionParts {
  explicit Impl(detail::FunctionParts parts);

  std::shared_ptr<detail::ContextPool> contexts = std::make_shared<detail::ContextPool>();
  std::atomic<int64_t> held_buffers{0}, overlapping_arguments{0};
  std::mutex profile_mutex;
  Profile profile;

  const runtime::Program& program() const { return *compiled.program; }

  // ---- function_call.cpp ----
  void call(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options);
  void repeat(int64_t n, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options);
  /// The user's arguments as the program takes them: defaults, conversions, then room for the shared values.
  std::vector<Array> prepared(std::span<const Array> arguments) const;

  // ---- function_run.cpp ----
  int threads_of(const CallOptions& call_options) const;
  /// Runs the program once: arguments and outputs are the program's.
  void run(detail::Context& context, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options,
           bool may_overwrite);
  static MemoryReport report(const runtime::Binding& binding, int threads);

 private:
  void call_with_state(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options);
  Array convert(size_t k, const Array& argument) const;
  std::string label(size_t input) const;
  void write_over_arguments(std::span<const Array> arguments, std::span<Array> outputs);
  bool shares_memory(std::span<const Array> arguments, std::span<const Array> outputs, size_t argument) const;
  void check_outputs(std::span<const Array> outputs) const;
  bool needs_copy(std::span<const Array> arguments, const Array& out) const;
  void rebind(detail::Context& context, std::span<const Array> arguments, std::span<const Array> outputs, int threads) const;
  void check_budget(const runtime::Binding& binding, int threads, int64_t budget) const;
  Array fresh_output(detail::Context& context, size_t k);
  void execute(detail::Context& context, std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& call_options,
               int threads);
  void run_watched(detail::Context& context, std::span<const Array> arguments, std::span<Array> outputs, std::byte** in,
                   runtime::RunOptions& run_options);
  void record(const detail::Context& context, const runtime::StepRun& run);
};

/// Makes functions from their parts.
struct FunctionAccess {
  static Function make(detail::FunctionParts parts) { return Function(std::make_shared<Function::Impl>(std::move(parts))); }
  static Function::Impl& impl(const Function& f) { return *f.impl_; }
};

namespace detail {

/// Fills in what follows from the program: dtypes, aliasing, checks, the settings of an unnamed option.
void complete(FunctionParts& parts);
/// The parts of a graph whose inputs and outputs are all the user's.
FunctionParts parts_of(const Graph& graph, const FunctionOptions& options, const codegen::BuildOptions& build,
                       std::shared_ptr<CompileLog> log = nullptr);

}  // namespace detail

}  // namespace voxloom

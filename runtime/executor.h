// runtime/executor.h: runs the steps of a bound program.
#pragma once

#include <voxloom/runtime/binding.h>
#include <voxloom/runtime/buffer.h>
#include <voxloom/runtime/cancel.h>

#include <functional>

namespace voxloom::runtime {

/// Memory that a call leases: temporaries, states between blocks, scratch per worker.
struct Workspace {
  Buffer arena, state, scratch;
  /// Grows the buffers to what the binding needs.
  void reserve(const Binding& binding, int threads);
  /// Gives the buffers back to the pool.
  void release();
  int64_t bytes() const { return arena.bytes() + state.bytes() + scratch.bytes(); }
};

/// One run of a step.
struct StepRun {
  size_t step = 0;
  double seconds = 0;
  Flops flops;
};
/// Called after each step when a profile is wanted.
using StepObserver = std::function<void(const StepRun&)>;

/// Called after each item of the program's order when values are checked; `bases` are the addresses of the program's slots.
using SlotInspector = std::function<void(size_t order_index, std::byte* const* bases)>;

struct RunOptions {
  int threads = 1;
  const CancelToken* cancel = nullptr;
  Block block;
  bool after_stream = false;  ///< run the steps that come after the last block, else the others
  const StepObserver* observer = nullptr;
  const SlotInspector* inspector = nullptr;
};

/// `arguments` and `outputs` are addresses of the first elements, in the layouts of the binding.
void run(const Binding& binding, std::byte* const* arguments, std::byte* const* outputs, Workspace& workspace, const RunOptions& options);

}  // namespace voxloom::runtime

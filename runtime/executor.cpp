// runtime/executor.cpp: addresses of slots, patched parameters of blocks, parallel ranges.
#include <voxloom/runtime/executor.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/runtime/buffer_pool.h>
#include <voxloom/runtime/copy.h>
#include <voxloom/runtime/float_env.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

namespace voxloom::runtime {
namespace {

constexpr size_t inline_pointers = 64;
constexpr size_t inline_slots = 32;
constexpr size_t inline_params = 96;
alignas(64) char no_elements[64];  ///< read in place of an array without elements; never written

void grow(Buffer& buffer, int64_t bytes) {
  if (bytes > buffer.bytes()) {
    buffer.reset();
    buffer = BufferPool::process().allocate(bytes, "call");
  }
}

// A small array on the stack, on the heap when it is long.
template <class T, size_t N> class Inline {
 public:
  explicit Inline(size_t n) {
    if (n > N) heap_.resize(n);
    data_ = n > N ? heap_.data() : stack_.data();
  }
  T& operator[](size_t k) { return data_[k]; }
  T* data() { return data_; }

 private:
  std::array<T, N> stack_;
  std::vector<T> heap_;
  T* data_;
};

class Runner {
 public:
  Runner(const Binding& binding, std::byte* const* arguments, std::byte* const* outputs, Workspace& workspace, const RunOptions& options)
      : b_(binding), program_(*binding.program), options_(options), workspace_(workspace), bases_(program_.slots.size()) {
    for (size_t k = 0; k < program_.slots.size(); ++k) bases_[k] = base_of(k, arguments, outputs);
  }

  void run() {
    for (const OrderItem& item : program_.order) {
      if (item.after_stream != options_.after_stream) continue;
      run_item(item);
      if (options_.inspector) (*options_.inspector)(static_cast<size_t>(&item - program_.order.data()), bases_.data());
    }
  }

 private:
  void run_item(const OrderItem& item) {
    if (item.alias_slot >= 0) {
      make_alias(static_cast<size_t>(item.alias_slot));
      return;
    }
    check(options_.cancel, program_.name);
    const auto step = static_cast<size_t>(item.step);
    if (program_.steps[step].library) run_library(*program_.steps[step].library->node, b_.steps[step]);
    else run_kernels(b_.steps[step]);
  }

  void run_kernels(const BoundStep& step) {
    total_ = {static_cast<size_t>(&step - b_.steps.data()), 0, {}};
    if (step.way.empty()) run_step(step);
    for (const BoundStep& part : step.way) run_step(part);
    if (options_.observer) (*options_.observer)(total_);
  }

  std::byte* base_of(size_t k, std::byte* const* arguments, std::byte* const* outputs) const {
    const Slot& slot = program_.slots[k];
    switch (slot.kind) {
      case Slot::Kind::argument: return arguments[slot.index];
      case Slot::Kind::output: return outputs[slot.index];
      case Slot::Kind::constant: return slot.constant.raw();
      default: break;
    }
    if (b_.arena_offsets[k] >= 0) return workspace_.arena.data() + b_.arena_offsets[k];
    if (b_.state_offsets[k] >= 0) return workspace_.state.data() + b_.state_offsets[k];
    return nullptr;
  }

  void make_alias(size_t k) {
    const Slot& slot = program_.slots[k];
    const auto source = static_cast<size_t>(slot.index);
    if (b_.arena_offsets[k] < 0 && b_.state_offsets[k] < 0) {
      bases_[k] = bases_[source];
      return;
    }
    const Layout& from = b_.slots[source];
    StridedView src{bases_[source], from.dtype, from.shape.vector(), from.strides.vector(), from.swapped};
    StridedView dst = src;
    dst.data = bases_[k];
    dst.strides = dense_strides(src.shape, size_of(src.dtype), program_.slots[source].type.order == Order::F);
    dst.swapped = b_.slots[k].swapped;
    copy_strided(dst, src);
  }

  void run_library(const Node& node, const BoundStep& step) {
    std::vector<StridedView> views = step.views;
    for (size_t k = 0; k < views.size(); ++k) {
      const auto& p = step.pointers[k];
      std::byte* base = p.slot < 0 ? reinterpret_cast<std::byte*>(no_elements) : bases_[static_cast<size_t>(p.slot)];
      views[k].data = base + p.offset - options_.block.start * p.stream_stride;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto parallel_for = [&](int64_t chunks, FunctionRef<void(int64_t, int)> body) {
      ThreadPool::process().parallel_for(chunks, options_.threads, [&](int64_t chunk, int worker) {
        check(options_.cancel, program_.name);
        body(chunk, worker);
      });
    };
    node.op().library.run({.node = node,
                           .operands = {views.data(), views.size() - 1},
                           .result = views.back(),
                           .scratch = workspace_.scratch.data(),
                           .threads = std::max(1, options_.threads),
                           .parallel_for = parallel_for});
    if (!options_.observer) return;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    (*options_.observer)({static_cast<size_t>(&step - b_.steps.data()), seconds, step.library_flops});
  }

  void run_step(const BoundStep& step) {
    Inline<char*, inline_pointers> pointers(step.pointers.size());
    for (size_t k = 0; k < step.pointers.size(); ++k) {
      const auto& p = step.pointers[k];
      char* base = p.slot < 0 ? no_elements : reinterpret_cast<char*>(bases_[static_cast<size_t>(p.slot)]);
      pointers[k] = base + p.offset - options_.block.start * p.stream_stride;
    }
    int64_t range = step.range;
    if (step.position_lo >= 0 && b_.program->stream_symbol.empty()) {
      call(step, step.params.data(), pointers.data(), range);
      return;
    }
    if (step.position_lo >= 0) {
      Inline<int64_t, inline_params> params(step.params.size());
      std::copy(step.params.begin(), step.params.end(), params.data());
      const int64_t lo = options_.block.start * step.per_position;
      const int64_t hi = (options_.block.start + options_.block.length) * step.per_position;
      params[static_cast<size_t>(step.position_lo)] = lo;
      params[static_cast<size_t>(step.position_hi)] = hi;
      if (step.block_parity >= 0) params[static_cast<size_t>(step.block_parity)] = options_.block.number & 1;
      if (step.block_leaves >= 0) {
        const int64_t all = step.params[static_cast<size_t>(step.block_leaves)];
        const int64_t touched = hi > lo ? (hi + step.leaf_length - 1) / step.leaf_length - lo / step.leaf_length : 0;
        params[static_cast<size_t>(step.block_leaves)] = touched;
        range = all == 0 ? 0 : range / all * touched;
      }
      call(step, params.data(), pointers.data(), range);
      return;
    }
    call(step, step.params.data(), pointers.data(), range);
  }

  // Every worker has a place of its own for an index that lies outside; several such are told of by one of them.
  template <class F> void each_check(const BoundStep& step, F&& f) const {
    const int workers = step.chunk == 0 ? 1 : std::max(1, options_.threads);
    for (int w = 0; w < workers; ++w) {
      for (size_t k = 0; k < step.checks.size(); ++k)
        f(k, reinterpret_cast<int64_t*>(workspace_.scratch.data() + static_cast<size_t>(w) * b_.scratch_bytes +
                                        step.checks[k].scratch_offset));
    }
  }

  void call(const BoundStep& step, const int64_t* params, char* const* pointers, int64_t range) {
    if (!options_.observer) {
      run_range(step, params, pointers, range);
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    run_range(step, params, pointers, range);
    total_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (range > 0) total_.flops += step.variant->flops(params, range);
  }

  void run_range(const BoundStep& step, const int64_t* params, char* const* pointers, int64_t range) {
    if (range <= 0) return;
    each_check(step, [](size_t, int64_t* found) { *found = INT64_MIN; });
    call_range(step, params, pointers, range);
    each_check(step, [&](size_t k, const int64_t* found) {
      if (*found == INT64_MIN) return;
      const IndexCheck& check = step.variant->checks[k];
      const int64_t size = step.checks[k].size;
      fail_user(ErrorCode::index, check.op,
                "index " + std::to_string(*found < 0 ? *found - size : *found) + " is out of bounds for axis " +
                    std::to_string(check.axis) + " with size " + std::to_string(size),
                check.origin);
    });
  }

  void call_range(const BoundStep& step, const int64_t* params, char* const* pointers, int64_t range) {
    auto* scratch = reinterpret_cast<char*>(workspace_.scratch.data());
    if (step.chunk == 0 || options_.threads <= 1) {
      call_pieces(step, params, pointers, 0, range, scratch);
      return;
    }
    const int64_t chunks = (range + step.chunk - 1) / step.chunk;
    ThreadPool::process().parallel_for(chunks, options_.threads, [&](int64_t chunk, int worker) {
      check(options_.cancel, program_.name);
      const int64_t begin = chunk * step.chunk;
      call_pieces(step, params, pointers, begin, std::min(begin + step.chunk, range),
                  scratch + static_cast<size_t>(worker) * b_.scratch_bytes);
    });
  }

  // Where the call may be cancelled, in pieces between which the token is asked: small ones first, then as large as keeps them to milliseconds,
  // whatever a point costs.
  void call_pieces(const BoundStep& step, const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch) {
    constexpr int64_t first_points = 1 << 16;
    constexpr auto wanted = std::chrono::milliseconds(8);
    const KernelEntry entry = step.variant->entry;
    const int64_t per_unit = std::max<int64_t>(1, step.points / std::max<int64_t>(1, step.range));
    if (!options_.cancel || (end - begin) * per_unit <= first_points) {
      entry(params, pointers, begin, end, scratch);
      return;
    }
    int64_t piece = std::max<int64_t>(1, first_points / per_unit);
    auto before = std::chrono::steady_clock::now();
    for (int64_t at = begin; at < end; at += piece) {
      if (at > begin) {
        check(options_.cancel, program_.name);
        const auto now = std::chrono::steady_clock::now();
        if (now - before < wanted / 2) piece *= 2;
        else if (now - before > wanted * 2) piece = std::max<int64_t>(1, piece / 2);
        before = now;
      }
      entry(params, pointers, at, std::min(at + piece, end), scratch);
    }
  }

  const Binding& b_;
  const Program& program_;
  const RunOptions& options_;
  Workspace& workspace_;
  Inline<std::byte*, inline_slots> bases_;
  StepRun total_;  ///< of the step that runs, for the observer
};

}  // namespace

void Workspace::reserve(const Binding& binding, int threads) {
  grow(arena, binding.arena_bytes);
  grow(state, binding.state_bytes);
  grow(scratch, static_cast<int64_t>(binding.scratch_bytes) * std::max(1, threads));
}

void Workspace::release() {
  arena.reset();
  state.reset();
  scratch.reset();
}

void run(const Binding& binding, std::byte* const* arguments, std::byte* const* outputs, Workspace& workspace, const RunOptions& options) {
  const FloatEnvGuard guard;
  Runner(binding, arguments, outputs, workspace, options).run();
}

}  // namespace voxloom::runtime

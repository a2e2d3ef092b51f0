// api/stream_run.cpp: passes of blocks: read, run the kernels, write.
#include <voxloom/api/stream_run.h>

#include <voxloom/api/header_walk.h>
#include <voxloom/api/pipeline.h>
#include <voxloom/api/stream_times.h>
#include <voxloom/graph/constant.h>
#include <voxloom/runtime/executor.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

namespace voxloom::detail {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Buffers of one block; one per thread that does blocks of its own.
struct Worker {
  runtime::Workspace workspace;
  std::vector<Array> in, out;
};

void read_parallel(io::BlockSource& source, const io::Box& box, std::byte* dst, int threads, const CancelToken* cancel) {
  const std::atomic<bool>* flag = cancel ? cancel->flag() : nullptr;
  const size_t rank = box.extent.size();
  size_t slower = 0;  // axes of one position before the slowest that has more
  const auto from_slowest = [&](size_t k) { return source.info().order == Order::C ? k : rank - 1 - k; };
  while (slower < rank && box.extent[from_slowest(slower)] == 1) ++slower;
  if (threads <= 1 || slower == rank || source.info().in_order_only || box.extent[from_slowest(slower)] < threads) {
    source.read(box, dst, flag);
    return;
  }
  const size_t axis = from_slowest(slower);
  const int64_t extent = box.extent[axis];
  const int64_t slice = box.count() / extent * static_cast<int64_t>(size_of(source.info().dtype));
  ThreadPool::process().parallel_for(threads, threads, [&](int64_t part, int) {
    io::Box piece = box;
    const int64_t lo = extent * part / threads, hi = extent * (part + 1) / threads;
    piece.start[axis] += lo;
    piece.extent[axis] = hi - lo;
    source.read(piece, dst + lo * slice, flag);
  });
}

class StreamRun {
 public:
  StreamRun(const StreamPlan& plan, const std::vector<io::BlockSink*>& sinks, const StreamRunOptions& options)
      : plan_(plan), sinks_(sinks), options_(options), results_(plan.graph.outputs().size()), values_(options.arguments) {}

  std::vector<Array> run() {
    if (!plan_.axis) {
      run_in_memory();
    } else {
      for (size_t k = 0; k < plan_.passes.size(); ++k) {
        pass_number_ = k;
        run_pass(plan_.passes[k]);
      }
      run_remaining();
    }
    for (const Node* leaf : read_whole_) image_of(*leaf)->source->finish_pass(flag());
    return std::move(results_);
  }

 private:
  const std::atomic<bool>* flag() const { return options_.cancel ? options_.cancel->flag() : nullptr; }

  // ---- values that do not carry the streamed axis ----

  const Array& whole_image(const Node* leaf) {
    Array& value = values_[leaf];
    if (value.defined()) return value;
    const auto start = Clock::now();
    io::BlockSource& source = *image_of(*leaf)->source;
    const io::Box box = needed_box(plan_.graph, *leaf);
    const Array dense = Array::empty(box.extent, leaf->type().dtype, leaf->type().order);
    source.rewind();
    read_parallel(source, box, dense.raw(), options_.threads, options_.cancel);
    read_whole_.push_back(leaf);
    // Only the box is backed by memory; indices are those of the whole image.
    int64_t offset = 0;
    for (size_t k = 0; k < box.start.size(); ++k) offset += box.start[k] * dense.strides()[k];
    StridedView view{dense.raw() - offset, leaf->type().dtype, constant_shape(leaf->type()), dense.strides().vector(),
                     source.info().swapped};
    value = Array::view(view, std::make_shared<Array>(dense));
    record({.name = "read " + source.info().path,
            .kind = StepKind::io_read,
            .seconds = since(start),
            .calls = 1,
            .bytes_read = dense.bytes()});
    return value;
  }

  void need(const std::vector<const Node*>& nodes) {
    std::vector<const Node*> missing;
    for (const Node* n : nodes) {
      if (values_.count(n)) continue;
      if (image_of(*n)) whole_image(n);
      else missing.push_back(n);
    }
    if (missing.empty()) return;
    const std::vector<Array> computed = compute(missing, {});
    for (size_t k = 0; k < missing.size(); ++k) values_[missing[k]] = computed[k];
  }

  std::vector<Array> compute(const std::vector<const Node*>& nodes, std::vector<Array> out) {
    std::vector<const Node*> used;
    const Graph graph = cut_graph(nodes, [&](const Node* n) { return values_.count(n) != 0 || image_of(*n) != nullptr; }, used);
    std::vector<Array> arguments;
    for (const Node* n : used) arguments.push_back(image_of(*n) ? whole_image(n) : values_.at(n));
    FunctionOptions function = options_.function;
    function.optimise = false;
    function.profile = options_.profile != nullptr;
    const Function f = compile_with(graph, function, build_options(function), plan_.log);
    std::vector<Array> results = f.call(arguments, {.cancel = options_.cancel, .threads = options_.threads, .out = out});
    if (options_.profile) {
      for (const StepRecord& r : f.profile().steps) record(r);
    }
    return results;
  }

  // ---- everything at once ----

  void run_in_memory() {
    std::vector<const Node*> outputs;
    std::vector<Array> out;
    for (size_t k = 0; k < results_.size(); ++k) {
      const Expr& e = plan_.graph.outputs()[k];
      outputs.push_back(e.get());
      out.push_back(Array::empty(constant_shape(e.type()), e.dtype(), order_of(k)));
    }
    const std::vector<Array> results = compute(outputs, out);
    for (size_t k = 0; k < results.size(); ++k) deliver(k, results[k]);
  }

  void run_remaining() {
    std::vector<const Node*> outputs;
    std::vector<size_t> numbers;
    for (size_t k = 0; k < plan_.graph.outputs().size(); ++k) {
      const Node* n = plan_.graph.outputs()[k].get();
      if (plan_.axis->axis_of.count(n)) continue;
      outputs.push_back(n);
      numbers.push_back(k);
    }
    need(outputs);
    for (size_t k = 0; k < outputs.size(); ++k) deliver(numbers[k], values_.at(outputs[k]));
  }

  // Images are written first axis fastest.
  Order order_of(size_t output) const {
    return sinks_[output] && sinks_[output]->header() ? Order::F : plan_.graph.outputs()[output].type().order;
  }

  void deliver(size_t output, const Array& value) {
    const auto start = Clock::now();
    // An image that is an output itself arrives as its file has it: in either byte order.
    const Order order = order_of(output);
    const bool is_dense = order == Order::F ? value.is_f_contiguous() : value.is_c_contiguous();
    const Array dense = is_dense && !value.swapped() ? value : value.copy(order);
    if (!sinks_[output]) {
      results_[output] = dense;
      return;
    }
    write_box(output, io::Box::whole(value.shape().vector()), dense.raw());
    record({.name = write_name(output), .kind = StepKind::io_write, .seconds = since(start), .calls = 1, .bytes_written = dense.bytes()});
  }

  void write_box(size_t output, const io::Box& box, const std::byte* voxels) const {
    const io::NiftiHeader* const header = sinks_[output]->header();
    sinks_[output]->write(header ? file_box(plan_.graph.outputs()[output].type(), box, header->dims) : box, voxels);
  }

  // ---- a pass of blocks ----

  void run_pass(const StreamPass& pass) {
    need(pass.arrays);
    for (const Node* leaf : pass.leaves) {
      if (const ConstantPayload* constant = constant_of(*leaf))
        values_.try_emplace(leaf, Array::view(constant->view(), std::make_shared<Expr>(leaf)));
    }
    arrays_.clear();
    for (const Node* n : pass.arrays) arrays_.push_back(values_.at(n));
    for (const Node* leaf : pass.leaves) {
      if (const ImagePayload* image = image_of(*leaf)) image->source->rewind();
    }
    reductions_.clear();
    for (const Node* n : pass.reductions) reductions_.push_back(Array::empty(constant_shape(n->type()), n->type().dtype, n->type().order));
    for (int k : pass.outputs) {
      const Expr& e = plan_.graph.outputs()[static_cast<size_t>(k)];
      if (!sinks_[static_cast<size_t>(k)])
        results_[static_cast<size_t>(k)] = Array::empty(constant_shape(e.type()), e.dtype(), e.type().order);
    }
    const int64_t extent = plan_.axis->extent;
    const int64_t blocks = (extent + pass.block - 1) / pass.block;
    Times times;
    times.read.resize(pass.leaves.size());
    times.write.resize(pass.outputs.size());
    for (const auto& step : pass.program->steps) times.kernels.push_back({.name = step.name});
    const int inner_threads = pass.blocks_in_parallel ? 1 : options_.threads;
    const runtime::Binding full = bind_block(pass, std::min(pass.block, extent), inner_threads);
    const int64_t rest = extent % pass.block;
    const runtime::Binding tail = rest != 0 ? bind_block(pass, rest, inner_threads) : runtime::Binding();
    std::vector<Worker> workers(static_cast<size_t>(pass.blocks_in_parallel ? options_.threads : 1));
    std::atomic<int64_t> done = 0;
    const auto one = [&](int64_t number, Worker& worker) {
      const int64_t start = number * pass.block;
      const bool last_partial = start + pass.block > extent && rest != 0;
      const runtime::Binding& binding = last_partial ? tail : full;
      run_block(pass, binding, full, {start, std::min(pass.block, extent - start), extent, number}, worker, inner_threads, times);
      report_progress(static_cast<double>(++done) / static_cast<double>(blocks));
    };
    if (pass.blocks_in_parallel) {
      ThreadPool::process().parallel_for(blocks, options_.threads,
                                         [&](int64_t number, int worker) { one(number, workers[static_cast<size_t>(worker)]); });
    } else {
      for (int64_t number = 0; number < blocks; ++number) one(number, workers[0]);
    }
    finish_pass(pass, full, workers[0], inner_threads, times);
    note_times(pass, times);
  }

  void report_progress(double fraction) {
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    options_.progress((static_cast<double>(pass_number_) + fraction) / static_cast<double>(plan_.passes.size()));
  }

  runtime::Binding bind_block(const StreamPass& pass, int64_t length, int threads) const {
    std::vector<runtime::Layout> arguments;
    for (const Node* leaf : pass.leaves) arguments.push_back(leaf_layout(*leaf, *plan_.axis, length, values_));
    for (const Array& a : arrays_) arguments.push_back(runtime::layout_of(a));
    runtime::BindOptions bind{.threads = threads, .block = {0, length, plan_.axis->extent, 0}, .outputs = {}, .output_aligned = {}};
    for (int k : pass.outputs) {
      const Node* n = plan_.graph.outputs()[static_cast<size_t>(k)].get();
      std::vector<int64_t> shape = constant_shape(n->type());
      shape[static_cast<size_t>(plan_.axis->axis_of.at(n))] = length;
      runtime::Layout layout = dense_layout(n->type().dtype, shape, order_of(static_cast<size_t>(k)), false);
      if (!sinks_[static_cast<size_t>(k)]) layout.strides = results_[static_cast<size_t>(k)].strides();
      bind.outputs.push_back(layout);
    }
    for (const Array& r : reductions_) bind.outputs.push_back(runtime::layout_of(r));
    bind.output_aligned.assign(bind.outputs.size(), 0);
    return runtime::bind(pass.program, arguments, bind);
  }

  void make_buffers(const StreamPass& pass, const runtime::Binding& full, Worker& worker) const {
    for (size_t k = 0; k < pass.leaves.size(); ++k) {
      const runtime::Layout& block = full.arguments[k];
      worker.in.push_back(image_of(*pass.leaves[k]) ? Array::empty(block.shape, block.dtype, pass.leaves[k]->type().order) : Array());
    }
    for (size_t k = 0; k < pass.outputs.size(); ++k) {
      const auto output = static_cast<size_t>(pass.outputs[k]);
      const runtime::Layout& block = full.outputs[k];
      worker.out.push_back(sinks_[output] ? Array::empty(block.shape, block.dtype, order_of(output)) : Array());
    }
  }

  void run_block(const StreamPass& pass, const runtime::Binding& binding, const runtime::Binding& full, const runtime::Block& block,
                 Worker& worker, int threads, Times& times) {
    check(options_.cancel, "save");
    if (worker.in.empty() && worker.out.empty()) make_buffers(pass, full, worker);
    worker.workspace.reserve(full, threads);
    std::vector<Traffic> read(pass.leaves.size()), written(pass.outputs.size());
    std::vector<std::byte*> in, out;
    for (size_t k = 0; k < pass.leaves.size(); ++k) {
      if (!worker.in[k].defined()) {
        in.push_back(window_of(pass.leaves[k], block));
        continue;
      }
      const auto begin = Clock::now();
      read[k].bytes = read_leaf(pass.leaves[k], block, worker.in[k], threads);
      read[k].seconds = since(begin);
      in.push_back(worker.in[k].raw());
    }
    for (const Array& a : arrays_) in.push_back(a.raw());
    for (size_t k = 0; k < pass.outputs.size(); ++k) {
      if (worker.out[k].defined()) {
        out.push_back(worker.out[k].raw());
        continue;
      }
      const auto output = static_cast<size_t>(pass.outputs[k]);
      const int axis = plan_.axis->axis_of.at(plan_.graph.outputs()[output].get());
      out.push_back(results_[output].raw() + block.start * results_[output].strides()[axis]);
    }
    for (const Array& r : reductions_) out.push_back(r.raw());
    run_steps(binding, in, out, worker, block, false, threads, times);
    for (size_t k = 0; k < pass.outputs.size(); ++k) {
      if (!worker.out[k].defined()) continue;
      const auto begin = Clock::now();
      written[k].bytes = write_output(static_cast<size_t>(pass.outputs[k]), block, worker.out[k]);
      written[k].seconds = since(begin);
    }
    const std::lock_guard lock(times.mutex);
    add(times.read, read);
    add(times.write, written);
    ++times.blocks;
  }

  void run_steps(const runtime::Binding& binding, const std::vector<std::byte*>& in, const std::vector<std::byte*>& out, Worker& worker,
                 const runtime::Block& block, bool after_stream, int threads, Times& times) const {
    const runtime::StepObserver observer = [&](const runtime::StepRun& run) {
      const std::lock_guard lock(times.mutex);
      add_run(times.kernels[run.step], run, binding);
    };
    runtime::run(binding, in.data(), out.data(), worker.workspace,
                 {.threads = threads,
                  .cancel = options_.cancel,
                  .block = block,
                  .after_stream = after_stream,
                  .observer = options_.profile ? &observer : nullptr});
  }

  // Where the block of an array begins.
  std::byte* window_of(const Node* leaf, const runtime::Block& block) const {
    const Array& array = values_.at(leaf);
    return array.raw() + (block.start + plan_.axis->reach.at(leaf).low) * array.strides()[plan_.axis->axis_of.at(leaf)];
  }

  int64_t read_leaf(const Node* leaf, const runtime::Block& block, const Array& buffer, int threads) const {
    io::BlockSource& source = *image_of(*leaf)->source;
    io::Box box = io::Box::whole(source.info().dims);
    const auto axis = static_cast<size_t>(plan_.axis->axis_of.at(leaf));
    const auto reach = plan_.axis->reach.at(leaf);
    box.start[axis] = block.start + reach.low;
    box.extent[axis] = block.length + reach.high - reach.low;
    read_parallel(source, box, buffer.raw(), threads, options_.cancel);
    return box.count() * static_cast<int64_t>(size_of(buffer.dtype()));
  }

  int64_t write_output(size_t output, const runtime::Block& block, const Array& buffer) const {
    const Node* n = plan_.graph.outputs()[output].get();
    io::Box box = io::Box::whole(constant_shape(n->type()));
    const auto axis = static_cast<size_t>(plan_.axis->axis_of.at(n));
    box.start[axis] = block.start;
    box.extent[axis] = block.length;
    write_box(output, box, buffer.raw());
    return box.count() * static_cast<int64_t>(size_of(buffer.dtype()));
  }

  void finish_pass(const StreamPass& pass, const runtime::Binding& full, Worker& worker, int threads, Times& times) {
    for (const Node* leaf : pass.leaves) {
      if (const ImagePayload* image = image_of(*leaf)) image->source->finish_pass(flag());
    }
    if (pass.reductions.empty()) return;
    std::vector<std::byte*> in(pass.leaves.size(), nullptr), out(pass.outputs.size(), nullptr);
    for (const Array& a : arrays_) in.push_back(a.raw());
    for (const Array& r : reductions_) out.push_back(r.raw());
    worker.workspace.reserve(full, threads);
    run_steps(full, in, out, worker, {0, plan_.axis->extent, plan_.axis->extent, 0}, true, threads, times);
    for (size_t k = 0; k < pass.reductions.size(); ++k) values_[pass.reductions[k]] = reductions_[k];
  }

  void note_times(const StreamPass& pass, const Times& times) {
    if (!options_.profile) return;
    PassLabels labels{.prefix = plan_.passes.size() == 1 ? "" : "pass " + std::to_string(pass_number_ + 1) + ": ",
                      .detail = std::to_string(times.blocks) + " blocks of " + std::to_string(pass.block) + " along " + plan_.axis->name,
                      .reads = {},
                      .kernels = {},
                      .writes = {}};
    for (const Node* leaf : pass.leaves) labels.reads.push_back(image_of(*leaf) ? "read " + image_of(*leaf)->source->info().path : "");
    for (const auto& item : pass.program->order) {
      if (item.step >= 0) labels.kernels.push_back({static_cast<size_t>(item.step), item.after_stream});
    }
    for (const int k : pass.outputs)
      labels.writes.push_back(sinks_[static_cast<size_t>(k)] ? write_name(static_cast<size_t>(k)) : std::string());
    for (StepRecord& r : step_records(times, labels, pass.blocks_in_parallel ? options_.threads : 1)) record(std::move(r));
  }

  std::string write_name(size_t output) const {
    return "write " + (output < options_.output_paths.size() ? options_.output_paths[output] : "output " + std::to_string(output));
  }

  void record(StepRecord step) {
    if (options_.profile) options_.profile->steps.push_back(std::move(step));
  }

  const StreamPlan& plan_;
  const std::vector<io::BlockSink*>& sinks_;
  const StreamRunOptions& options_;
  std::vector<Array> results_, arrays_, reductions_;
  Values values_;
  std::vector<const Node*> read_whole_;
  std::mutex progress_mutex_;
  size_t pass_number_ = 0;
};

}  // namespace

std::vector<Array> run_stream(const StreamPlan& plan, const std::vector<io::BlockSink*>& sinks, const StreamRunOptions& options) {
  return StreamRun(plan, sinks, options).run();
}

}  // namespace voxloom::detail

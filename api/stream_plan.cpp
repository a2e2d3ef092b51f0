// api/stream_plan.cpp: choice of the axis, cutting of the graph into passes, block sizes, predicted bytes.
#include <voxloom/api/stream_plan.h>

#include <voxloom/api/pipeline.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/runtime/limits.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace voxloom::detail {
namespace {

constexpr int64_t small_run = MiB(6);     // below this, everything is one block
constexpr int64_t cache_block = 1 << 20;  // bytes in and out of one thread's block: stays in the second-level cache
constexpr int64_t shared_block = MiB(4);  // of a block that all threads work on

std::string file_name(const Node& leaf) {
  const std::string& path = image_of(leaf)->source->info().path;
  return path.substr(path.find_last_of('/') + 1);
}

std::vector<const Node*> image_leaves(const Graph& graph) {
  std::vector<const Node*> leaves;
  for (const Expr& e : graph.nodes()) {
    if (image_of(*e)) leaves.push_back(e.get());
  }
  return leaves;
}

int64_t box_bytes(const Graph& graph, const Node& leaf) {
  return needed_box(graph, leaf).count() * static_cast<int64_t>(size_of(leaf.type().dtype));
}

class Planner {
 public:
  Planner(const Graph& graph, const StreamOptions& options) : options_(options) {
    plan_.graph = graph;
    plan_.budget = options.budget;
    plan_.log = options.log;
  }

  StreamPlan run() {
    const Graph& graph = plan_.graph;
    int64_t raw = 0, results = 0;
    for (const Node* leaf : image_leaves(graph)) {
      raw += box_bytes(graph, *leaf);
      const io::SourceInfo& info = image_of(*leaf)->source->info();
      plan_.io_bytes += info.buffer_bytes + info.gather_bytes;
    }
    for (const Expr& e : graph.outputs()) results += bytes_of(e.type());
    plan_.io_bytes += options_.sink_bytes;
    if (options_.block == 0 && raw + results <= small_run && raw + results + plan_.io_bytes <= options_.budget) {
      plan_.reasons.push_back("the run is small (" + format_size(raw + results) + " in and out), so it is one block");
      in_memory(raw + results);
      return std::move(plan_);
    }
    choose_axis();
    const auto fits = [&] { return raw + results + plan_.io_bytes + temporaries_guess() <= options_.budget; };
    if (plan_.axis && plan_.axis->levels > 1 && compressed() && fits()) {
      plan_.reasons.push_back("blocks along " + plan_.axis->name + " would need " + std::to_string(plan_.axis->levels) +
                              " decodings; the decoded voxels fit into the budget instead");
      plan_.axis.reset();
    }
    if (!plan_.axis) {
      if (!fits()) {
        fail_runtime(ErrorCode::limit, "save",
                     "no axis allows blocks, and all at once is more than the budget of " + format_size(options_.budget) + why_not() +
                         "; " + what_helps(raw + results + plan_.io_bytes + temporaries_guess()));
      }
      in_memory(raw + results);
      return std::move(plan_);
    }
    build_passes();
    return std::move(plan_);
  }

 private:
  static int64_t bytes_of(const Type& type) {
    int64_t n = static_cast<int64_t>(size_of(type.dtype));
    for (int64_t d : constant_shape(type)) n *= d;
    return n;
  }

  void in_memory(int64_t bytes) { plan_.kept_bytes = bytes + temporaries_guess(); }

  // Temporaries of the whole program in memory.
  int64_t temporaries_guess() {
    if (whole_temporaries_ < 0) {
      FunctionOptions function = options_.function;
      function.optimise = false;  // it has been
      const Function f = compile_with(cut_images(), function, build_options(function), plan_.log);
      whole_temporaries_ = f.memory(std::map<std::string, int64_t>()).temporaries;
    }
    return whole_temporaries_;
  }
  Graph cut_images() const {
    std::vector<const Node*> outputs, used;
    for (const Expr& e : plan_.graph.outputs()) outputs.push_back(e.get());
    return cut_graph(outputs, [](const Node* n) { return image_of(*n) != nullptr; }, used);
  }

  bool compressed() const {
    const auto leaves = image_leaves(plan_.graph);
    return std::any_of(leaves.begin(), leaves.end(), [](const Node* l) { return image_of(*l)->source->info().in_order_only; });
  }

  std::string why_not() const {
    std::string text;
    for (const std::string& r : plan_.reasons) text += "; " + r;
    return text;
  }

  // What the user can do about a budget that is too small.
  std::string what_helps(int64_t needed) const {
    std::string text = "what helps: a memory limit of " + std::to_string(needed) + " bytes (" + format_size(needed) + ")", files;
    for (const Node* leaf : image_leaves(plan_.graph)) {
      if (image_of(*leaf)->source->info().in_order_only) files += (files.empty() ? "" : " ") + file_name(*leaf);
    }
    if (!files.empty()) text += ", or gunzip " + files + ", which can then be read along any axis";
    if (std::count(options_.in_order.begin(), options_.in_order.end(), 1) > 0) text += ", or an output that is not compressed";
    return text;
  }

  // Compressed files and outputs come in their own order: only their slowest axis can be streamed.
  std::string order_refusal(const StreamAxis& axis) const {
    for (const Node* leaf : image_leaves(plan_.graph)) {
      const auto carried = axis.axis_of.find(leaf);
      const auto& info = image_of(*leaf)->source->info();
      if (carried != axis.axis_of.end() && info.in_order_only && carried->second != info.stream_axis) {
        return file_name(*leaf) + " is compressed and can only be read along its slowest axis";
      }
    }
    for (size_t k = 0; k < plan_.graph.outputs().size(); ++k) {
      const Expr& out = plan_.graph.outputs()[k];
      const auto carried = axis.axis_of.find(out.get());
      if (!options_.in_order[k] || carried == axis.axis_of.end()) continue;
      for (int slower = carried->second + 1; slower < out.rank(); ++slower) {
        if (!out.shape()[static_cast<size_t>(slower)].is_one()) return "a compressed output is written along its slowest axis";
      }
    }
    return {};
  }

  void choose_axis() {
    int best_cost = 1 << 20;
    for (StreamAxis& axis : stream_axes(plan_.graph)) {
      if (axis.refusal.empty()) axis.refusal = order_refusal(axis);
      if (!axis.refusal.empty()) {
        plan_.reasons.push_back("not along " + axis.name + ": " + axis.refusal);
        continue;
      }
      // One pass before several, no halo before a halo, slower axes before faster ones (they come first).
      const int cost = axis.levels * 2 + (axis.windows ? 1 : 0);
      if (cost >= best_cost) continue;
      if (axis.levels > 1)
        plan_.reasons.push_back("along " + axis.name + " a value reduced over it is mapped over it again, which takes " +
                                std::to_string(axis.levels) + " passes");
      best_cost = cost;
      plan_.axis = std::move(axis);
    }
    if (plan_.axis) {
      const bool reduced =
          std::any_of(plan_.graph.nodes().begin(), plan_.graph.nodes().end(), [&](const Expr& e) { return reduces_axis(*e, *plan_.axis); });
      plan_.reasons.push_back("blocks along " + plan_.axis->name + ": " +
                              (reduced ? "it is reduced, with open accumulators between blocks" : "every operation maps it") +
                              (plan_.axis->windows ? ", with a halo" : ""));
    }
  }

  void build_passes() {
    const StreamAxis& axis = *plan_.axis;
    int64_t most = 0;
    std::set<const Node*> computed;
    for (const Node* leaf : image_leaves(plan_.graph)) {
      const io::SourceInfo& info = image_of(*leaf)->source->info();
      const auto carried = axis.axis_of.find(leaf);
      if (carried == axis.axis_of.end()) plan_.kept_bytes += box_bytes(plan_.graph, *leaf);
      else if (carried->second == info.stream_axis) plan_.io_bytes -= info.gather_bytes;
    }
    for (const Expr& e : plan_.graph.nodes()) {
      if (reduces_axis(*e, axis)) plan_.kept_bytes += bytes_of(e.type());
    }
    for (size_t k = 0; k < plan_.graph.outputs().size(); ++k) {
      const Expr& out = plan_.graph.outputs()[k];
      if (!options_.to_file[k] || !axis.axis_of.count(out.get())) plan_.kept_bytes += 2 * bytes_of(out.type());
    }
    for (int level = 0; level <= axis.levels; ++level) {
      StreamPass pass = stream_pass(plan_.graph, axis, level);
      if (pass.outputs.empty() && pass.reductions.empty()) continue;
      codegen::BuildOptions build = build_options(options_.function);
      build.stream_symbol = stream_symbol;
      pass.program = build_timed(pass.graph, build, plan_.log);
      for (const Node* n : pass.arrays) {
        if (n->op().kind != OpKind::leaf && !reduces_axis(*n, axis) && computed.insert(n).second) plan_.kept_bytes += bytes_of(n->type());
      }
      size_block(pass);
      most = std::max(most, pass.bytes);
      plan_.passes.push_back(std::move(pass));
    }
    const int64_t needed = most + plan_.kept_bytes + plan_.io_bytes;
    if (needed > options_.budget) {
      fail_runtime(ErrorCode::limit, "save",
                   "the least this can run in is " + format_size(needed) + " (blocks of one position along " + axis.name +
                       "), but the budget is " + format_size(options_.budget) + "; " + what_helps(needed));
    }
  }

  // Bytes of one run of the program with blocks of `length`, without scratch of more than one thread.
  struct Cost {
    int64_t buffers = 0, states = 0, scratch = 0;
  };
  Cost cost(const StreamPass& pass, int64_t length) const {
    std::vector<runtime::Layout> arguments;
    Cost c;
    for (const Node* leaf : pass.leaves) {
      arguments.push_back(leaf_layout(*leaf, *plan_.axis, length, options_.arguments));
      if (image_of(*leaf)) c.buffers += arguments.back().shape.product() * static_cast<int64_t>(size_of(arguments.back().dtype));
    }
    for (const Node* n : pass.arrays) { arguments.push_back(whole_layout(*n, options_.arguments)); }
    runtime::BindOptions bind{
        .threads = options_.threads, .block = {0, length, plan_.axis->extent, 0}, .outputs = {}, .output_aligned = {}};
    const runtime::Binding binding = runtime::bind(pass.program, arguments, bind);
    for (size_t k = 0; k < pass.outputs.size(); ++k) {
      if (options_.to_file[static_cast<size_t>(pass.outputs[k])])
        c.buffers += binding.outputs[k].shape.product() * static_cast<int64_t>(size_of(binding.outputs[k].dtype));
    }
    c.states = binding.state_bytes;
    c.scratch = static_cast<int64_t>(binding.scratch_bytes);
    return c;
  }

  void size_block(StreamPass& pass) const {
    bool in_order = false;
    for (const Node* leaf : pass.leaves) in_order = in_order || (image_of(*leaf) && image_of(*leaf)->source->info().in_order_only);
    for (int k : pass.outputs) in_order = in_order || options_.in_order[static_cast<size_t>(k)];
    pass.blocks_in_parallel = !in_order && pass.reductions.empty() && options_.threads > 1;
    const Cost one = cost(pass, 1);
    const int64_t per_index = std::max<int64_t>(1, one.buffers);
    const int64_t workers = pass.blocks_in_parallel ? options_.threads : 1;
    const int64_t room = options_.budget - plan_.kept_bytes - plan_.io_bytes;
    int64_t length = std::max<int64_t>(1, (pass.blocks_in_parallel ? cache_block : shared_block) / per_index);
    const int64_t pieces = pass.blocks_in_parallel ? 2 * options_.threads : 1;
    length = std::min(length, std::max<int64_t>(1, plan_.axis->extent / pieces));
    const auto total = [&](int64_t n, int64_t w) {
      const Cost c = cost(pass, n);
      return w * (c.buffers + (pass.reductions.empty() ? c.states : 0)) + (pass.reductions.empty() ? 0 : c.states) +
             c.scratch * options_.threads;
    };
    while (length > 1 && total(length, workers) > room) length /= 2;
    if (pass.blocks_in_parallel && total(length, workers) > room) pass.blocks_in_parallel = false;
    if (options_.block > 0) length = std::min(options_.block, plan_.axis->extent);
    pass.block = length;
    pass.bytes = total(length, pass.blocks_in_parallel ? workers : 1);
  }

  StreamOptions options_;
  StreamPlan plan_;
  int64_t whole_temporaries_ = -1;
};

}  // namespace

int64_t StreamPlan::peak() const {
  int64_t most = 0;
  for (const StreamPass& p : passes) most = std::max(most, p.bytes);
  return most + kept_bytes + io_bytes;
}

std::vector<int64_t> constant_shape(const Type& type) {
  std::vector<int64_t> shape;
  for (const Dim& d : type.shape) shape.push_back(d.constant());
  return shape;
}

runtime::Layout dense_layout(DType dtype, const std::vector<int64_t>& shape, Order order, bool swapped) {
  return {dtype, shape, Dims(dense_strides(shape, size_of(dtype), order == Order::F)), swapped};
}

runtime::Layout whole_layout(const Node& n, const Values& values) {
  if (const auto given = values.find(&n); given != values.end()) return runtime::layout_of(given->second);
  const ImagePayload* image = image_of(n);
  const Order order = constant_of(n) ? Order::C : n.type().order;
  return dense_layout(n.type().dtype, constant_shape(n.type()), order, image && image->source->info().swapped);
}

runtime::Layout leaf_layout(const Node& leaf, const StreamAxis& axis, int64_t length, const Values& values) {
  const auto reach = axis.reach.at(&leaf);
  const auto along = static_cast<size_t>(axis.axis_of.at(&leaf));
  runtime::Layout layout = whole_layout(leaf, values);
  layout.shape[along] = length + reach.high - reach.low;
  if (image_of(leaf)) return dense_layout(layout.dtype, layout.shape.vector(), leaf.type().order, layout.swapped);
  return layout;
}

StreamPlan plan_stream(const Graph& graph, const StreamOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const double compiled = options.log->seconds();
  StreamPlan plan = Planner(graph, options).run();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  options.log->add_pass("choose blocks", seconds - (options.log->seconds() - compiled), false);
  return plan;
}

}  // namespace voxloom::detail

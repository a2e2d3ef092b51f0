// tests/fuzz/streamed.cpp: streamed(): the stream planner and runner over sources and sinks in memory.
#include "streamed.h"

#include <voxloom/api/pipeline.h>
#include <voxloom/api/stream_run.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/substitute.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace voxloom::fuzz {

namespace {

/// Elements of a dense F-order image by box; checks that a compressed one is read in order.
class MemorySource final : public io::BlockSource {
 public:
  MemorySource(const Plain& image, std::string name, bool swapped, bool in_order) {
    info_.path = std::move(name);
    info_.dtype = image.dtype;
    info_.swapped = swapped && size_of(real_part_of(image.dtype)) > 1;
    info_.dims = image.shape;
    info_.in_order_only = in_order;
    info_.bytes = info_.disk_bytes = static_cast<int64_t>(image.bytes.size());
    info_.stream_axis = std::max(0, static_cast<int>(image.shape.size()) - 1);
    // From last axis fastest to first axis fastest.
    data_.resize(image.bytes.size());
    const StridedView from{const_cast<std::byte*>(image.bytes.data()), image.dtype, image.shape, dense_strides(image.shape, item(), false),
                           false};
    const StridedView to{data_.data(), image.dtype, image.shape, dense_strides(image.shape, item(), true), info_.swapped};
    copy_strided(to, from);
  }
  const io::SourceInfo& info() const override { return info_; }
  const io::NiftiHeader* header() const override { return &header_; }
  void read(const io::Box& box, std::byte* dst, const std::atomic<bool>*) override {
    io::check_box(box, info_.dims);
    io::for_each_run(box, info_.dims, [&](int64_t first, int64_t count, int64_t at) {
      if (info_.in_order_only && first < position_) back_ = true;
      position_ = first;
      const auto size = static_cast<int64_t>(item());
      std::memcpy(dst + at * size, data_.data() + first * size, static_cast<size_t>(count * size));
    });
  }
  void will_need(const io::Box&) override {}
  void rewind() override { position_ = 0; }
  void finish_pass(const std::atomic<bool>*) override {}
  uint64_t bytes_read() const override { return 0; }
  int passes() const override { return 1; }
  io::Warnings take_warnings() override { return {}; }

 private:
  size_t item() const { return size_of(info_.dtype); }
  io::SourceInfo info_;
  io::NiftiHeader header_;
  std::vector<std::byte> data_;
  std::atomic<int64_t> position_{0};
  std::atomic<bool> back_{false};
};

/// Collects blocks of an F-order image; every voxel must come once.
class MemorySink final : public io::BlockSink {
 public:
  /// `dims`: the shape as a file has it, with axes of extent 1 where the value has none.
  MemorySink(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> dims, bool in_order)
      : dtype_(dtype), shape_(std::move(shape)), in_order_(in_order) {
    header_.dims = std::move(dims);
    int64_t n = 1;
    for (int64_t d : shape_) n *= d;
    data_.resize(static_cast<size_t>(n) * size_of(dtype_));
    written_ = std::vector<std::atomic<uint8_t>>(static_cast<size_t>(n));
  }
  const io::NiftiHeader* header() const override { return &header_; }
  bool in_order_only() const override { return in_order_; }
  int64_t buffer_bytes() const override { return 0; }
  void write(const io::Box& box, const std::byte* src) override {
    io::check_box(box, header_.dims);
    io::for_each_run(box, header_.dims, [&](int64_t first, int64_t count, int64_t at) {
      const auto size = static_cast<int64_t>(size_of(dtype_));
      std::memcpy(data_.data() + first * size, src + at * size, static_cast<size_t>(count * size));
      for (int64_t k = first; k < first + count; ++k) twice_ = written_[static_cast<size_t>(k)].exchange(1) != 0 || twice_;
      if (in_order_ && first < position_) backwards_ = true;
      position_ = first;
    });
  }
  void commit() override {}

  std::string problem() const {
    if (twice_) return "a voxel was written twice";
    if (backwards_) return "an ordered file was written backwards";
    for (const auto& w : written_) {
      if (w == 0) return "a voxel was not written";
    }
    return {};
  }
  Plain plain() const {
    return plain_of({const_cast<std::byte*>(data_.data()), dtype_, shape_, dense_strides(shape_, size_of(dtype_), true), false});
  }

 private:
  io::NiftiHeader header_;
  DType dtype_;
  std::vector<int64_t> shape_;
  bool in_order_;
  std::vector<std::byte> data_;
  std::vector<std::atomic<uint8_t>> written_;
  std::atomic<bool> twice_{false}, backwards_{false};
  std::atomic<int64_t> position_{0};
};

/// The graph with constant sizes: images become sources, other arguments constants. Its operations stay those of `built`, as they do when a
/// function streams: building it anew from constant sizes would give other ones (a product with one column is a sum, in another order).
Graph image_graph(const Case& c, const Built& built, const std::vector<Plain>& arguments, Rng& rng, std::string& how) {
  std::vector<Replacement> replacements;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const auto number = static_cast<size_t>(built.arguments[k]);
    const CaseInput& in = c.inputs[number];
    const Expr& input = built.graph.inputs()[k];
    Type type = input.type();
    type.shape.assign(in.shape.begin(), in.shape.end());
    if (in.names.empty()) {
      auto payload = std::make_shared<const ConstantPayload>(in.dtype, in.shape, arguments[k].bytes);
      replacements.emplace_back(input, make_constant(constant_op(), payload, in.order, in.names));
      continue;
    }
    const bool swapped = rng.chance(0.2), in_order = rng.chance(0.3);
    auto payload = std::make_shared<detail::ImagePayload>();
    payload->source = std::make_shared<MemorySource>(arguments[k], "image " + std::to_string(number), swapped, in_order);
    how += swapped ? ", swapped" : "";
    how += in_order ? ", compressed" : "";
    replacements.emplace_back(input, make_leaf(image_op(), type, input->name(), payload));
  }
  return Graph::make({}, substitute(built.graph.outputs(), replacements));
}

/// The shape of a value as a file has it; empty when its axes are not those of a file, in their order.
std::vector<int64_t> file_dims(const Type& type) {
  static const std::string axes = "xyztuvw";
  std::vector<int64_t> dims;
  for (int k = 0; k < type.rank(); ++k) {
    const std::string name = type.is_image() ? type.names[static_cast<size_t>(k)] : "";
    const size_t place = name.size() == 1 ? axes.find(name) : std::string::npos;
    if (place == std::string::npos || place < dims.size()) return {};
    dims.resize(place, 1);
    dims.push_back(type.shape[static_cast<size_t>(k)].constant());
    if (dims.back() == 0) return {};  // no file holds that
  }
  return dims;
}

}  // namespace

bool can_stream(const Case& c) {
  bool image = false;
  for (const CaseInput& in : c.inputs) {
    if (std::count(in.shape.begin(), in.shape.end(), 0) > 0) return false;
    image = image || (!in.names.empty() && !in.constant);
  }
  return image;
}

Outcome streamed(const Case& c, const Built& built, const std::vector<Plain>& arguments, const Bug* bug, Rng& rng, std::string& how) {
  const Planted planted(bug);
  detail::StreamOptions options;
  options.block = rng.pick(std::vector<int64_t>{1, 1, 2, 3, 7});
  options.budget = int64_t{1} << 34;
  options.threads = rng.pick(std::vector<int>{1, 2, 3});
  options.function.optimizer_excluding = {"stabilise"};
  how = "streamed in blocks of " + std::to_string(options.block) + ", threads " + std::to_string(options.threads);
  Outcome out;
  try {
    const Graph graph = detail::optimised(image_graph(c, built, arguments, rng, how), options.function, nullptr);
    std::vector<std::unique_ptr<MemorySink>> sinks;
    std::vector<io::BlockSink*> pointers;
    for (const Expr& e : graph.outputs()) {
      const std::vector<int64_t> dims = file_dims(e.type());
      const bool file = !dims.empty() && rng.chance(0.6), in_order = file && rng.chance(0.3);
      sinks.push_back(file ? std::make_unique<MemorySink>(e.dtype(), detail::constant_shape(e.type()), dims, in_order) : nullptr);
      pointers.push_back(sinks.back().get());
      options.to_file.push_back(file);
      options.in_order.push_back(in_order);
      how += file ? in_order ? ", to a compressed file" : ", to a file" : ", to memory";
    }
    const detail::StreamPlan plan = detail::plan_stream(graph, options);
    how += plan.axis ? ", along " + plan.axis->name + " in " + std::to_string(plan.passes.size()) + " passes" : ", whole";
    const std::vector<Array> results = detail::run_stream(
        plan, pointers, {.threads = options.threads, .function = options.function, .cancel = nullptr, .progress = {}, .profile = nullptr});
    for (size_t k = 0; k < results.size(); ++k) {
      if (sinks[k] && !sinks[k]->problem().empty()) fail_internal("output " + std::to_string(k) + ": " + sinks[k]->problem());
      out.outputs.push_back(sinks[k] ? sinks[k]->plain() : plain_of(results[k].view()));
    }
  } catch (const Error& e) {
    out.failed = true;
    out.code = e.code();
    out.message = e.what();
  }
  return out;
}

}  // namespace voxloom::fuzz

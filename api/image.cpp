// api/image.cpp: opening files, saving expressions over them.
#include <voxloom/api/image.h>

#include <voxloom/api/header_walk.h>
#include <voxloom/api/pipeline.h>
#include <voxloom/api/sized_graph.h>
#include <voxloom/api/storage.h>
#include <voxloom/api/stream_run.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/print.h>
#include <voxloom/io/memory_source.h>
#include <voxloom/io/propagate.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/variables.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>
#include <voxloom/runtime/roofline.h>
#include <voxloom/runtime/threads.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace voxloom::io {

struct Image::State {
  std::shared_ptr<BlockSource> source;
  Expr expr;
  std::string path;
  Warnings warnings;
};

namespace {

Expr scaled(const Expr& raw, const SourceInfo& info) {
  if (!info.scaled) return raw;
  const Policy policy = current_policy();
  const DType result = is_complex(info.dtype) ? info.dtype : voxel_float(info.dtype, policy);
  const DType wide = is_complex(info.dtype) ? DType::c128 : DType::f64;
  return cast(add(mul(cast(raw, wide), constant(Operand(info.slope), wide)), constant(Operand(info.inter), wide)), result);
}

struct Prepared {
  Graph graph;
  std::vector<NiftiHeader> headers;  // per output; unused where no image is written
  std::vector<Array> arguments;      // values of shared variables, the inputs of the graph
};

bool array_name(const std::string& path) { return path.ends_with(".npy"); }
bool compressed_name(const std::string& path) { return path.size() > 3 && path.compare(path.size() - 3, 3, ".gz") == 0; }

// Axes in the file's order, in the dtype of the file.
Expr for_file(const Expr& value, const NiftiHeader& header, const SaveOptions& options) {
  const Expr e = detail::in_file_order(value);
  detail::check_not_empty(e);
  if (options.input_dtype) return detail::stored_as(e, header.dtype);
  return detail::stored_as(e, options.dtype.value_or(detail::default_storage(e)));
}

Expr for_memory(const Expr& value, const SaveOptions& options) {
  if (options.input_dtype) return detail::stored_as(value, detail::header_of(value, options.header_from).dtype);
  return options.dtype ? detail::stored_as(value, *options.dtype) : value;
}

void check_expansions(const Graph& graph, const SaveOptions& options) {
  for (const Expr& e : graph.nodes()) {
    if (const detail::ImagePayload* image = detail::image_of(*e))
      check_expansion(*image->source, options.memory > 0 ? options.memory : config().memory);
  }
}

Prepared prepare(const Outputs& outputs, const SaveOptions& options, detail::CompileLog* log) {
  std::vector<Expr> values;
  std::vector<NiftiHeader> headers;
  std::set<std::string> paths;
  for (const auto& [value, path] : outputs) {
    headers.emplace_back();
    if (path.empty()) {
      values.push_back(for_memory(value, options));
      continue;
    }
    if (!paths.insert(path).second) fail_user(ErrorCode::usage, "save", "two outputs have the name " + path);
    if (array_name(path)) {
      values.push_back(for_memory(value, options));
      continue;
    }
    const NiftiHeader source = detail::header_of(value, options.header_from);
    const Expr e = for_file(value, source, options);
    headers.back() = detail::output_header(source, e);
    values.push_back(e);
  }
  const std::vector<Expr> shared = detail::shared_leaves(values);
  std::vector<Array> arguments = detail::values_of(shared);
  const Graph graph = detail::with_sizes(Graph::make(shared, values), shared, arguments, "save");
  detail::check_grids(graph);
  check_expansions(graph, options);
  FunctionOptions function{.name = "save"};
  return {detail::with_graph(graph, [&] { return detail::optimised(graph, function, log); }), headers, std::move(arguments)};
}

int threads_of(const SaveOptions& options) {
  return options.threads > 0 ? options.threads : config().threads > 0 ? config().threads : default_threads();
}

SinkOptions sink_options(const SaveOptions& options) {
  return {options.no_fsync, options.no_clobber, options.gzip_level, threads_of(options)};
}

detail::Values arguments_of(const Prepared& prepared) {
  detail::Values values;
  for (size_t k = 0; k < prepared.arguments.size(); ++k) values[prepared.graph.inputs()[k].get()] = prepared.arguments[k];
  return values;
}

detail::StreamOptions stream_options(const Outputs& outputs, const SaveOptions& options) {
  detail::StreamOptions stream;
  stream.budget = options.memory > 0 ? options.memory : config().memory > 0 ? config().memory : default_memory_budget();
  stream.threads = threads_of(options);
  stream.function.name = "save";
  stream.function.memory = stream.budget;
  stream.function.target = options.target;
  for (const auto& [value, path] : outputs) {
    stream.to_file.push_back(!path.empty());
    stream.in_order.push_back(compressed_name(path));
    if (!path.empty()) stream.sink_bytes += sink_buffer_bytes(path, sink_options(options));
  }
  return stream;
}

// Under strict the first warning ends the run; nothing has been committed yet.
void refuse_if_strict(const Warnings& warnings, const SaveOptions& options) {
  if (options.strict && !warnings.empty()) fail_user(ErrorCode::bad_input, "", warnings.front() + " (an error because of strict)");
}

void deliver(const Warnings& warnings, const SaveOptions& options) {
  if (options.warnings) {
    options.warnings->insert(options.warnings->end(), warnings.begin(), warnings.end());
    return;
  }
  for (const std::string& text : warnings) log(LogLevel::warning, text);
}

// What decoding the files brought to light.
void take_source_warnings(const Graph& graph, Warnings& warnings) {
  for (const Expr& e : graph.nodes()) {
    const detail::ImagePayload* image = detail::image_of(*e);
    if (!image) continue;
    for (std::string& text : image->source->take_warnings()) warnings.push_back(std::move(text));
  }
}

/// "save half.nii" or "evaluate".
std::string run_name(const Outputs& outputs) {
  std::string files;
  for (const auto& [value, path] : outputs) {
    if (!path.empty()) files += (files.empty() ? " " : ", ") + path.substr(path.find_last_of('/') + 1);
  }
  return files.empty() ? "evaluate" : "save" + files;
}

std::vector<Array> run(const Outputs& outputs, const SaveOptions& options) {
  // Once per process, and before the clock and the peak: it takes 50 ms and 50 MiB of its own.
  if (options.profile) measure_roofline();
  const auto start = std::chrono::steady_clock::now();
  detail::StreamOptions stream = stream_options(outputs, options);
  Prepared prepared = prepare(outputs, options, stream.log.get());
  stream.arguments = arguments_of(prepared);
  const detail::StreamPlan plan = detail::with_graph(prepared.graph, [&] { return detail::plan_stream(prepared.graph, stream); });
  // What is measured is the run: planning has compiled the kernels.
  const bool measure = options.profile != nullptr && reset_peak_rss();
  const int64_t before = current_rss();
  std::vector<std::unique_ptr<BlockSink>> sinks(outputs.size());
  std::vector<BlockSink*> sink_pointers;
  Warnings warnings;
  for (size_t k = 0; k < outputs.size(); ++k) {
    const Type& type = prepared.graph.outputs()[k].type();
    if (array_name(outputs[k].second)) {
      sinks[k] = create_npy_sink(outputs[k].second, type.dtype, detail::constant_shape(type), type.order, sink_options(options));
    } else if (!outputs[k].second.empty()) {
      prepared.headers[k].set_storage(type.dtype);
      sinks[k] = create_sink(outputs[k].second, prepared.headers[k], sink_options(options), warnings);
    }
    sink_pointers.push_back(sinks[k].get());
  }
  refuse_if_strict(warnings, options);
  detail::StreamRunOptions run_options{stream.threads,   stream.function, options.cancel,
                                       options.progress, options.profile, stream.arguments};
  for (const auto& [value, path] : outputs) run_options.output_paths.push_back(path);
  std::vector<Array> results = detail::with_graph(plan.graph, [&] { return detail::run_stream(plan, sink_pointers, run_options); });
  take_source_warnings(prepared.graph, warnings);
  refuse_if_strict(warnings, options);
  const auto commit_start = std::chrono::steady_clock::now();
  check(options.cancel, "save");
  for (auto& sink : sinks) {
    if (sink) sink->commit();
  }
  if (options.profile) {
    Profile& p = *options.profile;
    const auto now = std::chrono::steady_clock::now();
    p.function = options.name.empty() ? run_name(outputs) : options.name;
    p.calls = 1;
    p.threads = stream.threads;
    p.steps.push_back({.name = options.no_fsync ? "rename" : "fsync and rename",
                       .kind = StepKind::io_write,
                       .seconds = std::chrono::duration<double>(now - commit_start).count(),
                       .calls = 1});
    plan.log->fill(p);
    p.seconds = std::chrono::duration<double>(now - start).count() - p.compile_seconds;
    p.peak_planned = plan.peak();
    p.budget = plan.budget;
    if (measure) p.peak_measured = std::max<int64_t>(0, peak_rss() - before);
    p.roofline = measure_roofline(stream.threads);
  }
  deliver(warnings, options);
  return results;
}

}  // namespace

namespace {

// The expression over a source: its leaf, scaled where the header says so.
std::shared_ptr<Image::State> image_over(std::shared_ptr<BlockSource> source, const std::string& path) {
  auto state = std::make_shared<Image::State>();
  state->source = std::move(source);
  state->path = path;
  const SourceInfo& info = state->source->info();
  static constexpr const char* names[] = {"x", "y", "z", "t", "u", "v", "w"};
  const bool truth = info.dtype == DType::boolean;  // a file may hold any byte
  Type type{.dtype = truth ? DType::u8 : info.dtype, .shape = {}, .order = info.order, .names = {}};
  for (const int64_t n : info.dims) type.shape.emplace_back(n);
  if (const NiftiHeader* header = state->source->header()) {
    for (size_t k = 0; k < info.dims.size(); ++k) type.names.emplace_back(k < header->dims.size() ? names[k] : "c");
  }
  auto payload = std::make_shared<detail::ImagePayload>();
  payload->source = state->source;
  const Expr raw = make_leaf(image_op(), type, path.substr(path.find_last_of('/') + 1), payload);
  state->expr = truth ? ne(raw, 0) : scaled(raw, info);
  return state;
}

}  // namespace

Image open(const std::string& path, const OpenOptions& options) {
  Warnings warnings;
  auto state = image_over(open_source(path, {options.strict}, warnings), path);
  state->warnings = std::move(warnings);
  return Image(state);
}

Image from_array(const Array& voxels, const Matrix44& affine, const NiftiHeader* like) {
  if (voxels.rank() < 1 || voxels.rank() > 7) {
    fail_user(ErrorCode::shape, "Image", "an image has 1 to 7 axes, but the array has shape " + to_string(voxels.shape()));
  }
  NiftiHeader header = like ? *like : NiftiHeader();
  header.pair = header.swapped = false;
  header.form = VoxelForm::plain;
  header.channels = 0;
  header.dims = voxels.shape().vector();
  const bool same = like != nullptr && like->affine() == affine;
  if (!same) {
    header.set_sform(affine);
    header.set_qform(affine);
    header.sform_code = 2;  // aligned: what nibabel writes for an affine of its own
    header.qform_code = 0;
  }
  header.set_storage(voxels.dtype());
  header.dtype = voxels.dtype();
  return Image(image_over(memory_source(voxels, std::move(header)), "array"));
}

const Expr& Image::expr() const { return state_->expr; }
const NiftiHeader& Image::header() const {
  const NiftiHeader* const header = state_->source->header();
  if (!header) fail_user(ErrorCode::usage, "header", path() + " is an array, not an image: it has no header and no affine");
  return *header;
}
bool Image::has_header() const { return state_->source->header() != nullptr; }
const std::string& Image::path() const { return state_->path; }
const std::vector<std::string>& Image::warnings() const { return state_->warnings; }

void save_many(const Outputs& outputs, const SaveOptions& options) { run(outputs, options); }

void save(const Expr& value, const std::string& path, const SaveOptions& options) { run({{value, path}}, options); }

std::vector<Array> evaluate_many(const std::vector<Expr>& values, const SaveOptions& options) {
  Outputs outputs;
  for (const Expr& e : values) outputs.emplace_back(e, "");
  return run(outputs, options);
}

std::string explain_save(const Outputs& outputs, const SaveOptions& options, const ExplainOptions& explain) {
  const Prepared prepared = prepare(outputs, options, nullptr);
  return detail::with_graph(prepared.graph, [&] {
    detail::StreamOptions stream = stream_options(outputs, options);
    stream.arguments = arguments_of(prepared);
    const detail::StreamPlan plan = detail::plan_stream(prepared.graph, stream);
    return detail::describe(plan, threads_of(options), explain);
  });
}

}  // namespace voxloom::io

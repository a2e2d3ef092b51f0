// cli/png.cpp: `voxloom png`: the three middle slices of one volume.
#include <voxloom/cli/commands.h>

#include <voxloom/cli/signals.h>
#include <voxloom/cli/terminal.h>
#include <voxloom/io/picture.h>
#include <voxloom/io/png.h>
#include <voxloom/io/source.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/limits.h>

#include <fmt/format.h>
#include <filesystem>

namespace voxloom::cli {
namespace {

/// The chosen volume: whole spatial axes, the first position of every axis beyond time.
io::Box volume_box(const io::SourceInfo& info, int64_t volume, const std::string& path) {
  io::Box box = io::Box::whole(info.dims);
  const int64_t volumes = info.dims.size() > 3 ? info.dims[3] : 1;
  if (volume >= volumes || volume < -volumes)
    fail_user(ErrorCode::index, "png", fmt::format("--volume {} of {}, which has {}", volume, io::printable_path(path), volumes));
  for (size_t k = 3; k < box.extent.size(); ++k) {
    box.start[k] = k == 3 ? (volume < 0 ? volume + volumes : volume) : 0;
    box.extent[k] = 1;
  }
  return box;
}

Array read_volume(io::BlockSource& source, const io::Box& box, const Options& options) {
  const io::SourceInfo& info = source.info();
  if (is_complex(info.dtype)) fail_user(ErrorCode::dtype, "png", "complex voxels have no grey value; save abs(a) first");
  const int64_t budget = options.memory > 0 ? options.memory : default_memory_budget();
  const int64_t needed = box.count() * static_cast<int64_t>(size_of(info.dtype) + sizeof(double)) + info.buffer_bytes + info.gather_bytes;
  if (needed > budget)
    fail_user(ErrorCode::limit, "png", fmt::format("one volume needs {}, the limit is {}", format_size(needed), format_size(budget)));
  Dims shape;
  for (const int64_t extent : box.extent) shape.push_back(extent);
  Array raw = Array::empty(shape, info.dtype, Order::F);
  source.read(box, raw.raw());
  if (info.swapped) raw = raw.as_swapped();
  Array values = raw.cast(DType::f64, Order::F);
  if (info.scaled) {
    for (double& v : values.span<double>(Order::F)) v = v * info.slope + info.inter;
  }
  return values;
}

}  // namespace

void png(const Options& options) {
  const std::string& path = options.images.at(0);
  if (!options.output.ends_with(".png"))
    fail_user(ErrorCode::usage, "png", "-o " + io::printable_path(options.output) + ": must end in .png");
  if (options.no_clobber && std::filesystem::exists(options.output))
    fail_runtime(ErrorCode::file, io::printable_path(options.output), "exists (--no-clobber)");
  io::Warnings warnings;
  const auto source = io::open_source(path, {.strict = options.strict}, warnings);
  if (!source->header()) io::fail_input(path, "is a NumPy array (.npy), not an image");
  print_warnings(warnings, options);
  io::check_expansion(*source, options.memory);
  const io::SourceInfo& info = source->info();
  const io::Box box = volume_box(info, options.volume, path);
  Array volume = read_volume(*source, box, options);
  source->finish_pass();  // a picture of a damaged file is refused, wherever the damage is
  print_warnings(source->take_warnings(), options);
  Dims shape;
  for (size_t k = 0; k < 3; ++k) shape.push_back(k < box.extent.size() ? box.extent[k] : 1);
  volume = volume.reshape(shape, Order::F);

  io::PictureOptions look;
  look.title = io::escape_text(std::filesystem::path(path).filename().string());
  if (info.dims.size() > 3) look.title += fmt::format("  volume {} of {}", box.start[3], info.dims[3]);
  const io::Picture picture = io::orthogonal_view(volume.view(), source->header()->affine(), look);
  io::write_png(options.output, picture.width, picture.height, 1, picture.grey);
}

}  // namespace voxloom::cli

// cli/info.cpp: `voxloom info`: what a header says, for people and as JSON.
#include <voxloom/cli/commands.h>

#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/io/nifti_header.h>
#include <voxloom/io/source.h>
#include <voxloom/runtime/limits.h>

#include <fmt/format.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

namespace voxloom::cli {
namespace {

using Json = nlohmann::ordered_json;
using io::number_text;

constexpr std::string_view axis_names = "xyztuvw";

std::string space_unit(int xyzt_units) {
  switch (xyzt_units & 7) {
    case 1: return "m";
    case 2: return "mm";
    case 3: return "um";
    default: return "(no unit)";
  }
}

std::string time_unit(int xyzt_units) {
  switch (xyzt_units & 0x38) {
    case 8: return "s";
    case 16: return "ms";
    case 24: return "us";
    case 32: return "Hz";
    case 40: return "ppm";
    case 48: return "rad/s";
    default: return "(no unit)";
  }
}

std::string code_name(int code) {
  switch (code) {
    case 0: return "0 (unknown)";
    case 1: return "1 (scanner)";
    case 2: return "2 (aligned)";
    case 3: return "3 (Talairach)";
    case 4: return "4 (MNI 152)";
    default: return std::to_string(code);
  }
}

std::string voxel_type(const io::NiftiHeader& h) {
  switch (h.form) {
    case io::VoxelForm::channels: return h.channels == 3 ? "RGB24 (a trailing axis of 3 uint8)" : "RGBA32 (a trailing axis of 4 uint8)";
    case io::VoxelForm::float128: return "float128 (read as float64)";
    case io::VoxelForm::complex256: return "complex256 (read as complex128)";
    case io::VoxelForm::plain: break;
  }
  return std::string(name_of(h.dtype));
}

int64_t file_bytes(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  return failed ? 0 : static_cast<int64_t>(size);
}

std::string format_name(const io::NiftiHeader& h) {
  return fmt::format("NIfTI-{}, {}, {}-endian", h.version, h.pair ? "header and voxels in two files" : "single file",
                     h.swapped ? "big" : "little");
}

template <class Row> std::string matrix_text(const Row& rows, size_t count) {
  std::string text;
  for (size_t r = 0; r < count; ++r) {
    text += r == 0 ? "" : fmt::format("\n{:15}", "");
    for (const double v : rows[r]) text += fmt::format("{:>12}", fmt::format("{:.6g}", v));
  }
  return text;
}

std::string sizes_text(const io::NiftiHeader& h) {
  std::string text;
  for (size_t k = 0; k < h.dims.size(); ++k) text += fmt::format("{}{}", k ? " x " : "", h.dims[k]);
  return text + fmt::format("  ({})", axis_names.substr(0, h.dims.size()));
}

std::string spacing_text(const io::NiftiHeader& h) {
  std::string text;
  for (size_t k = 1; k <= std::min<size_t>(3, h.dims.size()); ++k) text += fmt::format("{}{:.6g}", k > 1 ? " x " : "", h.pixdim[k]);
  text += " " + space_unit(h.xyzt_units);
  if (h.dims.size() > 3) text += fmt::format(", {:.6g} {}", h.pixdim[4], time_unit(h.xyzt_units));
  return text;
}

std::string describe(const std::string& path, const io::NiftiHeader& h) {
  std::string text = io::printable_path(path) + "\n";
  const auto line = [&](std::string_view name, const std::string& value) { text += fmt::format("  {:12} {}\n", name, value); };
  line("format", format_name(h));
  line("shape", sizes_text(h));
  line("dtype", voxel_type(h));
  line("size", fmt::format("{} of voxels, {} on disk", format_size(h.data_bytes()), format_size(file_bytes(path))));
  line("spacing", spacing_text(h));
  line("scaling", h.scaled ? "stored * " + number_text(h.slope) + " + " + number_text(h.inter) : "none");
  line("orientation", io::orientation_of(h.affine()));
  line("sform code", code_name(h.sform_code));
  line("qform code", code_name(h.qform_code));
  line("affine", matrix_text(h.affine(), 3));
  if (h.toffset != 0) line("time offset", number_text(h.toffset));
  if (!h.descrip.empty()) line("description", io::escape_text(h.descrip));
  if (h.intent_code != 0) line("intent", fmt::format("{} {}", h.intent_code, io::escape_text(h.intent_name)));
  for (const io::NiftiExtension& e : h.extensions) line("extension", fmt::format("code {}, {} bytes", e.code, e.data.size()));
  return text;
}

Json to_json(const std::string& path, const io::NiftiHeader& h, const io::Warnings& warnings) {
  Json j;
  j["path"] = io::escape_text(path);
  j["format"] = fmt::format("nifti{}", h.version);
  j["pair"] = h.pair;
  j["byte_order"] = h.swapped ? "big" : "little";
  j["shape"] = h.shape();
  j["dtype"] = name_of(h.dtype);
  j["datatype"] = h.datatype;
  j["axes"] = std::string(axis_names.substr(0, h.dims.size()));
  j["voxel_bytes"] = h.voxel_bytes();
  j["data_bytes"] = h.data_bytes();
  j["file_bytes"] = file_bytes(path);
  j["vox_offset"] = h.vox_offset;
  j["pixdim"] = h.pixdim;
  j["space_unit"] = space_unit(h.xyzt_units);
  j["time_unit"] = time_unit(h.xyzt_units);
  j["scaled"] = h.scaled;
  j["slope"] = h.slope;
  j["inter"] = h.inter;
  j["orientation"] = io::orientation_of(h.affine());
  j["affine"] = h.affine();
  j["sform_code"] = h.sform_code;
  j["sform"] = h.sform();
  j["qform_code"] = h.qform_code;
  j["qform"] = h.qform();
  j["toffset"] = h.toffset;
  j["cal_min"] = h.cal_min;
  j["cal_max"] = h.cal_max;
  j["intent_code"] = h.intent_code;
  j["intent_name"] = io::escape_text(h.intent_name);
  j["descrip"] = io::escape_text(h.descrip);
  j["aux_file"] = io::escape_text(h.aux_file);
  j["extensions"] = Json::array();
  for (const io::NiftiExtension& e : h.extensions) j["extensions"].push_back({{"code", e.code}, {"bytes", e.data.size()}});
  j["warnings"] = warnings;
  return j;
}

}  // namespace

void info(const Options& options) {
  Json list = Json::array();
  std::optional<ErrorCode> failure;
  for (size_t k = 0; k < options.images.size(); ++k) {
    const std::string& path = options.images[k];
    io::Warnings warnings;
    try {
      const io::NiftiHeader header = io::read_nifti_header(path, {.strict = options.strict}, warnings);
      if (options.json) {
        list.push_back(to_json(path, header, warnings));
        continue;
      }
      print_warnings(warnings, options);
      print((k == 0 ? "" : "\n") + describe(path, header));
      flush_output();
    } catch (const UserError& error) {
      // One bad file does not keep the others from being shown.
      if (options.images.size() == 1) throw;
      print_error(error.what());
      failure = ErrorCode::bad_input;
    } catch (const RuntimeError& error) {
      if (options.images.size() == 1 || error.op() == "standard output") throw;
      print_error(error.what());
      failure = failure.value_or(error.code());
    }
  }
  if (options.json) print((list.size() == 1 && options.images.size() == 1 ? list[0] : list).dump(2) + "\n");
  if (failure) throw Reported{*failure};
}

}  // namespace voxloom::cli

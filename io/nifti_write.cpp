// io/nifti_write.cpp: from NiftiHeader to the bytes in front of the voxels.
#include <voxloom/io/nifti_fields.h>
#include <voxloom/io/nifti_header.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace voxloom::io {
namespace {

template <class T> bool fits(int64_t value) { return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max(); }

// The first field NIfTI-1 cannot hold, or an empty text.
std::string field_beyond_nifti1(const NiftiHeader& h) {
  for (size_t i = 0; i < h.dims.size(); ++i) {
    if (!fits<int16_t>(h.dims[i])) return "dim[" + std::to_string(i + 1) + "] = " + std::to_string(h.dims[i]);
  }
  if (!fits<int16_t>(h.slice_start)) return "slice_start = " + std::to_string(h.slice_start);
  if (!fits<int16_t>(h.slice_end)) return "slice_end = " + std::to_string(h.slice_end);
  if (!fits<int16_t>(h.intent_code)) return "intent_code = " + std::to_string(h.intent_code);
  if (!fits<int16_t>(h.qform_code)) return "qform_code = " + std::to_string(h.qform_code);
  if (!fits<int16_t>(h.sform_code)) return "sform_code = " + std::to_string(h.sform_code);
  return {};
}

NiftiFields to_fields(const NiftiHeader& h) {
  NiftiFields f;
  f.version = h.version;
  const char digit = h.version == 1 ? '1' : '2';
  f.magic = std::string(h.pair ? "ni" : "n+") + digit + '\0';
  if (h.version == 2) f.magic += "\r\n\x1a\n";
  f.datatype = h.datatype;
  f.bitpix = h.voxel_bytes() * 8;
  f.dim.fill(1);
  f.dim[0] = static_cast<int64_t>(h.dims.size());
  std::copy(h.dims.begin(), h.dims.end(), f.dim.begin() + 1);
  f.pixdim = h.pixdim;
  f.vox_offset = static_cast<double>(h.vox_offset);
  f.vox_offset_int = h.vox_offset;
  f.scl_slope = h.slope;
  f.scl_inter = h.inter;
  f.cal_max = h.cal_max;
  f.cal_min = h.cal_min;
  f.slice_duration = h.slice_duration;
  f.toffset = h.toffset;
  f.slice_start = h.slice_start;
  f.slice_end = h.slice_end;
  f.slice_code = h.slice_code;
  f.xyzt_units = h.xyzt_units;
  f.intent_code = h.intent_code;
  f.dim_info = h.dim_info;
  f.qform_code = h.qform_code;
  f.sform_code = h.sform_code;
  f.intent_p = h.intent_p;
  f.quatern = h.quatern;
  f.qoffset = h.qoffset;
  f.srow = h.srow;
  f.descrip = h.descrip;
  f.aux_file = h.aux_file;
  f.intent_name = h.intent_name;
  return f;
}

void append_extension(std::vector<std::byte>& out, const NiftiExtension& extension) {
  const size_t size = (extension.data.size() + 8 + 15) / 16 * 16;
  const std::array<int32_t, 2> prefix{static_cast<int32_t>(size), extension.code};
  const size_t start = out.size();
  out.resize(start + size);
  std::memcpy(out.data() + start, prefix.data(), sizeof prefix);
  if (!extension.data.empty()) std::memcpy(out.data() + start + 8, extension.data.data(), extension.data.size());
}

}  // namespace

std::vector<std::byte> serialise_nifti_header(NiftiHeader& header, std::string_view path, Warnings& warnings) {
  internal_check(!header.dims.empty() && header.dims.size() <= 7, "an image header has 1 to 7 dims");
  if (header.version == 1) {
    const std::string field = field_beyond_nifti1(header);
    if (!field.empty()) {
      warnings.push_back(printable_path(path) + ": " + field + " does not fit NIfTI-1; NIfTI-2 is written");
      header.version = 2;
    }
  }
  header.swapped = false;
  const size_t fixed = header.version == 1 ? 348 : 540;
  size_t extension_bytes = 0;
  for (const NiftiExtension& e : header.extensions) extension_bytes += (e.data.size() + 8 + 15) / 16 * 16;
  const size_t total = (fixed + 4 + extension_bytes + 15) / 16 * 16;
  header.vox_offset = header.pair ? 0 : static_cast<int64_t>(total);

  std::vector<std::byte> bytes = write_fields(to_fields(header));
  bytes.resize(fixed + 4);
  if (!header.extensions.empty()) bytes[fixed] = std::byte{1};
  for (const NiftiExtension& e : header.extensions) append_extension(bytes, e);
  if (!header.pair) bytes.resize(total);
  return bytes;
}

}  // namespace voxloom::io

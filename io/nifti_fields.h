// io/nifti_fields.h: the fields of both NIfTI versions in one native-order struct, between the raw bytes and NiftiHeader. Internal to io.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace voxloom::io {

/// Values as the file has them, widened, nothing checked but size and byte order.
struct NiftiFields {
  int version = 1;
  bool swapped = false;
  std::string magic;  // 4 or 8 bytes
  int64_t datatype = 0, bitpix = 0;
  std::array<int64_t, 8> dim{};
  std::array<double, 8> pixdim{};
  double vox_offset = 0;       // NIfTI-1: a float in the file
  int64_t vox_offset_int = 0;  // NIfTI-2
  double scl_slope = 0, scl_inter = 0, cal_max = 0, cal_min = 0, slice_duration = 0, toffset = 0;
  int64_t slice_start = 0, slice_end = 0;
  int64_t slice_code = 0, xyzt_units = 0, intent_code = 0, dim_info = 0, qform_code = 0, sform_code = 0;
  std::array<double, 3> intent_p{}, quatern{}, qoffset{};
  std::array<std::array<double, 4>, 3> srow{};
  std::string descrip, aux_file, intent_name;
};

/// sizeof_hdr as read in native order: 348, 540, or those byte-swapped; anything else is not NIfTI.
enum class HeaderKind { none, nifti1, nifti1_swapped, nifti2, nifti2_swapped };
HeaderKind sniff_header(std::span<const std::byte> bytes);
size_t fixed_header_size(HeaderKind kind);

/// `bytes` hold at least fixed_header_size(kind).
NiftiFields read_fields(std::span<const std::byte> bytes, HeaderKind kind);
/// 348 or 540 bytes in native order.
std::vector<std::byte> write_fields(const NiftiFields& fields);

}  // namespace voxloom::io

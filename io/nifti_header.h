// io/nifti_header.h: the header of a NIfTI-1 or NIfTI-2 image as a plain value: validated when parsed, written back by serialise.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/io/diagnostics.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace voxloom::io {

using Matrix44 = std::array<std::array<double, 4>, 4>;

/// One header extension: opaque bytes (the payload without its 8-byte prefix), kept verbatim.
struct NiftiExtension {
  int32_t code = 0;
  std::vector<std::byte> data;
  friend bool operator==(const NiftiExtension&, const NiftiExtension&) = default;
};

/// How a voxel lies in the file, where that differs from its storage dtype.
enum class VoxelForm : uint8_t {
  plain,       ///< one element of `dtype`
  channels,    ///< RGB24, RGBA32: 3 or 4 bytes, delivered as a trailing u8 axis
  float128,    ///< 16 bytes, delivered as f64
  complex256,  ///< 2 x 16 bytes, delivered as c128
};

/// The fields are normalised: dims hold exactly dim[1..dim[0]] of the file, texts end at their NUL, NaN scaling is resolved.
struct VOXLOOM_API NiftiHeader {
  int version = 1;       ///< 1 or 2
  bool pair = false;     ///< magic "ni1"/"ni2": voxels live in a separate .img
  bool swapped = false;  ///< the file has the other byte order
  int datatype = 16;     ///< NIfTI's code
  DType dtype = DType::f32;
  VoxelForm form = VoxelForm::plain;
  int channels = 0;           ///< 3 or 4 for form channels, otherwise 0
  std::vector<int64_t> dims;  ///< voxel axes, x first; trailing ones as in the file; the channel axis is not among them
  std::array<double, 8> pixdim{1, 1, 1, 1, 1, 1, 1, 1};
  int64_t vox_offset = 352;
  double slope = 1, inter = 0;
  bool scaled = false;  ///< slope and inter change values: value = stored * slope + inter
  double cal_min = 0, cal_max = 0;
  int qform_code = 0, sform_code = 0;
  std::array<double, 3> quatern{};  ///< b, c, d
  std::array<double, 3> qoffset{};
  std::array<std::array<double, 4>, 3> srow{};
  double toffset = 0, slice_duration = 0;
  int slice_code = 0;
  int64_t slice_start = 0, slice_end = 0;
  int dim_info = 0, xyzt_units = 0;
  int intent_code = 0;
  std::array<double, 3> intent_p{};
  std::string intent_name, descrip, aux_file;
  std::vector<NiftiExtension> extensions;

  /// dims, with the channel axis last where there is one.
  std::vector<int64_t> shape() const;
  int64_t voxel_count() const;
  /// Bytes of one voxel in the file and of all voxels.
  int64_t voxel_bytes() const;
  int64_t data_bytes() const { return voxel_count() * voxel_bytes(); }
  /// Voxel to millimetre: sform if its code is set, otherwise qform, otherwise pixdim centred with x flipped (nibabel's rule).
  Matrix44 affine() const;
  Matrix44 sform() const;
  Matrix44 qform() const;
  Matrix44 base_affine() const;
  /// Replaces the qform fields and pixdim[0..3] by the rigid transform with zooms nearest to `m`; shears are lost.
  void set_qform(const Matrix44& m);
  void set_sform(const Matrix44& m);
  /// Makes the header describe native-order data of `dtype` (boolean is written as u8) without scaling; cal_min/max are cleared.
  void set_storage(DType dtype);
};

/// NIfTI's code for a dtype; boolean maps to u8's.
VOXLOOM_API int nifti_datatype_of(DType dtype);
/// "RAS", "LPI", ...: the anatomical direction each voxel axis grows towards.
VOXLOOM_API std::string orientation_of(const Matrix44& affine);
/// For voxel axes 0..2: 1-based world axis (1 = x, left to right) it runs along, negative when it runs backwards; a permutation.
VOXLOOM_API std::array<int, 3> closest_world_axes(const Matrix44& affine);
/// Inverse of an affine; false if it is singular or not finite.
VOXLOOM_API bool invert_affine(const Matrix44& m, Matrix44& inverse);
VOXLOOM_API Matrix44 multiply(const Matrix44& a, const Matrix44& b);

/// What the parser must know about the file besides its first bytes.
struct HeaderContext {
  std::string path;
  int64_t file_bytes = 0;  ///< on disk
  bool gzip = false;       ///< file_bytes count compressed bytes
  bool strict = false;     ///< warnings become errors
};

/// Bytes of the file the parser wants at most (fewer if the file ends earlier).
inline constexpr size_t largest_fixed_header = 540;

/// Validates and normalises the fixed part of a header. Extensions are left empty: read_extensions fetches them.
/// For a single file it is checked that the voxels fit into the file; for a pair the caller does so with check_data_fits.
VOXLOOM_API NiftiHeader parse_nifti_header(std::span<const std::byte> bytes, const HeaderContext& context, Warnings& warnings);
/// `next(dst, n)` delivers the bytes that follow the fixed header and returns how many it had. Damaged extensions are dropped with a
/// warning.
VOXLOOM_API void read_extensions(NiftiHeader& header, const HeaderContext& context, Warnings& warnings,
                                 const std::function<size_t(std::byte*, size_t)>& next);
/// UserError(bad_input) unless vox_offset + data fit into a file of `file_bytes` (for gzip: could have been compressed to it).
VOXLOOM_API void check_data_fits(const NiftiHeader& header, const HeaderContext& context);

/// The bytes in front of the voxels: header, extensions, padding to vox_offset (a multiple of 16); for a pair the whole .hdr file.
/// Native byte order; NIfTI-2 is chosen with a warning where NIfTI-1 cannot hold a field. header.vox_offset and version are updated.
VOXLOOM_API std::vector<std::byte> serialise_nifti_header(NiftiHeader& header, std::string_view path, Warnings& warnings);

}  // namespace voxloom::io

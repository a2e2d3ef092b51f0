// io/npy.h: NumPy's .npy and .npz files, for exchanging arrays with NumPy; sizes are checked before anything is allocated.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/io/diagnostics.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace voxloom::io {

/// A dense array in native byte order.
struct NpyArray {
  DType dtype = DType::f64;
  std::vector<int64_t> shape;
  bool fortran = false;  ///< first axis fastest
  std::vector<std::byte> data;
};

/// An array of an archive; the name has no ".npy".
struct NamedNpyArray {
  std::string name;
  NpyArray array;
};

/// What an .npy file says before its elements.
struct NpyHeader {
  DType dtype = DType::f64;
  bool swapped = false;  ///< the elements are in the other byte order
  bool fortran = false;  ///< first axis fastest
  std::vector<int64_t> shape;
  int64_t data_offset = 0;  ///< of the first element in the file
};
/// Bytes that parse_npy_header() wants at most.
inline constexpr size_t largest_npy_header = 12 + 65535;

/// Whether a file begins as .npy files do.
VOXLOOM_API bool is_npy(std::span<const std::byte> bytes);
/// The header in the first bytes of a file of `file_bytes`, versions 1 to 3. UserError(bad_input) for one that is damaged, for objects and
/// structured dtypes, and where the elements are not all in the file; what follows them is ignored, as NumPy does.
VOXLOOM_API NpyHeader parse_npy_header(std::span<const std::byte> bytes, int64_t file_bytes, const std::string& path);
/// The bytes before the elements, which are in native order: a multiple of 64. UserError(dtype) for a dtype that NumPy lacks.
VOXLOOM_API std::vector<std::byte> serialise_npy_header(DType dtype, const std::vector<int64_t>& shape, bool fortran);

/// Bytes of an .npy file; `path` names it in errors (UserError(bad_input)). Big-endian arrays are swapped. No objects, no structured
/// dtypes.
VOXLOOM_API NpyArray parse_npy(std::span<const std::byte> bytes, const std::string& path);
VOXLOOM_API std::vector<std::byte> serialise_npy(const NpyArray& array);

VOXLOOM_API NpyArray read_npy(const std::string& path);
/// Replaces the file atomically.
VOXLOOM_API void write_npy(const std::string& path, const NpyArray& array);

/// Stored and deflated members, in the archive's order; checksums are verified.
VOXLOOM_API std::vector<NamedNpyArray> read_npz(const std::string& path);
/// Members are stored uncompressed, times are fixed: equal arrays give equal bytes. Replaces the file atomically.
VOXLOOM_API void write_npz(const std::string& path, const std::vector<NamedNpyArray>& arrays);

}  // namespace voxloom::io

// io/npy.h: NumPy's .npy and .npz files in memory, for exchanging arrays with NumPy; sizes are checked before anything is allocated.
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

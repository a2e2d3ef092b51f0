// io/sink.h: images and arrays as sinks of blocks: a file that appears under its name when every voxel has been written and commit() is called.
#pragma once

#include <voxloom/graph/type.h>
#include <voxloom/io/box.h>
#include <voxloom/io/nifti_header.h>

#include <memory>
#include <string>

namespace voxloom::io {

struct SinkOptions {
  bool no_fsync = false;    ///< do not wait for the disk
  bool no_clobber = false;  ///< refuse to replace an existing file
  int gzip_level = 1;       ///< 0 stores; 1 to 3 fast (ISA-L); 4 to 9 as zlib
  int threads = 1;          ///< that compress; the bytes do not depend on it
};

/// Takes dense blocks in native byte order: of an image F-order blocks of the header's dtype, of an array blocks in its order. Errors are RuntimeError(file); the old file stays as it was.
class VOXLOOM_API BlockSink {
 public:
  virtual ~BlockSink();
  /// Null for an array that is no image.
  virtual const NiftiHeader* header() const = 0;
  /// Blocks of a compressed file must come in the file's order, each contiguous with the one before it.
  virtual bool in_order_only() const = 0;
  /// Memory the sink itself may come to need.
  virtual int64_t buffer_bytes() const = 0;
  /// Uncompressed: any order, thread-safe, every voxel once.
  virtual void write(const Box& box, const std::byte* src) = 0;
  /// Flushes, renames into place. InternalError unless every voxel has been written. Without it the destructor removes the temporaries.
  virtual void commit() = 0;
};

/// The suffix decides: .nii, .nii.gz, .hdr or .img (both files are written), .hdr.gz or .img.gz. UserError(usage) for another suffix.
VOXLOOM_API std::unique_ptr<BlockSink> create_sink(const std::string& path, NiftiHeader header, const SinkOptions& options,
                                                   Warnings& warnings);

/// An .npy file. UserError(dtype) for a dtype that NumPy lacks.
VOXLOOM_API std::unique_ptr<BlockSink> create_npy_sink(const std::string& path, DType dtype, const std::vector<int64_t>& shape, Order order,
                                                       const SinkOptions& options);

/// What buffer_bytes() of such a sink will be, without making one.
VOXLOOM_API int64_t sink_buffer_bytes(const std::string& path, const SinkOptions& options);

}  // namespace voxloom::io

// io/source.h: images and arrays in files as sources of blocks: `read` delivers a box of voxels as they are stored in the file.
#pragma once

#include <voxloom/graph/type.h>
#include <voxloom/io/box.h>
#include <voxloom/io/file.h>
#include <voxloom/io/nifti_header.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace voxloom::io {

/// Two sources with equal identities deliver the same voxels and judge the file alike, so one can stand for the other.
struct SourceIdentity {
  FileId voxels, header;  ///< the same for a single file
  bool strict = false;
  friend bool operator==(const SourceIdentity&, const SourceIdentity&) = default;
};

/// What a reader must know to interpret the elements that a source delivers.
struct SourceInfo {
  std::string path;          ///< of the voxels (the .img of a pair)
  DType dtype = DType::f32;  ///< of the delivered elements
  bool swapped = false;      ///< delivered elements are in the other byte order
  bool scaled = false;       ///< value = element * slope + inter
  double slope = 1, inter = 0;
  std::vector<int64_t> dims;   ///< for RGB the last axis is the channel
  Order order = Order::F;      ///< of file and blocks: F, as all images are, or C for arrays whose last axis is the fastest
  int64_t bytes = 0;           ///< of all voxels in the file, uncompressed
  int64_t disk_bytes = 0;      ///< size of the file on disk
  bool in_order_only = false;  ///< compressed: reading backwards costs another pass over the file
  int64_t buffer_bytes = 0;    ///< memory the source itself needs while it is read
  int64_t gather_bytes = 0;    ///< and where blocks are not whole along every axis but stream_axis
  std::optional<SourceIdentity> identity = {};  ///< none where the voxels are in no file
  int stream_axis = 0;                          ///< slowest axis of the file: blocks along it are contiguous and in order
};

struct SourceOptions {
  bool strict = false;  ///< warnings become errors
};

/// Delivers raw storage elements (neither scaled nor byte-swapped) as dense blocks in the order of the file.
class VOXLOOM_API BlockSource {
 public:
  virtual ~BlockSource();
  virtual const SourceInfo& info() const = 0;
  /// Null where the file holds an array that is no image.
  virtual const NiftiHeader* header() const = 0;
  /// Fills dst with box.count() elements. Thread-safe; for a compressed source calls are serialised and best made in increasing order.
  /// The call that delivers the image's last voxel returns only when the checksums of the whole file have been found right.
  virtual void read(const Box& box, std::byte* dst, const std::atomic<bool>* cancel = nullptr) = 0;
  /// A hint that `box` is read next.
  virtual void will_need(const Box& box) = 0;
  /// Starts a new pass; only then is reading from the start again expected.
  virtual void rewind() = 0;
  /// Reads a compressed file to its end and checks it, if a pass is under way; nothing for others.
  virtual void finish_pass(const std::atomic<bool>* cancel = nullptr) = 0;
  /// Bytes fetched from the file so far.
  virtual uint64_t bytes_read() const = 0;
  /// Passes started over the voxels.
  virtual int passes() const = 0;
  /// Warnings found while reading (what follows the end of a compressed stream), each once.
  virtual Warnings take_warnings() = 0;
};

/// Opens .nii, .nii.gz, .hdr/.img and .hdr.gz/.img.gz (either file of a pair may be named), and .npy. The content decides, not the suffix; a
/// name is never guessed. Reads the header only.
VOXLOOM_API std::shared_ptr<BlockSource> open_source(const std::string& path, const SourceOptions& options, Warnings& warnings);
/// RuntimeError(limit) for a compressed image that declares more than 4 GiB, and than `memory` (0: none is set), and more than 256 times its size on
/// disk: deflate gets there with nothing but repetition, so the file is more likely made to fill a disk than to be looked at.
VOXLOOM_API void check_expansion(const BlockSource& source, int64_t memory);
/// The header alone. UserError(bad_input) for an array that is no image.
VOXLOOM_API NiftiHeader read_nifti_header(const std::string& path, const SourceOptions& options, Warnings& warnings);

}  // namespace voxloom::io

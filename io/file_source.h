// io/file_source.h: the parts of a source that raw and compressed files share. Internal to io.
#pragma once

#include <voxloom/io/file.h>
#include <voxloom/io/source.h>

#include <memory>
#include <optional>

namespace voxloom::io {

/// Cuts boxes into runs, converts what is not stored as delivered, and leaves fetching bytes to its two children.
class FileSource : public BlockSource {
 public:
  FileSource(File file, NiftiHeader header, const SourceIdentity& identity);
  const SourceInfo& info() const override { return info_; }
  const NiftiHeader* header() const override { return &header_; }

 protected:
  /// Reads n bytes of the voxels from byte `offset` of the (uncompressed) file.
  virtual void fetch(std::byte* dst, int64_t n, int64_t offset, const std::atomic<bool>* cancel) = 0;
  /// `read` for voxels that need converting, in pieces of about 1 MiB.
  void read_converted(const Box& box, std::byte* dst, const std::atomic<bool>* cancel);

  File file_;
  NiftiHeader header_;
  SourceInfo info_;
};

/// `array`: the file is no image but an array of this order, and `header` only tells how its elements lie, fastest axis first.
std::shared_ptr<BlockSource> make_raw_source(File file, NiftiHeader header, const SourceIdentity& identity, std::optional<Order> array);
std::shared_ptr<BlockSource> make_gzip_source(File file, NiftiHeader header, const SourceIdentity& identity);

}  // namespace voxloom::io

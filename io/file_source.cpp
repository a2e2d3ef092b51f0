// io/file_source.cpp: filling SourceInfo and reading voxels that need converting.
#include <voxloom/io/file_source.h>
#include <voxloom/io/voxel_form.h>

#include <algorithm>
#include <vector>

namespace voxloom::io {

BlockSource::~BlockSource() = default;

FileSource::FileSource(File file, NiftiHeader header, const SourceIdentity& identity) : file_(std::move(file)), header_(std::move(header)) {
  info_.identity = identity;
  info_.path = file_.path();
  info_.dtype = header_.dtype;
  info_.swapped = header_.swapped && header_.form == VoxelForm::plain && size_of(header_.dtype) > 1;
  info_.scaled = header_.scaled;
  info_.slope = header_.slope;
  info_.inter = header_.inter;
  info_.dims = header_.shape();
  info_.bytes = header_.data_bytes();
  info_.disk_bytes = file_.size();
  if (header_.form != VoxelForm::plain) info_.buffer_bytes = int64_t{1} << 20;
  info_.stream_axis = static_cast<int>(header_.dims.size()) - 1;
}

void FileSource::read_converted(const Box& box, std::byte* dst, const std::atomic<bool>* cancel) {
  const int64_t voxel_bytes = header_.voxel_bytes();
  const int64_t most = (int64_t{1} << 20) / voxel_bytes;
  std::vector<std::byte> scratch;
  for_each_run(voxel_box(header_, box), header_.dims, [&](int64_t first, int64_t count, int64_t at) {
    while (count > 0) {
      const int64_t piece = std::min(count, most);
      scratch.resize(static_cast<size_t>(piece * voxel_bytes));
      fetch(scratch.data(), piece * voxel_bytes, header_.vox_offset + first * voxel_bytes, cancel);
      decode_voxels(header_, box, scratch.data(), piece, at, dst);
      first += piece;
      at += piece;
      count -= piece;
    }
  });
}

}  // namespace voxloom::io

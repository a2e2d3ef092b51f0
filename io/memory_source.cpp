// io/memory_source.cpp: boxes of an array, packed in file order.
#include <voxloom/io/memory_source.h>

#include <algorithm>
#include <atomic>

namespace voxloom::io {
namespace {

class MemorySource final : public BlockSource {
 public:
  MemorySource(const Array& voxels, NiftiHeader header) : voxels_(voxels), header_(std::move(header)) {
    static std::atomic<int> count{0};
    info_.path = "array " + std::to_string(++count);
    info_.dtype = voxels.dtype();
    info_.swapped = voxels.swapped();
    info_.dims = header_.dims;
    info_.bytes = voxels.bytes();
    info_.stream_axis = std::max(0, static_cast<int>(info_.dims.size()) - 1);
  }

  const SourceInfo& info() const override { return info_; }
  const NiftiHeader* header() const override { return &header_; }

  void read(const Box& box, std::byte* dst, const std::atomic<bool>*) override {
    check_box(box, info_.dims);
    StridedView from = voxels_.view();
    for (size_t k = 0; k < box.start.size(); ++k) from.data += box.start[k] * from.strides[k];
    from.shape = box.extent;
    StridedView to = from;
    to.data = dst;
    to.strides = dense_strides(box.extent, size_of(info_.dtype), true);
    if (box.count() > 0) copy_strided(to, from);
  }

  void will_need(const Box&) override {}
  void rewind() override { passes_.fetch_add(1, std::memory_order_relaxed); }
  void finish_pass(const std::atomic<bool>*) override {}
  uint64_t bytes_read() const override { return 0; }
  int passes() const override { return passes_.load(std::memory_order_relaxed); }
  Warnings take_warnings() override { return {}; }

 private:
  Array voxels_;
  NiftiHeader header_;
  SourceInfo info_;
  std::atomic<int> passes_{0};
};

}  // namespace

std::shared_ptr<BlockSource> memory_source(const Array& voxels, NiftiHeader header) {
  internal_check(header.dims == voxels.shape().vector() && header.dtype == voxels.dtype(), "memory_source: the header describes the array");
  return std::make_shared<MemorySource>(voxels, std::move(header));
}

}  // namespace voxloom::io

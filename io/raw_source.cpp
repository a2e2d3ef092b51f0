// io/raw_source.cpp: uncompressed voxels by pread; near-by runs are fetched together.
#include <voxloom/io/file_source.h>

#include <fcntl.h>
#include <algorithm>
#include <cstring>

namespace voxloom::io {
namespace {

constexpr int64_t largest_gap = int64_t{4} << 10;         // below this, reading through a gap beats another call
constexpr int64_t largest_gathered = int64_t{512} << 10;  // span of runs fetched with one call
constexpr int64_t largest_piece = int64_t{64} << 20;      // between two looks at the cancel flag

void check_cancel(const std::atomic<bool>* cancel) {
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) fail_runtime(ErrorCode::cancelled, "read", "cancelled");
}

class RawSource final : public FileSource {
 public:
  RawSource(File file, NiftiHeader header, const SourceIdentity& identity, std::optional<Order> array)
      : FileSource(std::move(file), std::move(header), identity), is_image_(!array) {
    if (header_.form == VoxelForm::plain) info_.gather_bytes = largest_gathered;
    if (array == Order::C) {
      info_.order = Order::C;
      std::reverse(info_.dims.begin(), info_.dims.end());
      info_.stream_axis = 0;
    }
    posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }

  const NiftiHeader* header() const override { return is_image_ ? &header_ : nullptr; }

  void read(const Box& box, std::byte* dst, const std::atomic<bool>* cancel) override {
    check_box(box, info_.dims);
    begin_pass();
    if (header_.form != VoxelForm::plain) {
      if (box.count() > 0) read_converted(box, dst, cancel);
      return;
    }
    Gatherer gather{*this, dst, cancel, {}, {}};
    const int64_t item = header_.voxel_bytes();
    for_each_run(stored(box), header_.dims, [&](int64_t first, int64_t count, int64_t at) {
      gather.add({header_.vox_offset + first * item, count * item, at * item});
    });
    gather.flush();
  }

  void will_need(const Box& box) override {
    int64_t begin = -1, end = 0;
    const int64_t item = header_.voxel_bytes();
    Box voxels = stored(box);
    voxels.start.resize(header_.dims.size());
    voxels.extent.resize(header_.dims.size());
    for_each_run(voxels, header_.dims, [&](int64_t first, int64_t count, int64_t) {
      if (begin < 0) begin = first * item;
      end = (first + count) * item;
    });
    if (begin >= 0 && end - begin <= largest_piece) {
      posix_fadvise(file_.fd(), header_.vox_offset + begin, end - begin, POSIX_FADV_WILLNEED);
    }
  }

  void rewind() override { pass_open_.store(false, std::memory_order_relaxed); }
  void finish_pass(const std::atomic<bool>*) override {}
  uint64_t bytes_read() const override { return bytes_.load(std::memory_order_relaxed); }
  int passes() const override { return passes_.load(std::memory_order_relaxed); }
  Warnings take_warnings() override { return {}; }

 protected:
  void fetch(std::byte* dst, int64_t n, int64_t offset, const std::atomic<bool>* cancel) override {
    while (n > 0) {
      check_cancel(cancel);
      const int64_t piece = std::min(n, largest_piece);
      file_.read_at(dst, static_cast<size_t>(piece), offset);
      bytes_.fetch_add(static_cast<uint64_t>(piece), std::memory_order_relaxed);
      dst += piece;
      offset += piece;
      n -= piece;
    }
  }

 private:
  Box stored(const Box& box) const { return info_.order == Order::C ? reversed(box) : box; }

  struct Run {
    int64_t offset, bytes, at;
  };
  // Runs come in file order; those that lie close together are read with the gaps between them and picked apart.
  struct Gatherer {
    RawSource& source;
    std::byte* dst;
    const std::atomic<bool>* cancel;
    std::vector<Run> runs;
    std::vector<std::byte> scratch;

    void add(const Run& run) {
      if (!runs.empty()) {
        const int64_t gap = run.offset - (runs.back().offset + runs.back().bytes);
        if (gap > largest_gap || run.offset + run.bytes - runs.front().offset > largest_gathered) flush();
      }
      runs.push_back(run);
    }
    void flush() {
      if (runs.size() == 1) {
        source.fetch(dst + runs[0].at, runs[0].bytes, runs[0].offset, cancel);
      } else if (!runs.empty()) {
        const int64_t begin = runs.front().offset, end = runs.back().offset + runs.back().bytes;
        scratch.resize(static_cast<size_t>(end - begin));
        source.fetch(scratch.data(), end - begin, begin, cancel);
        for (const Run& run : runs) std::memcpy(dst + run.at, scratch.data() + (run.offset - begin), static_cast<size_t>(run.bytes));
      }
      runs.clear();
    }
  };

  void begin_pass() {
    if (!pass_open_.exchange(true, std::memory_order_relaxed)) passes_.fetch_add(1, std::memory_order_relaxed);
  }

  bool is_image_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<int> passes_{0};
  std::atomic<bool> pass_open_{false};
};

}  // namespace

std::shared_ptr<BlockSource> make_raw_source(File file, NiftiHeader header, const SourceIdentity& identity, std::optional<Order> array) {
  return std::make_shared<RawSource>(std::move(file), std::move(header), identity, array);
}

}  // namespace voxloom::io

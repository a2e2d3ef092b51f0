// io/gzip_source.cpp: compressed voxels: each pass is one thread that inflates the file in order.
#include <voxloom/io/file_source.h>
#include <voxloom/io/inflate_thread.h>

#include <mutex>
#include <utility>

namespace voxloom::io {
namespace {

class GzipSource final : public FileSource {
 public:
  GzipSource(File file, NiftiHeader header, const SourceIdentity& identity)
      : FileSource(std::move(file), std::move(header), identity), strict_(identity.strict) {
    info_.in_order_only = true;
    info_.buffer_bytes += InflateThread::buffer_bytes;
  }

  void read(const Box& box, std::byte* dst, const std::atomic<bool>* cancel) override {
    check_box(box, info_.dims);
    if (box.count() == 0) return;
    const std::lock_guard lock(mutex_);
    if (header_.form != VoxelForm::plain) {
      read_converted(box, dst, cancel);
    } else {
      const int64_t item = header_.voxel_bytes();
      for_each_run(box, header_.dims, [&](int64_t first, int64_t count, int64_t at) {
        fetch(dst + at * item, count * item, header_.vox_offset + first * item, cancel);
      });
    }
    if (pass_ && pass_->position() == header_.vox_offset + info_.bytes) end_pass();
  }

  void will_need(const Box&) override {}

  void rewind() override {
    const std::lock_guard lock(mutex_);
    close_pass();
  }

  void finish_pass(const std::atomic<bool>* cancel) override {
    const std::lock_guard lock(mutex_);
    if (!pass_) return;
    pass_->finish(cancel);
    end_pass();
  }

  uint64_t bytes_read() const override {
    const std::lock_guard lock(mutex_);
    return bytes_of_closed_passes_ + (pass_ ? pass_->bytes_fetched() : 0);
  }
  int passes() const override {
    const std::lock_guard lock(mutex_);
    return passes_;
  }
  Warnings take_warnings() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
  }

 protected:
  void fetch(std::byte* dst, int64_t n, int64_t offset, const std::atomic<bool>* cancel) override {
    if (pass_ && pass_->position() > offset) close_pass();
    if (!pass_) {
      pass_ = std::make_unique<InflateThread>(file_, header_.vox_offset + info_.bytes);
      ++passes_;
    }
    if (pass_->position() < offset) pass_->read(nullptr, offset - pass_->position(), cancel);
    pass_->read(dst, n, cancel);
  }

 private:
  // The pass has been read and verified to its end.
  void end_pass() {
    for (const std::string& remark : pass_->take_remarks()) {
      if (strict_) fail_input(file_.path(), remark + " (an error because of strict)");
      if (!remarked_) warnings_.push_back(printable_path(file_.path()) + ": " + remark);
    }
    remarked_ = true;
  }

  void close_pass() {
    if (pass_) bytes_of_closed_passes_ += pass_->bytes_fetched();
    pass_.reset();
  }

  mutable std::mutex mutex_;
  bool strict_;
  bool remarked_ = false;
  std::unique_ptr<InflateThread> pass_;
  int passes_ = 0;
  uint64_t bytes_of_closed_passes_ = 0;
  Warnings warnings_;
};

}  // namespace

std::shared_ptr<BlockSource> make_gzip_source(File file, NiftiHeader header, const SourceIdentity& identity) {
  return std::make_shared<GzipSource>(std::move(file), std::move(header), identity);
}

}  // namespace voxloom::io

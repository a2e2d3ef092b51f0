// runtime/buffer.h: a reference-counted handle to a block of memory on a device.
#pragma once

#include <voxloom/graph/export.h>
#include <voxloom/runtime/device.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace voxloom {

namespace detail {

/// Header of a block. Whoever makes blocks (a pool, a wrapper, a GPU back end) derives from it and sets `release`, which is called
/// once when the last handle goes.
struct alignas(64) BufferBlock {
  std::atomic<uint32_t> refs{1};
  uint32_t size_class = 0;
  DeviceId device;
  std::byte* data = nullptr;
  int64_t bytes = 0;     ///< as asked for
  int64_t capacity = 0;  ///< as owned; at least bytes
  void* owner = nullptr;
  void (*release)(BufferBlock*) noexcept = nullptr;
  BufferBlock* next = nullptr;
};

}  // namespace detail

/// Shared ownership of memory. Copying a handle is one atomic increment. Handles may be used from several threads like shared_ptr.
class Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(const Buffer& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() { drop(); }

  /// Memory of somebody else; `keep_alive` is released with the last handle (it may be empty: the caller then promises the lifetime).
  VOXLOOM_API static Buffer wrap(void* data, int64_t bytes, std::shared_ptr<const void> keep_alive, DeviceId device = {});
  /// Takes over one reference to a block.
  static Buffer adopt(detail::BufferBlock* block) noexcept {
    Buffer buffer;
    buffer.block_ = block;
    return buffer;
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  std::byte* data() const noexcept { return block_ != nullptr ? block_->data : nullptr; }
  int64_t bytes() const noexcept { return block_ != nullptr ? block_->bytes : 0; }
  int64_t capacity() const noexcept { return block_ != nullptr ? block_->capacity : 0; }
  DeviceId device() const noexcept { return block_ != nullptr ? block_->device : DeviceId{}; }
  /// Number of handles, this one included; exact only when it is 1, since others may copy theirs at any time.
  uint32_t use_count() const noexcept { return block_ != nullptr ? block_->refs.load(std::memory_order_acquire) : 0; }
  /// True if nobody else holds the memory, so that it may be written again (a borrowed output's next call asks this).
  bool unique() const noexcept { return use_count() == 1; }
  void reset() noexcept { drop(), block_ = nullptr; }
  friend bool operator==(const Buffer& a, const Buffer& b) noexcept { return a.block_ == b.block_; }

 private:
  void drop() noexcept {
    if (block_ != nullptr && block_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) block_->release(block_);
  }
  detail::BufferBlock* block_ = nullptr;
};

}  // namespace voxloom

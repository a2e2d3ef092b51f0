// runtime/buffer.cpp: buffers around memory that somebody else owns.
#include <voxloom/runtime/buffer.h>

#include <voxloom/graph/error.h>

#include <new>

namespace voxloom {
namespace {

struct WrappedBlock : detail::BufferBlock {
  std::shared_ptr<const void> keep_alive;
};

}  // namespace

Buffer Buffer::wrap(void* data, int64_t bytes, std::shared_ptr<const void> keep_alive, DeviceId device) {
  auto* const block = new (std::nothrow) WrappedBlock;
  if (block == nullptr) fail_runtime(ErrorCode::limit, "buffer", "no memory for the description of a buffer");
  block->device = device;
  block->data = static_cast<std::byte*>(data);
  block->bytes = block->capacity = bytes;
  block->release = [](detail::BufferBlock* b) noexcept { delete static_cast<WrappedBlock*>(b); };
  block->keep_alive = std::move(keep_alive);
  return adopt(block);
}

}  // namespace voxloom

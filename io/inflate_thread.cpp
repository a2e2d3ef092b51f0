// io/inflate_thread.cpp: the decoder's loop and the reader's side of the ring.
#include <voxloom/io/diagnostics.h>
#include <voxloom/io/gzip_reader.h>
#include <voxloom/io/inflate_thread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace voxloom::io {
namespace {
constexpr int64_t tolerated_surplus = int64_t{1} << 20;
}

InflateThread::InflateThread(const File& file, int64_t wanted) : file_(file), wanted_(wanted), thread_([this] { decode(); }) {}

InflateThread::~InflateThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void InflateThread::decode() {
  std::exception_ptr error;
  try {
    decode_pieces();
  } catch (...) { error = std::current_exception(); }
  const std::lock_guard lock(mutex_);
  error_ = error;
  ended_ = true;
  changed_.notify_all();
}

// The piece that holds the last wanted byte is published only after the rest of the stream has been verified.
void InflateThread::decode_pieces() {
  GzipReader reader(file_);
  int64_t delivered = 0;
  while (delivered < wanted_) {
    Piece* piece = nullptr;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || produced_ - consumed_ < pieces; });
      if (stop_) return;
      piece = &ring_[produced_ % pieces];
    }
    const auto size = static_cast<size_t>(std::min<int64_t>(piece_bytes, wanted_ - delivered));
    piece->bytes.resize(piece_bytes);
    piece->size = reader.read(piece->bytes.data(), size);
    delivered += static_cast<int64_t>(piece->size);
    fetched_.store(reader.bytes_fetched(), std::memory_order_relaxed);
    if (piece->size < size) {
      fail_field(file_.path(), "decompressed size", std::to_string(delivered), "at least " + std::to_string(wanted_) + " by the header");
    }
    if (delivered == wanted_) check_surplus(reader, delivered);
    const std::lock_guard lock(mutex_);
    ++produced_;
    changed_.notify_all();
  }
}

void InflateThread::check_surplus(GzipReader& reader, int64_t delivered) {
  std::vector<std::byte> scratch(size_t{64} << 10);
  int64_t surplus = 0;
  while (const size_t n = reader.read(scratch.data(), scratch.size())) {
    surplus += static_cast<int64_t>(n);
    if (surplus > tolerated_surplus) {
      fail_field(file_.path(), "decompressed size", "more than " + std::to_string(delivered + tolerated_surplus),
                 "at most 1 MiB more than the " + std::to_string(delivered) + " bytes of the header", ErrorCode::limit);
    }
  }
  fetched_.store(reader.bytes_fetched(), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (surplus > 0) remarks_.push_back(std::to_string(surplus) + " decompressed bytes behind the voxels are ignored");
  if (reader.trailing_garbage()) remarks_.push_back(*reader.trailing_garbage());
}

bool InflateThread::wait_for_piece(const std::atomic<bool>* cancel) {
  std::unique_lock lock(mutex_);
  while (produced_ == consumed_ && !ended_) {
    changed_.wait_for(lock, std::chrono::milliseconds(cancel != nullptr ? 20 : 1000));
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) fail_runtime(ErrorCode::cancelled, "read", "cancelled");
  }
  if (produced_ != consumed_) return true;
  if (error_) std::rethrow_exception(error_);
  return false;
}

void InflateThread::read(std::byte* dst, int64_t n, const std::atomic<bool>* cancel) {
  while (n > 0) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) fail_runtime(ErrorCode::cancelled, "read", "cancelled");
    internal_check(wait_for_piece(cancel), "a gzip source is read within its declared size");
    Piece& piece = ring_[consumed_ % pieces];
    const auto take = std::min(static_cast<size_t>(n), piece.size - used_);
    if (dst != nullptr) {
      std::memcpy(dst, piece.bytes.data() + used_, take);
      dst += take;
    }
    used_ += take;
    n -= static_cast<int64_t>(take);
    position_ += static_cast<int64_t>(take);
    if (used_ == piece.size) {
      used_ = 0;
      const std::lock_guard lock(mutex_);
      ++consumed_;
      changed_.notify_all();
    }
  }
}

void InflateThread::finish(const std::atomic<bool>* cancel) { read(nullptr, wanted_ - position_, cancel); }

std::vector<std::string> InflateThread::take_remarks() {
  const std::lock_guard lock(mutex_);
  return std::exchange(remarks_, {});
}

}  // namespace voxloom::io

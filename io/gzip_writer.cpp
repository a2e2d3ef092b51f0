// io/gzip_writer.cpp: the block compressors (ISA-L for the fast levels, zlib for the others) and the ordered writer.
#include <voxloom/graph/error.h>
#include <voxloom/io/gzip_writer.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <algorithm>
#include <array>
#include <cstring>

namespace voxloom::io {
namespace {

constexpr size_t block_bytes = size_t{1} << 20;
constexpr int highest_isal_level = 3;
constexpr int most_threads = 64;

uint8_t* raw(std::byte* p) { return reinterpret_cast<uint8_t*>(p); }

std::vector<std::byte> deflate_isal(const std::vector<std::byte>& in, int level, bool last) {
  constexpr std::array<uint32_t, 4> work_bytes{ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
  std::vector<std::byte> out(in.size() + in.size() / 1000 + 4096), work(work_bytes[static_cast<size_t>(level)]);
  isal_zstream stream;
  isal_deflate_init(&stream);
  stream.level = static_cast<uint32_t>(level);
  stream.level_buf = raw(work.data());
  stream.level_buf_size = static_cast<uint32_t>(work.size());
  stream.flush = last ? NO_FLUSH : FULL_FLUSH;
  stream.end_of_stream = last ? 1 : 0;
  stream.next_in = const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(in.data()));
  stream.avail_in = static_cast<uint32_t>(in.size());
  size_t done = 0;
  for (;;) {
    stream.next_out = raw(out.data() + done);
    stream.avail_out = static_cast<uint32_t>(out.size() - done);
    internal_check(isal_deflate(&stream) == COMP_OK, "ISA-L compresses a block");
    done = out.size() - stream.avail_out;
    if (stream.avail_out > 0) break;
    out.resize(out.size() * 2);
  }
  out.resize(done);
  return out;
}

std::vector<std::byte> deflate_zlib(const std::vector<std::byte>& in, int level, bool last) {
  z_stream stream{};
  internal_check(deflateInit2(&stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib starts a block");
  std::vector<std::byte> out(deflateBound(&stream, in.size()) + 64);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = raw(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, last ? Z_FINISH : Z_FULL_FLUSH);
  const bool complete = last ? code == Z_STREAM_END : code == Z_OK && stream.avail_in == 0 && stream.avail_out > 0;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  internal_check(complete, "zlib compresses a block in one call");
  return out;
}

}  // namespace

GzipWriter::GzipWriter(AtomicFile& file, int level, int threads) : file_(file), level_(std::clamp(level, 0, 9)) {
  current_.reserve(block_bytes);
  // Method deflate, no flags, no time, XFL 4 for the fast levels, system unknown.
  const std::array<unsigned char, 10> header{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, static_cast<unsigned char>(level_ <= highest_isal_level ? 4 : 0),
                                             255};
  file_.write_at(reinterpret_cast<const std::byte*>(header.data()), header.size(), 0);
  offset_ = header.size();
  for (int i = 0; i < std::clamp(threads, 0, most_threads); ++i) threads_.emplace_back([this] { work(); });
}

int64_t GzipWriter::buffer_bytes(int threads) { return (4 * std::clamp(threads, 0, most_threads) + 4) * static_cast<int64_t>(block_bytes); }

GzipWriter::~GzipWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void GzipWriter::write(const std::byte* src, size_t n) {
  while (n > 0) {
    if (current_.size() == block_bytes) submit(false);  // only when more follows, so that the last block is never empty
    const size_t take = std::min(n, block_bytes - current_.size());
    current_.insert(current_.end(), src, src + take);
    src += take;
    n -= take;
  }
}

void GzipWriter::finish() {
  submit(true);
  wait_for_room(0);
  std::array<unsigned char, 8> trailer;
  for (size_t i = 0; i < 4; ++i) {
    trailer[i] = static_cast<unsigned char>(crc_ >> (8 * i));
    trailer[4 + i] = static_cast<unsigned char>(input_bytes_ >> (8 * i));
  }
  file_.write_at(reinterpret_cast<const std::byte*>(trailer.data()), trailer.size(), offset_);
}

void GzipWriter::submit(bool last) {
  Block block{submitted_++, last, std::move(current_)};
  current_ = {};
  current_.reserve(last ? 0 : block_bytes);
  if (threads_.empty()) {
    const uint64_t number = block.number;
    store(number, compress(block));
    wait_for_room(0);
    return;
  }
  wait_for_room(2 * threads_.size());
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(block));
  changed_.notify_all();
}

// Waits until at most `most_open` of the submitted blocks are unwritten (the one being submitted not counted); rethrows a writer's error.
void GzipWriter::wait_for_room(uint64_t most_open) {
  std::unique_lock lock(mutex_);
  const uint64_t before = most_open == 0 ? submitted_ : submitted_ - 1;
  changed_.wait(lock, [&] { return error_ != nullptr || before - written_blocks_ <= most_open; });
  if (error_) std::rethrow_exception(error_);
}

void GzipWriter::work() {
  for (;;) {
    Block block;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (stop_) return;
      block = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      store(block.number, compress(block));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      changed_.notify_all();
      return;
    }
  }
}

GzipWriter::Result GzipWriter::compress(const Block& block) const {
  Result result;
  result.input_bytes = block.data.size();
  result.crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(block.data.data()), block.data.size());
  const bool isal = level_ >= 1 && level_ <= highest_isal_level;
  result.data = isal ? deflate_isal(block.data, level_, block.last) : deflate_zlib(block.data, level_, block.last);
  return result;
}

// Whoever finishes the next block in order writes it and all that wait behind it.
void GzipWriter::store(uint64_t number, Result result) {
  std::unique_lock lock(mutex_);
  finished_.emplace(number, std::move(result));
  if (writing_) return;
  writing_ = true;
  while (!error_ && !finished_.empty() && finished_.begin()->first == written_blocks_) {
    const Result next = std::move(finished_.begin()->second);
    finished_.erase(finished_.begin());
    lock.unlock();
    try {
      file_.write_at(next.data.data(), next.data.size(), offset_);
    } catch (...) {
      lock.lock();
      error_ = std::current_exception();
      break;
    }
    lock.lock();
    offset_ += static_cast<int64_t>(next.data.size());
    crc_ = static_cast<uint32_t>(crc32_combine(crc_, next.crc, static_cast<z_off_t>(next.input_bytes)));
    input_bytes_ += next.input_bytes;
    ++written_blocks_;
    changed_.notify_all();
  }
  writing_ = false;
  changed_.notify_all();
}

}  // namespace voxloom::io

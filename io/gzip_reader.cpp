// io/gzip_reader.cpp: gzip members through ISA-L's inflate.
#include <voxloom/io/diagnostics.h>
#include <voxloom/io/gzip_reader.h>

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <algorithm>
#include <cstring>

namespace voxloom::io {
namespace {

constexpr size_t input_bytes = size_t{256} << 10;

std::string meaning_of(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK: return "an invalid deflate block";
    case ISAL_INVALID_SYMBOL: return "an invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK: return "an invalid deflate distance";
    case ISAL_INVALID_WRAPPER: return "an invalid gzip header";
    case ISAL_UNSUPPORTED_METHOD: return "an unknown compression method";
    case ISAL_INCORRECT_CHECKSUM: return "a wrong CRC or length of the data";
    default: return "code " + std::to_string(code);
  }
}

}  // namespace

GzipReader::GzipReader(const File& file) : file_(file), state_(std::make_unique<inflate_state>()), input_(input_bytes) {
  state_->next_in = nullptr;
  state_->avail_in = 0;
  posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

GzipReader::~GzipReader() = default;

int64_t GzipReader::position() const { return fetched_ - static_cast<int64_t>(state_->avail_in); }

void GzipReader::fail(const std::string& what) const {
  fail_field(file_.path(), "gzip data", what + " near byte " + std::to_string(position()), "an undamaged gzip stream");
}

// Keeps what is left of the input at its front and appends from the file; false at the end of the file.
bool GzipReader::refill() {
  const size_t left = state_->avail_in;
  if (left > 0) std::memmove(input_.data(), state_->next_in, left);
  const auto piece = static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(input_.size() - left), file_.size() - fetched_));
  file_.read_at(input_.data() + left, piece, fetched_);
  fetched_ += static_cast<int64_t>(piece);
  state_->next_in = reinterpret_cast<uint8_t*>(input_.data());
  state_->avail_in = static_cast<uint32_t>(left + piece);
  return piece > 0;
}

void GzipReader::start_member() {
  uint8_t* const next = state_->next_in;
  const uint32_t available = state_->avail_in;
  isal_inflate_init(state_.get());
  state_->crc_flag = ISAL_GZIP;
  state_->next_in = next;
  state_->avail_in = available;
  in_member_ = true;
}

// Decides what follows a finished member: another one, zero padding, garbage, or nothing.
void GzipReader::end_member() {
  in_member_ = false;
  if (state_->avail_in < 2) refill();
  const uint8_t* next = state_->next_in;
  if (state_->avail_in >= 2 && next[0] == 0x1f && next[1] == 0x8b) return;
  at_end_ = true;
  const int64_t garbage_from = position();
  do {
    const uint8_t* const begin = state_->next_in;
    if (std::any_of(begin, begin + state_->avail_in, [](uint8_t b) { return b != 0; })) {
      garbage_ = "bytes behind the gzip data, from byte " + std::to_string(garbage_from) + ", are ignored";
      return;
    }
    state_->avail_in = 0;
  } while (refill());
}

size_t GzipReader::read(std::byte* dst, size_t n) {
  size_t done = 0;
  while (done < n && !at_end_) {
    if (!in_member_) {
      if (state_->avail_in == 0 && !refill()) fail("an empty file");
      start_member();
    }
    if (state_->avail_in == 0) refill();
    const auto piece = static_cast<uint32_t>(std::min<size_t>(n - done, size_t{1} << 30));
    state_->next_out = reinterpret_cast<uint8_t*>(dst + done);
    state_->avail_out = piece;
    const uint32_t input_before = state_->avail_in;
    const int code = isal_inflate(state_.get());
    done += piece - state_->avail_out;
    if (code < 0) fail(meaning_of(code));
    if (code > ISAL_OUT_OVERFLOW) fail(meaning_of(code));
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      end_member();
      continue;
    }
    const bool stuck = state_->avail_out == piece && state_->avail_in == input_before;
    if (stuck && !(state_->avail_in < input_.size() && refill())) fail("a truncated stream");
  }
  return done;
}

}  // namespace voxloom::io

// bench/image_file.cpp: see image_file.h.
#include "image_file.h"

#include "hand.h"

#include <fcntl.h>
#include <isa-l.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace bench {
namespace {

constexpr size_t header_bytes = 352;

struct File {
  int fd;
  File(const std::string& path, int flags) : fd(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd < 0) throw std::runtime_error("cannot open " + path);
  }
  ~File() { ::close(fd); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
};

void check(ssize_t done, size_t asked) {
  if (done < 0 || static_cast<size_t>(done) != asked) throw std::runtime_error("short read or write");
}
void write_at(const File& f, const void* data, size_t n, size_t at) { check(::pwrite(f.fd, data, n, static_cast<off_t>(at)), n); }
void read_at(const File& f, void* data, size_t n, size_t at) { check(::pread(f.fd, data, n, static_cast<off_t>(at)), n); }

std::array<char, header_bytes> header(const ImageSize& size, bool series, int16_t datatype, int16_t bits) {
  std::array<char, header_bytes> h{};
  const auto put = [&](size_t at, auto value) { std::memcpy(h.data() + at, &value, sizeof value); };
  put(0, int32_t{348});
  const int16_t dim[] = {static_cast<int16_t>(series ? 4 : 3), size.x, size.y, size.z, static_cast<int16_t>(series ? size.t : 1), 1, 1, 1};
  const float pixdim[] = {1, 2, 2, 2, 1, 1, 1, 1};
  for (size_t i = 0; i < 8; ++i) put(40 + 2 * i, dim[i]), put(76 + 4 * i, pixdim[i]);
  put(70, datatype);
  put(72, bits);
  put(108, 352.0f);
  put(112, 1.0f);
  put(123, char{2 | 8});  // mm, s
  put(254, int16_t{1});   // sform
  for (size_t i = 0; i < 3; ++i) put(280 + 16 * i + 4 * i, 2.0f);
  std::memcpy(h.data() + 344, "n+1", 4);
  return h;
}

}  // namespace

void write_image(const std::string& path, const ImageSize& size) {
  const File f(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_at(f, header(size, true, 4, 16).data(), header_bytes, 0);
  std::vector<int16_t> base(size.volume()), volume(size.volume());
  const auto square = [](int i, int n) { return std::pow((i + 0.5) / n * 2 - 1, 2); };
  size_t i = 0;
  for (int z = 0; z < size.z; ++z)
    for (int y = 0; y < size.y; ++y)
      for (int x = 0; x < size.x; ++x, ++i) {
        const double r = square(x, size.x) + square(y, size.y) + square(z, size.z);
        base[i] = static_cast<int16_t>(r < 0.9 ? 600 + 500 * std::cos(9 * r) : 8);
      }
  uint64_t state = 1;
  for (int t = 0; t < size.t; ++t) {
    for (i = 0; i < base.size(); ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto noise = static_cast<int>(state >> 59) - 16;
      volume[i] = static_cast<int16_t>(base[i] > 8 ? base[i] + noise : base[i] + noise / 4);
    }
    write_at(f, volume.data(), 2 * volume.size(), header_bytes + 2 * volume.size() * static_cast<size_t>(t));
  }
}

void halve_by_hand(const std::string& in, const std::string& out, const ImageSize& size, HandThreads& threads, bool fsync) {
  const File from(in, O_RDONLY), to(out, O_WRONLY | O_CREAT | O_TRUNC);
  write_at(to, header(size, true, 16, 32).data(), header_bytes, 0);
  threads.run_pieces(size.voxels(), size_t{1} << 17, [&](size_t begin, size_t end) {
    thread_local std::vector<int16_t> raw(size_t{1} << 17);
    thread_local std::vector<float> values(size_t{1} << 17);
    read_at(from, raw.data(), 2 * (end - begin), header_bytes + 2 * begin);
    hand_loops().halve(raw.data(), values.data(), end - begin);
    write_at(to, values.data(), 4 * (end - begin), header_bytes + 4 * begin);
  });
  if (fsync && ::fsync(to.fd) != 0) throw std::runtime_error("fsync failed");
}

void mean_by_hand(const std::string& in, const std::string& out, const ImageSize& size, HandThreads& threads) {
  const File from(in, O_RDONLY), to(out, O_WRONLY | O_CREAT | O_TRUNC);
  write_at(to, header(size, false, 16, 32).data(), header_bytes, 0);
  const size_t n = size.volume();
  threads.run_pieces(n, (n + 1) / 2, [&](size_t begin, size_t end) {
    std::vector<int16_t> raw(end - begin);
    std::vector<int32_t> sums(end - begin);
    std::vector<float> means(end - begin);
    for (size_t t = 0; t < static_cast<size_t>(size.t); ++t) {
      read_at(from, raw.data(), 2 * raw.size(), header_bytes + 2 * (n * t + begin));
      hand_loops().accumulate(raw.data(), sums.data(), raw.size());
    }
    for (size_t i = 0; i < means.size(); ++i) means[i] = static_cast<float>(static_cast<double>(sums[i]) / size.t);
    write_at(to, means.data(), 4 * means.size(), header_bytes + 4 * begin);
  });
}

size_t inflate_by_hand(const std::string& path) {
  const File f(path, O_RDONLY);
  std::vector<uint8_t> in(size_t{256} << 10), out(size_t{256} << 10);
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  size_t total = 0;
  bool ended = false;
  while (true) {
    if (state.avail_in == 0) {
      const ssize_t n = ::read(f.fd, in.data(), in.size());
      if (n <= 0) break;
      state.next_in = in.data();
      state.avail_in = static_cast<uint32_t>(n);
    }
    if (ended) {  // another member follows
      isal_inflate_reset(&state);
      state.crc_flag = ISAL_GZIP;
      ended = false;
    }
    state.next_out = out.data();
    state.avail_out = static_cast<uint32_t>(out.size());
    if (isal_inflate(&state) != ISAL_DECOMP_OK) throw std::runtime_error("inflate failed");
    total += out.size() - state.avail_out;
    ended = state.block_state == ISAL_BLOCK_FINISH;
  }
  return total;
}

}  // namespace bench

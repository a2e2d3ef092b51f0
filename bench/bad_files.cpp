// bench/bad_files.cpp: how long the command takes to refuse damaged files; what the right refusals are is for tests/io.
#include "harness.h"
#include "image_file.h"
#include "process.h"

#include <isa-l.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace bench {
namespace {

namespace fs = std::filesystem;

struct Damage {
  const char* name;
  size_t at;          ///< offset in the header
  std::string bytes;  ///< put there
};

template <class T> std::string as_bytes(T value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

std::vector<Damage> header_damages() {
  return {{"sizeof_hdr", 0, as_bytes(int32_t{347})},       {"dim[0] = 9", 40, as_bytes(int16_t{9})},
          {"dim[1] = -1", 42, as_bytes(int16_t{-1})},      {"dim[2] = 0", 44, as_bytes(int16_t{0})},
          {"huge dims", 42, std::string(14, '\x7f')},      {"datatype", 70, as_bytes(int16_t{3})},
          {"vox_offset -1", 108, as_bytes(-1.0f)},         {"vox_offset 1e30", 108, as_bytes(1e30f)},
          {"vox_offset NaN", 108, std::string(4, '\xff')}, {"magic", 344, std::string("xyz\0", 4)},
          {"noise", 0, std::string(348, '\x5a')}};
}

std::string read_file(const std::string& path) {
  std::ifstream f(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(f), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// `head` and then `zeros` zero bytes as one gzip member.
void write_bomb(const std::string& path, const std::string& head, size_t zeros) {
  std::ofstream f(path, std::ios::binary);
  std::vector<uint8_t> level(ISAL_DEF_LVL1_DEFAULT), in(size_t{1} << 20), out(size_t{1} << 20);
  isal_zstream stream;
  isal_deflate_init(&stream);
  stream.level = 1;
  stream.level_buf = level.data();
  stream.level_buf_size = static_cast<uint32_t>(level.size());
  stream.gzip_flag = IGZIP_GZIP;
  std::memcpy(in.data(), head.data(), head.size());
  size_t left = head.size() + zeros;
  while (left > 0) {
    const size_t n = std::min(left, in.size());
    left -= n;
    stream.next_in = in.data();
    stream.avail_in = static_cast<uint32_t>(n);
    stream.end_of_stream = left == 0 ? 1 : 0;
    do {
      stream.next_out = out.data();
      stream.avail_out = static_cast<uint32_t>(out.size());
      isal_deflate(&stream);
      f.write(reinterpret_cast<const char*>(out.data()), static_cast<std::streamsize>(out.size() - stream.avail_out));
    } while (stream.avail_out == 0);
    std::memset(in.data(), 0, std::min(in.size(), head.size()));
  }
}

/// The slowest refusal of a list of commands; each must fail by itself, neither succeed nor crash.
struct Worst {
  double seconds = 0;
  std::string name, wrong;
  void add(const std::string& what, const Finished& done) {
    if (done.status == 0 || done.status >= 128) wrong += what + " gave status " + std::to_string(done.status) + "; ";
    if (done.seconds > seconds) seconds = done.seconds, name = what;
  }
  void report(Report& report, const std::string& figure, double limit_ms) const {
    report.figure(figure, seconds * 1e3, "ms", limit_ms);
    report.detail("slowest", name);
    report.detail("wrong answers", wrong.empty() ? "none" : wrong);
  }
};

}  // namespace

void run_bad_files(const Options& options, Report& report, const Wanted& wanted) {
  if (!wanted("bad_headers") && !wanted("bad_files")) return;
  if (options.command.empty()) return report.skip("bad_headers", "there is no voxloom command beside this program");
  const std::string good = options.scratch + "/good.nii", bad = options.scratch + "/bad.nii", bad_gz = bad + ".gz",
                    out = options.scratch + "/bad_out.nii";
  write_image(good, {20, 20, 20, 10});
  const std::string bytes = read_file(good);
  const auto halve = [&](const std::string& in, const std::string& to) {
    return run_program({"/bin/sh", "-c", "exec \"$0\" math a/2 \"$1\" -o \"$2\" --quiet 2>/dev/null", options.command, in, to});
  };
  if (wanted("bad_headers")) {
    Worst worst;
    for (const Damage& d : header_damages()) {
      std::string damaged = bytes;
      damaged.replace(d.at, d.bytes.size(), d.bytes);
      write_file(bad, damaged);
      worst.add(d.name, halve(bad, out));
    }
    write_file(bad, bytes.substr(0, 100));
    worst.add("100 bytes", halve(bad, out));
    write_file(bad, "");
    worst.add("empty", halve(bad, out));
    worst.report(report, "bad_headers", 100);
  }
  if (wanted("bad_files")) {
    Worst worst;
    write_file(bad, bytes.substr(0, bytes.size() - 1));
    worst.add("one byte short", halve(bad, out));
    write_bomb(bad_gz, bytes.substr(0, 352), options.quick ? size_t{1} << 24 : size_t{4} << 30);
    worst.add("a gzip bomb", halve(bad_gz, out));
    write_bomb(bad_gz, bytes, 0);
    const std::string packed = read_file(bad_gz);
    write_file(bad_gz, packed.substr(0, packed.size() / 2));
    worst.add("gzip cut in the middle", halve(bad_gz, out));
    std::string flipped = packed;
    flipped[packed.size() - 6] = static_cast<char>(flipped[packed.size() - 6] ^ 1);
    write_file(bad_gz, flipped);
    worst.add("gzip with a wrong checksum", halve(bad_gz, out));
    worst.add("a full disk", halve(good, "/dev/full"));
    worst.add("no such folder", halve(good, options.scratch + "/none/out.nii"));
    worst.report(report, "bad_files", 10'000);
  }
  for (const std::string& path : {good, bad, bad_gz, out}) fs::remove(path);
}

}  // namespace bench

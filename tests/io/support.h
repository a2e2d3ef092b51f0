// tests/io/support.h: temporary folders, byte files, headers made by hand and whole-image reads and writes for the io tests.
#pragma once

#include <voxloom/io/sink.h>
#include <voxloom/io/source.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace io_test {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;
using namespace voxloom;
using namespace voxloom::io;

/// A fresh folder, removed with all it holds.
class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "voxloom-io-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const fs::path& path() const { return path_; }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(path_)) result.push_back(entry.path().filename().string());
    std::sort(result.begin(), result.end());
    return result;
  }

 private:
  fs::path path_;
};

inline void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out) throw std::runtime_error("cannot write " + path);
}

inline Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  Bytes bytes(static_cast<size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) throw std::runtime_error("cannot read " + path);
  return bytes;
}

inline Bytes random_bytes(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 0xff);
  return bytes;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <class T> void put(Bytes& bytes, size_t offset, T value) { std::memcpy(bytes.data() + offset, &value, sizeof value); }
template <class T> T get(const Bytes& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// Swaps every element of `size` bytes.
inline void swap_elements(std::byte* data, size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) std::reverse(data + i * size, data + (i + 1) * size);
}

inline NiftiHeader make_header(std::vector<int64_t> dims, DType dtype, int version = 1) {
  NiftiHeader h;
  h.version = version;
  h.dims = std::move(dims);
  h.set_storage(dtype);
  h.pixdim = {1, 2, 3, 4, 1.5, 0, 0, 0};
  return h;
}

/// Writes a whole image in one block.
inline void save(const std::string& path, const NiftiHeader& header, const Bytes& voxels, const SinkOptions& options = {}) {
  Warnings warnings;
  auto sink = create_sink(path, header, options, warnings);
  sink->write(Box::whole(sink->header()->shape()), voxels.data());
  sink->commit();
}

inline Bytes load(BlockSource& source) {
  const Box box = Box::whole(source.info().dims);
  Bytes voxels(static_cast<size_t>(box.count()) * size_of(source.info().dtype));
  source.read(box, voxels.data());
  source.finish_pass();
  return voxels;
}

inline Bytes load(const std::string& path, Warnings* warnings = nullptr, bool strict = false) {
  Warnings local;
  auto source = open_source(path, {strict}, warnings != nullptr ? *warnings : local);
  Bytes voxels = load(*source);
  for (const std::string& w : source->take_warnings()) (warnings != nullptr ? *warnings : local).push_back(w);
  return voxels;
}

/// What went wrong, as the command would say it; code `usage` with an empty text if nothing did.
struct Outcome {
  bool failed = false;
  ErrorCode code = ErrorCode::usage;
  std::string text;
};
template <class Fn> Outcome outcome_of(Fn&& fn) {
  try {
    fn();
    return {};
  } catch (const Error& e) { return {true, e.code(), e.what()}; }
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace io_test

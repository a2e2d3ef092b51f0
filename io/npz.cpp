// io/npz.cpp: .npz archives: the part of the zip format that NumPy writes, with ZIP64 for members beyond 4 GiB.
#include <voxloom/io/atomic_file.h>
#include <voxloom/io/file.h>
#include <voxloom/io/npy.h>

#include <libdeflate.h>
#include <algorithm>
#include <cstring>
#include <memory>

namespace voxloom::io {
namespace {

constexpr uint64_t longest_ratio = 1032;
constexpr uint32_t in_zip64 = 0xffffffff;

struct Member {
  std::string name;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t stored = 0, size = 0, header_at = 0;
};

/// Little-endian numbers of a byte range; reading past the end is an error of the file.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}
  uint64_t number(size_t width) {
    const auto piece = take(width);
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value |= static_cast<uint64_t>(piece[i]) << (8 * i);
    return value;
  }
  std::span<const std::byte> take(size_t n) {
    if (n > bytes_.size()) fail_input(path_, "damaged zip directory: it ends too early");
    const auto piece = bytes_.first(n);
    bytes_ = bytes_.subspan(n);
    return piece;
  }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
};

std::vector<std::byte> read_range(const File& file, uint64_t offset, uint64_t n) {
  const auto size = static_cast<uint64_t>(file.size());
  if (offset > size || n > size - offset) fail_input(file.path(), "damaged zip directory: it points beyond the end of the file");
  std::vector<std::byte> bytes(n);
  file.read_at(bytes.data(), bytes.size(), static_cast<int64_t>(offset));
  return bytes;
}

void read_zip64(Cursor extra, const std::string& path, Member& m) {
  while (extra.left() >= 4) {
    const uint64_t tag = extra.number(2), length = extra.number(2);
    Cursor field(extra.take(length), path);
    if (tag != 1) continue;
    for (uint64_t* value : {&m.size, &m.stored, &m.header_at}) {
      if (*value == in_zip64) *value = field.number(8);
    }
  }
}

std::span<const std::byte> view_from(const std::vector<std::byte>& bytes, size_t at) { return {bytes.data() + at, bytes.size() - at}; }

struct Directory {
  uint64_t count = 0, bytes = 0, at = 0;
};

Directory find_directory(const File& file) {
  const auto size = static_cast<uint64_t>(file.size());
  const uint64_t tail_size = std::min<uint64_t>(size, 65557);
  const std::vector<std::byte> tail = read_range(file, size - tail_size, tail_size);
  for (size_t at = tail.size() >= 22 ? tail.size() - 22 + 1 : 0; at-- > 0;) {
    if (std::memcmp(tail.data() + at, "PK\5\6", 4) != 0) continue;
    Cursor end{view_from(tail, at + 8), file.path()};
    Directory d;
    d.count = end.number(2);
    end.number(2);
    d.bytes = end.number(4);
    d.at = end.number(4);
    if (at >= 20 && std::memcmp(tail.data() + at - 20, "PK\6\7", 4) == 0) {
      Cursor locator{view_from(tail, at - 20 + 8), file.path()};
      const std::vector<std::byte> record = read_range(file, locator.number(8), 56);
      Cursor fields{view_from(record, 32), file.path()};
      d.count = fields.number(8);
      d.bytes = fields.number(8);
      d.at = fields.number(8);
    }
    return d;
  }
  fail_field(file.path(), "format", "no zip archive", ".npz");
}

std::vector<Member> read_directory(const File& file) {
  const Directory d = find_directory(file);
  const std::vector<std::byte> bytes = read_range(file, d.at, d.bytes);
  if (d.count > bytes.size() / 46) fail_input(file.path(), "damaged zip directory: too many members");
  Cursor cursor(bytes, file.path());
  std::vector<Member> members;
  for (uint64_t i = 0; i < d.count; ++i) {
    if (cursor.number(4) != 0x02014b50) fail_input(file.path(), "damaged zip directory: a wrong signature");
    Member m;
    cursor.take(4);
    const uint64_t flags = cursor.number(2);
    m.method = static_cast<uint16_t>(cursor.number(2));
    cursor.take(4);
    m.crc = static_cast<uint32_t>(cursor.number(4));
    m.stored = cursor.number(4);
    m.size = cursor.number(4);
    const uint64_t name_length = cursor.number(2), extra_length = cursor.number(2), comment_length = cursor.number(2);
    cursor.take(8);
    m.header_at = cursor.number(4);
    const auto name = cursor.take(name_length);
    m.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    read_zip64(Cursor(cursor.take(extra_length), file.path()), file.path(), m);
    cursor.take(comment_length);
    if ((flags & 1) != 0) fail_field(file.path(), "zip member", escape_text(m.name) + ", encrypted", "plain members");
    members.push_back(std::move(m));
  }
  return members;
}

std::vector<std::byte> read_member(const File& file, const Member& m) {
  const std::vector<std::byte> local = read_range(file, m.header_at, 30);
  Cursor header(local, file.path());
  if (header.number(4) != 0x04034b50) fail_input(file.path(), "damaged zip member " + escape_text(m.name));
  header.take(22);
  const uint64_t name_length = header.number(2), extra_length = header.number(2);
  std::vector<std::byte> stored = read_range(file, m.header_at + 30 + name_length + extra_length, m.stored);
  std::vector<std::byte> data;
  if (m.method == 0) {
    data = std::move(stored);
  } else if (m.method == 8) {
    if (m.size / longest_ratio > m.stored + 1)
      fail_field(file.path(), "zip member size", std::to_string(m.size), "what deflate can expand to");
    data.resize(m.size);
    const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflate(libdeflate_alloc_decompressor(),
                                                                                               libdeflate_free_decompressor);
    if (!inflate || libdeflate_deflate_decompress(inflate.get(), stored.data(), stored.size(), data.data(), data.size(), nullptr) !=
                        LIBDEFLATE_SUCCESS) {
      fail_input(file.path(), "damaged zip member " + escape_text(m.name));
    }
  } else {
    fail_field(file.path(), "zip method", std::to_string(m.method), "0 (stored), 8 (deflate)");
  }
  if (data.size() != m.size || libdeflate_crc32(0, data.data(), data.size()) != m.crc) {
    fail_input(file.path(), "damaged zip member " + escape_text(m.name) + ": wrong checksum");
  }
  return data;
}

void put(std::vector<std::byte>& out, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}

void put_text(std::vector<std::byte>& out, const std::string& text) {
  for (const char c : text) out.push_back(static_cast<std::byte>(c));
}

// Fields shared by the local header and the directory: version, UTF-8 flag, stored, 1980-01-01, crc, sizes (in ZIP64), lengths.
void put_common(std::vector<std::byte>& out, const Member& m, size_t extra_length) {
  put(out, 45, 2);
  put(out, 0x800, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 33, 2);
  put(out, m.crc, 4);
  put(out, in_zip64, 4);
  put(out, in_zip64, 4);
  put(out, m.name.size(), 2);
  put(out, extra_length, 2);
}

std::vector<std::byte> directory_of(const std::vector<Member>& members, uint64_t at) {
  std::vector<std::byte> out;
  for (const Member& m : members) {
    put(out, 0x02014b50, 4);
    put(out, 45, 2);
    put_common(out, m, 28);
    put(out, 0, 2);  // no comment
    put(out, 0, 8);  // disk and attributes
    put(out, in_zip64, 4);
    put_text(out, m.name);
    put(out, 1, 2);
    put(out, 24, 2);
    put(out, m.size, 8);
    put(out, m.stored, 8);
    put(out, m.header_at, 8);
  }
  const uint64_t bytes = out.size();
  put(out, 0x06064b50, 4);
  put(out, 44, 8);
  put(out, 45, 2);
  put(out, 45, 2);
  put(out, 0, 8);
  put(out, members.size(), 8);
  put(out, members.size(), 8);
  put(out, bytes, 8);
  put(out, at, 8);
  put(out, 0x07064b50, 4);
  put(out, 0, 4);
  put(out, at + bytes, 8);
  put(out, 1, 4);
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, std::min<uint64_t>(members.size(), 0xffff), 2);
  put(out, std::min<uint64_t>(members.size(), 0xffff), 2);
  put(out, in_zip64, 4);
  put(out, in_zip64, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace

std::vector<NamedNpyArray> read_npz(const std::string& path) {
  const File file = File::open_read(path);
  std::vector<NamedNpyArray> arrays;
  for (const Member& m : read_directory(file)) {
    const std::vector<std::byte> bytes = read_member(file, m);
    std::string name = m.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.push_back({name, parse_npy(bytes, path + ":" + escape_text(m.name))});
  }
  return arrays;
}

void write_npz(const std::string& path, const std::vector<NamedNpyArray>& arrays) {
  AtomicFile file(path, {});
  std::vector<Member> members;
  uint64_t at = 0;
  for (const NamedNpyArray& named : arrays) {
    const std::vector<std::byte> bytes = serialise_npy(named.array);
    Member m;
    m.name = named.name + ".npy";
    m.crc = libdeflate_crc32(0, bytes.data(), bytes.size());
    m.size = m.stored = bytes.size();
    m.header_at = at;
    std::vector<std::byte> header;
    put(header, 0x04034b50, 4);
    put_common(header, m, 20);
    put_text(header, m.name);
    put(header, 1, 2);
    put(header, 16, 2);
    put(header, m.size, 8);
    put(header, m.stored, 8);
    file.write_at(header.data(), header.size(), static_cast<int64_t>(at));
    file.write_at(bytes.data(), bytes.size(), static_cast<int64_t>(at + header.size()));
    at += header.size() + bytes.size();
    members.push_back(std::move(m));
  }
  const std::vector<std::byte> end = directory_of(members, at);
  file.write_at(end.data(), end.size(), static_cast<int64_t>(at));
  file.commit();
}

}  // namespace voxloom::io

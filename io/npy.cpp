// io/npy.cpp: the .npy format: magic, a Python dict literal of three keys, the elements.
#include <voxloom/io/atomic_file.h>
#include <voxloom/io/file.h>
#include <voxloom/io/npy.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace voxloom::io {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr size_t most_axes = 32;

struct Code {
  std::string_view text;  // kind and size, as in '<f4'
  DType dtype;
};
constexpr std::array<Code, 13> codes = {{{"b1", DType::boolean},
                                         {"i1", DType::i8},
                                         {"i2", DType::i16},
                                         {"i4", DType::i32},
                                         {"i8", DType::i64},
                                         {"u1", DType::u8},
                                         {"u2", DType::u16},
                                         {"u4", DType::u32},
                                         {"u8", DType::u64},
                                         {"f4", DType::f32},
                                         {"f8", DType::f64},
                                         {"c8", DType::c64},
                                         {"c16", DType::c128}}};

// A cursor over the dict literal; any surprise is "bad".
class Literal {
 public:
  Literal(std::string_view text, const std::string& path) : text_(text), path_(path) {}
  void expect(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) bad();
    text_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string_view quoted() {
    skip_space();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) bad();
    const size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) bad();
    const std::string_view result = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return result;
  }
  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return word == "True";
    }
    bad();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> result;
    expect('(');
    while (!accept(')')) {
      skip_space();
      int64_t value = -1;
      const auto parsed = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (parsed.ec != std::errc{} || value < 0 || result.size() == most_axes) bad();
      text_.remove_prefix(static_cast<size_t>(parsed.ptr - text_.data()));
      if (!text_.empty() && text_.front() == 'L') text_.remove_prefix(1);  // Python 2 wrote long integers so
      result.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return result;
  }
  [[noreturn]] void bad() const {
    fail_field(path_, "npy header", "\"" + escape_text(text_.substr(0, 40)) + "\"", "a dict of descr, fortran_order, shape");
  }

 private:
  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }
  std::string_view text_;
  const std::string& path_;
};

struct Description {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

Description parse_dict(std::string_view text, const std::string& path) {
  Literal literal(text, path);
  Description d;
  int seen = 0;
  literal.expect('{');
  while (!literal.accept('}')) {
    const std::string_view key = literal.quoted();
    literal.expect(':');
    if (key == "descr") {
      d.descr = literal.quoted();
      seen |= 1;
    } else if (key == "fortran_order") {
      d.fortran = literal.boolean();
      seen |= 2;
    } else if (key == "shape") {
      d.shape = literal.tuple();
      seen |= 4;
    } else {
      literal.bad();
    }
    if (!literal.accept(',')) {
      literal.expect('}');
      break;
    }
  }
  if (seen != 7) literal.bad();
  return d;
}

DType dtype_of_descr(const std::string& descr, const std::string& path) {
  if (descr.size() >= 3 && std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    for (const Code& code : codes) {
      if (descr.substr(1) == code.text) return code.dtype;
    }
  }
  fail_field(path, "descr", "'" + escape_text(descr) + "'", "bool, integers, float32, float64, complex64, complex128");
}

void swap_in_place(NpyArray& array) {
  const size_t size = size_of(real_part_of(array.dtype));
  for (size_t at = 0; at + size <= array.data.size(); at += size) {
    std::reverse(array.data.begin() + static_cast<std::ptrdiff_t>(at), array.data.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
}

int64_t bytes_of(DType dtype, const std::vector<int64_t>& shape, const std::string& path) {
  int64_t total = static_cast<int64_t>(size_of(dtype));
  bool empty = false;
  for (const int64_t d : shape) {
    empty = empty || d == 0;
    if (d != 0 && __builtin_mul_overflow(total, d, &total)) fail_field(path, "shape", "a product beyond 2^63 bytes", "less");
  }
  return empty ? 0 : total;
}

}  // namespace

bool is_npy(std::span<const std::byte> bytes) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, int64_t file_bytes, const std::string& path) {
  const auto at = [&](size_t i) { return static_cast<size_t>(bytes[i]); };
  const auto truncated = [&](size_t needed) {
    fail_input(path, "truncated npy header: " + std::to_string(file_bytes) + " of " + std::to_string(needed) + " bytes");
  };
  if (!is_npy(bytes)) fail_field(path, "npy magic", "other bytes", "\\x93NUMPY");
  if (bytes.size() < 10) truncated(10);
  const size_t version = at(6), prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3) fail_field(path, "npy version", std::to_string(version), "1 to 3");
  if (bytes.size() < prefix) truncated(prefix);
  size_t length = at(8) | at(9) << 8;
  if (version > 1) length |= at(10) << 16 | at(11) << 24;
  if (prefix + length > largest_npy_header) fail_field(path, "npy header length", std::to_string(length), "at most 65535");
  if (length > bytes.size() - prefix) truncated(prefix + length);
  Description d = parse_dict({reinterpret_cast<const char*>(bytes.data()) + prefix, length}, path);
  NpyHeader header;
  header.dtype = dtype_of_descr(d.descr, path);
  header.swapped = d.descr[0] == '>' && size_of(real_part_of(header.dtype)) > 1;
  header.fortran = d.fortran;
  header.shape = std::move(d.shape);
  header.data_offset = static_cast<int64_t>(prefix + length);
  const int64_t needed = bytes_of(header.dtype, header.shape, path), found = file_bytes - header.data_offset;
  if (needed > found) fail_field(path, "npy data", std::to_string(found) + " bytes", "at least " + std::to_string(needed));
  return header;
}

NpyArray parse_npy(std::span<const std::byte> bytes, const std::string& path) {
  const NpyHeader header = parse_npy_header(bytes, static_cast<int64_t>(bytes.size()), path);
  NpyArray array{header.dtype, header.shape, header.fortran, {}};
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(header.data_offset);
  array.data.assign(first, first + static_cast<std::ptrdiff_t>(bytes_of(header.dtype, header.shape, path)));
  if (header.swapped) swap_in_place(array);
  return array;
}

std::vector<std::byte> serialise_npy_header(DType dtype, const std::vector<int64_t>& shape, bool fortran) {
  const auto code = std::find_if(codes.begin(), codes.end(), [&](const Code& c) { return c.dtype == dtype; });
  if (code == codes.end()) fail_user(ErrorCode::dtype, "save", "NumPy has no dtype for " + std::string(name_of(dtype)));
  std::string text = std::string("{'descr': '") + (size_of(dtype) == 1 ? '|' : '<') + std::string(code->text) +
                     "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  text += shape.size() == 1 ? ",), }" : "), }";
  while ((10 + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::vector<std::byte> bytes(10 + text.size());
  std::memcpy(bytes.data(), magic.data(), magic.size());
  bytes[6] = std::byte{1};
  bytes[8] = static_cast<std::byte>(text.size() & 0xff);
  bytes[9] = static_cast<std::byte>(text.size() >> 8);
  std::memcpy(bytes.data() + 10, text.data(), text.size());
  return bytes;
}

std::vector<std::byte> serialise_npy(const NpyArray& array) {
  std::vector<std::byte> bytes = serialise_npy_header(array.dtype, array.shape, array.fortran);
  internal_check(static_cast<size_t>(bytes_of(array.dtype, array.shape, "array")) == array.data.size(),
                 "an array's data has the size of its shape");
  bytes.insert(bytes.end(), array.data.begin(), array.data.end());
  return bytes;
}

NpyArray read_npy(const std::string& path) {
  const File file = File::open_read(path);
  std::vector<std::byte> bytes(static_cast<size_t>(file.size()));
  file.read_at(bytes.data(), bytes.size(), 0);
  return parse_npy(bytes, path);
}

void write_npy(const std::string& path, const NpyArray& array) {
  const std::vector<std::byte> bytes = serialise_npy(array);
  AtomicFile file(path, {});
  file.write_at(bytes.data(), bytes.size(), 0);
  file.commit();
}

}  // namespace voxloom::io

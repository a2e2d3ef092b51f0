// api/byte_stream.h: numbers, texts and arrays as bytes, and back with every bound checked. Internal to api/.
#pragma once

#include <voxloom/graph/error.h>
#include <voxloom/runtime/array.h>

#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace voxloom::detail {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

class ByteWriter {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  void number(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes.append(raw, sizeof(T));
  }
  void text(std::string_view value) {
    number(static_cast<uint64_t>(value.size()));
    bytes.append(value);
  }
  /// dtype, order and shape, then the elements.
  void array(const Array& value);

  std::string bytes;
};

/// Reads what a ByteWriter wrote. Whatever the bytes are, it answers with a value inside them or a UserError(bad_input) that names the field;
/// nothing is allocated before the bytes that fill it are known to be there.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string source) : bytes_(bytes), source_(std::move(source)) {}

  [[noreturn]] void fail(std::string_view field, const std::string& problem) const {
    fail_user(ErrorCode::bad_input, source_, std::string(field) + " " + problem + " (at byte " + std::to_string(at_) + ")");
  }
  size_t left() const { return bytes_.size() - at_; }
  std::string_view raw(size_t count, std::string_view field) {
    if (count > left()) fail(field, "reaches beyond the end of the data");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  T number(std::string_view field) {
    T value;
    std::memcpy(&value, raw(sizeof(T), field).data(), sizeof(T));
    return value;
  }
  /// 0 or 1.
  bool flag(std::string_view field);
  /// At most `most`.
  uint32_t count(std::string_view field, uint32_t most);
  std::string text(std::string_view field, size_t most = size_t{1} << 20);
  Array array(std::string_view field);

 private:
  std::string_view bytes_;
  std::string source_;
  size_t at_ = 0;
};

}  // namespace voxloom::detail

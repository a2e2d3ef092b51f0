// graph/literal.cpp: single values as exact text.
#include <voxloom/graph/literal.h>

#include <voxloom/graph/error.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace voxloom {
namespace {

constexpr std::string_view nan_prefix = "nan_";

template <class T> std::string number_text(T value, int base = 10) {
  std::array<char, 64> buffer;
  std::to_chars_result result{};
  if constexpr (std::is_floating_point_v<T>) {
    result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  } else {
    result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, base);
  }
  return {buffer.data(), result.ptr};
}

template <class Float, class Bits> std::string float_text(uint64_t raw) {
  const auto bits = static_cast<Bits>(raw);
  const auto value = std::bit_cast<Float>(bits);
  if (!std::isnan(value)) return number_text(value);
  return bits == std::bit_cast<Bits>(std::numeric_limits<Float>::quiet_NaN()) ? "nan" : std::string(nan_prefix) + number_text(bits, 16);
}

template <class T> uint64_t parse_number(Lexer& lexer, size_t start, std::string_view text, int base = 10) {
  T value{};
  std::from_chars_result result{};
  if constexpr (std::is_floating_point_v<T>) {
    result = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    lexer.fail_at(start, quoted(text) + " is not a value of the dtype");
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<uint32_t>(value);
  else if constexpr (std::is_same_v<T, double>) return std::bit_cast<uint64_t>(value);
  else return static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(value));
}

template <class Float, class Bits> uint64_t parse_float(Lexer& lexer, size_t start, std::string_view text) {
  if (text == "nan") return std::bit_cast<Bits>(std::numeric_limits<Float>::quiet_NaN());
  if (!text.starts_with(nan_prefix)) return parse_number<Float>(lexer, start, text);
  const uint64_t bits = parse_number<Bits>(lexer, start, text.substr(nan_prefix.size()), 16);
  if (!std::isnan(std::bit_cast<Float>(static_cast<Bits>(bits)))) lexer.fail_at(start, quoted(text) + " is not a NaN");
  return bits;
}

}  // namespace

std::string literal_text(DType dtype, uint64_t bits) {
  switch (dtype) {
    case DType::boolean: return bits != 0 ? "true" : "false";
    case DType::i8: return number_text(static_cast<int>(static_cast<int8_t>(bits)));
    case DType::i16: return number_text(static_cast<int16_t>(bits));
    case DType::i32: return number_text(static_cast<int32_t>(bits));
    case DType::i64: return number_text(static_cast<int64_t>(bits));
    case DType::u8:
    case DType::u16:
    case DType::u32:
    case DType::u64: return number_text(bits);
    case DType::f32: return float_text<float, uint32_t>(bits);
    case DType::f64: return float_text<double, uint64_t>(bits);
    default: fail_internal("literal_text: not a real dtype");
  }
}

uint64_t parse_literal(Lexer& lexer, DType dtype) {
  lexer.skip_blanks();
  const size_t start = lexer.position();
  const std::string_view text = lexer.word();
  switch (dtype) {
    case DType::boolean:
      if (text != "true" && text != "false") lexer.fail_at(start, "expected true or false");
      return text == "true" ? 1 : 0;
    case DType::i8: return parse_number<int8_t>(lexer, start, text);
    case DType::i16: return parse_number<int16_t>(lexer, start, text);
    case DType::i32: return parse_number<int32_t>(lexer, start, text);
    case DType::i64: return parse_number<int64_t>(lexer, start, text);
    case DType::u8: return parse_number<uint8_t>(lexer, start, text);
    case DType::u16: return parse_number<uint16_t>(lexer, start, text);
    case DType::u32: return parse_number<uint32_t>(lexer, start, text);
    case DType::u64: return parse_number<uint64_t>(lexer, start, text);
    case DType::f32: return parse_float<float, uint32_t>(lexer, start, text);
    case DType::f64: return parse_float<double, uint64_t>(lexer, start, text);
    default: lexer.fail_at(start, "no literals of this dtype");
  }
}

}  // namespace voxloom

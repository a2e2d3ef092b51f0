// graph/dtype.h: element types of arrays and their basic facts.
#pragma once

#include <voxloom/graph/export.h>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace voxloom {

/// Element type. The codes are stable: saved graphs and cache keys hold them. f16 and bf16 are reserved.
enum class DType : uint8_t { boolean = 0, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, c64, c128 };

inline constexpr DType boolean = DType::boolean, i8 = DType::i8, i16 = DType::i16, i32 = DType::i32, i64 = DType::i64, u8 = DType::u8,
                       u16 = DType::u16, u32 = DType::u32, u64 = DType::u64, f32 = DType::f32, f64 = DType::f64, c64 = DType::c64,
                       c128 = DType::c128;

/// Bytes of one element.
constexpr size_t size_of(DType t) {
  switch (t) {
    case DType::boolean:
    case DType::i8:
    case DType::u8: return 1;
    case DType::i16:
    case DType::u16:
    case DType::f16:
    case DType::bf16: return 2;
    case DType::i32:
    case DType::u32:
    case DType::f32: return 4;
    case DType::i64:
    case DType::u64:
    case DType::f64:
    case DType::c64: return 8;
    case DType::c128: return 16;
  }
  return 0;
}
constexpr bool is_signed_int(DType t) { return t >= DType::i8 && t <= DType::i64; }
constexpr bool is_unsigned_int(DType t) { return t >= DType::u8 && t <= DType::u64; }
/// Signed or unsigned integer; boolean is not one.
constexpr bool is_integer(DType t) { return t >= DType::i8 && t <= DType::u64; }
constexpr bool is_float(DType t) { return t == DType::f32 || t == DType::f64; }
constexpr bool is_complex(DType t) { return t == DType::c64 || t == DType::c128; }
/// f32 for c64, f64 for c128, otherwise t itself.
constexpr DType real_part_of(DType t) { return t == DType::c64 ? DType::f32 : t == DType::c128 ? DType::f64 : t; }

/// NumPy's name: "float32", "int16", "bool", "complex64".
VOXLOOM_API std::string_view name_of(DType t);
/// "f32", "i16", "bool", "c64".
VOXLOOM_API std::string_view short_name_of(DType t);
/// Accepts NumPy's names and the short ones ("f32", "i16"); nothing for anything else.
VOXLOOM_API std::optional<DType> dtype_from_name(std::string_view name);

template <class T> struct DTypeOf;
template <> struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};
template <> struct DTypeOf<int8_t> {
  static constexpr DType value = DType::i8;
};
template <> struct DTypeOf<int16_t> {
  static constexpr DType value = DType::i16;
};
template <> struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <> struct DTypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};
template <> struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <> struct DTypeOf<uint16_t> {
  static constexpr DType value = DType::u16;
};
template <> struct DTypeOf<uint32_t> {
  static constexpr DType value = DType::u32;
};
template <> struct DTypeOf<uint64_t> {
  static constexpr DType value = DType::u64;
};
template <> struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <> struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <> struct DTypeOf<std::complex<float>> {
  static constexpr DType value = DType::c64;
};
template <> struct DTypeOf<std::complex<double>> {
  static constexpr DType value = DType::c128;
};
template <class T> inline constexpr DType dtype_of = DTypeOf<T>::value;

}  // namespace voxloom

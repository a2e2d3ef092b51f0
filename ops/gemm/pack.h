// ops/gemm/pack.h: parts of a strided matrix, in any storage dtype and byte order, as panels of the accumulator's dtype.
#pragma once

#include <voxloom/graph/dtype.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace voxloom::ops::gemm {

/// Where a panel is read: element (w, k) is at data + w * across + k * along.
struct Source {
  const std::byte* data = nullptr;
  int64_t across = 0, along = 0;  ///< bytes
  DType part = DType::f32;        ///< dtype of an element, or of one part of a complex one
  bool swapped = false;
};

template <class S> S load(const std::byte* p, bool swapped) {
  S value;
  if (swapped) {
    std::byte bytes[sizeof(S)];
    for (size_t k = 0; k < sizeof(S); ++k) bytes[k] = p[sizeof(S) - 1 - k];
    std::memcpy(&value, bytes, sizeof(S));
  } else {
    std::memcpy(&value, p, sizeof(S));
  }
  return value;
}

/// Four elements of four rows, each row as it lies: their columns go to to, to + width, ...
template <class T> void transpose_4x4(const std::byte* row, int64_t across, int64_t width, T* to) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four r[4];
  for (int w = 0; w < 4; ++w) std::memcpy(&r[w], row + w * across, sizeof(Four));
  const Four low0 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), low1 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const Four high0 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), high1 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const Four columns[4] = {__builtin_shufflevector(low0, low1, 0, 1, 4, 5), __builtin_shufflevector(low0, low1, 2, 3, 6, 7),
                           __builtin_shufflevector(high0, high1, 0, 1, 4, 5), __builtin_shufflevector(high0, high1, 2, 3, 6, 7)};
  for (int k = 0; k < 4; ++k) std::memcpy(to + k * width, &columns[k], sizeof(Four));
}

/// The part of a panel that whole 4 x 4 squares cover, from rows that lie along k.
template <class T> void pack_squares(const Source& from, int64_t width, int64_t count, int64_t depth, T* to) {
  for (int64_t w = 0; w + 4 <= count; w += 4)
    for (int64_t k = 0; k + 4 <= depth; k += 4)
      transpose_4x4(from.data + w * from.across + k * static_cast<int64_t>(sizeof(T)), from.across, width, to + k * width + w);
}

template <class S, class T, class Convert>
void pack_as(const Source& from, int64_t width, int64_t count, int64_t depth, T* to, const Convert& convert) {
  const auto item = static_cast<int64_t>(sizeof(S));
  for (int64_t k = 0; count < width && k < depth; ++k)
    for (int64_t w = count; w < width; ++w) to[k * width + w] = T{};
  if (from.swapped || (from.across != item && from.along != item)) {
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t w = 0; w < count; ++w) to[k * width + w] = convert(load<S>(from.data + w * from.across + k * from.along, from.swapped));
  } else if (from.across == item) {
    for (int64_t k = 0; k < depth; ++k) {
      const std::byte* row = from.data + k * from.along;
      for (int64_t w = 0; w < count; ++w) to[k * width + w] = convert(load<S>(row + w * item, false));
    }
  } else {
    constexpr bool squares = std::is_same_v<S, T>;
    if constexpr (squares) pack_squares(from, width, count, depth, to);
    const int64_t done = squares ? count / 4 * 4 : 0;
    for (int64_t w = 0; w < count; ++w) {
      const std::byte* row = from.data + w * from.across;
      for (int64_t k = w < done ? depth / 4 * 4 : 0; k < depth; ++k) to[k * width + w] = convert(load<S>(row + k * item, false));
    }
  }
}

/// to[k * width + w] = element (w, k) for w < count, 0 for w from there to width.
template <class T> void pack(const Source& from, int64_t width, int64_t count, int64_t depth, T* to) {
  const auto plain = [&]<class S>(S) { pack_as<S>(from, width, count, depth, to, [](S x) { return static_cast<T>(x); }); };
  switch (from.part) {
    case DType::boolean: return pack_as<uint8_t>(from, width, count, depth, to, [](uint8_t x) { return static_cast<T>(x != 0); });
    case DType::i8: return plain(int8_t{});
    case DType::u8: return plain(uint8_t{});
    case DType::i16: return plain(int16_t{});
    case DType::u16: return plain(uint16_t{});
    case DType::i32: return plain(int32_t{});
    case DType::u32: return plain(uint32_t{});
    case DType::i64: return plain(int64_t{});
    case DType::u64: return plain(uint64_t{});
    case DType::f32: return plain(float{});
    default: return plain(double{});
  }
}

}  // namespace voxloom::ops::gemm

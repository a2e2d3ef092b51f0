// ops/vecmath/common.h: the two float formats, constants by dtype, polynomials, clamps and bit tricks shared by all functions.
#pragma once

#include <voxloom/ops/builder.h>

#include <cstddef>
#include <limits>

namespace voxloom::ops::vm {

/// What a function needs to know about f32 or f64.
struct Format {
  DType real, bits;  ///< `bits` is the integer dtype that holds the pattern
  int digits, bias;  ///< stored bits of the significand, exponent bias
  double magic;      ///< 1.5 * 2^digits: adding it rounds to an integer, which then stands in the low bits
  double min_normal;
};
constexpr Format format_of(DType t) {
  return t == DType::f32 ? Format{DType::f32, DType::i32, 23, 127, 0x1.8p23, 0x1p-126}
                         : Format{DType::f64, DType::u64, 52, 1023, 0x1.8p52, 0x1p-1022};
}
constexpr double pick(DType t, double for_f32, double for_f64) { return t == DType::f32 ? for_f32 : for_f64; }

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class B> typename B::V num(B& b, DType t, double for_f32, double for_f64) { return b.lit(t, pick(t, for_f32, for_f64)); }
/// Integer literal of the dtype of a's pattern.
template <class B> typename B::V int_lit(B& b, DType real, int64_t x) { return b.lit_int(format_of(real).bits, x); }

/// c[0] + c[1] x + ... by Horner's rule: fewest instructions; independent elements hide its latency.
template <class B, size_t N> typename B::V horner(B& b, typename B::V x, const double (&c)[N]) {
  typename B::V p = b.lit(x.dtype, c[N - 1]);
  for (size_t i = N - 1; i-- > 0;) p = b.fma(p, x, b.lit(x.dtype, c[i]));
  return p;
}
template <class B, size_t N, size_t M> typename B::V horner(B& b, typename B::V x, const double (&for_f32)[N], const double (&for_f64)[M]) {
  return x.dtype == DType::f32 ? horner(b, x, for_f32) : horner(b, x, for_f64);
}

/// min(x, c) and max(x, c) for a number c != 0; NaN passes. One machine instruction in this shape.
template <class B> typename B::V at_most(B& b, typename B::V x, double c) {
  const auto limit = b.lit(x.dtype, c);
  return b.select(b.lt(limit, x), limit, x);
}
template <class B> typename B::V at_least(B& b, typename B::V x, double c) {
  const auto limit = b.lit(x.dtype, c);
  return b.select(b.lt(x, limit), limit, x);
}

template <class B> typename B::V to_bits(B& b, typename B::V x) { return b.bitcast(format_of(x.dtype).bits, x); }
template <class B> typename B::V sign_mask(B& b, DType real) {
  return b.lit_bits(format_of(real).bits, real == DType::f32 ? 0x80000000ULL : 0x8000000000000000ULL);
}
/// The sign bit of x, as an integer pattern.
template <class B> typename B::V sign_of(B& b, typename B::V x) { return b.bit_and(to_bits(b, x), sign_mask(b, x.dtype)); }
/// `magnitude` (sign bit clear) with a sign pattern put in; on a value that has that sign already it changes nothing.
template <class B> typename B::V with_sign(B& b, typename B::V magnitude, typename B::V sign) {
  return b.bitcast(magnitude.dtype, b.bit_or(to_bits(b, magnitude), sign));
}
/// x with its sign flipped where the pattern has the sign bit.
template <class B> typename B::V flip_sign(B& b, typename B::V x, typename B::V sign) {
  return b.bitcast(x.dtype, b.bit_xor(to_bits(b, x), sign));
}

/// The integer nearest to x * step + offset, as a float and as a float plus magic, whose low bits hold integer + bias.
template <class V> struct Rounded {
  V integer, magic;
};
template <class B> Rounded<typename B::V> round_scaled(B& b, typename B::V x, typename B::V step, int bias) {
  const auto magic = b.lit(x.dtype, format_of(x.dtype).magic + bias);
  const auto z = b.fma(x, step, magic);
  return {b.sub(z, magic), z};
}
/// 2^k from round_scaled with the format's bias; k + bias must be in [1, 2 * bias].
template <class B> typename B::V power_of_two(B& b, typename B::V magic) {
  const Format f = format_of(magic.dtype);
  return b.bitcast(f.real, b.shl(to_bits(b, magic), b.lit_int(f.bits, f.digits)));
}

}  // namespace voxloom::ops::vm

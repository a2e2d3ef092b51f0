// ops/prim_eval.h: the meaning of every primitive, inline, so that a builder with known dtypes folds to plain machine code.
#pragma once

#include <voxloom/graph/error.h>
#include <voxloom/ops/prim.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace voxloom::ops::detail {

#define VOXLOOM_INLINE [[gnu::always_inline]] inline

/// The value whose bits are in the low bytes.
template <class T> VOXLOOM_INLINE T unpack(uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>) return (bits & 1) != 0;
  else if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(static_cast<uint32_t>(bits));
  else if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(bits);
  else return static_cast<T>(bits);
}
/// Bits of a value, zero extended.
template <class T> VOXLOOM_INLINE uint64_t pack(T x) {
  if constexpr (std::is_same_v<T, bool>) return x ? 1 : 0;
  else if constexpr (std::is_same_v<T, float>) return std::bit_cast<uint32_t>(x);
  else if constexpr (std::is_same_v<T, double>) return std::bit_cast<uint64_t>(x);
  else return static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(x));
}

/// Calls f with a default value of the C++ type of `t`.
template <class F> VOXLOOM_INLINE uint64_t with_type(DType t, F&& f) {
  switch (t) {
    case DType::boolean: return f(bool{});
    case DType::i8: return f(int8_t{});
    case DType::i16: return f(int16_t{});
    case DType::i32: return f(int32_t{});
    case DType::i64: return f(int64_t{});
    case DType::u8: return f(uint8_t{});
    case DType::u16: return f(uint16_t{});
    case DType::u32: return f(uint32_t{});
    case DType::u64: return f(uint64_t{});
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    default: fail_internal("primitive on a dtype that has none");
  }
}

[[noreturn]] inline void no_such_primitive() { fail_internal("primitive applied to a dtype it is not defined for"); }

template <class T> VOXLOOM_INLINE T floor_div(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(0 - static_cast<uint64_t>(a));
    const T q = static_cast<T>(a / b), r = static_cast<T>(a % b);
    return static_cast<T>(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
  } else {
    return static_cast<T>(a / b);
  }
}
template <class T> VOXLOOM_INLINE T floor_mod(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
    const T r = static_cast<T>(a % b);
    return static_cast<T>(r != 0 && (r < 0) != (b < 0) ? r + b : r);
  } else {
    return static_cast<T>(a % b);
  }
}
template <class T> VOXLOOM_INLINE T shift_left(T a, T n) {
  if (n < 0 || n >= static_cast<T>(8 * sizeof(T))) return 0;
  return static_cast<T>(static_cast<uint64_t>(a) << static_cast<unsigned>(n));
}
template <class T> VOXLOOM_INLINE T shift_right(T a, T n) {
  if (n < 0 || n >= static_cast<T>(8 * sizeof(T))) return static_cast<T>(a < 0 ? -1 : 0);
  return static_cast<T>(a >> static_cast<unsigned>(n));
}
/// IEEE 754-2019 minimum (or maximum): NaN propagates, -0 < +0.
template <bool Min, class T> VOXLOOM_INLINE T extremum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a) return a;
    if (b != b) return b;
    if (a == b) return std::signbit(a) == Min ? a : b;
  }
  return (a < b) == Min ? a : b;
}

template <class To, class From> VOXLOOM_INLINE To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Both ends are powers of two in size, so `high` (one above the maximum) is exact.
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From high = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (!(x == x)) return 0;
    if (x <= low) return std::numeric_limits<To>::min();
    if (x >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

template <class T> VOXLOOM_INLINE T float_unary(Prim op, T x) {
  switch (op) {
    case Prim::neg: return -x;
    case Prim::abs: return std::fabs(x);
    case Prim::sqrt: return std::sqrt(x);
    case Prim::floor: return std::floor(x);
    case Prim::ceil: return std::ceil(x);
    case Prim::trunc: return std::trunc(x);
    case Prim::rint: return std::nearbyint(x);
    default: no_such_primitive();
  }
}
template <class T> VOXLOOM_INLINE T float_binary(Prim op, T a, T b) {
  switch (op) {
    case Prim::add: return a + b;
    case Prim::sub: return a - b;
    case Prim::mul: return a * b;
    case Prim::div: return a / b;
    default: no_such_primitive();
  }
}
/// Arithmetic in uint64 and truncation: wraps for every width, no promotion or overflow rule of the language applies.
template <class T> VOXLOOM_INLINE T int_arithmetic(Prim op, T x, T y) {
  const auto a = static_cast<uint64_t>(x), b = static_cast<uint64_t>(y);
  switch (op) {
    case Prim::add: return static_cast<T>(a + b);
    case Prim::sub: return static_cast<T>(a - b);
    case Prim::mul: return static_cast<T>(a * b);
    case Prim::neg: return static_cast<T>(0 - a);
    case Prim::abs: return x < 0 ? static_cast<T>(0 - a) : x;
    case Prim::idiv: return floor_div(x, y);
    case Prim::imod: return floor_mod(x, y);
    case Prim::shl: return shift_left(x, y);
    case Prim::shr: return shift_right(x, y);
    default: no_such_primitive();
  }
}
VOXLOOM_INLINE uint64_t bit_op(Prim op, uint64_t a, uint64_t b, uint64_t mask) {
  switch (op) {
    case Prim::bit_and: return a & b;
    case Prim::bit_or: return a | b;
    case Prim::bit_xor: return a ^ b;
    default: return ~a & mask;
  }
}
template <class T> VOXLOOM_INLINE bool compare(Prim op, T a, T b) {
  switch (op) {
    case Prim::eq: return a == b;
    case Prim::ne: return a != b;
    case Prim::lt: return a < b;
    default: return a <= b;
  }
}

template <class T> VOXLOOM_INLINE uint64_t eval_typed(Prim op, uint64_t a_bits, uint64_t b_bits, uint64_t c_bits) {
  const T a = unpack<T>(a_bits), b = unpack<T>(b_bits);
  if (op == Prim::minimum) return pack(extremum<true>(a, b));
  if (op == Prim::maximum) return pack(extremum<false>(a, b));
  if constexpr (std::is_floating_point_v<T>) {
    if (op == Prim::fma) return pack(std::fma(a, b, unpack<T>(c_bits)));
    return arity(op) == 1 ? pack(float_unary(op, a)) : pack(float_binary(op, a, b));
  } else {
    if (op >= Prim::bit_and && op <= Prim::bit_not)
      return bit_op(op, a_bits, b_bits, pack(std::is_same_v<T, bool> ? static_cast<T>(1) : static_cast<T>(-1)));
    if constexpr (!std::is_same_v<T, bool>) return pack(int_arithmetic(op, a, b));
    else no_such_primitive();
  }
}

VOXLOOM_INLINE uint64_t eval_rare(DType type, DType arg_type, uint64_t x, uint64_t imm) {
  if (type != arg_type || !is_float(type) || imm >= static_cast<uint64_t>(rare_count)) no_such_primitive();
  const RareFunction f = rare_table[imm].function;
  return type == DType::f32 ? pack(static_cast<float>(f(static_cast<double>(unpack<float>(x))))) : pack(f(unpack<double>(x)));
}

inline uint64_t eval_lookup(DType type, DType arg_type, uint64_t index, uint64_t imm) {
  if (type != DType::f32 || arg_type != DType::i32 || imm >= static_cast<uint64_t>(lookup_count)) no_such_primitive();
  return pack(lookup_tables[imm][index % lookup_size]);
}
/// 2^k by two factors that are normal numbers; k + 2 * bias stands in the low bits of k + magic.
template <class T, class Bits> VOXLOOM_INLINE T scale(T x, T k, T magic, int digits) {
  const auto sum = std::bit_cast<Bits>(k + magic), half = static_cast<Bits>(sum >> 1);
  return x * std::bit_cast<T>(static_cast<Bits>(half << digits)) * std::bit_cast<T>(static_cast<Bits>((sum - half) << digits));
}

/// See eval_prim in ops/builder.h.
VOXLOOM_INLINE uint64_t eval_prim_inline(Prim op, DType type, DType arg_type, uint64_t a, uint64_t b, uint64_t c, uint64_t imm) {
  switch (op) {
    case Prim::literal: return imm;
    case Prim::select: return (a & 1) != 0 ? b : c;
    case Prim::rare: return (a & 1) != 0 ? eval_rare(type, arg_type, c, imm) : b;
    case Prim::bitcast: return a;
    case Prim::lookup: return eval_lookup(type, arg_type, a, imm);
    case Prim::scale:
      if (type == DType::f32) return pack(scale<float, uint32_t>(unpack<float>(a), unpack<float>(b), scale_magic32, 23));
      if (type == DType::f64) return pack(scale<double, uint64_t>(unpack<double>(a), unpack<double>(b), scale_magic64, 52));
      no_such_primitive();
    case Prim::cast:
      return with_type(arg_type, [&](auto from) {
        const auto x = unpack<decltype(from)>(a);
        return with_type(type, [&](auto to) { return pack(convert<decltype(to)>(x)); });
      });
    case Prim::eq:
    case Prim::ne:
    case Prim::lt:
    case Prim::le: return with_type(arg_type, [&](auto t) { return pack(compare(op, unpack<decltype(t)>(a), unpack<decltype(t)>(b))); });
    default: return with_type(type, [&](auto t) { return eval_typed<decltype(t)>(op, a, b, c); });
  }
}

}  // namespace voxloom::ops::detail

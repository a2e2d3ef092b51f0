// runtime/array_cast.cpp: conversion of element types.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/array.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace voxloom {
namespace {

template <class T> inline constexpr bool is_complex_type = false;
template <class T> inline constexpr bool is_complex_type<std::complex<T>> = true;

template <class To, class From> To convert(From v) {
  if constexpr (is_complex_type<From>) {
    if constexpr (is_complex_type<To>) {
      using Real = typename To::value_type;
      return {static_cast<Real>(v.real()), static_cast<Real>(v.imag())};
    } else {
      return v != From();  // only bool reaches this
    }
  } else if constexpr (is_complex_type<To>) {
    return {static_cast<typename To::value_type>(v), 0};
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From();
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // 2^bits is exact in both floating types, unlike the largest integer.
    constexpr From above = static_cast<From>(static_cast<double>(std::numeric_limits<To>::max() / 2 + 1) * 2);
    if (std::isnan(v)) return 0;
    if (v >= above) return std::numeric_limits<To>::max();
    if (v <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(v);
  } else {
    return static_cast<To>(v);
  }
}

template <class To, class From> void convert_all(std::byte* to, const std::byte* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    From v;
    std::memcpy(&v, from + static_cast<size_t>(i) * sizeof(From), sizeof(From));
    const To w = convert<To>(v);
    std::memcpy(to + static_cast<size_t>(i) * sizeof(To), &w, sizeof(To));
  }
}

using Loop = void (*)(std::byte*, const std::byte*, int64_t);

/// Calls visit with a null pointer of the C++ type of `t`; nothing for reserved types.
template <class Visit> Loop with_type(DType t, Visit visit) {
  switch (t) {
    case DType::boolean: return visit(static_cast<bool*>(nullptr));
    case DType::i8: return visit(static_cast<int8_t*>(nullptr));
    case DType::i16: return visit(static_cast<int16_t*>(nullptr));
    case DType::i32: return visit(static_cast<int32_t*>(nullptr));
    case DType::i64: return visit(static_cast<int64_t*>(nullptr));
    case DType::u8: return visit(static_cast<uint8_t*>(nullptr));
    case DType::u16: return visit(static_cast<uint16_t*>(nullptr));
    case DType::u32: return visit(static_cast<uint32_t*>(nullptr));
    case DType::u64: return visit(static_cast<uint64_t*>(nullptr));
    case DType::f32: return visit(static_cast<float*>(nullptr));
    case DType::f64: return visit(static_cast<double*>(nullptr));
    case DType::c64: return visit(static_cast<std::complex<float>*>(nullptr));
    case DType::c128: return visit(static_cast<std::complex<double>*>(nullptr));
    case DType::f16:
    case DType::bf16: break;
  }
  return nullptr;
}

Loop loop_for(DType to, DType from) {
  return with_type(from, [to]<class From>(From*) {
    return with_type(to, []<class To>(To*) -> Loop {
      if constexpr (is_complex_type<From> && !is_complex_type<To> && !std::is_same_v<To, bool>) {
        return nullptr;
      } else {
        return convert_all<To, From>;
      }
    });
  });
}

}  // namespace

Array Array::cast(DType dtype, Order order) const {
  if (dtype == dtype_) return copy(order);
  const Loop loop = loop_for(dtype, dtype_);
  if (loop == nullptr) {
    fail_user(ErrorCode::dtype, "cast", "no conversion from " + std::string(name_of(dtype_)) + " to " + std::string(name_of(dtype)));
  }
  const bool dense = !swapped_ && (order == Order::C ? is_c_contiguous() : is_f_contiguous());
  const Array packed = dense ? *this : copy(order);
  Array result = empty(shape_, dtype, order);
  loop(result.data_, packed.data_, size());
  return result;
}

}  // namespace voxloom

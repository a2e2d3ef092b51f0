// ops/policy.cpp: promotion of dtypes, and the policy in force.
#include <voxloom/graph/error.h>
#include <voxloom/ops/policy.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace voxloom {
namespace {

uint32_t pack(const Policy& p) {
  return static_cast<uint32_t>(p.floatX) | static_cast<uint32_t>(p.cast_policy) << 8 | static_cast<uint32_t>(p.warn_float64) << 16;
}
Policy unpack(uint32_t bits) {
  return {static_cast<DType>(bits & 0xff), static_cast<CastPolicy>(bits >> 8 & 0xff), static_cast<WarnFloat64>(bits >> 16 & 0xff)};
}
std::atomic<uint32_t>& process_policy() {
  static std::atomic<uint32_t> packed{pack(Policy{})};
  return packed;
}
thread_local const PolicyScope* innermost = nullptr;

DType signed_of_size(size_t bytes) { return bytes == 1 ? DType::i8 : bytes == 2 ? DType::i16 : bytes == 4 ? DType::i32 : DType::i64; }

/// Smallest NumPy float that takes in every value of an integer dtype of up to 32 bits (float64 for 64 bits too); booleans give float32.
DType numpy_float(DType t) { return size_of(t) >= 4 ? DType::f64 : DType::f32; }

DType promote_integers(DType a, DType b, const Policy& policy) {
  if (is_signed_int(a) == is_signed_int(b)) return size_of(a) >= size_of(b) ? a : b;
  const DType s = is_signed_int(a) ? a : b, u = is_signed_int(a) ? b : a;
  if (size_of(s) > size_of(u)) return s;
  if (size_of(u) < 8) return signed_of_size(2 * size_of(u));
  return policy.cast_policy == CastPolicy::floatX ? policy.floatX : DType::f64;
}

}  // namespace

Policy current_policy() { return innermost != nullptr ? innermost->policy_ : default_policy(); }
Policy default_policy() { return unpack(process_policy().load()); }
void set_default_policy(const Policy& policy) { process_policy().store(pack(policy)); }

PolicyScope::PolicyScope(const Policy& policy) : policy_(policy), outer_(innermost) { innermost = this; }
PolicyScope::~PolicyScope() { innermost = outer_; }

DType complex_of(DType real) {
  if (is_complex(real)) return real;
  return real == DType::f64 ? DType::c128 : DType::c64;
}

DType promote(DType a, DType b, const Policy& policy) {
  if (a == b) return a;
  if (a == DType::boolean) return b;
  if (b == DType::boolean) return a;
  if (is_integer(a) && is_integer(b)) return promote_integers(a, b, policy);
  const bool narrow_floats = policy.cast_policy == CastPolicy::floatX && policy.floatX == DType::f32;
  const auto real_float = [&](DType t, DType other) {
    if (!is_integer(t)) return real_part_of(t);
    return narrow_floats ? real_part_of(other) : numpy_float(t);
  };
  const DType x = real_float(a, b), y = real_float(b, a);
  const DType real = x == DType::f64 || y == DType::f64 ? DType::f64 : DType::f32;
  return is_complex(a) || is_complex(b) ? complex_of(real) : real;
}

DType float_of(DType t, const Policy& policy) {
  if (is_float(t) || is_complex(t)) return t;
  return policy.cast_policy == CastPolicy::floatX ? policy.floatX : numpy_float(t);
}

DType voxel_float(DType t, const Policy& policy) {
  if (!is_integer(t)) return t;
  return size_of(t) >= 4 ? DType::f64 : policy.floatX;
}

}  // namespace voxloom

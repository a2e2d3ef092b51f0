// ops/policy.h: the float policy and the one promotion table.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/export.h>

#include <cstdint>

namespace voxloom {

enum class CastPolicy : uint8_t {
  floatX,  ///< no op brings in float64 by itself: integers take the float they meet, or floatX
  numpy,   ///< NumPy's table (where NumPy says float16, float32 is used)
};
enum class WarnFloat64 : uint8_t { ignore, warn, raise };

/// How dtypes of operands are brought together while an expression is built. Expressions that exist keep their dtypes.
struct Policy {
  DType floatX = DType::f32;
  CastPolicy cast_policy = CastPolicy::floatX;
  WarnFloat64 warn_float64 = WarnFloat64::ignore;
};

/// The policy of this thread's innermost PolicyScope, otherwise the process-wide one.
VOXLOOM_API Policy current_policy();
/// The process-wide one.
VOXLOOM_API Policy default_policy();
VOXLOOM_API void set_default_policy(const Policy& policy);

/// Sets this thread's policy until the end of the scope.
class VOXLOOM_API PolicyScope {
 public:
  explicit PolicyScope(const Policy& policy);
  ~PolicyScope();
  PolicyScope(const PolicyScope&) = delete;
  PolicyScope& operator=(const PolicyScope&) = delete;

 private:
  Policy policy_;
  const PolicyScope* outer_;
  friend Policy current_policy();
};

/// The common dtype of two arrays. Integers follow NumPy (i8 with u8 is i16); i64 with u64 is NumPy's float64, floatX under CastPolicy::floatX.
/// An integer with a float: the float under CastPolicy::floatX with floatX = float32, otherwise NumPy's (float64 from 32-bit integers on).
VOXLOOM_API DType promote(DType a, DType b, const Policy& policy);

/// The float in which a function computes an integer or boolean operand of dtype `t`; floats and complex stay.
VOXLOOM_API DType float_of(DType t, const Policy& policy);

/// The same for integer voxels: floatX, float64 from 32-bit integers on. Booleans stay.
VOXLOOM_API DType voxel_float(DType t, const Policy& policy);

/// c64 for f32, c128 for f64; complex stays.
VOXLOOM_API DType complex_of(DType real);

}  // namespace voxloom

// graph/safe_cast.h: which conversions of dtypes lose nothing.
#pragma once

#include <voxloom/graph/dtype.h>

namespace voxloom {

/// NumPy's "safe" casting: every value of `from` has a value in `to` (64-bit integers count as fitting float64, as in NumPy).
VOXLOOM_API bool is_safe_cast(DType from, DType to);

}  // namespace voxloom

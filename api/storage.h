// api/storage.h: from a computed value to what a file holds: its dtype, and what no file can hold. Internal.
#pragma once

#include <voxloom/graph/graph.h>

#include <cstdint>

namespace voxloom::detail {

/// The value in another dtype, as files store it: a narrower integer dtype rounds floats to nearest (half to even, NaN gives 0) and saturates
/// floats and integers alike at its ends; other dtypes are plain casts. Elementwise, so it fuses with what computes the value.
/// UserError where a complex value would lose its imaginary part.
Expr stored_as(const Expr& value, DType dtype);

/// The dtype of a file where none is asked for: that of the value, except that a sum of integers is stored in the narrowest of int16, int32 and
/// int64 that holds every result the operand's dtype and the number of elements allow (also behind views).
DType default_storage(const Expr& value);

/// UserError if an axis of the value is empty: no format has such an image, and its readers refuse it.
void check_not_empty(const Expr& value);

}  // namespace voxloom::detail

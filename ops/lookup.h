// ops/lookup.h: ids of the tables behind Prim::lookup.
#pragma once

namespace voxloom::ops {

/// Index into lookup_tables of the first of a function's tables, in the order of its array in vecmath/coefficients.h.
enum LookupId : int { lookup_tanh = 0 };

}  // namespace voxloom::ops

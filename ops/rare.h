// ops/rare.h: ids of the scalar functions behind Prim::rare.
#pragma once

namespace voxloom::ops {

/// Index into rare_table. The numbers are part of compiled code and cache keys: append only.
enum RareId : int { rare_sin = 0, rare_cos = 1, rare_tan = 2 };

}  // namespace voxloom::ops

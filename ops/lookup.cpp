// ops/lookup.cpp: the tables behind Prim::lookup.
#include <voxloom/ops/prim.h>
#include <voxloom/ops/vecmath/coefficients.h>

#include <iterator>

namespace voxloom::ops {

const LookupTable* const lookup_tables = vm::tanh_c32;
const int lookup_count = static_cast<int>(std::size(vm::tanh_c32));

}  // namespace voxloom::ops

// runtime/dense_variant.h: which variant of a kernel runs over dense arrays, told from types alone.
#pragma once

#include <voxloom/runtime/program.h>

#include <vector>

namespace voxloom::runtime {

/// The variant that a call would choose if every array were dense in the order of its type and no axis had size 1 by chance; its stores go
/// through the caches. swapped[k]: argument k is stored in the other byte order.
VariantKey dense_variant(const Program& program, const KernelStep& step, const std::vector<char>& swapped = {});

}  // namespace voxloom::runtime

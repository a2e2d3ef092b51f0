// api/gradient.h: gradients of compiled functions against finite differences.
#pragma once

#include <voxloom/ops/gradient.h>
#include <voxloom/ops/verify_grad.h>
#include <voxloom/runtime/array.h>

#include <functional>
#include <vector>

namespace voxloom {

/// verify_grad of ops/verify_grad.h at arrays, every cost and gradient compiled (options.evaluate empty: by function(), optimised).
VOXLOOM_API void verify_grad(const std::function<Expr(const std::vector<Expr>& variables)>& fun, const std::vector<Array>& points,
                             VerifyGradOptions options = {});

}  // namespace voxloom

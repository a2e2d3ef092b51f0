// ops/verify_grad.h: gradients against finite differences.
#pragma once

#include <voxloom/ops/gradient.h>
#include <voxloom/ops/interpret.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace voxloom {

/// Computes the outputs of a graph for the given inputs.
using Evaluate = std::function<std::vector<HostArray>(const Graph&, std::span<const StridedView>)>;

struct VerifyGradOptions {
  int n_tests = 2;     ///< random projections of the result
  uint64_t seed = 42;  ///< of the projections
  /// Step of the central differences, relative to elements larger than 1: 1e-5 in float64, 1e-2 in float32.
  std::optional<double> eps = {};
  /// A gradient is right if its distance is within abs_tol, or within rel_tol of the larger of the two: 1e-6 in float64, 5e-3 in float32.
  std::optional<double> abs_tol = {}, rel_tol = {};
  /// Empty: the interpreter, which defines every op.
  Evaluate evaluate = {};
};

/// Compares grad() of random projections of fun(variables) with central differences at `points` (floats and complex numbers), one for each variable.
/// UserError names the argument and element that differ most, and both values.
VOXLOOM_API void verify_grad(const std::function<Expr(const std::vector<Expr>& variables)>& fun, const std::vector<HostArray>& points,
                             const VerifyGradOptions& options = {});

}  // namespace voxloom

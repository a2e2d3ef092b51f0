// tests/passes/harness.h: runs expressions with and without passes through the interpreter.
#pragma once

#include <voxloom/graph/passes/optimise.h>
#include <voxloom/graph/passes/rule_engine.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/rules/rules.h>
#include <voxloom/ops/table.h>
#include <voxloom/ops/variables.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace passes_test {

using namespace voxloom;

/// Values where rules go wrong: zeros of both signs, infinities, NaN, subnormals, limits, and ordinary numbers.
template <class T> std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    std::vector<T> v = {T(0),
                        T(-0.0),
                        T(1),
                        T(-1),
                        T(0.5),
                        T(3),
                        T(-7.25),
                        T(1e-3),
                        L::infinity(),
                        -L::infinity(),
                        L::quiet_NaN(),
                        L::denorm_min(),
                        -L::denorm_min(),
                        L::min(),
                        L::max(),
                        L::lowest(),
                        T(88),
                        T(-104),
                        L::epsilon(),
                        T(1) + L::epsilon()};
    return v;
  } else {
    return {T(0), T(1), T(2), T(3), T(100), L::max(), L::min(), static_cast<T>(-1), static_cast<T>(L::max() - 1), T(7)};
  }
}

inline bool is_nan_bits(DType t, uint64_t bits) {
  if (t == DType::f32) return (bits & 0x7fffffffu) > 0x7f800000u;
  return t == DType::f64 && (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

/// Same bits, all NaNs equal.
inline bool same_bits(const HostArray& a, const HostArray& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.order != b.order || a.bytes.size() != b.bytes.size()) return false;
  const DType part = real_part_of(a.dtype);
  const size_t width = size_of(part);
  for (size_t at = 0; at < a.bytes.size(); at += width) {
    uint64_t x = 0, y = 0;
    std::memcpy(&x, a.bytes.data() + at, width);
    std::memcpy(&y, b.bytes.data() + at, width);
    if (x != y && !(is_nan_bits(part, x) && is_nan_bits(part, y))) return false;
  }
  return true;
}

/// Every pair of special values: first operand along rows, second along columns.
template <class T> std::vector<HostArray> pairs_of_special_values() {
  const std::vector<T> v = special_values<T>();
  const auto n = static_cast<int64_t>(v.size());
  std::vector<HostArray> arrays(2, HostArray::of(dtype_of<T>, {n, n}));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < n; ++k) {
      const auto at = static_cast<size_t>(i * n + k) * sizeof(T);
      std::memcpy(arrays[0].bytes.data() + at, &v[static_cast<size_t>(i)], sizeof(T));
      std::memcpy(arrays[1].bytes.data() + at, &v[static_cast<size_t>(k)], sizeof(T));
    }
  }
  return arrays;
}

inline HostArray value_of(const Graph& g, const std::vector<HostArray>& inputs) {
  std::vector<StridedView> views;
  for (const HostArray& x : inputs) views.push_back(x.view());
  return interpret(g, views)[0];
}

inline PassContext context(std::set<std::string>* fired = nullptr) {
  PassContext c;
  use_op_rules(c);
  if (fired != nullptr) c.on_rule = [fired](const char* name, const Expr&, const Expr&) { fired->insert(name); };
  return c;
}

}  // namespace passes_test

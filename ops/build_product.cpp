// ops/build_product.cpp: dot, matmul and their relatives.
#include <voxloom/ops/build_product.h>
#include <voxloom/ops/infer.h>

#include <algorithm>
#include <numeric>

namespace voxloom {
namespace {

using products::Labelled;
using Labels = std::vector<int>;

constexpr int row_label = -1, column_label = -2, sum_label = -3;  // batch axes have labels from 0 on, counted from the last

/// Labels of an operand whose last axes are `core` and whose other axes are a batch.
Labelled with_batch(const Expr& x, const Labels& core) {
  Labels labels;
  for (int k = x.rank() - static_cast<int>(core.size()); k-- > 0;) labels.push_back(k);
  labels.insert(labels.end(), core.begin(), core.end());
  return {x, labels};
}

void check_rank(const char* function, const char* which, const Expr& x, int least, OriginId origin) {
  if (x.rank() >= least) return;
  fail_user(ErrorCode::shape, function,
            std::string(which) + " has shape " + ops::shape_text(x.shape()) + "; rank " + std::to_string(least) + " or more is needed",
            origin);
}

/// Batch axes of both operands, then `core`.
Labels kept_labels(const Labelled& x, const Labelled& y, const Labels& core) {
  Labels kept;
  for (int k = 8; k-- > 0;)
    for (const Labelled* operand : {&x, &y})
      if (std::count(operand->labels.begin(), operand->labels.end(), k) != 0 && (kept.empty() || kept.back() != k)) kept.push_back(k);
  kept.insert(kept.end(), core.begin(), core.end());
  return kept;
}

Expr conjugated(const Expr& x, OriginId origin) { return is_complex(x.dtype()) ? conj(Operand(x, origin)) : x; }

/// Products over the last axis of x and the last but one of y (or its only one), batches broadcast.
Expr matrix_product(const char* function, const Expr& x, const Expr& y, const ProductOptions& options, OriginId origin) {
  const Labelled a = with_batch(x, x.rank() == 1 ? Labels{sum_label} : Labels{row_label, sum_label});
  const Labelled b = with_batch(y, y.rank() == 1 ? Labels{sum_label} : Labels{sum_label, column_label});
  products::check_equal(function, x, x.rank() - 1, y, std::max(0, y.rank() - 2), origin);
  Labels core;
  if (x.rank() > 1) core.push_back(row_label);
  if (y.rank() > 1) core.push_back(column_label);
  const Labels kept = kept_labels(a, b, core);
  const auto one = [](const Expr& e, int axis) { return e.shape()[static_cast<size_t>(axis)].is_one(); };
  const bool matrices = core.size() == 2 && !one(x, x.rank() - 2) && !one(y, y.rank() - 1) && !one(x, x.rank() - 1);
  if (!matrices) return products::sum_of_products(a, b, kept, options, origin);
  const auto all = [&](Labels labels, const Labels& last) {
    labels.resize(labels.size() - 2);
    labels.insert(labels.end(), last.begin(), last.end());
    return labels;
  };
  const Expr left = products::arranged(a, all(kept, {row_label, sum_label}), origin);
  const Expr right = products::arranged(b, all(kept, {sum_label, column_label}), origin);
  return make_node(op("matmul"), {left, right}, {{"acc_dtype", options.acc_dtype.value_or(x.dtype())}}, origin);
}

std::vector<int> positions(const char* function, const Expr& x, const std::vector<Axis>& axes, OriginId origin) {
  std::vector<int> found;
  for (const Axis& axis : axes) found.push_back(static_cast<int>(resolve_axes(function, x.type(), Axes{axis}, origin).front()));
  for (size_t k = 0; k < found.size(); ++k)
    if (std::count(found.begin(), found.end(), found[k]) > 1)
      fail_user(ErrorCode::usage, function, "axis " + std::to_string(found[k]) + " is given twice", origin);
  return found;
}

Expr tensor_product(const char* function, const Expr& x, const Expr& y, const std::vector<int>& x_axes, const std::vector<int>& y_axes,
                    const ProductOptions& options, OriginId origin) {
  if (x_axes.size() != y_axes.size())
    fail_user(ErrorCode::usage, function,
              std::to_string(x_axes.size()) + " axes of the first operand and " + std::to_string(y_axes.size()) + " of the second", origin);
  Labels a(static_cast<size_t>(x.rank())), b(static_cast<size_t>(y.rank())), kept;
  std::iota(a.begin(), a.end(), 0);
  std::iota(b.begin(), b.end(), x.rank());
  for (size_t k = 0; k < x_axes.size(); ++k) {
    products::check_equal(function, x, x_axes[k], y, y_axes[k], origin);
    b[static_cast<size_t>(y_axes[k])] = a[static_cast<size_t>(x_axes[k])];
  }
  for (size_t k = 0; k < a.size(); ++k)
    if (std::count(x_axes.begin(), x_axes.end(), static_cast<int>(k)) == 0) kept.push_back(a[k]);
  for (size_t k = 0; k < b.size(); ++k)
    if (std::count(y_axes.begin(), y_axes.end(), static_cast<int>(k)) == 0) kept.push_back(b[k]);
  return products::contracted({x, a}, {y, b}, kept, options, origin);
}

}  // namespace

Expr matmul(const Operand& x, const Operand& y, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  check_rank("matmul", "the first operand", in[0], 1, origin);
  check_rank("matmul", "the second operand", in[1], 1, origin);
  return matrix_product("matmul", in[0], in[1], options, origin);
}

Expr dot(const Operand& x, const Operand& y, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  if (in[0].rank() == 0 || in[1].rank() == 0)
    return products::sum_of_products(with_batch(in[0], {}), with_batch(in[1], {}), with_batch(in[in[0].rank() == 0 ? 1 : 0], {}).labels,
                                     options, origin);
  if (in[0].rank() <= 2 && in[1].rank() <= 2) return matrix_product("dot", in[0], in[1], options, origin);
  return tensor_product("dot", in[0], in[1], {in[0].rank() - 1}, {std::max(0, in[1].rank() - 2)}, options, origin);
}

Expr outer(const Operand& x, const Operand& y) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  const auto flat = [&](const Expr& e) { return e.rank() == 1 ? e : ravel(Operand(e, origin)); };
  return products::sum_of_products({flat(in[0]), {0}}, {flat(in[1]), {1}}, {0, 1}, {}, origin);
}

Expr tensordot(const Operand& x, const Operand& y, int axes, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  if (axes < 0 || axes > in[0].rank() || axes > in[1].rank())
    products::fail_shapes("tensordot", in[0], in[1], std::to_string(axes) + " axes of each are to be summed", origin);
  std::vector<int> first(static_cast<size_t>(axes)), second(first.size());
  std::iota(first.begin(), first.end(), in[0].rank() - axes);
  std::iota(second.begin(), second.end(), 0);
  return tensor_product("tensordot", in[0], in[1], first, second, options, origin);
}

Expr tensordot(const Operand& x, const Operand& y, const std::vector<Axis>& x_axes, const std::vector<Axis>& y_axes,
               const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  return tensor_product("tensordot", in[0], in[1], positions("tensordot", in[0], x_axes, origin),
                        positions("tensordot", in[1], y_axes, origin), options, origin);
}

Expr batched_dot(const Operand& x, const Operand& y, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  for (const Expr& e : in)
    if (e.rank() < 1 || e.rank() > 3)
      fail_user(ErrorCode::shape, "batched_dot",
                "an operand has shape " + ops::shape_text(e.shape()) + "; a batch of scalars, vectors or matrices is needed", origin);
  products::check_equal("batched_dot", in[0], 0, in[1], 0, origin);
  const int x_rank = in[0].rank(), y_rank = in[1].rank();
  if (x_rank == 1 || y_rank == 1) {  // a factor per item
    const Labelled a = {in[0], x_rank == 1 ? Labels{0} : x_rank == 2 ? Labels{0, 1} : Labels{0, 1, 2}};
    const Labelled b = {in[1], y_rank == 1 ? Labels{0} : y_rank == 2 ? Labels{0, 1} : Labels{0, 1, 2}};
    return products::sum_of_products(a, b, x_rank == 1 ? b.labels : a.labels, options, origin);
  }
  products::check_equal("batched_dot", in[0], x_rank - 1, in[1], 1, origin);
  const Labelled a = {in[0], x_rank == 2 ? Labels{0, sum_label} : Labels{0, row_label, sum_label}};
  const Labelled b = {in[1], y_rank == 2 ? Labels{0, sum_label} : Labels{0, sum_label, column_label}};
  Labels kept = {0};
  if (x_rank == 3) kept.push_back(row_label);
  if (y_rank == 3) kept.push_back(column_label);
  return products::contracted(a, b, kept, options, origin);
}

Expr vecdot(const Operand& x, const Operand& y, const Axis& axis, const ProductOptions& options) {
  const OriginId origin = x.origin();
  auto in = products::promoted({x, y});
  for (Expr& e : in) {
    check_rank("vecdot", "an operand", e, 1, origin);
    e = moveaxis(Operand(e, origin), axis, -1);
  }
  products::check_equal("vecdot", in[0], in[0].rank() - 1, in[1], in[1].rank() - 1, origin);
  const Labelled a = with_batch(conjugated(in[0], origin), {sum_label}), b = with_batch(in[1], {sum_label});
  return products::sum_of_products(a, b, kept_labels(a, b, {}), options, origin);
}

Expr matvec(const Operand& x, const Operand& y, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  check_rank("matvec", "the first operand", in[0], 2, origin);
  check_rank("matvec", "the second operand", in[1], 1, origin);
  products::check_equal("matvec", in[0], in[0].rank() - 1, in[1], in[1].rank() - 1, origin);
  const Labelled a = with_batch(in[0], {row_label, sum_label}), b = with_batch(in[1], {sum_label});
  return products::sum_of_products(a, b, kept_labels(a, b, {row_label}), options, origin);
}

Expr vecmat(const Operand& x, const Operand& y, const ProductOptions& options) {
  const OriginId origin = x.origin();
  const auto in = products::promoted({x, y});
  check_rank("vecmat", "the first operand", in[0], 1, origin);
  check_rank("vecmat", "the second operand", in[1], 2, origin);
  products::check_equal("vecmat", in[0], in[0].rank() - 1, in[1], in[1].rank() - 2, origin);
  const Labelled a = with_batch(conjugated(in[0], origin), {sum_label}), b = with_batch(in[1], {sum_label, column_label});
  return products::sum_of_products(a, b, kept_labels(a, b, {column_label}), options, origin);
}

}  // namespace voxloom

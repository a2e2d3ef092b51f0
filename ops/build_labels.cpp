// ops/build_labels.cpp: products of operands with labelled axes, as multiplications and sums or as matrix products.
#include <voxloom/ops/build_product.h>
#include <voxloom/ops/infer.h>

#include <algorithm>

namespace voxloom::products {
namespace {

using Labels = std::vector<int>;

bool has(const Labels& labels, int label) { return std::find(labels.begin(), labels.end(), label) != labels.end(); }
size_t place(const Labels& labels, int label) {
  return static_cast<size_t>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

const Dim& size_at(const Labelled& x, int label) { return x.value.shape()[place(x.labels, label)]; }

/// The operand of transpositions, with the labels where they are there.
Labelled looked_through(Labelled x) {
  while (&x.value->op() == &op("dimshuffle")) {
    const auto& pattern = x.value->attr_ints("pattern");
    const Expr& base = x.value->input(0);
    if (pattern.size() != base.shape().size() || std::count(pattern.begin(), pattern.end(), -1) != 0) break;
    Labels labels(pattern.size());
    for (size_t k = 0; k < pattern.size(); ++k) labels[static_cast<size_t>(pattern[k])] = x.labels[k];
    x = {base, labels};
  }
  return x;
}

Expr multiplied(const Expr& x, const Expr& y, OriginId origin) {
  return make_node(op(x.dtype() == DType::boolean ? "logical_and" : "mul"), {x, y}, {}, origin);
}

/// Total over the axes at these positions, in the dtype of x; booleans: whether any is true.
Expr total(const Expr& x, const std::vector<Axis>& axes, const ProductOptions& options, OriginId origin) {
  if (axes.empty()) return x;
  if (x.dtype() == DType::boolean) return any(Operand(x, origin), axes);
  std::optional<DType> acc = options.acc_dtype;
  if (!acc && !is_integer(x.dtype())) acc = x.dtype();
  return sum(Operand(x, origin), axes, {.keepdims = false, .dtype = x.dtype(), .acc_dtype = acc, .ddof = 0});
}

Dim joined_size(const Labelled& x, const Labels& labels) {
  std::vector<Dim> sizes;
  for (const int label : labels) sizes.push_back(size_at(x, label));
  return product(sizes);
}

/// Batch, rows, columns. Axes that become one are joined last axis fastest, whatever the order of the type: reshape joins F ones the other
/// way round.
Labels matrix_labels(const Labels& batch, Labels rows, Labels columns, Order type_order) {
  if (type_order == Order::F) {
    std::reverse(rows.begin(), rows.end());
    std::reverse(columns.begin(), columns.end());
  }
  Labels order = batch;
  order.insert(order.end(), rows.begin(), rows.end());
  order.insert(order.end(), columns.begin(), columns.end());
  return order;
}

/// Arranged as [batch..., rows, columns], where each of the last two may be several axes.
Expr as_matrix(const Labelled& x, const Labels& batch, const Labels& rows, const Labels& columns, OriginId origin) {
  const Labels order = matrix_labels(batch, rows, columns, x.value.type().order);
  Expr value = arranged(x, order, origin);
  if (rows.size() == 1 && columns.size() == 1) return value;
  std::vector<Dim> shape(value.shape().begin(), value.shape().begin() + static_cast<std::ptrdiff_t>(batch.size()));
  shape.push_back(joined_size(x, rows));
  shape.push_back(joined_size(x, columns));
  return make_node(op("reshape"), {value}, {{"shape", shape}}, origin);
}

}  // namespace

std::vector<Expr> promoted(std::vector<Operand> operands) {
  const DType dtype = common_dtype(op("matmul"), operands);
  std::vector<Expr> values;
  for (const Operand& x : operands) values.push_back(x.as_expr(dtype));
  return values;
}

Expr arranged(const Labelled& x, const std::vector<int>& labels, OriginId origin) {
  std::vector<int> pattern, same;
  for (const int label : labels) {
    same.push_back(static_cast<int>(same.size()));
    pattern.push_back(has(x.labels, label) ? static_cast<int>(place(x.labels, label)) : -1);
  }
  if (pattern == same && x.labels.size() == labels.size()) return x.value;
  return dimshuffle(Operand(x.value, origin), pattern);
}

Expr summed(const Labelled& x, const std::vector<int>& kept, const ProductOptions& options, OriginId origin) {
  std::vector<Axis> axes;
  Labels left;
  for (size_t k = 0; k < x.labels.size(); ++k) {
    if (has(kept, x.labels[k])) left.push_back(x.labels[k]);
    else axes.emplace_back(static_cast<int>(k));
  }
  return arranged({total(x.value, axes, options, origin), left}, kept, origin);
}

Expr sum_of_products(const Labelled& first, const Labelled& second, const std::vector<int>& kept, const ProductOptions& options,
                     OriginId origin) {
  const bool first_leads = ops::effective_rank(first.value.type()) >= ops::effective_rank(second.value.type());
  const Labelled lead = looked_through(first_leads ? first : second);
  Labels domain = lead.labels;
  for (const int label : (first_leads ? second : first).labels)
    if (!has(domain, label)) domain.push_back(label);
  const Expr x = arranged(first_leads ? lead : first, domain, origin), y = arranged(first_leads ? second : lead, domain, origin);
  return summed({multiplied(x, y, origin), domain}, kept, options, origin);
}

Expr contracted(const Labelled& x, const Labelled& y, const std::vector<int>& kept, const ProductOptions& options, OriginId origin) {
  Labels batch, rows, columns, shared;
  for (const int label : x.labels) {
    if (!has(y.labels, label)) rows.push_back(label);
    else (has(kept, label) ? batch : shared).push_back(label);
  }
  for (const int label : y.labels)
    if (!has(x.labels, label)) columns.push_back(label);
  const auto counts = [](const Labelled& operand, const Labels& labels) {
    return std::any_of(labels.begin(), labels.end(), [&](int label) { return !size_at(operand, label).is_one(); });
  };
  if (!counts(x, rows) || !counts(y, columns) || !counts(x, shared)) return sum_of_products(x, y, kept, options, origin);
  const Expr a = as_matrix(x, batch, rows, shared, origin), b = as_matrix(y, batch, shared, columns, origin);
  Expr result = make_node(op("matmul"), {a, b}, {{"acc_dtype", options.acc_dtype.value_or(a.dtype())}}, origin);
  const Labels order = matrix_labels(batch, rows, columns, result.type().order);
  if (rows.size() != 1 || columns.size() != 1) {
    std::vector<Dim> shape(result.shape().begin(), result.shape().begin() + static_cast<std::ptrdiff_t>(batch.size()));
    for (size_t k = batch.size(); k < order.size(); ++k) shape.push_back(size_at(has(x.labels, order[k]) ? x : y, order[k]));
    result = make_node(op("reshape"), {result}, {{"shape", shape}}, origin);
  }
  return arranged({result, order}, kept, origin);
}

void fail_shapes(const char* function, const Expr& x, const Expr& y, const std::string& why, OriginId origin) {
  fail_user(ErrorCode::shape, function,
            "shapes " + ops::shape_text(x.shape()) + " and " + ops::shape_text(y.shape()) + " do not fit: " + why, origin);
}

void check_equal(const char* function, const Expr& x, int x_axis, const Expr& y, int y_axis, OriginId origin) {
  const Dim &a = x.shape()[static_cast<size_t>(x_axis)], &b = y.shape()[static_cast<size_t>(y_axis)];
  if (a == b || !(a - b).is_constant()) return;
  fail_shapes(function, x, y,
              "axis " + std::to_string(x_axis) + " of the first has size " + a.str() + ", axis " + std::to_string(y_axis) +
                  " of the second " + b.str(),
              origin);
}

}  // namespace voxloom::products

// ops/build_reduce.cpp: reductions: axes by name or position, dtypes of accumulators and results.
#include <voxloom/ops/build.h>
#include <voxloom/ops/reduce_types.h>

#include <algorithm>

namespace voxloom {
namespace {

std::string names_text(const Type& type) {
  std::string text;
  for (const std::string& name : type.names) text += (text.empty() ? "" : ", ") + (name.empty() ? std::string("(unnamed)") : name);
  return text.empty() ? "it has no axis names" : "its axes are " + text;
}

int64_t resolve_axis(const char* function, const Type& type, const Axis& axis, OriginId origin) {
  if (!axis.name.empty()) {
    const int at = type.axis_named(axis.name);
    if (at < 0) fail_user(ErrorCode::index, function, "no axis is named " + axis.name + " (" + names_text(type) + ")", origin);
    return at;
  }
  const int at = axis.index < 0 ? axis.index + type.rank() : axis.index;
  if (at < 0 || at >= type.rank())
    fail_user(ErrorCode::index, function, "axis " + std::to_string(axis.index) + " of an operand of rank " + std::to_string(type.rank()),
              origin);
  return at;
}

/// dtypes that a total takes: the operand's (cast first where an integer result is asked of floats), accumulator, result.
struct TotalTypes {
  DType operand, acc, result;
};
TotalTypes total_types(bool is_mean, const Type& type, const ReduceOptions& options) {
  DType operand = type.dtype;
  if (options.dtype && is_integer(*options.dtype) && !is_mean)
    operand = is_integer(operand) || operand == DType::boolean ? operand : *options.dtype;
  if (options.dtype && is_complex(*options.dtype)) operand = complex_of(real_part_of(operand));
  const DType own = is_mean ? ops::mean_accumulator(operand) : ops::sum_accumulator(operand);
  const DType natural = is_mean ? ops::mean_result(operand, type.is_image(), current_policy()) : ops::sum_result(operand);
  DType acc = options.acc_dtype.value_or(own);
  if (!options.acc_dtype && options.dtype && is_float(*options.dtype) && is_integer(acc))
    acc = is_mean && size_of(operand) <= 4 ? acc : DType::f64;
  const DType result = options.dtype.value_or(options.acc_dtype && !is_float(natural) && !is_complex(natural) && !is_mean ? acc : natural);
  return {operand, acc, result};
}

bool is_total(const OpInfo& row) { return &row == &op("sum") || &row == &op("prod") || &row == &op("mean"); }
bool is_spread(const OpInfo& row) { return &row == &op("var") || &row == &op("std"); }

}  // namespace

std::vector<int64_t> resolve_axes(const char* function, const Type& type, const Axes& axes, OriginId origin) {
  std::vector<int64_t> positions;
  if (axes.all)
    for (int k = 0; k < type.rank(); ++k) positions.push_back(k);
  for (const Axis& axis : axes.list) positions.push_back(resolve_axis(function, type, axis, origin));
  std::sort(positions.begin(), positions.end());
  const auto twice = std::adjacent_find(positions.begin(), positions.end());
  if (twice != positions.end()) fail_user(ErrorCode::usage, function, "axis " + std::to_string(*twice) + " is given twice", origin);
  return positions;
}

Expr reduce(const OpInfo& row, const Operand& operand, const Axes& axes, const ReduceOptions& options) {
  const OriginId origin = operand.origin();
  Expr x = operand.as_expr();
  std::vector<int64_t> positions = resolve_axes(row.name, x.type(), axes, origin);
  if (positions.empty()) {  // over no axis: over a new one of size 1
    std::vector<int> pattern;
    for (int k = 0; k < x.rank(); ++k) pattern.push_back(k);
    positions.push_back(x.rank());
    pattern.push_back(-1);
    x = dimshuffle(Operand(x, origin), pattern);
    return reduce(row, Operand(x, origin), Axes(x.rank() - 1), {false, options.dtype, options.acc_dtype, options.ddof});
  }
  Attrs attrs = {{"axes", positions}, {"keepdims", options.keepdims}};
  if (is_total(row)) {
    const TotalTypes types = total_types(&row == &op("mean"), x.type(), options);
    x = Operand(x, origin).as_expr(types.operand);
    attrs.insert(attrs.begin(), {"acc_dtype", types.acc});
    attrs.insert(attrs.end() - 1, {"dtype", types.result});
  } else if (is_spread(row)) {
    const DType natural = ops::mean_result(x.dtype(), x.type().is_image(), current_policy());
    attrs.insert(attrs.end() - 1, {"ddof", int64_t{options.ddof}});
    attrs.insert(attrs.end() - 1, {"dtype", options.dtype.value_or(natural)});
  } else if (options.dtype || options.acc_dtype) {
    fail_user(ErrorCode::usage, row.name, "takes no dtype", origin);
  }
  if (row.promotion == Promotion::logical) x = Operand(x, origin).as_expr(DType::boolean);
  return make_node(row, {x}, std::move(attrs), origin);
}

#define VOXLOOM_DEFINE(name) \
  Expr name(const Operand& x, const Axes& axes, const ReduceOptions& options) { return reduce(op(#name), x, axes, options); }
VOXLOOM_DEFINE(sum)
VOXLOOM_DEFINE(prod)
VOXLOOM_DEFINE(mean)
VOXLOOM_DEFINE(var)
VOXLOOM_DEFINE(std)
VOXLOOM_DEFINE(min)
VOXLOOM_DEFINE(max)
VOXLOOM_DEFINE(argmin)
VOXLOOM_DEFINE(argmax)
VOXLOOM_DEFINE(any)
VOXLOOM_DEFINE(all)
#undef VOXLOOM_DEFINE

Expr ptp(const Operand& x, const Axes& axes, const ReduceOptions& options) {
  return sub(Operand(max(x, axes, options), x.origin()), Operand(min(x, axes, options), x.origin()));
}

}  // namespace voxloom

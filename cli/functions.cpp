// cli/functions.cpp: calls by name: elementwise rows and reductions from the op table, the other builders one by one.
#include <voxloom/cli/functions.h>

#include <voxloom/cli/fold.h>
#include <voxloom/cli/lexer.h>
#include <voxloom/graph/nearest.h>

#include <algorithm>
#include <array>

namespace voxloom::cli {
namespace {

OriginId origin_at(int column) { return origin_of_text("expression", column); }

Value result(const Call& call, const Expr& expr) { return Value::of(Operand(expr, origin_at(call.column())), call.column()); }

/// An operand that must be an expression; a number becomes a constant.
Expr expression(Call& call, std::string_view keyword) { return call.operand(keyword).as_expr(); }

Operand at(const Call& call, const Expr& x) { return Operand(x, origin_at(call.column())); }

Value reduction(Call& call, const OpInfo& row) {
  const Expr x = expression(call, "a");
  const Axes axes = call.axes("axis");
  ReduceOptions options;
  options.keepdims = call.flag_keyword("keepdims");
  const bool spread = std::string_view(row.name) == "var" || std::string_view(row.name) == "std";
  const std::string_view name = row.name;
  if (spread || name == "sum" || name == "prod" || name == "mean") {
    options.dtype = call.dtype_keyword("dtype");
    options.acc_dtype = call.dtype_keyword("acc_dtype");
  }
  if (spread) {
    const auto ddof = call.take_keyword("ddof");
    if (ddof && !ddof->is_integer()) fail_at(ddof->column, call.function() + ": argument 'ddof' is an integer");
    options.ddof = ddof ? static_cast<int>(ddof->operand->integer()) : call.options().ddof;
  }
  call.finish();
  return result(call, reduce(row, at(call, x), axes, options));
}

Value ptp_call(Call& call) {
  const Expr x = expression(call, "a");
  const Axes axes = call.axes("axis");
  ReduceOptions options;
  options.keepdims = call.flag_keyword("keepdims");
  call.finish();
  return result(call, ptp(at(call, x), axes, options));
}

/// dot, matmul, outer.
template <auto F> Value product_call(Call& call) {
  const Operand x = call.operand("a"), y = call.operand("b");
  call.finish();
  return result(call, F(x, y));
}
Expr dot_of(const Operand& x, const Operand& y) { return dot(x, y); }
Expr matmul_of(const Operand& x, const Operand& y) { return matmul(x, y); }

Value where_call(Call& call) {
  const std::array<Operand, 3> operands = {call.operand("condition"), call.operand("x"), call.operand("y")};
  call.finish();
  return result(call, where(operands[0], operands[1], operands[2]));
}

Value clip_call(Call& call) {
  const Operand x = call.operand("a");
  std::optional<Operand> low = call.optional_operand("min"), high = call.optional_operand("max");
  if (const auto v = call.take_keyword("a_min"); v && v->kind == Value::Kind::operand) low = v->operand;
  if (const auto v = call.take_keyword("a_max"); v && v->kind == Value::Kind::operand) high = v->operand;
  call.finish();
  if (!low && !high) call.fail("give a lower bound, an upper bound, or both");
  const Operand value = at(call, x.as_expr());
  if (!low) return result(call, minimum(value, *high));
  if (!high) return result(call, maximum(value, *low));
  return result(call, clip(value, *low, *high));
}

Value round_call(Call& call) {
  const Operand x = call.operand("a");
  const int64_t decimals = call.integer("decimals").value_or(0);
  call.finish();
  if (x.is_weak() && decimals == 0) return apply_row(op("rint"), std::array{x}, call.column());
  return result(call, round(at(call, x.as_expr()), static_cast<int>(decimals)));
}

Value nan_to_num_call(Call& call) {
  const Expr x = expression(call, "x");
  const std::optional<double> nan = call.real_keyword("nan"), high = call.real_keyword("posinf"), low = call.real_keyword("neginf");
  call.finish();
  return result(call, nan_to_num(at(call, x), nan.value_or(0), high, low));
}

Value cast_call(Call& call) {
  const Expr x = expression(call, "a");
  const std::optional<DType> dtype = call.dtype("dtype");
  call.finish();
  if (!dtype) call.fail("a dtype such as \"float32\" is missing");
  return result(call, cast(at(call, x), *dtype));
}

Value transpose_call(Call& call) {
  const Expr x = expression(call, "a");
  const Axes order = call.axes("axes");
  call.finish();
  return result(call, transpose(at(call, x), order));
}

Value swapaxes_call(Call& call) {
  const Expr x = expression(call, "a");
  const std::optional<Axis> first = call.axis("axis1"), second = call.axis("axis2");
  call.finish();
  if (!first || !second) call.fail("two axes are needed");
  return result(call, swapaxes(at(call, x), *first, *second));
}

Value moveaxis_call(Call& call) {
  const Expr x = expression(call, "a");
  const std::optional<Axis> source = call.axis("source");
  const std::optional<int64_t> destination = call.integer("destination");
  call.finish();
  if (!source || !destination) call.fail("an axis and its new position are needed");
  return result(call, moveaxis(at(call, x), *source, static_cast<int>(*destination)));
}

Value squeeze_call(Call& call) {
  const Expr x = expression(call, "a");
  const Axes axes = call.axes("axis");
  call.finish();
  return result(call, squeeze(at(call, x), axes));
}

Value expand_dims_call(Call& call) {
  const Expr x = expression(call, "a");
  const std::optional<int64_t> position = call.integer("axis");
  call.finish();
  if (!position) call.fail("the position of the new axis is missing");
  return result(call, expand_dims(at(call, x), static_cast<int>(*position)));
}

Value flip_call(Call& call) {
  const Expr x = expression(call, "m");
  const Axes axes = call.axes("axis");
  call.finish();
  return result(call, flip(at(call, x), axes));
}

Value ravel_call(Call& call) {
  const Expr x = expression(call, "a");
  call.finish();
  return result(call, ravel(at(call, x)));
}

Value concatenate_call(Call& call) {
  const std::vector<Operand> operands = call.operands("arrays");
  const Axis axis = call.axis("axis").value_or(Axis(0));
  call.finish();
  return result(call, concatenate(operands, axis));
}

Value stack_call(Call& call) {
  const std::vector<Operand> operands = call.operands("arrays");
  const Axis axis = call.axis("axis").value_or(Axis(0));
  call.finish();
  return result(call, stack(operands, axis));
}

struct Builder {
  std::string_view name;
  Value (*call)(Call&);
  std::string_view arguments, doc;
};
constexpr std::string_view where_arguments = "condition, x, y", where_doc = "x where the condition holds, y elsewhere";
constexpr std::string_view round_doc = "to that many decimals, halves to even";
constexpr std::string_view cast_doc = "in another dtype; integers wrap, floats to integers truncate and saturate";
constexpr std::string_view transpose_doc = "axes in the given order (names or positions), reversed by default";
constexpr std::string_view ravel_doc = "one axis with all elements, in the order of the image";
constexpr Builder builders[] = {
    {"where", where_call, where_arguments, where_doc},
    {"switch", where_call, where_arguments, where_doc},
    {"clip", clip_call, "a, min=None, max=None", "a within the bounds; one of them may be left out"},
    {"round", round_call, "a, decimals=0", round_doc},
    {"around", round_call, "a, decimals=0", round_doc},
    {"nan_to_num", nan_to_num_call, "x, nan=0, posinf=None, neginf=None",
     "NaN and infinities replaced (infinities by the largest finite values)"},
    {"astype", cast_call, "a, dtype", cast_doc},
    {"cast", cast_call, "a, dtype", cast_doc},
    {"transpose", transpose_call, "a, axes=None", transpose_doc},
    {"permute_dims", transpose_call, "a, axes=None", transpose_doc},
    {"swapaxes", swapaxes_call, "a, axis1, axis2", "with two axes exchanged"},
    {"moveaxis", moveaxis_call, "a, source, destination", "with an axis at another position"},
    {"squeeze", squeeze_call, "a, axis=None", "without the axes of size 1, or the given ones of them"},
    {"expand_dims", expand_dims_call, "a, axis", "with a new axis of size 1 at that position"},
    {"flip", flip_call, "m, axis=None",
     "backwards along the axes, along all by default; the header follows, so voxels stay where they are"},
    {"ravel", ravel_call, "a", ravel_doc},
    {"flatten", ravel_call, "a", ravel_doc},
    {"concatenate", concatenate_call, "arrays, axis=0", "side by side along an axis they have: concatenate((a, b), axis=\"t\")"},
    {"stack", stack_call, "arrays, axis=0",
     "side by side along a new axis, by name or position (then the next of t u v w): stack((a, b), \"t\") makes a series of two volumes"},
    {"ptp", ptp_call, "a, axis=None, keepdims=False", "maximum minus minimum"},
    {"dot", product_call<dot_of>, "a, b", "the last axis of a against the last but one of b (the only one of a vector)"},
    {"matmul", product_call<matmul_of>, "a, b", "matrix product, for each of the leading axes, which broadcast"},
    {"outer", product_call<outer>, "a, b", "every element of a times every element of b"},
};

const Builder* find_builder(std::string_view name) {
  for (const Builder& b : builders) {
    if (b.name == name) return &b;
  }
  return nullptr;
}

/// The row that a call of this name applies directly.
const OpInfo* direct_row(std::string_view name) {
  const OpInfo* row = find_function(name);
  return row && (row->kind == OpKind::elementwise || row->kind == OpKind::reduction) ? row : nullptr;
}

Value elementwise_call(Call& call, const OpInfo& row) {
  std::vector<Operand> operands;
  for (int k = 0; k < row.min_arity; ++k) operands.push_back(call.operand(row.min_arity == 1 ? "x" : "x" + std::to_string(k + 1)));
  call.finish();
  return apply_row(row, operands, call.column());
}

}  // namespace

std::optional<DType> dtype_word(std::string_view word) {
  if (word == "float" || word == "double") return DType::f64;
  if (word == "int") return DType::i64;
  if (word == "bool" || word == "bool_") return DType::boolean;
  if (word == "complex") return DType::c128;
  const std::optional<DType> found = dtype_from_name(word);
  if (found == DType::f16 || found == DType::bf16) return std::nullopt;
  return found;
}

std::string signature(std::string_view name) {
  const auto call = [&](std::string_view arguments) { return std::string(name) + "(" + std::string(arguments) + ")"; };
  if (const Builder* builder = find_builder(name)) return call(builder->arguments);
  const OpInfo* row = direct_row(name);
  if (!row) return dtype_word(name) ? call("x") : std::string();
  if (row->kind == OpKind::reduction) {
    const std::string_view n = row->name;
    const bool spread = n == "var" || n == "std", typed = spread || n == "sum" || n == "prod" || n == "mean";
    return call(std::string("a, axis=None, keepdims=False") + (typed ? ", dtype=None, acc_dtype=None" : "") + (spread ? ", ddof=0" : ""));
  }
  std::string arguments = row->min_arity == 1 ? "x" : "";
  for (int k = 1; k <= row->min_arity && row->min_arity > 1; ++k) arguments += (k > 1 ? ", x" : "x") + std::to_string(k);
  return call(arguments);
}

std::string_view function_doc(std::string_view name) {
  const Builder* builder = find_builder(name);
  return builder ? builder->doc : dtype_word(name) ? "x in that dtype, as cast" : std::string_view();
}

bool is_function(std::string_view name) { return find_builder(name) || direct_row(name) || dtype_word(name); }

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const OpInfo* row : all_ops()) {
      if (!direct_row(row->name)) continue;
      list.emplace_back(row->name);
      for (const std::string_view alias : aliases_of(*row)) list.emplace_back(alias);
    }
    for (const Builder& b : builders) list.emplace_back(b.name);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }();
  return names;
}

Value apply_row(const OpInfo& row, std::span<const Operand> operands, int column) {
  bool numbers = true;
  for (const Operand& x : operands) numbers = numbers && x.is_weak();
  if (numbers) return Value::of(fold(row, operands, column), column);
  std::vector<Operand> placed(operands.begin(), operands.end());
  // The first operand's origin becomes the node's.
  if (!placed[0].is_weak()) placed[0] = Operand(placed[0].expr(), origin_at(column));
  return Value::of(Operand(elementwise(row, placed), origin_at(column)), column);
}

Value call_function(Call& call) {
  const std::string& name = call.function();
  if (const Builder* builder = find_builder(name)) return builder->call(call);
  if (const OpInfo* row = direct_row(name)) return row->kind == OpKind::reduction ? reduction(call, *row) : elementwise_call(call, *row);
  if (const std::optional<DType> dtype = dtype_word(name)) {
    const Expr x = expression(call, "x");
    call.finish();
    return result(call, cast(at(call, x), *dtype));
  }
  fail_at(call.column(), "unknown function '" + name + "'" + did_you_mean(name, function_names()));
}

}  // namespace voxloom::cli

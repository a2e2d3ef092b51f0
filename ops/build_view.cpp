// ops/build_view.cpp: dimshuffle and its relatives, reshape, broadcast_to, concatenate, stack.
#include <voxloom/ops/build.h>
#include <voxloom/ops/infer.h>

#include <algorithm>
#include <numeric>

namespace voxloom {
namespace {

std::vector<int> all_axes(int rank) {
  std::vector<int> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

int one_axis(const char* function, const Type& type, const Axis& axis, OriginId origin) {
  return static_cast<int>(resolve_axes(function, type, Axes{axis}, origin).front());
}

Expr shuffle(const Expr& x, const std::vector<int>& pattern, OriginId origin) {
  if (pattern == all_axes(x.rank())) return x;
  return make_node(op("dimshuffle"), {x}, {{"pattern", std::vector<int64_t>(pattern.begin(), pattern.end())}}, origin);
}

/// A position in a result of `rank` axes, negative ones from its end.
int result_position(const char* function, int position, int rank, OriginId origin) {
  const int at = position < 0 ? position + rank : position;
  if (at < 0 || at >= rank)
    fail_user(ErrorCode::index, function, "axis " + std::to_string(position) + " of a result of rank " + std::to_string(rank), origin);
  return at;
}

std::vector<Dim> dims_of(const Sizes& sizes) {
  std::vector<Dim> dims;
  for (const Size& size : sizes) dims.push_back(size.dim);
  return dims;
}

bool is_left_over(const Dim& d) { return d.is_constant() && d.constant() == -1; }

}  // namespace

Expr dimshuffle(const Operand& x, const std::vector<int>& pattern) { return shuffle(x.as_expr(), pattern, x.origin()); }

Expr transpose(const Operand& x, const Axes& order) {
  const Expr value = x.as_expr();
  std::vector<int> pattern;
  if (order.all) {
    pattern = all_axes(value.rank());
    std::reverse(pattern.begin(), pattern.end());
  }
  for (const Axis& axis : order.list) pattern.push_back(one_axis("transpose", value.type(), axis, x.origin()));
  if (static_cast<int>(pattern.size()) != value.rank())
    fail_user(ErrorCode::usage, "transpose",
              std::to_string(pattern.size()) + " axes for an operand of rank " + std::to_string(value.rank()), x.origin());
  return shuffle(value, pattern, x.origin());
}

Expr swapaxes(const Operand& x, const Axis& a, const Axis& b) {
  const Expr value = x.as_expr();
  std::vector<int> pattern = all_axes(value.rank());
  const int first = one_axis("swapaxes", value.type(), a, x.origin()), second = one_axis("swapaxes", value.type(), b, x.origin());
  std::swap(pattern[static_cast<size_t>(first)], pattern[static_cast<size_t>(second)]);
  return shuffle(value, pattern, x.origin());
}

Expr moveaxis(const Operand& x, const Axis& from, int to) {
  const Expr value = x.as_expr();
  std::vector<int> pattern = all_axes(value.rank());
  const int source = one_axis("moveaxis", value.type(), from, x.origin()),
            target = result_position("moveaxis", to, value.rank(), x.origin());
  pattern.erase(pattern.begin() + source);
  pattern.insert(pattern.begin() + target, source);
  return shuffle(value, pattern, x.origin());
}

Expr squeeze(const Operand& x, const Axes& axes) {
  const Expr value = x.as_expr();
  const auto dropped = axes.all ? std::vector<int64_t>() : resolve_axes("squeeze", value.type(), axes, x.origin());
  std::vector<int> pattern;
  for (int k = 0; k < value.rank(); ++k) {
    const Dim& size = value.shape()[static_cast<size_t>(k)];
    const bool drop = axes.all ? size.is_one() : std::binary_search(dropped.begin(), dropped.end(), k);
    if (drop && !size.is_one())
      fail_user(ErrorCode::shape, "squeeze", "axis " + std::to_string(k) + " has size " + size.str() + ", not 1", x.origin());
    if (!drop) pattern.push_back(k);
  }
  return shuffle(value, pattern, x.origin());
}

Expr expand_dims(const Operand& x, int position) {
  const Expr value = x.as_expr();
  std::vector<int> pattern = all_axes(value.rank());
  pattern.insert(pattern.begin() + result_position("expand_dims", position, value.rank() + 1, x.origin()), -1);
  return shuffle(value, pattern, x.origin());
}

Expr reshape(const Operand& x, const Sizes& shape) {
  const Expr value = x.as_expr();
  std::vector<Dim> dims = dims_of(shape);
  const auto left = std::find_if(dims.begin(), dims.end(), is_left_over);
  if (left != dims.end()) {
    *left = 1;
    if (std::any_of(dims.begin(), dims.end(), is_left_over)) fail_user(ErrorCode::usage, "reshape", "only one size can be -1", x.origin());
    const Dim others = product(dims), all = value.type().size();
    if (others.is_constant() && others.constant() == 0) fail_user(ErrorCode::shape, "reshape", "-1 beside a size of 0", x.origin());
    *left = floor_div(all, others);
  }
  return make_node(op("reshape"), {value}, {{"shape", dims}}, x.origin());
}

Expr ravel(const Operand& x) {
  const Expr value = x.as_expr();
  return make_node(op("reshape"), {value}, {{"shape", std::vector<Dim>{value.type().size()}}}, x.origin());
}

Expr broadcast_to(const Operand& x, const Sizes& shape) {
  Expr value = x.as_expr();
  const auto rank = static_cast<int>(shape.size());
  if (value.rank() > rank)
    fail_user(ErrorCode::shape, "broadcast_to",
              "shape " + ops::shape_text(value.shape()) + " cannot become " + ops::shape_text(dims_of(shape)), x.origin());
  std::vector<int> pattern = all_axes(value.rank());
  pattern.insert(pattern.begin(), static_cast<size_t>(rank - value.rank()), -1);
  value = shuffle(value, pattern, x.origin());
  if (value.shape() == dims_of(shape)) return value;
  return make_node(op("broadcast_to"), {value}, {{"shape", dims_of(shape)}}, x.origin());
}

Expr concatenate(const std::vector<Operand>& operands, const Axis& axis) {
  if (operands.empty()) fail_user(ErrorCode::usage, "concatenate", "needs at least one operand");
  const OriginId origin = operands[0].origin();
  const DType dtype = common_dtype(op("concatenate"), operands);
  std::vector<Expr> inputs;
  for (const Operand& x : operands) inputs.push_back(x.as_expr(dtype));
  const int along = one_axis("concatenate", inputs[0].type(), axis, origin);
  return make_node(op("concatenate"), std::move(inputs), {{"axis", int64_t{along}}}, origin);
}

namespace {

/// The next of t u v w that the image has not.
std::string free_axis_name(const Type& type, OriginId origin) {
  for (const char* name : {"t", "u", "v", "w"})
    if (type.axis_named(name) < 0) return name;
  fail_user(ErrorCode::shape, "stack", "an image has at most the axes x y z t u v w, and " + type.str() + " uses t u v w already", origin);
}

/// All operands with a new axis, joined along it; images get it under that name.
Expr stack_at(const std::vector<Expr>& values, int position, const std::string& name, OriginId origin) {
  std::vector<Expr> expanded;
  for (const Expr& value : values) {
    if (value.rank() != values[0].rank() || value.type().names != values[0].type().names)
      fail_user(ErrorCode::shape, "stack", values[0].type().str() + " and " + value.type().str() + " have other axes", origin);
    const int at = result_position("stack", position, value.rank() + 1, origin);
    expanded.push_back(expand_dims(Operand(value, origin), at));
  }
  const int64_t along = result_position("stack", position, expanded[0].rank(), origin);
  Attrs attrs{{"axis", along}};
  if (!name.empty()) attrs.push_back({"name", name});
  return make_node(op("concatenate"), std::move(expanded), std::move(attrs), origin);
}

std::vector<Expr> values_to_stack(const std::vector<Operand>& operands) {
  if (operands.empty()) fail_user(ErrorCode::usage, "stack", "needs at least one operand");
  const DType dtype = common_dtype(op("concatenate"), operands);
  std::vector<Expr> values;
  for (const Operand& x : operands) values.push_back(x.as_expr(dtype));
  return values;
}

}  // namespace

Expr stack(const std::vector<Operand>& operands, int position) {
  const std::vector<Expr> values = values_to_stack(operands);
  const OriginId origin = operands[0].origin();
  const Type& first = values[0].type();
  return stack_at(values, position, first.is_image() ? free_axis_name(first, origin) : std::string(), origin);
}

Expr stack(const std::vector<Operand>& operands, const Axis& axis) {
  if (axis.name.empty()) return stack(operands, axis.index);
  const std::vector<Expr> values = values_to_stack(operands);
  const OriginId origin = operands[0].origin();
  const std::string asked = "the new axis " + axis.name;
  for (const Expr& value : values) {
    const Type& type = value.type();
    if (!type.is_image())
      fail_user(ErrorCode::usage, "stack", asked + " is given by name, but " + type.str() + " has no axis names; give its position",
                origin);
    if (type.axis_named(axis.name) >= 0)
      fail_user(ErrorCode::shape, "stack", asked + " is an axis of " + type.str() + " already; concatenate joins along it", origin);
  }
  return stack_at(values, values[0].rank(), axis.name, origin);
}

}  // namespace voxloom

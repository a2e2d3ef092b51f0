// ops/infer.cpp: checks behind the type rules of rows, and their messages.
#include <voxloom/ops/infer.h>

#include <algorithm>

namespace voxloom::ops {

bool accepts(unsigned set, DType t) {
  if (t == DType::boolean) return (set & B) != 0;
  if (is_integer(t)) return (set & I) != 0;
  if (is_float(t)) return (set & F) != 0;
  return is_complex(t) && (set & C) != 0;
}

std::string accept_text(unsigned set) {
  static constexpr struct {
    unsigned bit;
    const char* name;
  } kinds[] = {{B, "booleans"}, {I, "integers"}, {F, "floats"}, {C, "complex numbers"}};
  std::string text;
  for (const auto& kind : kinds)
    if ((set & kind.bit) != 0) text += (text.empty() ? "" : ", ") + std::string(kind.name);
  return text;
}

std::string shape_text(const std::vector<Dim>& shape) {
  std::string text = "[";
  for (const Dim& dim : shape) text += (text.size() > 1 ? ", " : "") + dim.str();
  return text + "]";
}

std::optional<Dim> meet(const Dim& a, const Dim& b) {
  if (a == b || b.is_one()) return a;
  if (a.is_one()) return b;
  if ((a - b).is_constant()) return std::nullopt;
  return b.is_constant() ? b : a;
}

int effective_rank(const Type& type) {
  return static_cast<int>(std::count_if(type.shape.begin(), type.shape.end(), [](const Dim& d) { return !d.is_one(); }));
}

Order result_order(std::span<const Expr> operands) {
  const Expr* best = nullptr;
  for (const Expr& x : operands)
    if (best == nullptr || effective_rank(x.type()) > effective_rank(best->type())) best = &x;
  return best == nullptr ? Order::C : best->type().order;
}

namespace {

std::string shapes_text(std::span<const Expr> operands) {
  std::string text;
  for (size_t k = 0; k < operands.size(); ++k)
    text += (k == 0 ? "" : k + 1 == operands.size() ? " and " : ", ") + shape_text(operands[k].shape());
  return text;
}

/// Names of the axes of a result: those of any operand that has them.
std::vector<std::string> merged_names(const OpInfo& row, std::span<const Expr> operands, OriginId origin) {
  std::vector<std::string> names;
  for (const Expr& x : operands) {
    const auto& own = x.type().names;
    if (own.empty()) continue;
    if (names.empty()) names.resize(own.size());
    for (size_t k = 0; k < own.size(); ++k) {
      if (own[k].empty()) continue;
      if (!names[k].empty() && names[k] != own[k])
        fail_user(ErrorCode::shape, row.name,
                  "axis " + std::to_string(k) + " is named " + names[k] + " in one operand and " + own[k] + " in another", origin);
      names[k] = own[k];
    }
  }
  return names;
}

}  // namespace

Type broadcast_type(const OpInfo& row, std::span<const Expr> operands, DType dtype, OriginId origin) {
  Type result{dtype, operands[0].shape(), result_order(operands), {}};
  for (const Expr& x : operands) {
    if (x.rank() != result.rank()) fail_user(ErrorCode::shape, row.name, "operands of different rank: " + shapes_text(operands), origin);
    for (size_t k = 0; k < result.shape.size(); ++k) {
      const auto dim = meet(result.shape[k], x.shape()[k]);
      if (!dim) fail_user(ErrorCode::shape, row.name, "shapes " + shapes_text(operands) + " do not broadcast", origin);
      result.shape[k] = *dim;
    }
  }
  result.names = merged_names(row, operands, origin);
  settle_names(result);
  return result;
}

void settle_names(Type& type) {
  const std::vector<std::string> given = type.names;
  for (std::string& name : type.names)
    if (std::count(given.begin(), given.end(), name) > 1) name.clear();
  if (std::all_of(type.names.begin(), type.names.end(), [](const std::string& name) { return name.empty(); })) type.names.clear();
}

void fail_missing_attr(const OpInfo& row, std::string_view key, OriginId origin) {
  fail_user(ErrorCode::usage, row.name, "attribute " + std::string(key) + " is missing or of another type", origin);
}

DType common_dtype(const OpInfo& row, std::span<const Expr> operands, size_t first, unsigned set, OriginId origin) {
  const DType dtype = operands[first].dtype();
  for (const Expr& x : operands.subspan(first))
    if (x.dtype() != dtype)
      fail_user(ErrorCode::dtype, row.name,
                "operands of dtypes " + std::string(name_of(dtype)) + " and " + std::string(name_of(x.dtype())) + " (a cast is missing)",
                origin);
  if (!accepts(set, dtype))
    fail_user(ErrorCode::dtype, row.name, std::string(name_of(dtype)) + " is not supported (" + accept_text(set) + " are)", origin);
  return dtype;
}

void check_slice(const OpInfo& row, size_t axis, const Dim& size, const Dim& start, const Dim& count, int64_t step, OriginId origin) {
  if (step == 0) fail_user(ErrorCode::usage, row.name, "the step of axis " + std::to_string(axis) + " is 0", origin);
  const Dim last = start + (count - Dim(1)) * Dim(step), above = size - last;
  const bool empty = count.is_constant() && count.constant() == 0;
  const auto negative = [](const Dim& d) { return d.is_constant() && d.constant() < 0; };
  if (negative(count) || (!empty && (negative(start) || negative(last) || negative(above - Dim(1)) || negative(size - start - Dim(1)))))
    fail_user(
        ErrorCode::index, row.name,
        "axis " + std::to_string(axis) + " has size " + size.str() + "; elements " + start.str() + " to " + last.str() + " do not exist",
        origin);
}

Type reduced_type(const OpInfo& row, const Expr& x, const Attrs& attrs, DType dtype, OriginId origin) {
  const auto& axes = need_attr<std::vector<int64_t>>(row, attrs, "axes", origin);
  const bool* keepdims = find_attr<bool>(attrs, "keepdims");
  for (size_t k = 0; k < axes.size(); ++k) {
    if (axes[k] < 0 || axes[k] >= x.rank())
      fail_user(ErrorCode::index, row.name, "axis " + std::to_string(axes[k]) + " of an operand of rank " + std::to_string(x.rank()),
                origin);
    if (k > 0 && axes[k] <= axes[k - 1]) fail_user(ErrorCode::usage, row.name, "axes must be sorted and given once", origin);
  }
  const Type& from = x.type();
  Type result{dtype, {}, from.order, {}};
  for (int k = 0; k < x.rank(); ++k) {
    const auto at = static_cast<size_t>(k);
    const bool reduced = std::binary_search(axes.begin(), axes.end(), k);
    if (reduced && (keepdims == nullptr || !*keepdims)) continue;
    result.shape.push_back(reduced ? Dim(1) : from.shape[at]);
    if (from.is_image()) result.names.push_back(from.names[at]);
  }
  settle_names(result);
  return result;
}

std::vector<AxisMap> reduction_axes(const Node& node, size_t) {
  const auto& axes = node.attr_ints("axes");
  const bool keepdims = node.attr_bool("keepdims");
  std::vector<AxisMap> maps;
  int out = 0;
  for (int k = 0; k < node.input(0).rank(); ++k) {
    AxisMap map;
    if (std::binary_search(axes.begin(), axes.end(), k)) {
      map.relation = AxisRelation::reduce;
      if (keepdims) ++out;
    } else {
      map.out_axis = out++;
    }
    maps.push_back(map);
  }
  return maps;
}

}  // namespace voxloom::ops

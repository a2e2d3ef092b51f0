// ops/rules/reductions.cpp: exact rules of reductions whose result does not depend on the order.
#include <voxloom/ops/rules/rules.h>

#include <algorithm>

namespace voxloom::rules {
namespace {

using Ints = std::vector<int64_t>;

// Axes of x that two reductions after another reduce; empty unless both keep dims or neither does.
Ints joined_axes(const Node& outer, const Node& inner) {
  if (outer.attr_bool("keepdims") != inner.attr_bool("keepdims")) return {};
  Ints axes = inner.attr_ints("axes");
  Ints kept;  // axes of x that the inner result has
  for (int64_t k = 0; k < inner.input(0).rank(); ++k) {
    if (inner.attr_bool("keepdims") || !std::binary_search(axes.begin(), axes.end(), k)) kept.push_back(k);
  }
  for (const int64_t axis : outer.attr_ints("axes")) axes.push_back(kept[static_cast<size_t>(axis)]);
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

Expr one_reduction(const Match& m) {
  Ints axes = joined_axes(m.node(0), m.node(1));
  if (axes.empty()) return {};
  Attrs attrs = m.node().attrs();
  const auto place = std::find_if(attrs.begin(), attrs.end(), [](const Attr& attr) { return attr.key == "axes"; });
  place->value = std::move(axes);
  return make_node(m.node().op(), {m["x"]}, std::move(attrs), m.node().origin());
}

// Sums of integers wrap, so that order and grouping do not matter if all is done in one dtype of 64 bits.
bool sums_in_one_dtype(const Match& m) {
  const DType acc = m.node(0).attr_dtype("acc_dtype");
  return is_integer(acc) && size_of(acc) == 8 && m.node(1).attr_dtype("acc_dtype") == acc && m.node(1).type().dtype == acc &&
         m.dtype() == acc;
}

const Rule table[] = {
    {.name = "max_max", .pattern = "max(max(x))", .result = "max(x)", .algebra = "the largest of the largest", .build = one_reduction},
    {.name = "min_min", .pattern = "min(min(x))", .result = "min(x)", .algebra = "the smallest of the smallest", .build = one_reduction},
    {.name = "any_any", .pattern = "any(any(x))", .result = "any(x)", .algebra = "or is associative", .build = one_reduction},
    {.name = "all_all", .pattern = "all(all(x))", .result = "all(x)", .algebra = "and is associative", .build = one_reduction},
    {.name = "sum_sum_integer",
     .pattern = "sum(sum(x))",
     .result = "sum(x)",
     .algebra = "sums modulo 2^64 are associative",
     .guard = sums_in_one_dtype,
     .build = one_reduction},
};

}  // namespace

std::span<const Rule> reductions() { return table; }

}  // namespace voxloom::rules

// ops/build_subtensor.cpp: an operand with some of its elements set or increased.
#include <voxloom/ops/infer.h>
#include <voxloom/ops/selection.h>

#include <algorithm>

namespace voxloom {
namespace {

/// What is done to the elements, and the names it goes by.
struct Change {
  const char *function, *slice_row, *array_row;
  bool adds;
};
constexpr Change set_change{"set_subtensor", "set_slice", "set_at", false};
constexpr Change inc_change{"inc_subtensor", "inc_slice", "inc_at", true};

/// The values in the dtype of x; they may not be wider.
Expr values_for(const Change& change, const Expr& x, const Operand& values) {
  if (!values.is_weak() && promote(x.dtype(), values.expr().dtype(), current_policy()) != x.dtype())
    fail_user(ErrorCode::dtype, change.function,
              "values of dtype " + std::string(name_of(values.expr().dtype())) + " for elements of dtype " +
                  std::string(name_of(x.dtype())) + "; cast the one or the other",
              values.origin());
  return values.as_expr(x.dtype());
}

/// The values with the axes of what is chosen.
Expr aligned_values(const Change& change, const Expr& chosen, const Expr& values, OriginId origin) {
  const std::vector<Expr> aligned = align(change.function, {chosen, values}, origin);
  if (!aligned[0].same_as(chosen))
    fail_user(ErrorCode::shape, change.function,
              "values of shape " + ops::shape_text(values.shape()) + " where " + ops::shape_text(chosen.shape()) + " are chosen", origin);
  for (size_t k = 0; k < chosen.shape().size(); ++k) {
    if (chosen.shape()[k].is_one() && !aligned[1].shape()[k].is_one())
      fail_user(ErrorCode::shape, change.function,
                "values of shape " + ops::shape_text(values.shape()) + " where " + ops::shape_text(chosen.shape()) + " are chosen", origin);
  }
  return aligned[1];
}

/// What slices and positions choose of x, set or increased. `values` has the axes of that part.
Expr change_slice(const char* row, const Expr& x, const Selection& s, const Expr& values, OriginId origin) {
  std::vector<int> back(s.starts.size(), -1);
  for (size_t k = 0; k < s.pattern.size(); ++k) {
    if (s.pattern[k] >= 0) back[static_cast<size_t>(s.pattern[k])] = static_cast<int>(k);
  }
  std::vector<Dim> shape = s.shape;
  for (size_t k = 0; k < shape.size(); ++k) {
    if (s.starts[k] == Dim(0) && s.steps[k] == 1 && shape[k] == x.shape()[k]) shape[k] = -1;
  }
  const Expr in_place = dimshuffle(Operand(values, origin), back);
  return make_node(op(row), {x, in_place}, {{"shape", std::move(shape)}, {"starts", s.starts}, {"steps", s.steps}}, origin);
}

/// A dimshuffle whose axes have their places and no names.
Expr placed(const Expr& x, const std::vector<int>& pattern, OriginId origin) {
  Expr there = dimshuffle(Operand(x, origin), pattern);
  if (!there.type().is_image()) return there;
  return make_node(op("relabel"), {there}, {{"names", std::string()}, {"order", std::string(x.type().order == Order::F ? "F" : "C")}},
                   origin);
}

/// The values with the axes of the part under a mask: the axis of the elements it chooses has size 1 in them and becomes the mask's axes.
Expr values_under_mask(const Change& change, const Expr& part, const Selection& s, const Expr& values, OriginId origin) {
  const int rank = values.rank(), masked = s.mask.rank(), after = part.rank() - s.mask_axis - masked;
  const auto refuse = [&](const std::string& what) {
    fail_user(ErrorCode::usage, change.function,
              "values of shape " + ops::shape_text(values.shape()) + " where a mask of shape " + ops::shape_text(s.mask.shape()) +
                  " chooses from shape " + ops::shape_text(part.shape()) + ": " + what,
              origin);
  };
  if (rank > 0 && s.place != s.mask_axis) refuse("beside a mask, positions apart from it are supported for scalar values alone");
  if (rank > after && !values.shape()[static_cast<size_t>(rank - after - 1)].is_one())
    refuse("one for each chosen element is not supported; give values that broadcast, or write where(mask, values, x)");
  if (rank > after + 1 + s.mask_axis) refuse("they have too many axes");
  if (rank <= after) return aligned_values(change, part, values, origin);
  std::vector<int> pattern(static_cast<size_t>(part.rank()), -1);
  for (int k = 0; k < rank; ++k) {
    const int from_end = rank - 1 - k;
    if (from_end == after) continue;
    pattern[static_cast<size_t>(part.rank() - 1 - (from_end < after ? from_end : from_end - 1 + masked))] = k;
  }
  return aligned_values(change, part, placed(values, pattern, origin), origin);
}

/// Where a mask holds, the values.
Expr change_masked(const Change& change, const Expr& part, const Selection& s, const Expr& given, OriginId origin) {
  Expr values = values_under_mask(change, part, s, given, origin);
  if (change.adds) values = make_node(op("add"), {part, values}, {}, origin);
  std::vector<int> pattern(static_cast<size_t>(part.rank()), -1);
  for (int k = 0; k < s.mask.rank(); ++k) pattern[static_cast<size_t>(s.mask_axis) + static_cast<size_t>(k)] = k;
  return where(Operand(placed(s.mask, pattern, origin), origin), Operand(values, origin), Operand(part, origin));
}

Expr change(const Change& change, const Expr& x, const Selection& s, const Operand& values, OriginId origin) {
  const Expr given = values_for(change, x, values);
  const Expr part = basic_part(x, s, origin);
  if (s.mask) {
    const Expr changed = change_masked(change, part, s, given, origin);
    return part.same_as(x) ? changed : change_slice("set_slice", x, s, changed, origin);
  }
  if (s.arrays.empty()) return change_slice(change.slice_row, x, s, aligned_values(change, part, given, origin), origin);
  const Expr chosen = indexed_node("take", {part}, s, origin);
  Expr spread = aligned_values(change, chosen, given, origin);
  if (!(spread.shape() == chosen.shape())) spread = make_node(op("broadcast_to"), {spread}, {{"shape", chosen.shape()}}, origin);
  const Expr changed = indexed_node(change.array_row, {part, spread}, s, origin);
  return part.same_as(x) ? changed : change_slice("set_slice", x, s, changed, origin);
}

bool is_row(const Expr& e, const char* row) { return &e->op() == &op(row); }

/// The operand and the selection of an expression made by index(), slice(), flip() or take().
Expr unwound(const char* function, const Expr& chosen, Selection& s, OriginId origin) {
  const auto all_axes = [&](const Expr& x) {
    for (const Dim& n : x.shape()) {
      s.pattern.push_back(static_cast<int>(s.pattern.size()));
      s.add_range(0, 1, n);
    }
  };
  if (is_row(chosen, "take")) {
    const Expr& x = chosen->input(0);
    if (x->op().kind == OpKind::view)
      fail_user(ErrorCode::usage, function,
                std::string("it is not clear which expression is meant by a take from a view; write ") + function + "(x, {...}, values)",
                origin);
    all_axes(x);
    s.arrays.assign(chosen->inputs().begin() + 1, chosen->inputs().end());
    s.axes = chosen->attr_ints("axes");
    s.place = chosen->attr_int("position");
    return x;
  }
  Expr part = chosen;
  if (is_row(part, "dimshuffle")) part = chosen->input(0);
  if (!is_row(part, "slice"))
    fail_user(ErrorCode::usage, function,
              "its first operand is " + std::string(chosen->op().name) +
                  ", which chooses no elements; give x[...] (index, slice, flip or take of x)",
              origin);
  s.starts = part->attr_dims("starts");
  s.steps = part->attr_ints("steps");
  s.shape = part->attr_dims("shape");
  if (part.same_as(chosen)) {
    for (int k = 0; k < part.rank(); ++k) s.pattern.push_back(k);
  } else {
    for (const int64_t axis : chosen->attr_ints("pattern")) s.pattern.push_back(static_cast<int>(axis));
  }
  return part->input(0);
}

Expr change_items(const Change& kind, const Operand& x, const std::vector<IndexItem>& items, const Operand& values) {
  const Expr whole = x.as_expr();
  return change(kind, whole, select(kind.function, whole, items, x.origin(), Masks::allowed), values, x.origin());
}
Expr change_chosen(const Change& kind, const Operand& chosen, const Operand& values) {
  Selection s;
  const Expr x = unwound(kind.function, chosen.as_expr(), s, chosen.origin());
  return change(kind, x, s, values, chosen.origin());
}

}  // namespace

Expr set_subtensor(const Operand& x, const std::vector<IndexItem>& items, const Operand& values) {
  return change_items(set_change, x, items, values);
}
Expr inc_subtensor(const Operand& x, const std::vector<IndexItem>& items, const Operand& values) {
  return change_items(inc_change, x, items, values);
}
Expr set_subtensor(const Operand& chosen, const Operand& values) { return change_chosen(set_change, chosen, values); }
Expr inc_subtensor(const Operand& chosen, const Operand& values) { return change_chosen(inc_change, chosen, values); }

}  // namespace voxloom

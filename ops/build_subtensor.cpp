// ops/build_subtensor.cpp: an operand with some of its elements set or increased.
#include <voxloom/ops/infer.h>
#include <voxloom/ops/selection.h>

#include <algorithm>

namespace voxloom {
namespace {

/// What is done to the elements, and the names it goes by.
struct Change {
  const char *function, *slice_row, *array_row;
};
constexpr Change set_change{"set_subtensor", "set_slice", "set_at"};
constexpr Change inc_change{"inc_subtensor", "inc_slice", "inc_at"};

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

Expr change(const Change& change, const Expr& x, const Selection& s, const Operand& values, OriginId origin) {
  const Expr given = values_for(change, x, values);
  const Expr part = basic_part(x, s, origin);
  if (s.arrays.empty()) return change_slice(change.slice_row, x, s, aligned_values(change, part, given, origin), origin);
  const Expr chosen = indexed_node("take", {part}, s, origin);
  Expr spread = aligned_values(change, chosen, given, origin);
  if (!(spread.shape() == chosen.shape())) spread = make_node(op("broadcast_to"), {spread}, {{"shape", chosen.shape()}}, origin);
  const Expr changed = indexed_node(change.array_row, {part, spread}, s, origin);
  return part.same_as(x) ? changed : change_slice("set_slice", x, s, changed, origin);
}

/// A mask for the leading axes of x: where it holds, the values, which have the axes after those. (One value for each element the mask chooses would
/// be as many as are known only at the call.)
Expr change_masked(const Change& change, const Expr& x, const Expr& mask, const Operand& values, OriginId origin) {
  const Expr given = values_for(change, x, values);
  const int rest = x.rank() - mask.rank();
  if (rest < 0)
    fail_user(ErrorCode::index, change.function,
              "a mask of rank " + std::to_string(mask.rank()) + " for an operand of rank " + std::to_string(x.rank()), origin);
  if (given.rank() > rest)
    fail_user(ErrorCode::usage, change.function,
              "values of rank " + std::to_string(given.rank()) + " where a mask chooses elements of rank " + std::to_string(rest) +
                  ": one for each chosen element is not supported; give values that broadcast, or write where(mask, values, x)",
              origin);
  for (size_t k = 0; k < mask.shape().size(); ++k) {
    if (!ops::meet(x.shape()[k], mask.shape()[k]) || (mask.shape()[k].is_one() && !x.shape()[k].is_one()))
      fail_user(ErrorCode::shape, change.function,
                "a mask of shape " + ops::shape_text(mask.shape()) + " for an operand of shape " + ops::shape_text(x.shape()), origin);
  }
  std::vector<int> pattern;
  for (int k = 0; k < x.rank(); ++k) pattern.push_back(k < mask.rank() ? k : -1);
  const Operand there(dimshuffle(Operand(mask, origin), pattern), origin), whole(x, origin), new_values(given, origin);
  const bool adds = &change == &inc_change;
  return where(there, adds ? add(whole, new_values) : new_values, whole);
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
  if (items.size() == 1 && items[0].kind == IndexItem::Kind::array && items[0].array && items[0].array.dtype() == DType::boolean)
    return change_masked(kind, whole, items[0].array, values, x.origin());
  return change(kind, whole, select(kind.function, whole, items, x.origin()), values, x.origin());
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

// ops/build_index.cpp: indexing: positions, slices, ellipsis and new axes become one slice node and one dimshuffle, integer arrays one take on top.
#include <voxloom/ops/infer.h>
#include <voxloom/ops/selection.h>

#include <algorithm>

namespace voxloom {
namespace {

/// What is taken along one axis.
struct Range {
  Dim start = 0;
  int64_t step = 1;
  Dim size = 0;
};

Dim clamp_below(const Dim& value, int64_t low) { return max(value, Dim(low)); }

/// Python's slice on an axis of size n. Starts beyond an end are kept where the size is 0 for them anyway, so that sizes stay short.
Range range_of(const Slice& slice, const Dim& n, OriginId origin) {
  Range range;
  range.step = slice.step.value_or(1);
  if (range.step == 0) fail_user(ErrorCode::usage, "slice", "the step is 0", origin);
  const bool up = range.step > 0;
  const auto from_end = [&](int64_t k) { return clamp_below(n + Dim(k), up ? 0 : -1); };
  Dim stop = up ? n : Dim(-1);
  if (up) {
    range.start = !slice.start ? Dim(0) : *slice.start < 0 ? from_end(*slice.start) : Dim(*slice.start);
    if (slice.stop) stop = *slice.stop < 0 ? from_end(*slice.stop) : min(Dim(*slice.stop), n);
  } else {
    range.start = !slice.start ? n - Dim(1) : *slice.start < 0 ? from_end(*slice.start) : min(Dim(*slice.start), n - Dim(1));
    if (slice.stop) stop = *slice.stop < 0 ? from_end(*slice.stop) : Dim(*slice.stop);
  }
  const Dim distance = up ? stop - range.start : range.start - stop;
  const int64_t width = up ? range.step : -range.step;
  const Dim count = width == 1 ? distance : ceil_div(distance, Dim(width));
  const bool whole = !slice.start && !slice.stop;  // never negative
  range.size = whole ? count : clamp_below(count, 0);
  if (range.size.is_constant() && range.size.constant() == 0) range.start = 0;
  return range;
}

Range position_of(const char* function, int64_t at, const Dim& n, size_t axis, OriginId origin) {
  if (n.is_constant() && (at >= n.constant() || at < -n.constant()))
    fail_user(ErrorCode::index, function,
              "position " + std::to_string(at) + " of axis " + std::to_string(axis) + ", which has size " + n.str(), origin);
  return {at < 0 ? n + Dim(at) : Dim(at), 1, 1};
}

Range whole(const Dim& n) { return {0, 1, n}; }

Expr sliced(const Expr& x, const std::vector<Range>& ranges, OriginId origin) {
  Selection selection;
  for (const Range& range : ranges) {
    selection.pattern.push_back(static_cast<int>(selection.starts.size()));
    selection.add_range(range.start, range.step, range.size);
  }
  return chosen_part(x, selection, origin);
}

}  // namespace

namespace {

/// Walks over the items and fills a Selection.
class Selector {
 public:
  Selector(const char* function, const Expr& x, const std::vector<IndexItem>& items, OriginId origin, Masks masks)
      : function_(function), x_(x), items_(items), origin_(origin), masks_(masks) {}

  Selection run() {
    count();
    for (const IndexItem& item : items_) add(item);
    keep_whole_until(static_cast<size_t>(x_.rank()));
    if (!result_.arrays.empty()) result_.arrays = aligned_indices(function_, std::move(result_.arrays), origin_);
    return std::move(result_);
  }

 private:
  using Kind = IndexItem::Kind;

  void count() {
    size_t ellipses = 0, arrays = 0, masks = 0;
    for (const IndexItem& item : items_) {
      if (item.kind == Kind::array) check_array(item.array);
      taken_ += axes_of(item);
      ellipses += item.kind == Kind::ellipsis ? 1 : 0;
      arrays += item.kind == Kind::array ? 1 : 0;
      masks += is_mask(item) ? 1 : 0;
    }
    has_arrays_ = arrays > 0;
    if (masks > 0 && arrays > 1)
      fail_user(ErrorCode::usage, function_, "a mask beside another array is not supported; use masks one after the other", origin_);
    if (ellipses > 1) fail_user(ErrorCode::index, function_, "more than one ellipsis", origin_);
    if (taken_ > static_cast<size_t>(x_.rank()))
      fail_user(ErrorCode::index, function_, std::to_string(taken_) + " indices for an operand of rank " + std::to_string(x_.rank()),
                origin_);
  }
  static bool is_mask(const IndexItem& item) { return item.kind == Kind::array && item.array.dtype() == DType::boolean; }
  static size_t axes_of(const IndexItem& item) {
    if (item.kind == Kind::ellipsis || item.kind == Kind::newaxis) return 0;
    return is_mask(item) ? static_cast<size_t>(item.array.rank()) : 1;
  }
  void check_array(const Expr& array) const {
    if (!array) fail_user(ErrorCode::usage, function_, "an index expression is empty", origin_);
    if (array.dtype() == DType::boolean && masks_ == Masks::refused)
      fail_user(
          ErrorCode::usage, function_,
          "a mask of shape " + ops::shape_text(array.shape()) + " chooses from shape " + ops::shape_text(x_.shape()) +
              " a number of elements that is known only at the call, while results have the sizes of their types; write where(mask, x, 0), "
              "of which sum and the like may be taken (a mean is their sum / sum(mask)), give the chosen elements a value with "
              "set_subtensor or inc_subtensor, or choose before the call and pass the chosen elements, or their positions as integers",
          origin_);
    if (array.dtype() != DType::boolean && !is_integer(array.dtype()))
      fail_user(ErrorCode::dtype, function_, "an index of dtype " + std::string(name_of(array.dtype())) + " (integers choose elements)",
                origin_);
  }

  void add(const IndexItem& item) {
    const size_t axis = result_.starts.size();
    switch (item.kind) {
      case Kind::newaxis:
        separate();
        result_.pattern.push_back(-1);
        break;
      case Kind::ellipsis:
        separate();
        keep_whole_until(axis + static_cast<size_t>(x_.rank()) - taken_);
        break;
      case Kind::slice:
        separate();
        keep(range_of(item.slice, x_.shape()[axis], origin_));
        break;
      case Kind::position: {
        choose();
        const Range range = position_of(function_, item.position, x_.shape()[axis], axis, origin_);
        result_.add_range(range.start, range.step, range.size);
        break;
      }
      case Kind::array:
        choose();
        if (is_mask(item)) {
          add_mask(item.array, axis);
          break;
        }
        result_.axes.push_back(static_cast<int64_t>(result_.pattern.size()));
        result_.arrays.push_back(item.array);
        keep(whole(x_.shape()[axis]));
        break;
    }
  }
  static std::string name_of_axis(const Type& type, size_t axis) { return type.is_image() ? type.names[axis] : std::string(); }
  void add_mask(const Expr& mask, size_t axis) {
    result_.mask = mask;
    result_.mask_axis = static_cast<int>(result_.pattern.size());
    const auto rank = static_cast<size_t>(mask.rank());
    const std::vector<Dim> there(x_.shape().begin() + static_cast<std::ptrdiff_t>(axis),
                                 x_.shape().begin() + static_cast<std::ptrdiff_t>(axis + rank));
    for (size_t k = 0; k < rank; ++k) {
      const Dim& size = mask.shape()[k];
      if (!ops::meet(there[k], size) || (size.is_one() && !there[k].is_one()))
        fail_user(ErrorCode::shape, function_,
                  "a mask of shape " + ops::shape_text(mask.shape()) + " for axes of shape " + ops::shape_text(there), origin_);
      const std::string own = name_of_axis(mask.type(), k), name = name_of_axis(x_.type(), axis + k);
      if (!own.empty() && !name.empty() && own != name)
        fail_user(ErrorCode::shape, function_, "axis " + own + " of a mask for axis " + name + " of the operand", origin_);
      keep(whole(there[k]));
    }
  }
  void keep(const Range& range) {
    result_.pattern.push_back(static_cast<int>(result_.starts.size()));
    result_.add_range(range.start, range.step, range.size);
  }
  void keep_whole_until(size_t end) {
    while (result_.starts.size() < end) keep(whole(x_.shape()[result_.starts.size()]));
  }

  // NumPy puts the axes of arrays where the first array or position stands if these are neighbours, in front otherwise.
  void choose() {
    if (!has_arrays_) return;
    if (state_ == State::none) result_.place = static_cast<int64_t>(result_.pattern.size());
    if (state_ == State::over) result_.place = 0;
    state_ = state_ == State::none || state_ == State::open ? State::open : State::apart;
  }
  void separate() {
    if (state_ == State::open) state_ = State::over;
  }
  enum class State : uint8_t { none, open, over, apart } state_ = State::none;

  const char* function_;
  const Expr& x_;
  const std::vector<IndexItem>& items_;
  OriginId origin_;
  Masks masks_;
  size_t taken_ = 0;
  bool has_arrays_ = false;
  Selection result_;
};

}  // namespace

Selection select(const char* function, const Expr& x, const std::vector<IndexItem>& items, OriginId origin, Masks masks) {
  return Selector(function, x, items, origin, masks).run();
}

Expr basic_part(const Expr& x, const Selection& selection, OriginId origin) {
  bool all = true;
  for (size_t k = 0; k < selection.starts.size(); ++k) all = all && selection.steps[k] == 1 && selection.shape[k] == x.shape()[k];
  return all ? dimshuffle(Operand(x, origin), selection.pattern) : chosen_part(x, selection, origin);
}

Expr chosen_part(const Expr& x, const Selection& selection, OriginId origin) {
  const Expr part =
      make_node(op("slice"), {x}, {{"shape", selection.shape}, {"starts", selection.starts}, {"steps", selection.steps}}, origin);
  return dimshuffle(Operand(part, origin), selection.pattern);
}

Expr indexed_node(const char* row, std::vector<Expr> operands, const Selection& selection, OriginId origin) {
  operands.insert(operands.end(), selection.arrays.begin(), selection.arrays.end());
  return make_node(op(row), std::move(operands), {{"axes", selection.axes}, {"position", selection.place}}, origin);
}

std::vector<Expr> aligned_indices(const char* function, std::vector<Expr> arrays, OriginId origin) {
  return align(function, std::move(arrays), origin);
}

Expr index(const Operand& operand, const std::vector<IndexItem>& items) {
  const Expr x = operand.as_expr();
  const Selection selection = select("index", x, items, operand.origin());
  if (selection.arrays.empty()) return chosen_part(x, selection, operand.origin());
  return indexed_node("take", {basic_part(x, selection, operand.origin())}, selection, operand.origin());
}

Expr take(const Operand& operand, const Operand& indices, const Axis& axis) {
  const Expr x = operand.as_expr();
  const int64_t at = resolve_axes("take", x.type(), Axes{axis}, operand.origin()).front();
  std::vector<IndexItem> items(static_cast<size_t>(at), Slice{});
  if (indices.weak() == Operand::Weak::integer) items.emplace_back(indices.integer());
  else items.emplace_back(indices.as_expr());
  const Selection selection = select("take", x, items, operand.origin());
  if (selection.arrays.empty()) return chosen_part(x, selection, operand.origin());
  return indexed_node("take", {basic_part(x, selection, operand.origin())}, selection, operand.origin());
}

Expr take(const Operand& operand, const Operand& indices) { return take(Operand(ravel(operand), operand.origin()), indices, 0); }

Expr slice(const Operand& operand, const Axis& axis, const Slice& range) {
  const Expr x = operand.as_expr();
  const auto at = static_cast<size_t>(resolve_axes("slice", x.type(), Axes{axis}, operand.origin()).front());
  std::vector<Range> ranges;
  for (size_t k = 0; k < x.shape().size(); ++k)
    ranges.push_back(k == at ? range_of(range, x.shape()[k], operand.origin()) : whole(x.shape()[k]));
  return sliced(x, ranges, operand.origin());
}

Expr flip(const Operand& operand, const Axes& axes) {
  const Expr x = operand.as_expr();
  std::vector<Range> ranges;
  for (const Dim& n : x.shape()) ranges.push_back(whole(n));
  for (const int64_t axis : resolve_axes("flip", x.type(), axes, operand.origin()))
    ranges[static_cast<size_t>(axis)] = range_of({.step = -1}, x.shape()[static_cast<size_t>(axis)], operand.origin());
  return sliced(x, ranges, operand.origin());
}

}  // namespace voxloom

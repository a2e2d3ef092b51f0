// ops/build_index.cpp: basic indexing: positions, slices, ellipsis and new axes become one slice node and one dimshuffle.
#include <voxloom/ops/build.h>
#include <voxloom/ops/infer.h>

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

Range position_of(int64_t at, const Dim& n, size_t axis, OriginId origin) {
  if (n.is_constant() && (at >= n.constant() || at < -n.constant()))
    fail_user(ErrorCode::index, "index",
              "position " + std::to_string(at) + " of axis " + std::to_string(axis) + ", which has size " + n.str(), origin);
  return {at < 0 ? n + Dim(at) : Dim(at), 1, 1};
}

Expr make_slice(const Expr& x, const std::vector<Range>& ranges, OriginId origin) {
  bool all = true;
  std::vector<Dim> starts, shape;
  std::vector<int64_t> steps;
  for (size_t k = 0; k < ranges.size(); ++k) {
    starts.push_back(ranges[k].start);
    steps.push_back(ranges[k].step);
    shape.push_back(ranges[k].size);
    all = all && ranges[k].step == 1 && ranges[k].size == x.shape()[k];
  }
  if (all) return x;
  return make_node(op("slice"), {x}, {{"shape", shape}, {"starts", starts}, {"steps", steps}}, origin);
}

Range whole(const Dim& n) { return {0, 1, n}; }

}  // namespace

Expr index(const Operand& operand, const std::vector<IndexItem>& items) {
  using Kind = IndexItem::Kind;
  const OriginId origin = operand.origin();
  const Expr x = operand.as_expr();
  const auto rank = static_cast<size_t>(x.rank());
  size_t taken = 0, ellipses = 0;
  for (const IndexItem& item : items) {
    taken += item.kind == Kind::position || item.kind == Kind::slice ? 1 : 0;
    ellipses += item.kind == Kind::ellipsis ? 1 : 0;
  }
  if (ellipses > 1) fail_user(ErrorCode::index, "index", "more than one ellipsis", origin);
  if (taken > rank)
    fail_user(ErrorCode::index, "index", std::to_string(taken) + " indices for an operand of rank " + std::to_string(rank), origin);

  std::vector<Range> ranges;
  std::vector<int> pattern;
  const auto keep = [&](const Range& range) {
    pattern.push_back(static_cast<int>(ranges.size()));
    ranges.push_back(range);
  };
  const auto keep_whole_until = [&](size_t end) {
    while (ranges.size() < end) keep(whole(x.shape()[ranges.size()]));
  };
  for (const IndexItem& item : items) {
    switch (item.kind) {
      case Kind::newaxis: pattern.push_back(-1); break;
      case Kind::ellipsis: keep_whole_until(ranges.size() + rank - taken); break;
      case Kind::slice: keep(range_of(item.slice, x.shape()[ranges.size()], origin)); break;
      case Kind::position: ranges.push_back(position_of(item.position, x.shape()[ranges.size()], ranges.size(), origin)); break;
    }
  }
  keep_whole_until(rank);
  return dimshuffle(Operand(make_slice(x, ranges, origin), origin), pattern);
}

Expr slice(const Operand& operand, const Axis& axis, const Slice& range) {
  const Expr x = operand.as_expr();
  const auto at = static_cast<size_t>(resolve_axes("slice", x.type(), Axes{axis}, operand.origin()).front());
  std::vector<Range> ranges;
  for (size_t k = 0; k < x.shape().size(); ++k)
    ranges.push_back(k == at ? range_of(range, x.shape()[k], operand.origin()) : whole(x.shape()[k]));
  return make_slice(x, ranges, operand.origin());
}

Expr flip(const Operand& operand, const Axes& axes) {
  const Expr x = operand.as_expr();
  std::vector<Range> ranges;
  for (const Dim& n : x.shape()) ranges.push_back(whole(n));
  for (const int64_t axis : resolve_axes("flip", x.type(), axes, operand.origin()))
    ranges[static_cast<size_t>(axis)] = range_of({.step = -1}, x.shape()[static_cast<size_t>(axis)], operand.origin());
  return make_slice(x, ranges, operand.origin());
}

}  // namespace voxloom

// ops/interpret_reduction.cpp: the order of ops/reduce_order.h, written down once for every reduction.
#include <voxloom/graph/op_info.h>
#include <voxloom/ops/host_array.h>
#include <voxloom/ops/interpret_reduction.h>
#include <voxloom/ops/reduce_order.h>

#include <algorithm>
#include <utility>

namespace voxloom::ops {
namespace {

using State = std::vector<Scalar>;

/// The reduction of one element of the result.
class Reducer {
 public:
  Reducer(const Node& node, int64_t count, bool fastest_reduced, bool of_rows)
      : node_(node),
        fns_(node.op().reduction.scalar),
        count_(count),
        leaf_(leaf_length(count, of_rows)),
        lanes_(fastest_reduced ? lanes_per_leaf : 1) {
    for (const DType t : node.op().reduction.state(node)) empty_.push_back({t, 0});
  }

  /// load(p) is the element at position p of the flattened reduced axes.
  template <class Load> Cx<Scalar> operator()(Load&& load) {
    State total = fresh();
    const int64_t group = leaf_ * leaves_per_group;
    for (int64_t g = 0; g < count_; g += group) {
      State of_group = fresh();
      for (int64_t start = g; start < std::min(g + group, count_); start += leaf_) combine(of_group, leaf_state(start, load));
      combine(total, of_group);
    }
    Cx<Scalar> result;
    fns_.finish(builder_, node_, total.data(), {DType::i64, static_cast<uint64_t>(count_)}, &result);
    return result;
  }

 private:
  State fresh() {
    State state = empty_;
    fns_.init(builder_, node_, state.data());
    return state;
  }
  void combine(State& left, const State& right) { fns_.combine(builder_, node_, left.data(), right.data()); }

  /// Positions [start, start + leaf): interleaved lanes, folded by halves.
  template <class Load> State leaf_state(int64_t start, Load&& load) {
    std::vector<State> lanes(static_cast<size_t>(lanes_), fresh());
    for (int64_t p = start; p < std::min(start + leaf_, count_); ++p)
      fns_.step(builder_, node_, lanes[static_cast<size_t>((p - start) % lanes_)].data(), load(p), {DType::i64, static_cast<uint64_t>(p)});
    for (size_t half = lanes.size() / 2; half > 0; half /= 2)
      for (size_t k = 0; k < half; ++k) fns_.fold(builder_, node_, lanes[k].data(), lanes[k + half].data());
    return lanes[0];
  }

  const Node& node_;
  ReductionTemplates<ScalarBuilder, Scalar> fns_;
  int64_t count_, leaf_, lanes_;
  State empty_;
  ScalarBuilder builder_;
};

}  // namespace

void interpret_reduction(const Node& node, const HostArray& in, HostArray& out) {
  const auto& axes = node.attr_ints("axes");
  const auto strides = dense_strides(in.shape, size_of(in.dtype), in.order == Order::F);
  const auto out_strides = dense_strides(out.shape, size_of(out.dtype), out.order == Order::F);
  const auto maps = axis_maps(node, 0);
  const auto is_reduced = [&](size_t axis) { return std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis)); };

  // Offsets of the reduced positions, fastest axis first; kept axes with the output's strides beside the operand's.
  std::vector<int64_t> reduced_shape, reduced_strides, kept_shape, kept_strides, kept_out_strides;
  for (size_t axis = 0; axis < in.shape.size(); ++axis) {
    (is_reduced(axis) ? reduced_shape : kept_shape).push_back(in.shape[axis]);
    (is_reduced(axis) ? reduced_strides : kept_strides).push_back(strides[axis]);
    if (!is_reduced(axis)) kept_out_strides.push_back(out_strides[static_cast<size_t>(maps[axis].out_axis)]);
  }
  std::vector<int64_t> positions;
  for_each_index(reduced_shape, in.order, {reduced_strides}, [&](const std::vector<int64_t>& offsets) { positions.push_back(offsets[0]); });
  const auto count = static_cast<int64_t>(positions.size());
  if (count == 0 && node.op().flags.needs_nonempty && out.size() > 0)
    fail_user(ErrorCode::shape, node.op().name, "has no value for 0 elements", node.origin());

  // Axes of the constant size 1 do not count as the fastest.
  bool fastest_reduced = true, keeps = false, found = false;
  for (const int axis : node.input(0).type().fastest_first()) {
    if (node.input(0).shape()[static_cast<size_t>(axis)].is_one()) continue;
    const bool reduced = is_reduced(static_cast<size_t>(axis));
    if (!std::exchange(found, true)) fastest_reduced = reduced;
    keeps = keeps || !reduced;
  }
  Reducer reduce(node, count, fastest_reduced, fastest_reduced && keeps);
  for_each_index(kept_shape, in.order, {kept_strides, kept_out_strides}, [&](const std::vector<int64_t>& offsets) {
    const std::byte* base = in.bytes.data() + offsets[0];
    const auto result = reduce([&](int64_t p) { return load_element(base + positions[static_cast<size_t>(p)], in.dtype); });
    store_element(out.bytes.data() + offsets[1], out.dtype, result);
  });
}

}  // namespace voxloom::ops

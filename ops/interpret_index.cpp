// ops/interpret_index.cpp: reads at computed indices, and writes at given ones.
#include <voxloom/graph/op_info.h>
#include <voxloom/ops/host_array.h>
#include <voxloom/ops/index_rule.h>
#include <voxloom/ops/interpret_index.h>
#include <voxloom/ops/vecmath.h>

#include <algorithm>
#include <array>

namespace voxloom::ops {
namespace {

std::vector<int64_t> strides_of(const HostArray& array) {
  return dense_strides(array.shape, size_of(array.dtype), array.order == Order::F);
}

Scalar integer(int64_t v) { return {DType::i64, static_cast<uint64_t>(v)}; }

/// Calls f(index) for every index of `shape`, the last axis fastest.
template <class F> void each_index(const std::vector<int64_t>& shape, F&& f) {
  std::vector<int64_t> index(shape.size());
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return;
  while (true) {
    f(index);
    size_t k = shape.size();
    while (k > 0 && ++index[k - 1] == shape[k - 1]) index[--k] = 0;
    if (k == 0) return;
  }
}

/// `index` counts from the front: below 0 it was counted from the end.
[[noreturn]] void fail_outside(const Node& node, int64_t index, int64_t axis, int64_t size) {
  fail_user(ErrorCode::index, node.op().name,
            "index " + std::to_string(index < 0 ? index - size : index) + " is out of bounds for axis " + std::to_string(axis) +
                " with size " + std::to_string(size),
            node.origin());
}

/// An indexed node at one element of its output after the other.
class Indexed {
 public:
  Indexed(const Node& node, std::span<const HostArray* const> operands, const DimBindings& bindings, HostArray& out)
      : node_(node), fns_(node.op().indexed), operands_(operands), out_(out), in_(operands.size()), at_(out.shape.size()) {
    for (const Dim& d : fns_.sizes(node)) sizes_.push_back(integer(d.evaluate(bindings)));
    for (size_t k = 0; k < operands.size(); ++k) {
      maps_.push_back(axis_maps(node, k));
      strides_.push_back(strides_of(*operands[k]));
      check_operand(k, bindings);
    }
  }

  void run() {
    const auto strides = strides_of(out_);
    each_index(out_.shape, [&](const std::vector<int64_t>& index) {
      int64_t offset = 0;
      for (size_t k = 0; k < index.size(); ++k) offset += index[k] * strides[k];
      store_element(out_.bytes.data() + offset, out_.dtype, element(index));
    });
  }

 private:
  void check_operand(size_t k, const DimBindings& bindings) const {
    for (size_t axis = 0; axis < maps_[k].size(); ++axis) {
      const AxisMap& map = maps_[k][axis];
      const int64_t size = operands_[k]->shape[axis];
      const std::string which = "operand " + std::to_string(k);
      if (map.relation == AxisRelation::map && size != out_.shape[static_cast<size_t>(map.out_axis)])
        fail_user(ErrorCode::shape, node_.op().name,
                  which + " has size " + std::to_string(size) + " on axis " + std::to_string(axis) + " where the result has " +
                      std::to_string(out_.shape[static_cast<size_t>(map.out_axis)]),
                  node_.origin());
      if (map.relation != AxisRelation::gather || map.out_axis < 0) continue;
      const int64_t count = map.count.evaluate(bindings), first = map.b.evaluate(bindings), last = first + (count - 1) * map.a,
                    whole = out_.shape[static_cast<size_t>(map.out_axis)];
      if (size != count && !node_.input(k).shape()[axis].is_one())
        fail_user(ErrorCode::shape, node_.op().name,
                  which + " has size " + std::to_string(size) + " on axis " + std::to_string(axis) + " where " + std::to_string(count) +
                      " elements are set",
                  node_.origin());
      if (count > 0 && (std::min(first, last) < 0 || std::max(first, last) >= whole))
        fail_user(ErrorCode::index, node_.op().name,
                  "elements " + std::to_string(first) + " to " + std::to_string(last) + " of axis " + std::to_string(map.out_axis) +
                      ", which has size " + std::to_string(whole),
                  node_.origin());
    }
  }

  /// Operand k where its axes map.
  int64_t mapped_offset(size_t k, const std::vector<int64_t>& index) const {
    int64_t offset = 0;
    for (size_t axis = 0; axis < maps_[k].size(); ++axis)
      if (maps_[k][axis].relation == AxisRelation::map) offset += index[static_cast<size_t>(maps_[k][axis].out_axis)] * strides_[k][axis];
    return offset;
  }
  Cx<Scalar> load(size_t k, int64_t offset) const { return load_element(operands_[k]->bytes.data() + offset, operands_[k]->dtype); }

  Cx<Scalar> element(const std::vector<int64_t>& index) {
    for (size_t k = 0; k < index.size(); ++k) at_[k] = integer(index[k]);
    for (size_t k = 0; k < in_.size(); ++k)
      if (static_cast<int>(k) != fns_.source) in_[k] = load(k, mapped_offset(k, index));
    const IndexedTemplates<ScalarBuilder, Scalar>::Element e{in_.data(), at_.data(), sizes_.data()};
    const Scalar inside = fns_.source < 0 ? builder_.boolean(true) : read_source(static_cast<size_t>(fns_.source), index, e);
    Cx<Scalar> result;
    fns_.scalar.value(builder_, node_, e, inside, &result);
    return result;
  }

  Scalar read_source(size_t source, const std::vector<int64_t>& index, const IndexedTemplates<ScalarBuilder, Scalar>::Element& e) {
    std::array<Scalar, max_rank> where, inside;
    fns_.scalar.index(builder_, node_, e, where.data(), inside.data());
    int64_t offset = mapped_offset(source, index);
    bool all = true;
    size_t j = 0;
    for (size_t axis = 0; axis < maps_[source].size(); ++axis) {
      if (maps_[source][axis].relation != AxisRelation::gather) continue;
      const int64_t size = operands_[source]->shape[axis];
      if (fns_.checked && inside[j].bits == 0) fail_outside(node_, to_int(where[j]), static_cast<int64_t>(axis), size);
      all = all && inside[j].bits != 0;
      if (!node_.input(source).shape()[axis].is_one()) offset += to_int(where[j]) * strides_[source][axis];
      ++j;
    }
    const DType part = real_part_of(operands_[source]->dtype);
    in_[source] = all ? load(source, offset) : Cx<Scalar>{{part, 0}, {part, 0}};
    return builder_.boolean(all);
  }

  const Node& node_;
  const IndexedFns& fns_;
  std::span<const HostArray* const> operands_;
  HostArray& out_;
  ScalarBuilder builder_;
  std::vector<std::vector<AxisMap>> maps_;
  std::vector<std::vector<int64_t>> strides_;
  std::vector<Cx<Scalar>> in_;
  std::vector<Scalar> at_, sizes_;
};

/// The index at one index of the broadcast indices, counted from the front; UserError when it lies outside.
int64_t chosen(const Node& node, const HostArray& indices, const std::vector<int64_t>& at, int64_t axis, int64_t size) {
  const auto strides = strides_of(indices);
  int64_t offset = 0;
  for (size_t j = 0; j < at.size(); ++j) offset += indices.shape[j] == 1 ? 0 : at[j] * strides[j];
  ScalarBuilder b;
  const Scalar given = load_element(indices.bytes.data() + offset, indices.dtype).re;
  const FrontIndex<ScalarBuilder> front = front_index(b, given, integer(size));
  if (front.inside.bits == 0) fail_outside(node, to_int(front.index), axis, size);
  return to_int(front.index);
}

Cx<Scalar> sum(ScalarBuilder& b, DType dtype, const Cx<Scalar>& x, const Cx<Scalar>& y) {
  if (is_complex(dtype)) return cadd_(b, x, y);
  return {dtype == DType::boolean ? b.bit_or(x.re, y.re) : b.add(x.re, y.re), {}};
}

}  // namespace

void interpret_indexed(const Node& node, std::span<const HostArray* const> operands, const DimBindings& bindings, HostArray& out) {
  Indexed(node, operands, bindings, out).run();
}

void interpret_scatter(const Node& node, std::span<const HostArray* const> operands, HostArray& out) {
  const HostArray& y = *operands[1];
  out.bytes = HostArray::copy(operands[0]->view(), out.order).bytes;
  const auto& axes = node.attr_ints("axes");
  const auto position = static_cast<size_t>(node.attr_int("position"));
  std::vector<int64_t> shape(operands[2]->shape.size(), 1), rest;
  for (size_t k = 2; k < operands.size(); ++k)
    for (size_t j = 0; j < shape.size(); ++j)
      if (operands[k]->shape[j] != 1) shape[j] = operands[k]->shape[j];
  std::vector<size_t> rest_axes;
  for (size_t k = 0; k < out.shape.size(); ++k)
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(k))) rest_axes.push_back(k);
  for (const size_t k : rest_axes) rest.push_back(out.shape[k]);
  std::vector<int64_t> wanted = rest;
  wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(position), shape.begin(), shape.end());
  if (wanted != y.shape)
    fail_user(ErrorCode::shape, node.op().name, "the values have another shape than what the indices choose", node.origin());
  const auto to = strides_of(out), from = strides_of(y);
  ScalarBuilder builder;
  const auto write = [&](bool writes) {
    each_index(shape, [&](const std::vector<int64_t>& at) {
      int64_t target = 0, source = 0;
      for (size_t k = 0; k < axes.size(); ++k) {
        const auto axis = static_cast<size_t>(axes[k]);
        target += chosen(node, *operands[k + 2], at, axes[k], out.shape[axis]) * to[axis];
      }
      for (size_t j = 0; j < at.size(); ++j) source += at[j] * from[position + j];
      if (!writes) return;
      each_index(rest, [&](const std::vector<int64_t>& r) {
        int64_t t = target, s = source;
        for (size_t k = 0; k < r.size(); ++k) {
          t += r[k] * to[rest_axes[k]];
          s += r[k] * from[k < position ? k : k + at.size()];
        }
        const auto value = load_element(y.bytes.data() + s, y.dtype);
        std::byte* place = out.bytes.data() + t;
        store_element(place, out.dtype, node.op().scatter.adds ? sum(builder, out.dtype, load_element(place, out.dtype), value) : value);
      });
    });
  };
  write(false);
  write(true);
}

}  // namespace voxloom::ops

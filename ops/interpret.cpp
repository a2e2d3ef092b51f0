// ops/interpret.cpp: elementwise ops, views, reshape and joins, and the walk over a graph.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/ops/host_array.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/interpret_index.h>
#include <voxloom/ops/interpret_reduction.h>

#include <string>

namespace voxloom {
namespace {

using Operands = std::span<const HostArray* const>;

std::vector<int64_t> evaluate_shape(const Type& type, const DimBindings& bindings) {
  std::vector<int64_t> shape;
  for (const Dim& dim : type.shape) shape.push_back(dim.evaluate(bindings));
  return shape;
}

std::vector<int64_t> strides_of(const HostArray& array) {
  return dense_strides(array.shape, size_of(array.dtype), array.order == Order::F);
}

/// Sizes that were assumed equal when the expression was built must be.
void check_mapped(const Node& node, size_t operand, size_t axis, int64_t size, int64_t expected) {
  if (size == expected) return;
  std::string text = "operand " + std::to_string(operand) + " has size " + std::to_string(size) + " on axis " + std::to_string(axis) +
                     " where the result has " + std::to_string(expected);
  if (size == 1 || expected == 1) text += "; to broadcast it, declare the size as 1 (row(), col(), or a shape with 1)";
  fail_user(ErrorCode::shape, node.op().name, text, node.origin());
}

/// Where an operand is read for an index of the result: offset + sum of index * strides. Relations map, broadcast and affine.
struct Reading {
  int64_t offset = 0;
  std::vector<int64_t> strides;
};
Reading reading_of(const Node& node, size_t operand, const HostArray& in, const HostArray& out, const DimBindings& bindings) {
  Reading reading{0, std::vector<int64_t>(out.shape.size())};
  const auto maps = axis_maps(node, operand);
  const auto strides = strides_of(in);
  for (size_t axis = 0; axis < maps.size(); ++axis) {
    const AxisMap& map = maps[axis];
    const auto to = static_cast<size_t>(map.out_axis);
    if (map.relation == AxisRelation::broadcast) continue;
    if (map.relation == AxisRelation::map) {
      check_mapped(node, operand, axis, in.shape[axis], out.shape[to]);
      reading.strides[to] = strides[axis];
      continue;
    }
    internal_check(map.relation == AxisRelation::affine, "interpreter: a view is made of map, broadcast and affine axes");
    const int64_t first = map.b.evaluate(bindings), count = map.out_axis < 0 ? 1 : out.shape[to];
    const int64_t last = first + (count - 1) * map.a;
    if (count > 0 && (first < 0 || first >= in.shape[axis] || last < 0 || last >= in.shape[axis]))
      fail_user(ErrorCode::index, node.op().name,
                "elements " + std::to_string(first) + " to " + std::to_string(last) + " of axis " + std::to_string(axis) +
                    ", which has size " + std::to_string(in.shape[axis]),
                node.origin());
    reading.offset += first * strides[axis];
    if (map.out_axis >= 0) reading.strides[to] = map.a * strides[axis];
  }
  return reading;
}

void interpret_elementwise(const Node& node, Operands operands, const DimBindings& bindings, HostArray& out) {
  std::vector<std::vector<int64_t>> strides = {strides_of(out)};
  for (size_t k = 0; k < operands.size(); ++k) strides.push_back(reading_of(node, k, *operands[k], out, bindings).strides);
  ops::ScalarBuilder builder;
  std::vector<ops::Cx<ops::Scalar>> in(operands.size());
  ops::for_each_index(out.shape, out.order, strides, [&](const std::vector<int64_t>& offsets) {
    for (size_t k = 0; k < in.size(); ++k) in[k] = ops::load_element(operands[k]->bytes.data() + offsets[k + 1], operands[k]->dtype);
    ops::Cx<ops::Scalar> result;
    node.op().elementwise.scalar(builder, node, in.data(), &result);
    ops::store_element(out.bytes.data() + offsets[0], out.dtype, result);
  });
}

void interpret_view(const Node& node, const HostArray& in, const DimBindings& bindings, HostArray& out) {
  const Reading reading = reading_of(node, 0, in, out, bindings);
  const size_t item = size_of(out.dtype);
  ops::for_each_index(out.shape, out.order, {strides_of(out), reading.strides}, [&](const std::vector<int64_t>& offsets) {
    std::memcpy(out.bytes.data() + offsets[0], in.bytes.data() + reading.offset + offsets[1], item);
  });
}

/// The joined axis of operand k starts where the operand before it ends; the other axes map.
void interpret_join(const Node& node, Operands operands, HostArray& out) {
  const auto along = static_cast<size_t>(node.attr_int("axis"));
  const auto strides = strides_of(out);
  const size_t item = size_of(out.dtype);
  int64_t offset = 0;
  for (size_t k = 0; k < operands.size(); ++k) {
    const HostArray& in = *operands[k];
    for (size_t axis = 0; axis < in.shape.size(); ++axis)
      if (axis != along) check_mapped(node, k, axis, in.shape[axis], out.shape[axis]);
    ops::for_each_index(in.shape, out.order, {strides, strides_of(in)}, [&](const std::vector<int64_t>& offsets) {
      std::memcpy(out.bytes.data() + offset + offsets[0], in.bytes.data() + offsets[1], item);
    });
    offset += in.shape[along] * strides[along];
  }
}

void interpret_reshape(const Node& node, const HostArray& in, HostArray& out) {
  if (in.bytes.size() != out.bytes.size())
    fail_user(ErrorCode::shape, node.op().name, std::to_string(in.size()) + " elements cannot become " + std::to_string(out.size()),
              node.origin());
  out.bytes = HostArray::copy(in.view(), out.order).bytes;
}

/// Sizes of axes that reduce together are checked by the row's function; those that map are checked here.
void interpret_library(const Node& node, Operands operands, HostArray& out) {
  std::vector<StridedView> views;
  for (size_t k = 0; k < operands.size(); ++k) {
    const auto maps = axis_maps(node, k);
    for (size_t axis = 0; axis < maps.size(); ++axis)
      if (maps[axis].relation == AxisRelation::map)
        check_mapped(node, k, axis, operands[k]->shape[axis], out.shape[static_cast<size_t>(maps[axis].out_axis)]);
    views.push_back(operands[k]->view());
  }
  node.op().library.define(node, views, out.view());
}

}  // namespace

HostArray HostArray::of(DType dtype, std::vector<int64_t> shape, Order order) {
  HostArray array{dtype, std::move(shape), order, {}};
  array.bytes.resize(static_cast<size_t>(array.size()) * size_of(dtype));
  return array;
}

HostArray HostArray::copy(const StridedView& view, Order order) {
  HostArray array = of(view.dtype, view.shape, order);
  ops::for_each_index(array.shape, order, {strides_of(array), view.strides}, [&](const std::vector<int64_t>& offsets) {
    ops::store_element(array.bytes.data() + offsets[0], array.dtype, ops::load_element(view.data + offsets[1], view.dtype, view.swapped));
  });
  return array;
}

int64_t HostArray::size() const { return view().size(); }

StridedView HostArray::view() const {
  return {const_cast<std::byte*>(bytes.data()), dtype, shape, dense_strides(shape, size_of(dtype), order == Order::F), false};
}

DimBindings bind_dims(const Graph& graph, std::span<const StridedView> inputs) {
  if (inputs.size() != graph.inputs().size())
    fail_user(ErrorCode::usage, "call",
              "takes " + std::to_string(graph.inputs().size()) + " arguments, not " + std::to_string(inputs.size()));
  DimBindings bindings;
  const auto each_axis = [&](auto&& visit) {
    for (size_t k = 0; k < inputs.size(); ++k) {
      const Node& input = *graph.inputs()[k];
      for (size_t axis = 0; axis < input.type().shape.size(); ++axis) visit(input, k, axis, inputs[k].shape[axis]);
    }
  };
  const auto label = [](const Node& input, size_t k) { return input.name().empty() ? "argument " + std::to_string(k) : input.name(); };
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Node& input = *graph.inputs()[k];
    if (inputs[k].dtype != input.type().dtype)
      fail_user(ErrorCode::dtype, "call",
                label(input, k) + " is " + std::string(name_of(inputs[k].dtype)) + ", not " + std::string(name_of(input.type().dtype)),
                input.origin());
    if (inputs[k].rank() != input.type().rank())
      fail_user(ErrorCode::shape, "call",
                label(input, k) + " has rank " + std::to_string(inputs[k].rank()) + ", not " + std::to_string(input.type().rank()),
                input.origin());
  }
  each_axis([&](const Node& input, size_t, size_t axis, int64_t size) {
    const Dim& dim = input.type().shape[axis];
    if (dim.is_symbol()) bindings.try_emplace(dim.str(), size);
  });
  each_axis([&](const Node& input, size_t k, size_t axis, int64_t size) {
    const Dim& dim = input.type().shape[axis];
    const int64_t expected = dim.evaluate(bindings);
    if (size != expected)
      fail_user(ErrorCode::shape, "call",
                label(input, k) + " has size " + std::to_string(size) + " on axis " + std::to_string(axis) + ", where " +
                    (dim.is_constant() ? "its type says " : dim.str() + " = ") + std::to_string(expected),
                input.origin());
  });
  return bindings;
}

HostArray interpret_node(const Node& node, Operands operands, const DimBindings& bindings) {
  if (const ConstantPayload* constant = constant_of(node)) return HostArray::copy(constant->view(), node.type().order);
  const Type& type = node.type();
  if (const Dim* size = size_of_leaf(node)) {
    HostArray value = HostArray::of(DType::i64, {});
    const int64_t n = size->evaluate(bindings);
    std::memcpy(value.bytes.data(), &n, sizeof n);
    return value;
  }
  HostArray out = HostArray::of(type.dtype, evaluate_shape(type, bindings), type.order);
  switch (node.op().kind) {
    case OpKind::elementwise: interpret_elementwise(node, operands, bindings, out); break;
    case OpKind::reduction: ops::interpret_reduction(node, *operands[0], out); break;
    case OpKind::view: interpret_view(node, *operands[0], bindings, out); break;
    case OpKind::join: interpret_join(node, operands, out); break;
    case OpKind::reshape: interpret_reshape(node, *operands[0], out); break;
    case OpKind::indexed: ops::interpret_indexed(node, operands, bindings, out); break;
    case OpKind::scatter: ops::interpret_scatter(node, operands, out); break;
    case OpKind::library: interpret_library(node, operands, out); break;
    case OpKind::leaf: fail_internal("interpreter: a node without a definition");
  }
  return out;
}

std::vector<HostArray> interpret(const Graph& graph, std::span<const StridedView> inputs,
                                 const std::function<HostArray(const Node&)>& leaf) {
  const DimBindings bindings = bind_dims(graph, inputs);
  std::vector<HostArray> values;
  values.reserve(graph.size());
  for (const Expr& expr : graph.nodes()) {
    const Node& node = *expr;
    std::vector<const HostArray*> operands;
    for (const Expr& x : node.inputs()) operands.push_back(&values[static_cast<size_t>(graph.index_of(x.get()))]);
    if (&node.op() == &input_op()) values.push_back(HostArray::copy(inputs[values.size()], node.type().order));
    else if (node.op().kind == OpKind::leaf && constant_of(node) == nullptr && size_of_leaf(node) == nullptr) {
      internal_check(static_cast<bool>(leaf), "interpreter: the value of a leaf was not given");
      values.push_back(leaf(node));
    } else {
      values.push_back(interpret_node(node, operands, bindings));
    }
  }
  std::vector<HostArray> outputs;
  for (const Expr& x : graph.outputs()) outputs.push_back(values[static_cast<size_t>(graph.index_of(x.get()))]);
  return outputs;
}

}  // namespace voxloom

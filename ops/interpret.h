// ops/interpret.h: the definition of every op.
//
// A graph means what interpret() returns: node by node, element by element, with the rows' own templates over ScalarBuilder, and with
// reductions in the order of ops/reduce_order.h. Compiled code must give the same bits (all NaNs count as equal). Clear, not fast.
#pragma once

#include <voxloom/graph/graph.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace voxloom {

/// Dense data, the first axis fastest for Order::F, the last for Order::C.
struct VOXLOOM_API HostArray {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  Order order = Order::C;
  std::vector<std::byte> bytes;

  /// Room for the elements, zero.
  static HostArray of(DType dtype, std::vector<int64_t> shape, Order order = Order::C);
  /// A dense copy in native byte order.
  static HostArray copy(const StridedView& view, Order order = Order::C);
  int64_t size() const;
  /// Valid while the array is not moved or destroyed.
  StridedView view() const;
};

/// Sizes of the symbols in the inputs' types. UserError names the input and axis that does not fit its type or another input.
VOXLOOM_API DimBindings bind_dims(const Graph& graph, std::span<const StridedView> inputs);

/// The value of one node from those of its operands. Not for leaves, except constants and sizes.
VOXLOOM_API HostArray interpret_node(const Node& node, std::span<const HostArray* const> operands, const DimBindings& bindings);

/// The outputs. `inputs` are bound to graph.inputs() in order, in any strides and byte order. `leaf` gives the values of other leaves than
/// inputs, constants and sizes (shared variables, images).
VOXLOOM_API std::vector<HostArray> interpret(const Graph& graph, std::span<const StridedView> inputs,
                                             const std::function<HostArray(const Node&)>& leaf = {});

}  // namespace voxloom

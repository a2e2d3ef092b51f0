// tests/fuzz/build.cpp: from a case to a graph, through the functions that users call.
#include "case.h"

#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/gradient.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace voxloom::fuzz {

namespace {

std::string symbol_name(const Case& c, int input, size_t axis) {
  const CaseInput& in = c.inputs[static_cast<size_t>(input)];
  if (in.kinds[axis] == AxisKind::shared_symbol) return "n" + std::to_string(in.shape[axis]);
  return "m" + std::to_string(input) + "_" + std::to_string(axis);
}

Operand operand_of(const CaseNode& node, const std::vector<Expr>& operands, size_t k) {
  if (node.in[k] >= 0) return operands[k];
  if (node.scalar_is_integer) return static_cast<int64_t>(node.scalar);
  return node.scalar;
}

std::vector<int> narrow(const std::vector<int64_t>& v) {
  std::vector<int> out;
  for (int64_t x : v) out.push_back(static_cast<int>(x));
  return out;
}

/// ints: keepdims, ddof, dtype (-1 none), acc_dtype (-1 none), then the axes; no axes means all.
Expr build_reduction(const OpInfo& row, const CaseNode& node, const Expr& x) {
  ReduceOptions options;
  options.keepdims = node.ints[0] != 0;
  options.ddof = static_cast<int>(node.ints[1]);
  if (node.ints[2] >= 0) options.dtype = static_cast<DType>(node.ints[2]);
  if (node.ints[3] >= 0) options.acc_dtype = static_cast<DType>(node.ints[3]);
  Axes axes;
  for (size_t k = 4; k < node.ints.size(); ++k) axes.list.emplace_back(static_cast<int>(node.ints[k]));
  axes.all = axes.list.empty();
  return reduce(row, x, axes, options);
}

/// ints: axis, then (present, value) of start, stop and step.
Expr build_slice(const CaseNode& node, const Expr& x) {
  const auto optional = [&](size_t k) { return node.ints[k] != 0 ? std::optional<int64_t>(node.ints[k + 1]) : std::nullopt; };
  return slice(x, static_cast<int>(node.ints[0]), Slice{optional(1), optional(3), optional(5)});
}

Sizes sizes_of(const std::vector<int64_t>& ints) {
  Sizes out;
  for (int64_t n : ints) out.emplace_back(n);
  return out;
}

/// A position along one axis: the axis disappears.
/// The gradient of all elements of a value (real and imaginary parts) with respect to another.
Expr build_gradient(const Expr& f, const Expr& wrt) {
  const Expr cost = is_complex(f.dtype()) ? sum(real(f)) + sum(imag(f)) : sum(f);
  return grad(Operand(cost), wrt, {.disconnected_inputs = Disconnected::ignore});
}

Expr build_index(const CaseNode& node, const Expr& x) {
  std::vector<IndexItem> items(static_cast<size_t>(node.ints[0]), Slice{});
  items.emplace_back(node.ints[1]);
  return index(x, items);
}

/// Any numbers as indices of an axis of n elements; `back`: counted from the end.
Expr indices_of(const Expr& any, int64_t n, bool back) {
  const Expr front = mod(cast(any, DType::i64), n);
  return back ? cast(front - n, DType::i64) : front;
}

/// Elements of two axes at once. ints: the axes' sizes, whether another axis lies between them.
Expr build_pick(const CaseNode& node, const std::vector<Expr>& operands) {
  const Expr i = indices_of(operands[1], node.ints[0], false), j = indices_of(operands[2], node.ints[1], true);
  return node.ints[2] != 0 ? index(operands[0], {i, Slice{}, j}) : index(operands[0], {i, j});
}

/// ints: as of a slice. The values are the same slice of the second operand, or a host number.
Expr build_changed_slice(const CaseNode& node, const std::vector<Expr>& operands, bool adds) {
  const Expr chosen = build_slice(node, operands[0]);
  const Operand values = node.in[1] < 0 ? operand_of(node, operands, 1) : Operand(cast(build_slice(node, operands[1]), chosen.dtype()));
  return adds ? inc_subtensor(chosen, values) : set_subtensor(chosen, values);
}

/// ints: axis, its size, whether indices count from the end. The values are taken from the third operand in the same way, or a host number.
Expr build_changed_elements(const CaseNode& node, const std::vector<Expr>& operands, bool adds) {
  const Expr i = indices_of(operands[1], node.ints[1], node.ints[2] != 0);
  const auto axis = static_cast<int>(node.ints[0]);
  std::vector<IndexItem> items(static_cast<size_t>(axis), Slice{});
  items.emplace_back(i);
  const Operand values = node.in[2] < 0 ? operand_of(node, operands, 2) : Operand(cast(take(operands[2], i, axis), operands[0].dtype()));
  return adds ? inc_subtensor(operands[0], items, values) : set_subtensor(operands[0], items, values);
}

/// The positions along an axis, with the rank of the operand.
Expr build_positions(const CaseNode& node, const Expr& x) {
  std::vector<int> pattern(static_cast<size_t>(x.rank()), -1);
  pattern[static_cast<size_t>(node.ints[0])] = 0;
  return dimshuffle(arange(x.shape()[static_cast<size_t>(node.ints[0])]), pattern);
}

}  // namespace

DimBindings bindings_of(const Case& c) {
  DimBindings out;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    for (size_t k = 0; k < c.inputs[i].shape.size(); ++k) {
      if (c.inputs[i].kinds[k] != AxisKind::constant) out[symbol_name(c, static_cast<int>(i), k)] = c.inputs[i].shape[k];
    }
  }
  return out;
}

Expr build_input(const Case& c, int input) {
  const CaseInput& in = c.inputs[static_cast<size_t>(input)];
  if (in.constant) {
    auto payload = std::make_shared<const ConstantPayload>(in.dtype, in.shape, values_of(in));
    return make_constant(constant_op(), payload, in.order, in.names);
  }
  Type type{in.dtype, {}, in.order, in.names};
  for (size_t k = 0; k < in.shape.size(); ++k) {
    type.shape.push_back(in.kinds[k] == AxisKind::constant ? Dim(in.shape[k]) : Dim::symbol(symbol_name(c, input, k)));
  }
  return make_input("x" + std::to_string(input), type);
}

Expr build_node(const CaseNode& node, const std::vector<Expr>& operands) {
  const std::string& f = node.op;
  if (f == "slice") return build_slice(node, operands[0]);
  if (f == "index") return build_index(node, operands[0]);
  if (f == "grad") return build_gradient(operands[0], operands[1]);
  if (f == "dimshuffle") return dimshuffle(operands[0], narrow(node.ints));
  if (f == "reshape") return reshape(operands[0], sizes_of(node.ints));
  if (f == "broadcast_to") return broadcast_to(operands[0], sizes_of(node.ints));
  if (f == "cast") return cast(operands[0], static_cast<DType>(node.ints[0]));
  if (f == "dot") return dot(operands[0], operands[1]);
  if (f == "matmul") return matmul(operands[0], operands[1]);
  if (f == "flip") {
    Axes axes;
    for (int64_t k : node.ints) axes.list.emplace_back(static_cast<int>(k));
    axes.all = axes.list.empty();
    return flip(operands[0], axes);
  }
  if (f == "take") return take(operands[0], indices_of(operands[1], node.ints[1], node.ints[2] != 0), static_cast<int>(node.ints[0]));
  if (f == "pick") return build_pick(node, operands);
  if (f == "set_slice" || f == "inc_slice") return build_changed_slice(node, operands, f == "inc_slice");
  if (f == "set_at" || f == "inc_at") return build_changed_elements(node, operands, f == "inc_at");
  if (f == "positions") return build_positions(node, operands[0]);
  std::vector<Operand> list;
  for (size_t k = 0; k < node.in.size(); ++k) list.push_back(operand_of(node, operands, k));
  if (f == "concatenate") return concatenate(list, static_cast<int>(node.ints[0]));
  if (f == "stack") return stack(list, static_cast<int>(node.ints[0]));
  const OpInfo& row = op(f.c_str());
  if (row.kind == OpKind::reduction) return build_reduction(row, node, operands[0]);
  return elementwise(row, list);
}

std::vector<bool> needed_by_outputs(const Case& c) {
  const size_t inputs = c.inputs.size(), all = inputs + c.nodes.size();
  std::vector<bool> needed(all, false);
  for (int k : c.outputs) needed[static_cast<size_t>(k)] = true;
  for (size_t k = all; k-- > inputs;) {
    if (!needed[k]) continue;
    for (int o : c.nodes[k - inputs].in) {
      if (o >= 0) needed[static_cast<size_t>(o)] = true;
    }
  }
  return needed;
}

Built build(const Case& c) {
  const PolicyScope policy({.floatX = c.floatX});
  std::vector<Expr> all, inputs, outputs;
  std::vector<int> arguments;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    all.push_back(build_input(c, static_cast<int>(i)));
    if (c.inputs[i].constant) continue;
    inputs.push_back(all.back());
    arguments.push_back(static_cast<int>(i));
  }
  const std::vector<bool> needed = needed_by_outputs(c);
  for (const CaseNode& node : c.nodes) {
    std::vector<Expr> operands;
    if (!needed[all.size()]) {
      all.emplace_back();
      continue;
    }
    for (int k : node.in) operands.push_back(k >= 0 ? all[static_cast<size_t>(k)] : Expr());
    all.push_back(build_node(node, operands));
  }
  for (int k : c.outputs) outputs.push_back(all[static_cast<size_t>(k)]);
  return {Graph::make(std::move(inputs), std::move(outputs)), std::move(arguments), bindings_of(c)};
}

std::string describe(const Case& c) {
  std::string out = "seed " + std::to_string(c.seed) + ", floatX " + std::string(name_of(c.floatX)) + "\n";
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const CaseInput& in = c.inputs[i];
    out += "  " + std::to_string(i) + " = " + (in.constant ? "constant " : "input ") + std::string(name_of(in.dtype)) + " (";
    for (size_t k = 0; k < in.shape.size(); ++k) {
      out += (k > 0 ? ", " : "") + std::to_string(in.shape[k]);
      if (in.kinds[k] != AxisKind::constant) out += ":" + symbol_name(c, static_cast<int>(i), k);
      if (!in.names.empty()) out += " " + in.names[k];
    }
    out += std::string(")") + (in.order == Order::F ? "F" : "") + " values " + std::to_string(static_cast<int>(in.values)) + " repeated " +
           std::to_string(in.repeated) + "\n";
  }
  for (size_t i = 0; i < c.nodes.size(); ++i) {
    const CaseNode& n = c.nodes[i];
    out += "  " + std::to_string(c.inputs.size() + i) + " = " + n.op + "(";
    for (size_t k = 0; k < n.in.size(); ++k) {
      char number[40];
      std::snprintf(number, sizeof number, n.scalar_is_integer ? "%.0f" : "%.17g.", n.scalar);
      out += (k > 0 ? ", " : "") + (n.in[k] >= 0 ? std::to_string(n.in[k]) : std::string(number));
    }
    out += ")";
    for (int64_t v : n.ints) out += " " + std::to_string(v);
    out += "\n";
  }
  out += "  outputs";
  for (int k : c.outputs) out += " " + std::to_string(k);
  return out + "\n";
}

}  // namespace voxloom::fuzz

// codegen/lower_scatter.cpp: values written or added at given indices, one after the other.
//
// Threads split the axes that are not indexed; every part runs through all the indices in their order, so equal ones meet in that order
// whatever the number of threads. An index that lies outside is told of, and nothing is written for it.
#include <voxloom/codegen/lower_impl.h>
#include <voxloom/ops/index_rule.h>

#include <algorithm>

namespace voxloom::codegen {
namespace {

/// Loop axes of the indices' axes, of the output's axes that are not indexed (-1 for the others), and of the values' axes.
struct ScatterAxes {
  std::vector<int> indices, output, values;
};

ScatterAxes scatter_axes(const Node& n, Group& group) {
  const auto& indexed = n.attr_ints("axes");
  const auto position = static_cast<size_t>(n.attr_int("position"));
  const auto index_rank = static_cast<size_t>(n.input(2).rank());
  ScatterAxes axes;
  const auto add = [&](const Dim& extent, Role role) {
    if (extent.is_one()) return -1;
    group.axes.push_back({extent, role});
    return static_cast<int>(group.axes.size()) - 1;
  };
  for (size_t k = 0; k < index_rank; ++k) {
    Dim extent = 1;
    for (size_t j = 2; j < n.inputs().size(); ++j) {
      if (!n.input(j).shape()[k].is_one()) extent = n.input(j).shape()[k];
    }
    axes.indices.push_back(add(extent, Role::O));
  }
  const size_t first_other = group.axes.size();
  axes.output.assign(n.type().shape.size(), -1);
  const std::vector<int> order = n.type().fastest_first();
  for (auto k = order.rbegin(); k != order.rend(); ++k) {
    if (!std::binary_search(indexed.begin(), indexed.end(), *k))
      axes.output[static_cast<size_t>(*k)] = add(n.type().shape[static_cast<size_t>(*k)], Role::P);
  }
  if (group.axes.size() > first_other) group.axes.back().role = Role::I;
  for (size_t k = 0; k < axes.output.size(); ++k) {
    if (axes.values.size() == position) axes.values.insert(axes.values.end(), axes.indices.begin(), axes.indices.end());
    if (!std::binary_search(indexed.begin(), indexed.end(), static_cast<int64_t>(k))) axes.values.push_back(axes.output[k]);
  }
  if (axes.values.size() == position) axes.values.insert(axes.values.end(), axes.indices.begin(), axes.indices.end());
  return axes;
}

void add_operand(runtime::KernelStep& step, const LowerInput& in, size_t operand, const std::vector<int>& loop_axes) {
  const ScatterOperand& array = in.scatter_operands[operand - 1];
  std::vector<runtime::AxisTerm> terms;
  for (const IndexTerm& t : array.terms) {
    const bool repeated = t.axis < 0 || in.scatter->input(operand).shape()[static_cast<size_t>(t.axis)].is_one();
    const int axis = repeated ? -1 : loop_axes[static_cast<size_t>(t.axis)];
    terms.push_back({axis, axis < 0 ? 1 : t.a, t.b});
  }
  const DType dtype = in.scatter->input(operand).dtype();
  for (int part = 0; part < (is_complex(dtype) ? 2 : 1); ++part)
    step.accesses.push_back({array.slot, part, false, real_part_of(dtype), terms});
}

}  // namespace

Group scatter_group(const Node& scatter) {
  Group group;
  scatter_axes(scatter, group);
  return group;
}

runtime::KernelStep describe_scatter(const LowerInput& input) {
  const Node& n = *input.scatter;
  Group group;
  const ScatterAxes axes = scatter_axes(n, group);
  runtime::KernelStep step;
  step.name = std::string("Scatter{") + n.op().name + "}";
  for (size_t a = 0; a < group.axes.size(); ++a) {
    const Role role = group.axes[a].role;
    step.extents.push_back(group.axes[a].extent);
    step.roles.push_back(role == Role::P ? 'P' : role == Role::O ? 'O' : 'I');
    step.collapse_into.push_back(static_cast<int>(a));
    if (role == Role::O) step.outer_extent = step.outer_extent * group.axes[a].extent;
  }
  step.tiled = !step.roles.empty() && step.roles.back() == 'I';
  for (size_t k = 2; k < n.inputs().size(); ++k) add_operand(step, input, k, axes.indices);
  add_operand(step, input, 1, axes.values);
  std::vector<runtime::AxisTerm> terms;
  const auto& indexed = n.attr_ints("axes");
  for (size_t k = 0; k < axes.output.size(); ++k) {
    const auto at = std::find(indexed.begin(), indexed.end(), static_cast<int64_t>(k));
    const int gathered = at == indexed.end() ? -1 : static_cast<int>(at - indexed.begin());
    terms.push_back({axes.output[k], 1, 0, gathered});
  }
  for (int part = 0; part < (is_complex(n.type().dtype) ? 2 : 1); ++part)
    step.accesses.push_back({input.slots.at(&n), part, true, real_part_of(n.type().dtype), terms});
  return step;
}

void Lowering::scatter_kernel() {
  open_parallel_loop();
  const auto indices = axes_of(Role::O);
  std::vector<Id> extents;
  for (const Axis* a : indices) extents.push_back(dim(a->extent));
  const std::vector<Id> at = b_.begin_loop(b_.integer(0), extent_product(indices), extents);
  for (size_t k = 0; k < indices.size(); ++k) indices[k]->index = {at[k]};
  scopes_.emplace_back();
  std::vector<Id> gathered;
  Value inside = b_.record().boolean(true);
  for (size_t k = 0; k + 2 < in_.scatter->inputs().size(); ++k) {
    const Value ok = scatter_index(k, gathered);
    inside = k == 0 ? ok : b_.record().bit_and(inside, ok);
  }
  b_.begin_if(inside.id);
  map_loop([&] { scatter_element(gathered); });
  b_.end_if();
  scopes_.pop_back();
  for (Axis* a : indices) a->index.clear();
  b_.end_loop();
  b_.end_loop();
}

/// Loads and checks the index along the output's axis "axes"[number].
Value Lowering::scatter_index(size_t number, std::vector<Id>& gathered) {
  const Node& n = *in_.scatter;
  const auto axis = static_cast<size_t>(n.attr_ints("axes")[number]);
  const Dim& size = n.type().shape[axis];
  const auto recipe = static_cast<int>(number);
  const Value given = b_.value(b_.load(kernel_access(recipe), terms(recipe)));
  const auto front = ops::front_index(b_.record(), given, b_.value(dim(size)));
  check_index(n, number, static_cast<int>(axis), size, front.index, front.inside);
  gathered.push_back(front.index.id);
  return front.inside;
}

void Lowering::scatter_element(const std::vector<Id>& gathered) {
  const Node& n = *in_.scatter;
  const int parts = is_complex(n.type().dtype) ? 2 : 1;
  const auto values = static_cast<int>(n.inputs().size()) - 2, output = values + parts;
  for (int part = 0; part < parts; ++part) {
    Value v = b_.value(b_.load(kernel_access(values + part), terms(values + part)));
    const int access = kernel_access(output + part);
    const std::vector<Term> at = terms(output + part, gathered);
    if (n.op().scatter.adds) {
      const Value old = b_.value(b_.load(access, at));
      v = v.dtype == DType::boolean ? b_.record().bit_or(old, v) : b_.record().add(old, v);
    }
    b_.store(access, at, v.id);
  }
}

}  // namespace voxloom::codegen

// graph/op_info.cpp: the elementwise rule of axis relations.
#include <voxloom/graph/op_info.h>

namespace voxloom {

std::vector<AxisMap> axis_maps(const Node& node, size_t operand) {
  if (node.op().axes != nullptr) return node.op().axes(node, operand);
  const Type& in = node.input(operand).type();
  const Type& out = node.type();
  const int shift = out.rank() - in.rank();
  internal_check(shift >= 0, "axis_maps: an operand of an elementwise op has more axes than the result");
  std::vector<AxisMap> maps(in.shape.size());
  for (int k = 0; k < in.rank(); ++k) {
    AxisMap& map = maps[static_cast<size_t>(k)];
    map.out_axis = k + shift;
    const bool stretched = in.shape[static_cast<size_t>(k)].is_one() && !out.shape[static_cast<size_t>(map.out_axis)].is_one();
    map.relation = stretched ? AxisRelation::broadcast : AxisRelation::map;
  }
  return maps;
}

}  // namespace voxloom

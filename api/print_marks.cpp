// api/print_marks.cpp: where the nodes of a compiled function are computed and live.
#include <voxloom/api/print_marks.h>

#include <voxloom/codegen/partition.h>
#include <voxloom/graph/constant.h>
#include <voxloom/graph/literal.h>

namespace voxloom::detail {

std::string node_label(const Node& node) {
  if (const ConstantPayload* constant = constant_of(node)) {
    if (constant->size() != 1) return "constant";
    const DType part = real_part_of(constant->dtype());
    const std::string real = literal_text(part, constant->bits(0));
    return is_complex(constant->dtype()) ? "(" + real + " + " + literal_text(part, constant->bits(0, 1)) + "j)" : real;
  }
  if (node.op().kind == OpKind::leaf) return node.name().empty() ? "<" + std::string(node.op().name) + ">" : node.name();
  return node.op().name;
}

Marks::Marks(const Function::Impl& function) : function_(function) {
  const Graph& graph = function.compiled.graph;
  const codegen::Partition parts = codegen::partition(graph, function.compiled.build.partition);
  for (const codegen::PlannedGroup& planned : parts.groups) {
    std::string name;
    for (const Node* node : planned.group.nodes) {
      kernel_.emplace(node, static_cast<int>(kernels_.size()));
      name += (name.empty() ? "" : ", ") + std::string(node->op().name);
    }
    kernels_.push_back(name.empty() ? "copy" : name);
  }
  for (const runtime::Slot& slot : function.program().slots) {
    if (slot.node < 0) continue;
    const Node* node = graph.nodes()[static_cast<size_t>(slot.node)].get();
    std::string text;
    switch (slot.kind) {
      case runtime::Slot::Kind::argument:
        text = static_cast<size_t>(slot.index) < function.ins.size() ? "argument " + std::to_string(slot.index) : "shared";
        if (static_cast<size_t>(slot.index) < function.ins.size() && function.ins[static_cast<size_t>(slot.index)].mutable_ &&
            function.map_only && function.borrowed[0])
          text += ", may be destroyed by output 0";
        break;
      case runtime::Slot::Kind::constant: text = "constant"; break;
      case runtime::Slot::Kind::temporary: text = "temporary"; break;
      case runtime::Slot::Kind::alias: text = "view of " + function.program().slots[static_cast<size_t>(slot.index)].label; break;
      case runtime::Slot::Kind::output: continue;  // marked where it is printed
    }
    place_.try_emplace(node, text);
  }
}

int Marks::kernel_of(const Node* node) const {
  const auto found = kernel_.find(node);
  return found == kernel_.end() ? -1 : found->second;
}

std::string Marks::of(const Node* node) const {
  std::string text;
  if (const int kernel = kernel_of(node); kernel >= 0) text += " kernel " + std::to_string(kernel);
  if (const auto place = place_.find(node); place != place_.end()) text += (text.empty() ? " " : ", ") + place->second;
  else if (node->op().kind == OpKind::view) text += " view";
  return text;
}

std::string Marks::of_output(size_t program_output) const {
  const size_t own = function_.program_outputs() - function_.updated.size();
  if (program_output >= own) return "update of " + function_.options.updates[program_output - own].first.name();
  size_t user_output = 0;  // outputs that are arguments handed through are none of the program's
  for (size_t at = 0;; ++user_output) {
    if (function_.passed[user_output] < 0 && at++ == program_output) break;
  }
  return "output " + std::to_string(user_output) + (function_.borrowed[program_output] ? " (borrowed)" : "");
}

}  // namespace voxloom::detail

// codegen/lower.h: a fused group -> kernel IR with its binding recipe.
#pragma once

#include <voxloom/codegen/group.h>
#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/runtime/kernel_step.h>

#include <vector>

namespace voxloom::codegen {

/// A value the kernel stores: the index of slot axis k is (index of the value's axis k) + offset[k].
struct Sink {
  Expr value;
  int slot = 0;
  std::vector<Dim> offsets;  ///< empty: all zero
};

/// Which part of a group's work a kernel does.
enum class KernelPart : uint8_t {
  whole,         ///< everything, in one kernel
  leaves,        ///< reduces each leaf of the I reductions and stores its states (slots `state_slots`); threads split the leaves
  fold,          ///< folds those states, computes what depends on them
  accumulate,    ///< adds a block of positions of the O reductions to states kept in slots between blocks
  finish,        ///< finishes those states, computes what depends on them
  scatter,       ///< writes the values of a scatter node into its storage
  outer_leaves,  ///< runs the loops over O leaf by leaf and stores the states of each; threads split the leaves. One pass over O only
  outer_fold,    ///< folds those states, computes what depends on them
};

/// An operand in memory: the array of a slot seen through views.
struct ScatterOperand {
  int slot = 0;
  std::vector<IndexTerm> terms;
};

struct LowerInput {
  const Group* group = nullptr;
  std::vector<Sink> sinks;
  std::unordered_map<const Node*, int> slots;  ///< program slot of every materialised value that is read
  KernelPart part = KernelPart::whole;
  /// scatter: the node, and the arrays of its operands from the second one on; `slots` has its own storage. The group has its axes and no nodes.
  const Node* scatter = nullptr;
  std::vector<ScatterOperand> scatter_operands;
  /// leaves, fold: one slot per state component, shape [P..., leaves]. outer_leaves, outer_fold: the same in F order with the axes from the fastest
  /// to the slowest, [I..., P..., leaves], without I for reductions of row values. accumulate, finish: three (leaf, group, total) per component,
  /// shape [P..., I...]; leaves with streaming: the carry slots follow, one per component, shape [P..., 2 * 32].
  std::vector<int> state_slots;
  std::vector<int> carry_slots;
};

struct Lowered {
  Kernel kernel;
  std::vector<runtime::ParamRecipe> params;
  std::vector<int> pointers;
  std::vector<runtime::ScratchRecipe> scratch;
  std::vector<runtime::IndexCheck> checks;
};

/// The step without its variants: accesses, axes, parallel range.
runtime::KernelStep describe_step(const LowerInput& input);
/// The loops of a scatter: O over the indices, in their order, around P and I over the other axes.
Group scatter_group(const Node& scatter);
/// The kernel for one choice of layouts; `step` is describe_step(input).
Lowered lower(const LowerInput& input, const runtime::KernelStep& step, const runtime::VariantKey& key);

}  // namespace voxloom::codegen

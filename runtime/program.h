// runtime/program.h: what the planner produces: slots for every array and the steps that fill them.
#pragma once

#include <voxloom/graph/error.h>
#include <voxloom/graph/type.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/kernel_step.h>

#include <string>
#include <vector>

namespace voxloom::runtime {

/// A place for one array. Temporaries, states and outputs are dense in the order of their type.
struct Slot {
  enum class Kind : uint8_t { argument, constant, temporary, output, alias } kind = Kind::temporary;
  Type type = {};
  int index = 0;  ///< number of the argument or output; alias: the slot whose elements it shows under another shape
  Array constant = {};
  /// A trailing axis of leaf_count(leaves_of) elements for the states of a reduction's leaves.
  bool has_leaves = false;
  Dim leaves_of = 0;
  bool leaves_of_rows = false;
  int way_of_step = -1;  ///< the step whose LeafWay the slot serves; it has no elements where the step goes the other way
  /// Steps (positions in Program::order) that first write and last read it; for the arena.
  int first_step = -1, last_step = -1;
  std::string label = {};  ///< for explain: name of the node whose value it holds
  int node = -1;           ///< place of that node in the graph's nodes(); -1: states of a reduction and the like
};

/// One entry of the execution order.
struct OrderItem {
  int step = -1;              ///< kernel step, or
  int alias_slot = -1;        ///< a reshape: the slot becomes a view of its source, copied first if the source is not dense
  bool after_stream = false;  ///< runs once, after the last block of a streamed pass
};

/// Two sizes that an operation needs to be equal and that the types could not tell.
struct SizeCheck {
  Dim a, b;
  std::string op;
  OriginId origin = {};
};
/// A reduction without a value for no elements: `count` must not be 0 where there are results.
struct NonEmptyCheck {
  Dim count, results;
  std::string op;
  OriginId origin = {};
};

/// A slice whose elements first, first + step, ... (`count` of them) must lie in an axis of size `size`.
struct BoundsCheck {
  Dim first, count, size;
  int64_t step = 1;
  std::string op;
  OriginId origin = {};
};

/// Immutable once built; shared by all calls.
struct Program {
  std::vector<Slot> slots;
  std::vector<KernelStep> steps;
  std::vector<OrderItem> order;
  std::vector<int> argument_slots, output_slots;
  /// For messages about wrong arguments.
  std::string name;
  std::vector<std::string> argument_names;
  std::vector<SizeCheck> size_checks;
  std::vector<NonEmptyCheck> nonempty_checks;
  std::vector<BoundsCheck> bounds_checks;
  std::string stream_symbol;       ///< see codegen/program_builder.h
  std::vector<std::string> notes;  ///< why things are as they are (refused fusions and the like), for explain
};

}  // namespace voxloom::runtime

// tests/fuzz/case.h: a test case as plain data: what the generator makes, the minimiser shrinks and the oracle runs.
#pragma once

#include <voxloom/graph/graph.h>

#include <cstdint>
#include <string>
#include <vector>

namespace voxloom::fuzz {

/// How an axis size appears in the type of an input.
enum class AxisKind : uint8_t { constant, shared_symbol, own_symbol };

/// Mixes of element values.
enum class Values : uint8_t { small, uniform, wide, special };

struct CaseInput {
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  std::vector<AxisKind> kinds = {};     ///< one per axis
  std::vector<std::string> names = {};  ///< an image when not empty
  Order order = Order::C;
  bool constant = false;  ///< a constant of the graph instead of an argument
  uint32_t repeated = 0;  ///< bit k: the elements do not change along axis k
  Values values = Values::small;
  uint64_t seed = 0;  ///< of the values
};

/// An operation. `op` is a row's name or one of: index slice flip dimshuffle reshape broadcast_to concatenate stack cast take pick set_slice
/// inc_slice set_at inc_at positions grad.
/// Operands count inputs first, then nodes; -1 is the host number `scalar`.
struct CaseNode {
  std::string op = {};
  std::vector<int> in = {};
  std::vector<int64_t> ints = {};  ///< parameters; their meaning depends on op (see build.cpp)
  double scalar = 0;
  bool scalar_is_integer = false;
};

struct Case {
  uint64_t seed = 0;
  std::vector<CaseInput> inputs;
  std::vector<CaseNode> nodes;
  std::vector<int> outputs;
  DType floatX = DType::f32;
};

/// The graph of a case. Its inputs are those of `case_` that are no constants, in order.
struct Built {
  Graph graph;
  std::vector<int> arguments;  ///< index into Case::inputs of each input of the graph
  DimBindings bindings;
};
/// For each input and node, whether an output depends on it.
std::vector<bool> needed_by_outputs(const Case& c);
/// Nodes that outputs need; UserError where the ops refuse.
Built build(const Case& c);
/// The expression of an input; constants get their values.
Expr build_input(const Case& c, int index);
/// The expression of a node over the given operands.
Expr build_node(const CaseNode& node, const std::vector<Expr>& operands);
/// Sizes of the symbols of all inputs.
DimBindings bindings_of(const Case& c);

/// The elements of an input, dense, last axis fastest.
std::vector<std::byte> values_of(const CaseInput& input);

/// For people: the case as a list.
std::string describe(const Case& c);

}  // namespace voxloom::fuzz

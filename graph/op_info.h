// graph/op_info.h: the type of an op's row. Generic code (passes, verifier, planner, interpreter) reads rows and never names an op.
#pragma once

#include <voxloom/graph/library.h>
#include <voxloom/graph/node.h>

#include <vector>

namespace voxloom {

namespace ops {
class ScalarBuilder;
class RecordBuilder;
struct Scalar;
struct Value;
template <class V> struct Cx;
}  // namespace ops

/// How one axis of an operand relates to the axes of the output.
enum class AxisRelation : uint8_t {
  map,        ///< operand index = output index of `out_axis`
  broadcast,  ///< operand has size 1 here (or lacks the axis) where the output has `out_axis`
  reduce,     ///< the axis disappears through the row's reduction
  affine,     ///< operand index = a * (output index of out_axis) + b; out_axis = -1: the constant b
  window,     ///< output index i needs i+lo .. i+hi
  gather,     ///< the operand's index is computed from other operands (take) or from the output's index; out_axis >= 0:
              ///< operand index i belongs to output index a*i + b, `count` of them (a slice that is set); of size 1, it is for all
  whole,      ///< needs everything along the axis
};
struct AxisMap {
  AxisRelation relation = AxisRelation::map;
  int out_axis = -1;
  int64_t a = 1;
  Dim b = 0;
  int64_t lo = 0, hi = 0;
  Dim count = 0;
};

enum class OpKind : uint8_t {
  leaf,         ///< input, constant, image, shared
  elementwise,  ///< all axes map or broadcast; has scalar and record builders
  reduction,    ///< some axes reduce, the others map; has ReductionFns
  view,         ///< an index map only (map, broadcast, affine): dimshuffle, slice, broadcast_to
  reshape,      ///< the same elements in the order of the type under another shape
  join,         ///< operands side by side along attribute "axis" (all other axes map)
  indexed,      ///< as elementwise, but may read one operand at computed indices and know the output's index; has IndexedFns
  scatter,      ///< the first operand with the second one set or added at the indices in the others
  library,      ///< computed by a function over whole arrays; has LibraryFns
};

/// The scalar function of an elementwise row, instantiated for the interpreter and for the kernel recorder from one template.
/// Real values use `re` only.
struct ElementwiseFns {
  void (*scalar)(ops::ScalarBuilder&, const Node&, const ops::Cx<ops::Scalar>* in, ops::Cx<ops::Scalar>* out) = nullptr;
  void (*record)(ops::RecordBuilder&, const Node&, const ops::Cx<ops::Value>* in, ops::Cx<ops::Value>* out) = nullptr;
};

/// A reduction as an automaton over a tuple of real state components: init, then step per element in the order of decisions.md D1,
/// combine of two partial states (left one first), finish once. fold combines the interleaved states of one leaf (often it is
/// combine): it may rely on a left state without elements meeting only a right one without elements. `index` is the i64 position in the flattened reduced axes, `count` their length.
template <class B, class V> struct ReductionTemplates {
  void (*init)(B&, const Node&, V* state) = nullptr;
  void (*step)(B&, const Node&, V* state, const ops::Cx<V>& x, V index) = nullptr;
  void (*combine)(B&, const Node&, V* state, const V* other) = nullptr;
  void (*fold)(B&, const Node&, V* state, const V* other) = nullptr;
  void (*finish)(B&, const Node&, const V* state, V count, ops::Cx<V>* out) = nullptr;
};
struct ReductionFns {
  /// dtypes of the state components for this node.
  std::vector<DType> (*state)(const Node&) = nullptr;
  ReductionTemplates<ops::ScalarBuilder, ops::Scalar> scalar = {};
  ReductionTemplates<ops::RecordBuilder, ops::Value> record = {};
};

/// How the builders of ops/build.h bring the operands of a row to one dtype, with explicit casts, before a node is made. Rows only check.
enum class Promotion : uint8_t {
  none,        ///< operands are taken as they are
  arithmetic,  ///< the common dtype; integer voxels of images become floats
  power,       ///< as arithmetic; booleans become i8
  keep,        ///< the common dtype
  number,      ///< the common dtype; booleans become i8
  floating,    ///< the common dtype, a float if it was an integer or boolean
  division,    ///< as floating; under NumPy's policy always float64 for integers
  logical,     ///< each operand becomes boolean
  choice,      ///< the first operand becomes boolean, the others get their common dtype
};

/// An indexed row: an output element is value(its operands, its index, the source at index(...)). Operands other than the source map or broadcast;
/// the axes of the source whose relation is gather are read at the computed indices, its other axes map.
template <class B, class V> struct IndexedTemplates {
  /// What the functions see of one element of the output.
  struct Element {
    const ops::Cx<V>* in = nullptr;  ///< by operand; the source's for `value` alone
    const V* at = nullptr;           ///< index along each axis of the output (i64); only where `reads_position` says so
    const V* sizes = nullptr;        ///< values of `sizes` (i64)
  };
  /// The i64 index along each gather axis of the source, and whether it lies inside (boolean). Outside nothing is read.
  void (*index)(B&, const Node&, const Element&, V* index, V* inside) = nullptr;
  /// `inside`: all of those; the source's value means nothing otherwise.
  void (*value)(B&, const Node&, const Element&, V inside, ops::Cx<V>* out) = nullptr;
};
struct IndexedFns {
  int source = -1;       ///< operand that is read at computed indices; -1: none
  bool checked = false;  ///< an index outside is the user's error
  std::vector<Dim> (*sizes)(const Node&) = nullptr;
  /// Whether what an element is depends on its index along this axis of the output; null: on no axis. A block of such an axis is not a smaller
  /// axis, so it is neither streamed nor flattened with others.
  bool (*reads_position)(const Node&, int axis) = nullptr;
  IndexedTemplates<ops::ScalarBuilder, ops::Scalar> scalar = {};
  IndexedTemplates<ops::RecordBuilder, ops::Value> record = {};
};

/// A scatter row: operands x, y and one of integers for each of attribute "axes" of x; y has the shape that take() of x at them would have.
struct ScatterFns {
  bool adds = false;  ///< adds y, equal indices one after the other (last axis of the indices fastest); otherwise the last one is set
};

/// Flags of a row.
struct OpFlags {
  bool commutative = false, associative = false, idempotent = false;
  bool cheap = false;           ///< a load, cast, add or the like: may be computed again instead of being stored
  bool order_free = false;      ///< a reduction whose result does not depend on the order (min, max, any, all, integer sums)
  bool needs_index = false;     ///< a reduction whose step reads `index`
  bool needs_nonempty = false;  ///< a reduction without a value for no elements: a UserError at call time
};

struct OpInfo {
  const char* name = "";
  OpKind kind = OpKind::elementwise;
  int min_arity = 1, max_arity = 1;
  OpFlags flags = {};
  Promotion promotion = Promotion::none;
  /// Checks operands and attributes and gives the type of the result; UserError otherwise. Null for leaves.
  Type (*infer)(const OpInfo&, std::span<const Expr>, const Attrs&, OriginId) = nullptr;
  /// One entry per axis of that operand. Null: elementwise rule (axis k maps to axis k, or broadcasts where its size is the constant 1 and the output's is not).
  std::vector<AxisMap> (*axes)(const Node&, size_t operand) = nullptr;
  ElementwiseFns elementwise = {};
  ReductionFns reduction = {};
  IndexedFns indexed = {};
  ScatterFns scatter = {};
  LibraryFns library = {};
  /// Gradients with respect to each operand, from the node and the gradient g of the cost with respect to it: one entry per operand, of that
  /// operand's dtype and shape; an undefined (null) Expr where the cost does not depend on that operand through this node. Null: see no_gradient.
  std::vector<Expr> (*gradient)(const Expr& node, const Expr& g) = nullptr;
  /// A row without a gradient by nature (comparisons, integer operations, positions): its operands are disconnected from a cost.
  bool no_gradient = false;
  /// Neutral and absorbing element of a binary row, as text understood by the simplifier ("0", "1", "-0", "inf"); empty if none.
  const char* identity = "";
  const char* absorbing = "";
  /// Formula and domain notes, one line each, for docs/ops.md.
  const char* doc = "";
  const char* domain = "";
  /// Family in docs/ops.md: "arithmetic", "exponential", ...
  const char* family = "";
};

/// Axis relations of one operand: the row's `axes`, or the elementwise rule.
VOXLOOM_API std::vector<AxisMap> axis_maps(const Node& node, size_t operand);

}  // namespace voxloom

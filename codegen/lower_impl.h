// codegen/lower_impl.h: the state shared by the parts of lowering. Private to codegen/lower*.cpp.
#pragma once

#include <voxloom/codegen/lower.h>
#include <voxloom/ops/reduce_order.h>

#include <map>
#include <optional>
#include <tuple>

namespace voxloom::codegen {

using ops::Cx;
using ops::Value;
using runtime::ParamRecipe;
using runtime::ScratchRecipe;

/// What a leaf operand is inside a kernel.
struct LeafRef {
  bool scalar_constant = false;
  int access[2] = {-1, -1};
};

/// Accesses of the step that `part` needs, in a fixed order. Also used to find them again while lowering.
class AccessTable {
 public:
  explicit AccessTable(const LowerInput& input);
  const std::vector<runtime::AccessRecipe>& accesses() const { return accesses_; }
  /// Operand k of a group node whose base lies outside the group.
  LeafRef operand(const Node& n, size_t k) const { return operands_.at({&n, k}); }
  /// A sink's destination, and its source when the value itself is a leaf.
  LeafRef destination(size_t sink) const { return destinations_[sink]; }
  LeafRef source(size_t sink) const { return sources_[sink]; }
  int state(size_t k) const { return state_[k]; }
  int carry(size_t k) const { return carry_[k]; }
  bool needs(const Node* n) const { return needed_.count(n) != 0; }
  bool sink_used(size_t sink) const { return used_[sink]; }

 private:
  void need(const Node* n);
  static Dim choices(const Node& n, size_t k);
  LeafRef leaf(const Node* base, const std::vector<runtime::AxisTerm>& terms, const Dim& choices = 1);
  int add(runtime::AccessRecipe access);
  LeafRef add_parts(DType dtype, int slot, bool written, const std::vector<runtime::AxisTerm>& terms, const Dim& choices = 1);
  void add_sink(size_t k);
  void add_states();

  const LowerInput& in_;
  std::set<const Node*> needed_;
  std::vector<runtime::AccessRecipe> accesses_;
  std::map<std::pair<const Node*, size_t>, LeafRef> operands_;
  std::vector<LeafRef> destinations_, sources_;
  std::vector<char> used_;
  std::vector<int> state_, carry_;
};

/// True when the sink's value is a full or row value (inside the O and I loops) and not the result of a finished reduction.
bool sink_in_loops(const Group& group, const Sink& sink);
/// Whether the part computes what comes after all loops, from states that another part has stored.
bool folds_states(KernelPart part);
/// The reductions whose states the part keeps in slots.
Role state_role(KernelPart part);
/// Group axes of the slots of a reduction's states, in the order of their shape.
std::vector<int> state_axes(const Group& group, const Node& reduction, KernelPart part);
/// dtypes of all state components of the group's reductions over `role`, in node order.
std::vector<DType> state_dtypes(const Group& group, Role role);
std::vector<const Node*> reductions_over(const Group& group, Role role);

/// A scatter without its variants.
runtime::KernelStep describe_scatter(const LowerInput& input);

class Lowering {
 public:
  Lowering(const LowerInput& input, const runtime::KernelStep& step, const runtime::VariantKey& key);
  Lowered run();

 private:
  struct Axis {
    std::vector<int> members;  // group axes, slowest first
    Role role = Role::P;
    Dim extent = 1;
    std::vector<Id> index;  // its index now is the sum of these; empty outside its loop
  };
  struct Scope {
    std::unordered_map<const Node*, Cx<Value>> nodes;
    std::map<int, Value> loads;
  };
  /// State components of one reduction in memory: elements along the tile, 32 lanes, or one.
  struct StateArrays {
    const Node* reduction = nullptr;
    ScratchRecipe::Count count = ScratchRecipe::Count::tile;
    std::vector<int> leaf, group, total;  // per component: a scratch access, or ~(number of a state slot)
  };
  /// Bounds of the leaf structure over n positions.
  struct Order {
    Id n, leaf, span;
  };

  // lower.cpp: axes, params, accesses
  void make_axes();
  Id param(const ParamRecipe& recipe, DType dtype = DType::i64, const char* name = "");
  Id leaf_count() { return param({ParamRecipe::Kind::leaf_count, step_.reduced, 0, 0, 0, step_.leaves_of_rows}, DType::i64, "leaves"); }
  Id dim(const Dim& d) { return param({ParamRecipe::Kind::dim, d, 0, 0, 0}, DType::i64, "dim"); }
  int kernel_access(int recipe);
  /// `gathered`: the indices the kernel has computed for this access.
  std::vector<Term> terms(int recipe, const std::vector<Id>& gathered = {});
  int stride_slot(int recipe, int axis);
  int scratch_access(ScratchRecipe::Count count, DType dtype);
  Id min_of(Id a, Id b);
  Id max_of(Id a, Id b);
  Id add(Id a, Id b) { return b_.record().add(b_.value(a), b_.value(b)).id; }
  Id sub(Id a, Id b) { return b_.record().sub(b_.value(a), b_.value(b)).id; }
  Id mul(Id a, Id b) { return b_.record().mul(b_.value(a), b_.value(b)).id; }
  Id ceil_div(Id a, Id b);
  Id flat_index(const std::vector<Axis*>& fastest_first);
  std::vector<Axis*> axes_of(Role role);  // fastest first
  Id extent_product(const std::vector<Axis*>& axes);
  Dim extent_dim(Role role) const;
  void open_parallel_loop();
  void set_tile(Id lo, Id hi);

  // lower_values.cpp: values of nodes
  Cx<Value> value(const Node* n);
  std::vector<Term> tile_terms() const;
  void spill(const Node* n, const Cx<Value>& v);
  Cx<Value> operand(const Node& n, size_t k);
  Cx<Value> leaf(const LeafRef& ref, const Node* constant);
  Cx<Value> elementwise_value(const Node* n);
  Cx<Value> trivial_reduction(const Node* n);
  // lower_indexed.cpp: rows that compute indices
  Cx<Value> indexed_value(const Node* n);
  Cx<Value> source_value(const Node& n, const IndexedTemplates<ops::RecordBuilder, Value>::Element& element, Value& inside);
  Value position(const Node& n, int axis);
  void check_index(const Node& n, size_t number, int axis, const Dim& size, Value index, Value inside);
  // lower_scatter.cpp
  void scatter_kernel();
  Value scatter_index(size_t number, std::vector<Id>& gathered);
  void scatter_element(const std::vector<Id>& gathered);
  Cx<Value> sink_value(size_t k);
  void store_sink(size_t k);
  void remember(const Node* n, const Cx<Value>& v) { scopes_.back().nodes[n] = v; }
  void hoist(const std::vector<const Node*>& full_roots);
  void hoist_below(const Node* n, std::set<const Node*>& seen);
  bool is_full(const Node* n) const;
  bool is_column(const Node* n) const;
  bool has_role(const std::vector<int>& axes, Role role) const;
  const Node* sink_node(size_t k) const;
  Stage sink_stage(size_t k) const;

  // lower_inner.cpp: I loops
  struct InnerWork {
    std::vector<const Node*> lane_reductions;
    std::vector<StateArrays*> outer_steps;  // O reductions of full values
    std::vector<size_t> sinks;
    bool empty() const { return lane_reductions.empty() && outer_steps.empty() && sinks.empty(); }
  };
  int last_inner_stage(int outer) const;
  InnerWork inner_work(Stage stage, std::vector<StateArrays>& outer_states);
  void inner_stages(int outer, std::vector<StateArrays>& outer_states);
  void inner_loop(const InnerWork& work);
  void inner_body(const InnerWork& work);
  void each_row(bool inside, const std::function<void()>& f);
  void map_loop(const std::function<void()>& body, bool seldom = false);
  std::vector<Id> lane_loop(Id lo, Id hi, const InnerWork& work, std::vector<Id> init);
  std::vector<Id> step_all(const InnerWork& work, std::vector<Id> states);
  void lane_reduction(const InnerWork& work);
  std::vector<Id> init_states(const std::vector<const Node*>& reductions);
  enum class Meet : uint8_t { parts, lanes };  ///< of the whole reduction, or the interleaved states of one leaf
  std::vector<Id> combine_states(const std::vector<const Node*>& reductions, const std::vector<Id>& left, const std::vector<Id>& right,
                                 Meet what = Meet::parts);
  Cx<Value> finish_state(const Node* n, const std::vector<Id>& states, size_t first, Id count);
  Order order_over(Role role);
  void leaves_kernel();
  void fold_kernel();
  void point_sinks(int outer, Level level);

  // lower_rows.cpp: positions of O in blocks, so that the values of rows are computed as vectors
  static constexpr int64_t rows_per_block = ops::lanes_per_leaf;
  bool runs_in_blocks() const;
  int loops_before(const Node* n) const;
  bool outlives_its_phase(const Node* n) const;
  std::vector<Term> row_terms();
  void spill_row(const Node* n);
  void store_row(const Node* n, const Cx<Value>& v);
  void row_loop(Id lo, bool vector, const std::function<void()>& body);
  int64_t rows_side_by_side(const InnerWork& work) const;
  void inner_rows(const InnerWork& work, bool few, std::optional<Id> side_by_side);
  bool reduces_columns_only(int outer, const std::vector<StateArrays>& states) const;
  void reduce_columns(Id lo, Id hi, int outer, std::vector<StateArrays>& states);
  void row_phase(int outer, int loops);
  void reduce_blocks(Id lo, Id hi, int outer, std::vector<StateArrays>& states);

  // lower_outer.cpp: passes over O
  void outer_passes();
  void outer_pass(int outer);
  std::vector<Term> slot_terms(int state_slot);
  Id state_load(int component, const std::vector<Term>& at);
  void state_store(int component, const std::vector<Term>& at, Id value);
  void reduce_positions(Id lo, Id hi, int outer, std::vector<StateArrays>& states);
  /// An element that a reduction takes in, and its position among all.
  struct Element {
    Cx<Value> value;
    Id position;
  };
  void step_outer(const StateArrays& s, const std::vector<Element>& elements);
  void array_loop(const StateArrays& s, const std::function<void(const std::vector<Term>&)>& body, bool seldom = true);
  std::vector<Term> array_terms(const StateArrays& s);
  void init_arrays(std::vector<StateArrays>& states, std::vector<int> StateArrays::* which, bool seldom = true);
  void merge_arrays(std::vector<StateArrays>& states, std::vector<int> StateArrays::* into, std::vector<int> StateArrays::* from,
                    bool seldom = true);
  std::vector<Id> fold_lanes_array(const StateArrays& s);
  void finish_outer(int outer, std::vector<StateArrays>& states, bool seldom = true);
  StateArrays states_of(const Node* reduction) const;
  void scratch_leaf(StateArrays& s);
  void scratch_group_and_total(StateArrays& s);
  std::vector<StateArrays> make_states(int outer);
  std::vector<StateArrays> slot_states();
  void accumulate_kernel();
  void finish_kernel();
  std::vector<StateArrays> leaf_states();
  void free_points();
  void outer_leaves_kernel();
  void merge_leaves(std::vector<StateArrays>& states, Id first, Id end);
  void outer_fold_kernel();

  const LowerInput& in_;
  const Group& group_;
  const runtime::KernelStep& step_;
  runtime::VariantKey key_;
  AccessTable table_;
  KernelBuilder b_;
  Lowered out_;
  std::vector<Axis> axes_;    // slowest first
  std::vector<int> axis_of_;  // group axis -> axes_
  int inner_ = -1;            // vectorised axis in axes_
  std::map<std::tuple<int, std::string, int, int, uint64_t>, Id> params_;
  std::map<std::tuple<int, std::string, int, int, uint64_t>, int> param_slots_;
  std::map<int, int> kernel_accesses_;  // recipe -> kernel access
  std::vector<Scope> scopes_;
  std::map<std::pair<const Node*, size_t>, int> checks_;          // scratch accesses of the checks
  std::unordered_map<const Node*, std::vector<int>> spills_;      // column and kept values in scratch over the tile: one access per part
  std::unordered_map<const Node*, std::vector<int>> row_spills_;  // values of the rows of a block in scratch: one access per part
  Id row_lo_ = 0, row_hi_ = 0, minus_row_lo_ = 0;                 // the block
  std::vector<Id> rows_;                                          // positions of O that run side by side; empty: one, in the axis
  std::vector<Scope> row_scopes_;
  bool few_rows_ = false;       // the loops over I now run for the last rows of a block only
  std::vector<Id> flat_inner_;  // position over the I axes now, as a sum
  Id tile_lo_ = 0, tile_hi_ = 0, minus_tile_lo_ = 0;
  bool in_inner_ = false;
  std::optional<Id> leaf_;  // outer_leaves, outer_fold: the leaf whose states in slots are meant
};

}  // namespace voxloom::codegen

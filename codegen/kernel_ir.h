// codegen/kernel_ir.h: one fused kernel as a loop tree over primitive instructions; what back ends compile.
//
// A kernel is called as  void kernel(const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch)
// and does the part [begin, end) of its parallel range. Everything that depends on run-time sizes (extents, byte strides, leaf lengths,
// scalar operands as bit patterns) sits in `params`; kernel text never holds a size, so one kernel serves every size.
//
// Values are in SSA form. A value is uniform (one scalar) or lanes (one scalar per lane of the vector loop it lives in). An
// instruction with a lanes operand gives lanes; uniform operands are splat. Views are resolved by the caller: an access is a pointer plus
// byte strides for the loop indices it depends on, so slices, flips, transposes and broadcasts never show up here.
#pragma once

#include <voxloom/ops/builder.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace voxloom::codegen {

using Id = uint32_t;

struct ValueInfo {
  DType dtype = DType::i64;
  bool lanes = false;
};

/// Memory the kernel touches. Element type `storage`; booleans are bytes 0/1. A complex array has two accesses, one per part.
struct Access {
  DType storage = DType::f32;
  bool swapped = false;  ///< loads (and stores) reverse the bytes of each element
  bool written = false;
  /// Stores bypass the caches. Promise of the caller: inside a free vector loop with a unit term only, and the address at the loop's
  /// `lo` is 64-byte aligned.
  bool nontemporal = false;
  int scratch_slot = -1;  ///< >= 0: base is scratch + params[scratch_slot] instead of pointers[...]
  int pointer = -1;       ///< index into pointers
};

struct Param {
  DType dtype = DType::i64;  ///< slot holds the bits of a value of this dtype
  std::string name;          ///< for the printers only
};

/// index * stride bytes; stride is the item size of the access's storage when slot < 0, else params[slot].
/// (The two parts of a complex array differ by their pointers and always use slots.)
struct Term {
  Id index = 0;
  int stride_slot = -1;
};

struct Stmt;
using Block = std::vector<Stmt>;

/// A value carried around a loop: starts as init, is `phi` in the body, becomes `next` at its end and is `result` after the loop
/// (init if the loop runs zero times). In a vector loop all are lanes (init may be uniform, then it is splat) and lanes that are
/// masked off keep their phi. In other loops lanes values may be carried too: they pass through from vector loops inside.
struct Carried {
  Id init = 0, phi = 0, next = 0, result = 0;
};

/// Runs its body for flat positions lo <= p < hi (uniform i64 values).
struct Loop {
  Id lo = 0, hi = 0;
  /// Sizes of the flattened axes, fastest first (uniform i64). Empty means one axis with index p itself.
  std::vector<Id> extents;
  /// Index of each axis: with extents e, index[0] = p mod e0, index[1] = (p / e0) mod e1, ..., the last one is not reduced mod its extent.
  /// Back ends divide once at `lo` and then count. With empty extents: exactly one, equal to p.
  std::vector<Id> index;
  /// 1: scalar loop. 0: free vector loop, the back end chooses the width; elements are independent, no carried values.
  /// n > 1: fixed vector loop: element p is handled by lane p mod n (chunks are aligned to multiples of n; lanes outside [lo, hi) are
  /// masked: their loads read nothing and give 0, their stores write nothing). Vector loops have no extents; index[0] is lanes; no loops inside.
  int lanes = 1;
  /// A free vector loop that runs seldom (states of reductions, once per leaf): back ends keep its code small.
  bool seldom = false;
  std::vector<Carried> carried;
  Block body;
};

/// Folds lanes values to uniform ones: state i takes in state i + half for half = lanes/2, ..., 1 by the `combine` block, whose
/// inputs are left (k values) then right (k values) and whose outputs are `outputs`. In `combine` all values count as lanes of the halved width.
struct LaneFold {
  int lanes = 32;
  std::vector<Id> values;       ///< k lanes values
  std::vector<Id> left, right;  ///< inputs of the block
  Block combine;                ///< Inst statements only
  std::vector<Id> outputs;      ///< k values of the block
  std::vector<Id> results;      ///< k uniform values, after the fold
};

/// A fault writes an index to its access, an i64 in scratch, where its boolean holds in an active lane (of several, any of them; INT64_MIN as
/// INT64_MIN + 1). Whoever calls the kernel sets the i64 to INT64_MIN before and looks at it afterwards.
struct Stmt {
  enum class Kind : uint8_t { inst, param, load, store, loop, if_, lane_fold, fault } kind = Kind::inst;
  Id id = 0;                    ///< result of inst, param, load
  ops::Inst inst;               ///< inst
  int slot = 0;                 ///< param: index into params. load, store, fault: index into accesses
  std::vector<Term> terms;      ///< load, store. fault: one, the i64 index that is wrong
  Id value = 0;                 ///< store: what is stored. if_: the uniform boolean condition. fault: the boolean that says so
  std::unique_ptr<Loop> loop;   ///< loop
  std::unique_ptr<Block> body;  ///< if_: memory effects only, defines nothing for the outside
  std::unique_ptr<LaneFold> fold;
};

struct Kernel {
  std::string name;  ///< readable, e.g. "Fused{sub,mean,std,div}"; not part of the cache key
  std::vector<Param> params;
  std::vector<Access> accesses;
  std::vector<ValueInfo> values;  ///< by id
  Id begin = 0, end = 0;          ///< uniform i64 values: the arguments
  int pointer_count = 0;
  Block body;
};

/// Canonical text of a kernel: the cache key, and what tests compare. Ids are renumbered in order of appearance.
std::string canonical_text(const Kernel& kernel);
/// Problems found; empty when the kernel is well formed. The head comment of kernel_verify.cpp lists what is checked.
std::vector<std::string> verify(const Kernel& kernel);

/// Builds a kernel block by block. Equal pure instructions in nested scopes are recorded once.
class KernelBuilder : public ops::InstSink {
 public:
  explicit KernelBuilder(std::string name);
  ~KernelBuilder() override;
  KernelBuilder(const KernelBuilder&) = delete;
  KernelBuilder& operator=(const KernelBuilder&) = delete;

  ops::RecordBuilder& record() { return record_; }
  uint32_t emit(const ops::Inst& inst) override;
  bool literal(uint32_t id, uint64_t& bits) const override;

  Id begin() const { return kernel_.begin; }
  Id end() const { return kernel_.end; }
  ops::Value value(Id id) const { return {kernel_.values[id].dtype, id}; }
  Id integer(int64_t v) { return record_.lit_int(DType::i64, v).id; }

  int add_param(DType dtype, std::string name);  ///< a new slot
  Id read_param(int slot);                       ///< its value (recorded once per scope)
  int add_access(Access access);
  int add_pointer() { return kernel_.pointer_count++; }
  Id load(int access, std::vector<Term> terms);
  void store(int access, std::vector<Term> terms, Id value);
  void fault(int access, Id condition, Id index);

  /// Opens a loop; statements go into its body until end_loop(). Returns the ids of the indices.
  std::vector<Id> begin_loop(Id lo, Id hi, std::vector<Id> extents = {}, int lanes = 1, bool seldom = false);
  /// Adds a carried value to the innermost open loop: returns its phi. `lanes` for lanes values carried through a scalar loop.
  Id carry(Id init, bool lanes = false);
  /// Closes the innermost loop. next[i] belongs to the i-th carried value; returns their results.
  std::vector<Id> end_loop(const std::vector<Id>& next = {});
  void begin_if(Id condition);
  void end_if();
  /// combine(left, right) -> outputs is recorded through record() inside the callback.
  template <class F> std::vector<Id> lane_fold(int lanes, const std::vector<Id>& values, F&& combine) {
    std::vector<Id> left, right;
    begin_fold(values, left, right);
    std::vector<Id> outputs = combine(left, right);
    return end_fold(lanes, values, left, right, outputs);
  }

  size_t instruction_count() const { return instructions_; }
  Kernel finish();

 private:
  struct Scope;
  Id new_value(DType dtype, bool lanes);
  Stmt& append(Stmt stmt);
  void begin_fold(const std::vector<Id>& values, std::vector<Id>& left, std::vector<Id>& right);
  std::vector<Id> end_fold(int lanes, const std::vector<Id>& values, const std::vector<Id>& left, const std::vector<Id>& right,
                           const std::vector<Id>& outputs);

  Kernel kernel_;
  ops::RecordBuilder record_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::vector<std::pair<bool, uint64_t>> literal_bits_;  // by id
  size_t instructions_ = 0;
};

}  // namespace voxloom::codegen

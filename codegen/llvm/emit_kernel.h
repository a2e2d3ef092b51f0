// codegen/llvm/emit_kernel.h: a kernel as an LLVM function.
#pragma once

#include <voxloom/codegen/compiler.h>
#include <voxloom/codegen/llvm/ir.h>
#include <voxloom/codegen/llvm/loop_shape.h>

#include <utility>
#include <vector>

namespace voxloom::codegen {

/// Adds `void symbol(ptr params, ptr pointers, i64 begin, i64 end, ptr scratch)` to the module.
void emit_kernel(Ir& ir, const Kernel& kernel, const Target& target, const char* symbol);

/// The state of emission. Ids map to LLVM values; a body that is emitted several times (parts, masked copies) overwrites its ids.
class KernelEmitter {
 public:
  KernelEmitter(Ir& ir, const Kernel& kernel, const Target& target);
  void emit(const char* symbol);

 private:
  using V = Ir::V;
  using T = Ir::T;

  /// The vector part that statements are emitted for; outside vector loops there is none.
  struct Part {
    unsigned width = 1;
    unsigned first_lane = 0;         ///< of the chunk
    V mask = nullptr;                ///< null: every lane is active
    V from = nullptr, to = nullptr;  ///< with a mask: lanes from <= k < to are active (i64)
  };
  /// Where the lanes of an access lie.
  struct Address {
    enum class Kind : uint8_t { uniform, contiguous, strided, scattered } kind = Kind::uniform;
    V pointer = nullptr;  ///< of lane 0; of no lane in particular when scattered
    V stride = nullptr;   ///< bytes per lane, contiguous and strided
    V offsets = nullptr;  ///< bytes per lane, scattered
  };

  // emit_kernel.cpp
  void function_header(const char* symbol);
  void attribute(const char* name, const std::string& value);
  void parameter_attribute(unsigned index, const char* name);
  void block(const Block& statements);
  void inst(const Stmt& s);
  void if_(const Stmt& s);
  V rare(const Stmt& s, V mask, V otherwise, V x, unsigned lanes);
  V rare_call(uint64_t function, DType dtype, V x);
  V use(Id id);
  V use(Id id, unsigned lanes);
  void define(Id id, V v);
  V param(int slot);
  V slot(int index) { return param_as(index, ir_.i64()); }
  V param_as(int index, T type);
  V buffer(size_t which);
  V stack_memory(unsigned bytes);
  template <class F> V at_entry(F&& f);
  bool avx512() const { return target_.vector_bits == 512; }

  // emit_memory.cpp
  V base(int access);
  Address address(const Stmt& s);
  V lane_pointer(const Address& a, V lane);
  V load(const Stmt& s);
  V load_lanes(const Address& a, T element, unsigned size);
  V load_lane_by_lane(const Address& a, T element);
  V load_through_buffer(const Address& a, T element, unsigned size);
  void store(const Stmt& s);
  void store_lanes(const Address& a, V v, unsigned size, bool nontemporal);
  void store_through_buffer(const Address& a, V v, unsigned size);
  void fault(const Stmt& s);
  template <class Whole, class PartOnly> std::pair<Ir::Block, Ir::Block> if_all_lanes(Whole&& whole, PartOnly&& part);
  bool masks_natively(const Address& a, unsigned size) const;
  template <class F> void for_active_lanes(F&& f);

  // emit_loop.cpp
  void loop(const Loop& l);
  void scalar_loop(const Loop& l);
  std::vector<V> first_indices(const Loop& l, V lo);
  std::vector<V> next_indices(const Loop& l, const std::vector<V>& index, V next_p);
  V full_chunks(const Loop& l, const LoopShape& shape, V lo, V hi);
  void free_loop(const Loop& l);
  void fixed_loop(const Loop& l);
  struct Range {
    V lo, hi;
  };
  /// Emits the body for the vector at position `start`, lane `first_lane` of the chunk; with a range, lanes outside it are masked off.
  /// carried[k] are the phis on entry and the next values on return.
  void vector_body(const Loop& l, unsigned width, unsigned first_lane, V start, const Range* range, std::vector<V>& carried);
  /// All parts of the chunk at `first`; carried[k][part].
  void chunk(const Loop& l, const LoopShape& shape, V first, const Range* range, std::vector<std::vector<V>>& carried);
  /// The positions of the range that lie in the chunk at `first`, by narrow masked vectors in a loop; carried values pass through memory.
  void partial_chunk(const Loop& l, const LoopShape& shape, V first, const Range& range, std::vector<std::vector<V>>& carried);
  V clamp(V v, int64_t low, int64_t high);
  V lane_mask(unsigned width, V from, V to);
  void lane_fold(const LaneFold& f);
  V carried_init(const Carried& c);

  Ir& ir_;
  const Kernel& kernel_;
  const Target& target_;
  std::vector<int> outer_lanes_;  ///< by id, as lane_widths()
  std::vector<V> values_;
  std::vector<V> affine_;  ///< by id: lane 0 of an i64 lanes value that steps by one per lane, else null
  std::vector<V> params_, bases_, buffers_;
  Part* part_ = nullptr;
  Ir::Block entry_ = nullptr;
  V params_arg_ = nullptr, pointers_arg_ = nullptr, scratch_arg_ = nullptr;
};

}  // namespace voxloom::codegen

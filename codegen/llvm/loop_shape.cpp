// codegen/llvm/loop_shape.cpp: widths by element size and weight of the body.
#include <voxloom/codegen/llvm/loop_shape.h>

#include <algorithm>
#include <vector>

namespace voxloom::codegen {

namespace {

struct BodyFacts {
  size_t widest = 1;     ///< bytes of the widest lanes value that is computed or moved
  int weight = 0;        ///< instructions on lanes
  int depth = 0;         ///< instructions on lanes in the longest chain
  bool strided = false;  ///< some access steps by a run-time stride along the lanes
};

void visit(const Kernel& kernel, const Block& block, std::vector<int>& depth, BodyFacts& facts) {
  for (const Stmt& s : block) {
    if (s.kind == Stmt::Kind::if_) visit(kernel, *s.body, depth, facts);
    if (s.kind == Stmt::Kind::inst && kernel.values[s.id].lanes) {
      ++facts.weight;
      for (size_t k = 0; k < static_cast<size_t>(ops::arity(s.inst.op)); ++k) depth[s.id] = std::max(depth[s.id], depth[s.inst.args[k]]);
      facts.depth = std::max(facts.depth, ++depth[s.id]);
      facts.widest = std::max(facts.widest, size_of(kernel.values[s.id].dtype));
    }
    if (s.kind != Stmt::Kind::load && s.kind != Stmt::Kind::store) continue;
    bool lanes = false;
    for (const Term& t : s.terms) {
      lanes = lanes || kernel.values[t.index].lanes;
      facts.strided = facts.strided || (kernel.values[t.index].lanes && t.stride_slot >= 0);
    }
    if (lanes) facts.widest = std::max(facts.widest, size_of(kernel.accesses[static_cast<size_t>(s.slot)].storage));
  }
}

// Several vectors at once hide the latency of memory in light bodies and of arithmetic in heavier ones: a processor looks some hundred
// instructions ahead, less than one turn of a heavy body. In f64 with 512 bits and 1, 2, 4 vectors: exp takes 0.42, 0.35, 0.30 ns per
// element, log(sigmoid) 1.96, 1.79, 1.25, pow 2.05, 1.74, 1.38. In f32 with 512 bits a heavy body of several chains side by side has work
// enough in one vector, and no registers for more: with 1, 2, 4 vectors exp * sin takes 0.54, 0.59, 0.59 ns, exp * sin + tanh 0.89, 0.99,
// 0.93. One vector is slower with 256 bits, where instructions take half as long (exp * sin 1.18 instead of 0.93), and in f64, whose chains
// are longer (exp * sin + tanh 2.83 instead of 2.46). Code size and compile time set the limits; a run-time stride costs an instruction per
// lane.
unsigned vectors_at_once(const BodyFacts& facts, int vector_bits) {
  if (facts.strided) return 1;
  if (vector_bits == 512 && facts.widest <= 4 && facts.weight > 50 && 4 * facts.weight >= 11 * facts.depth) return 1;
  if (facts.weight <= 150) return 4;
  return facts.weight <= 300 ? 2 : 1;
}

void collect(const Kernel& kernel, const Block& block, std::vector<bool>& defined, bool& outer) {
  const auto used = [&](Id id) { outer = outer || (kernel.values[id].lanes && !defined[id]); };
  for (const Stmt& s : block) {
    if (s.kind == Stmt::Kind::inst) {
      for (size_t k = 0; k < static_cast<size_t>(ops::arity(s.inst.op)); ++k) used(s.inst.args[k]);
    }
    if (s.kind == Stmt::Kind::store) used(s.value);
    for (const Term& t : s.terms) used(t.index);
    if (s.kind == Stmt::Kind::inst || s.kind == Stmt::Kind::load) defined[s.id] = true;
    if (s.kind == Stmt::Kind::if_) collect(kernel, *s.body, defined, outer);
  }
}

}  // namespace

LoopShape loop_shape(const Kernel& kernel, const Loop& loop, int vector_bits) {
  BodyFacts facts;
  std::vector<int> depth(kernel.values.size(), 0);
  visit(kernel, loop.body, depth, facts);
  for (const Carried& c : loop.carried) facts.widest = std::max(facts.widest, size_of(kernel.values[c.phi].dtype));
  const unsigned native = static_cast<unsigned>(vector_bits) / 8 / static_cast<unsigned>(facts.widest),
                 wide = native * vectors_at_once(facts, vector_bits);
  if (loop.lanes == 0) return {wide, 1, native};
  const auto n = static_cast<unsigned>(loop.lanes);
  return {std::min(n, wide), n / std::min(n, wide), std::min(n, native)};
}

bool uses_outer_lanes(const Kernel& kernel, const Loop& loop) {
  std::vector<bool> defined(kernel.values.size(), false);
  bool outer = false;
  for (Id id : loop.index) defined[id] = true;
  for (const Carried& c : loop.carried) defined[c.phi] = true;
  collect(kernel, loop.body, defined, outer);
  for (const Carried& c : loop.carried) outer = outer || (kernel.values[c.next].lanes && !defined[c.next]);
  return outer;
}

bool has_nontemporal(const Kernel& kernel) {
  return std::any_of(kernel.accesses.begin(), kernel.accesses.end(), [](const Access& a) { return a.nontemporal && a.written; });
}

}  // namespace voxloom::codegen

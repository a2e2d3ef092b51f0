// codegen/llvm/loop_shape.cpp: widths by element size and weight of the body.
#include <voxloom/codegen/llvm/loop_shape.h>

#include <algorithm>

namespace voxloom::codegen {

namespace {

struct BodyFacts {
  size_t widest = 1;     ///< bytes of the widest lanes value that is computed or moved
  int weight = 0;        ///< instructions on lanes
  bool strided = false;  ///< some access steps by a run-time stride along the lanes
};

void visit(const Kernel& kernel, const Block& block, BodyFacts& facts) {
  for (const Stmt& s : block) {
    if (s.kind == Stmt::Kind::if_) visit(kernel, *s.body, facts);
    if (s.kind == Stmt::Kind::inst && kernel.values[s.id].lanes) {
      ++facts.weight;
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

// Light bodies wait for memory: several vectors in flight per stream. Heavy ones wait for registers. A run-time stride costs an instruction per
// lane, so code size decides.
unsigned vectors_at_once(const BodyFacts& facts) {
  if (facts.strided) return 1;
  if (facts.weight <= 8) return 4;
  return facts.weight <= 24 ? 2 : 1;
}

}  // namespace

LoopShape loop_shape(const Kernel& kernel, const Loop& loop, int vector_bits) {
  BodyFacts facts;
  visit(kernel, loop.body, facts);
  for (const Carried& c : loop.carried) facts.widest = std::max(facts.widest, size_of(kernel.values[c.phi].dtype));
  const unsigned native = static_cast<unsigned>(vector_bits) / 8 / static_cast<unsigned>(facts.widest);
  const unsigned width = std::min(64U, native * vectors_at_once(facts));
  if (loop.lanes == 0) return {width, 1};
  const auto n = static_cast<unsigned>(loop.lanes);
  return {std::min(n, width), n / std::min(n, width)};
}

bool has_nontemporal(const Kernel& kernel) {
  return std::any_of(kernel.accesses.begin(), kernel.accesses.end(), [](const Access& a) { return a.nontemporal && a.written; });
}

}  // namespace voxloom::codegen

// tests/codegen/kernel_verify_test.cpp: verify() refuses each kind of malformed kernel, and names what is wrong.
#include "kernel_samples.h"

#include <catch2/catch.hpp>

#include <functional>

namespace voxloom::codegen {

namespace {

using Break = std::function<void(Kernel&)>;

bool says(const Kernel& kernel, const std::string& part) {
  for (const std::string& p : verify(kernel)) {
    if (p.find(part) != std::string::npos) return true;
  }
  return false;
}
Stmt* find(Block& block, const std::function<bool(const Stmt&)>& wanted) {
  for (Stmt& s : block) {
    if (wanted(s)) return &s;
    Block* inner = s.loop ? &s.loop->body : s.body ? s.body.get() : s.fold ? &s.fold->combine : nullptr;
    if (Stmt* found = inner != nullptr ? find(*inner, wanted) : nullptr) return found;
  }
  return nullptr;
}
Stmt& first(Kernel& k, Stmt::Kind kind) {
  Stmt* s = find(k.body, [&](const Stmt& c) { return c.kind == kind; });
  REQUIRE(s != nullptr);
  return *s;
}
Stmt& first(Kernel& k, ops::Prim op) {
  Stmt* s = find(k.body, [&](const Stmt& c) { return c.kind == Stmt::Kind::inst && c.inst.op == op; });
  REQUIRE(s != nullptr);
  return *s;
}
Loop& vector_loop(Kernel& k) {
  Stmt* s = find(k.body, [&](const Stmt& c) { return c.kind == Stmt::Kind::loop && c.loop->lanes != 1; });
  REQUIRE(s != nullptr);
  return *s->loop;
}
void refused(samples::KernelCase c, const Break& damage, const std::string& part) {
  REQUIRE(verify(c.kernel).empty());
  damage(c.kernel);
  INFO(part);
  for (const std::string& p : verify(c.kernel)) INFO(p);
  CHECK(says(c.kernel, part));
}

}  // namespace

TEST_CASE("verify refuses wrong ids and scopes") {
  const auto sum = [] { return samples::leaf_sum(0, 40); };
  refused(sum(), [](Kernel& k) { first(k, ops::Prim::add).inst.args[0] = 9999; }, "no value 9999");
  refused(sum(), [](Kernel& k) { first(k, ops::Prim::add).inst.args[0] = first(k, ops::Prim::add).id; }, "before its definition");
  refused(sum(), [](Kernel& k) { first(k, ops::Prim::cast).id = first(k, Stmt::Kind::load).id; }, "defined twice");
  refused(sum(), [](Kernel& k) { first(k, Stmt::Kind::store).value = first(k, Stmt::Kind::load).id; }, "outside its block");
  refused(
      samples::flattened(2, 2, 2),
      [](Kernel& k) {
        Block& body = first(k, Stmt::Kind::loop).loop->body;
        std::swap(body.front(), first(k, Stmt::Kind::store));
      },
      "before its definition");
}

TEST_CASE("verify refuses wrong dtypes") {
  const auto ints = [] { return samples::primitives(DType::i32); };
  refused(ints(), [](Kernel& k) { first(k, ops::Prim::add).inst.op = ops::Prim::div; }, "not defined for operands of i32");
  refused(ints(), [](Kernel& k) { first(k, ops::Prim::select).inst.args[0] = first(k, Stmt::Kind::load).id; }, "the mask is i32");
  refused(ints(), [](Kernel& k) { first(k, ops::Prim::add).inst.args[1] = first(k, ops::Prim::lt).id; }, "operands of i32 and bool");
  refused(ints(), [](Kernel& k) { k.values[first(k, ops::Prim::add).id].dtype = DType::f32; }, "has dtype f32, not i32");
  refused(ints(), [](Kernel& k) { k.values[first(k, Stmt::Kind::load).id].dtype = DType::c64; }, "has dtype c64");
  refused(samples::casts(DType::f32), [](Kernel& k) { first(k, ops::Prim::bitcast).inst.type = DType::i64; }, "not defined");
  refused(samples::primitives(DType::f32), [](Kernel& k) { first(k, ops::Prim::rare).inst.imm = 1000; }, "no such function");
  refused(samples::primitives(DType::i32), [](Kernel& k) { first(k, ops::Prim::lookup).inst.imm = 1000; }, "no such table");
  refused(samples::primitives(DType::i32), [](Kernel& k) { first(k, ops::Prim::lookup).inst.type = DType::i32; }, "not defined for");
  refused(samples::flattened(2, 2, 2), [](Kernel& k) { first(k, ops::Prim::literal).inst.imm = uint64_t{1} << 40; }, "bits beyond");
}

TEST_CASE("verify refuses wrong lanes and widths") {
  const auto sum = [] { return samples::leaf_sum(0, 40); };
  refused(sum(), [](Kernel& k) { k.values[first(k, ops::Prim::add).id].lanes = false; }, "must have lanes");
  refused(sum(), [](Kernel& k) { first(k, Stmt::Kind::lane_fold).fold->lanes = 16; }, "has 32 lanes where 16 lanes meet");
  refused(sum(), [](Kernel& k) { first(k, Stmt::Kind::lane_fold).fold->lanes = 12; }, "power of two");
  refused(sum(), [](Kernel& k) { vector_loop(k).lanes = 31; }, "power of two");
  refused(sum(), [](Kernel& k) { vector_loop(k).lanes = 0; }, "carries nothing");
  refused(sum(), [](Kernel& k) { vector_loop(k).extents = {k.begin}; }, "no extents");
  refused(sum(), [](Kernel& k) { vector_loop(k).carried[0].next = vector_loop(k).carried[1].next; }, "next is i64");
  refused(samples::lanes_through_rows(2, 9), [](Kernel& k) { vector_loop(k).lanes = 16; }, "16 lanes");
  refused(
      samples::lanes_through_rows(2, 9),
      [](Kernel& k) { first(k, Stmt::Kind::loop).loop->carried[2].next = vector_loop(k).carried[0].result; },
      "phi and next differ in lanes");
}

TEST_CASE("verify refuses wrong memory accesses") {
  const auto flat = [] { return samples::flattened(2, 2, 2); };
  refused(flat(), [](Kernel& k) { first(k, Stmt::Kind::load).slot = 77; }, "no such access");
  refused(flat(), [](Kernel& k) { first(k, Stmt::Kind::store).slot = 0; }, "not marked written");
  refused(flat(), [](Kernel& k) { k.accesses[0].pointer = 9; }, "pointer 9 of 4");
  refused(flat(), [](Kernel& k) { k.accesses.back().scratch_slot = 99; }, "no param 99");
  refused(flat(), [](Kernel& k) { first(k, Stmt::Kind::load).terms[0].stride_slot = 99; }, "no param 99");
  refused(flat(), [](Kernel& k) { k.params[3].dtype = DType::f32; }, "param 3 is not i64");
  refused(
      samples::primitives(DType::f32), [](Kernel& k) { first(k, Stmt::Kind::store).terms.clear(); }, "lanes value without a lanes index");
  refused(samples::gathered(9, -1, 0), [](Kernel& k) { first(k, Stmt::Kind::fault).terms.clear(); }, "one index is wanted");
  refused(samples::gathered(9, -1, 0), [](Kernel& k) { first(k, Stmt::Kind::fault).slot = 0; }, "no written i64 of scratch");
  refused(
      samples::gathered(9, -1, 0),
      [](Kernel& k) { std::swap(first(k, Stmt::Kind::fault).value, first(k, Stmt::Kind::fault).terms[0].index); },
      "a boolean and an i64 are wanted");
  refused(
      samples::primitives(DType::f32),
      [](Kernel& k) {
        Stmt& s = first(k, Stmt::Kind::store);
        k.accesses[static_cast<size_t>(s.slot)].nontemporal = true;
        s.terms[0].stride_slot = 0;
        k.params.push_back({DType::i64, "stride"});
      },
      "without a single unit term");
  refused(samples::leaf_sum(0, 40), [](Kernel& k) { k.accesses[1].nontemporal = true; }, "outside a free loop");
  refused(samples::row_center(2, 9), [](Kernel& k) { first(k, Stmt::Kind::store).value = k.begin; }, "i64 into f32");
}

TEST_CASE("verify refuses wrong conditions and folds") {
  refused(samples::flattened(2, 2, 2), [](Kernel& k) { first(k, Stmt::Kind::if_).value = k.begin; }, "not a uniform bool");
  const auto sum = [] { return samples::leaf_sum(0, 40); };
  refused(sum(), [](Kernel& k) { first(k, Stmt::Kind::lane_fold).fold->outputs.pop_back(); }, "differ in number");
  refused(
      sum(), [](Kernel& k) { first(k, Stmt::Kind::lane_fold).fold->combine.push_back(std::move(first(k, Stmt::Kind::store))); },
      "only instructions");
  refused(
      sum(),
      [](Kernel& k) {
        LaneFold& f = *first(k, Stmt::Kind::lane_fold).fold;
        f.combine[0].inst.args[0] = f.values[0];
      },
      "meet");
}

}  // namespace voxloom::codegen

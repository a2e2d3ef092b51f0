// tests/ops/record_test.cpp: what the rows record for compiled code gives the bits of the interpreter, for every row, dtype and awkward value.
#include "check.h"

#include <voxloom/ops/builder.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <optional>

using namespace voxloom;
using namespace voxloom::test;
using voxloom::ops::Cx;
using voxloom::ops::Inst;
using voxloom::ops::Prim;
using voxloom::ops::Scalar;
using voxloom::ops::Value;

namespace {

constexpr DType dtypes[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,  DType::u16,
                            DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128};

/// Keeps instructions and runs them; the first ids are inputs.
class Tape : public ops::InstSink {
 public:
  uint32_t emit(const Inst& inst) override {
    insts_.push_back(inst);
    return static_cast<uint32_t>(inputs_ + insts_.size() - 1);
  }
  bool literal(uint32_t id, uint64_t& bits) const override {
    if (id < inputs_ || insts_[id - inputs_].op != Prim::literal) return false;
    bits = insts_[id - inputs_].imm;
    return true;
  }
  Value input(DType t) { return {t, static_cast<uint32_t>(inputs_++)}; }
  void bind(std::vector<Scalar> inputs) {
    values_ = std::move(inputs);
    for (const Inst& inst : insts_) {
      const auto arg = [&](size_t k) { return static_cast<int>(k) < ops::arity(inst.op) ? values_[inst.args[k]] : Scalar{}; };
      const bool choice = inst.op == Prim::select || inst.op == Prim::rare;
      const DType arg_type = arg(choice ? 2 : 0).dtype;
      values_.push_back({inst.type, ops::eval_prim(inst.op, inst.type, arg_type, arg(0).bits, arg(1).bits, arg(2).bits, inst.imm)});
    }
  }
  Scalar at(Value v) const { return values_[v.id]; }
  size_t size() const { return insts_.size(); }

 private:
  size_t inputs_ = 0;
  std::vector<Inst> insts_;
  std::vector<Scalar> values_;
};

std::vector<uint64_t> samples(DType part) {
  std::vector<uint64_t> bits;
  if (is_float(part)) {
    const double tiny = part == DType::f32 ? 1e-42 : 5e-324;
    for (const double x : {0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e10, -1e30, 0x1p-20, tiny, HUGE_VAL, -HUGE_VAL, std::nan("")})
      bits.push_back(ops::bits_of(part, x));
  } else if (part == DType::boolean) {
    bits = {0, 1};
  } else {
    for (const int64_t x : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{2}, int64_t{7}, int64_t{63}, int64_t{-128}, INT64_MIN, INT64_MAX})
      bits.push_back(ops::bits_of_int(part, x));
    const auto top = uint64_t{1} << (8 * size_of(part) - 1);
    bits.push_back(top);
    bits.push_back(top - 1);
  }
  return bits;
}

bool same_bits(Scalar a, Scalar b) {
  if (a.dtype != b.dtype) return false;
  if (is_float(a.dtype) && std::isnan(ops::to_double(a)) && std::isnan(ops::to_double(b))) return true;
  return a.bits == b.bits;
}

/// A node of the row over scalars of that dtype; nothing when the row refuses it.
std::optional<Expr> node_over(const OpInfo& row, DType t, const Attrs& attrs) {
  std::vector<Expr> in;
  for (int k = 0; k < row.min_arity; ++k) in.push_back(tensor("x", row.promotion == Promotion::choice && k == 0 ? DType::boolean : t, {}));
  try {
    return make_node(row, in, attrs);
  } catch (const UserError&) { return std::nullopt; }
}

std::vector<Attrs> attr_choices(const OpInfo& row) {
  if (std::string(row.name) != "cast") return {{}};
  std::vector<Attrs> choices;
  for (const DType to : dtypes) choices.push_back({{"dtype", to}});
  return choices;
}

/// Records the row once, then compares it with the scalar function on combinations of samples.
void check_elementwise(const Node& node) {
  Tape tape;
  std::vector<Cx<Value>> recorded_in;
  std::vector<DType> parts;
  for (const Expr& x : node.inputs()) {
    const DType part = real_part_of(x.dtype());
    Cx<Value> v{tape.input(part), {}};
    parts.push_back(part);
    if (is_complex(x.dtype())) {
      v.im = tape.input(part);
      parts.push_back(part);
    }
    recorded_in.push_back(v);
  }
  ops::RecordBuilder recorder(tape);
  Cx<Value> recorded;
  node.op().elementwise.record(recorder, node, recorded_in.data(), &recorded);
  CHECK(tape.size() <= 512);

  uint64_t state = 12345;
  for (int round = 0; round < 120; ++round) {
    std::vector<Scalar> inputs;
    for (const DType part : parts) {
      const auto choices = samples(part);
      state = state * 6364136223846793005u + 1442695040888963407u;
      inputs.push_back({part, choices[(state >> 33) % choices.size()]});
    }
    std::vector<Cx<Scalar>> scalar_in;
    size_t next = 0;
    for (const Expr& x : node.inputs()) {
      Cx<Scalar> v{inputs[next++], {}};
      if (is_complex(x.dtype())) v.im = inputs[next++];
      scalar_in.push_back(v);
    }
    ops::ScalarBuilder builder;
    Cx<Scalar> expected;
    node.op().elementwise.scalar(builder, node, scalar_in.data(), &expected);
    tape.bind(inputs);
    REQUIRE(expected.re.dtype == real_part_of(node.type().dtype));
    REQUIRE(same_bits(tape.at(recorded.re), expected.re));
    if (is_complex(node.type().dtype)) REQUIRE(same_bits(tape.at(recorded.im), expected.im));
  }
}

/// Two states of two steps each, combined and finished.
void check_reduction(const Node& node) {
  const OpInfo& row = node.op();
  const DType t = node.input(0).dtype(), part = real_part_of(t);
  const auto state_types = row.reduction.state(node);
  Tape tape;
  std::vector<Cx<Value>> x;
  for (int k = 0; k < 4; ++k) {
    x.push_back({tape.input(part), {}});
    if (is_complex(t)) x.back().im = tape.input(part);
  }
  const auto run = [&](auto& builder, const auto& fns, const auto& elements, auto* result) {
    using V = std::decay_t<decltype(elements[0].re)>;
    std::vector<V> left(state_types.size()), right(state_types.size());
    fns.init(builder, node, left.data());
    fns.init(builder, node, right.data());
    for (int k = 0; k < 2; ++k) {
      fns.step(builder, node, left.data(), elements[static_cast<size_t>(k)], builder.lit_int(DType::i64, k));
      fns.step(builder, node, right.data(), elements[static_cast<size_t>(k + 2)], builder.lit_int(DType::i64, k + 2));
    }
    fns.combine(builder, node, left.data(), right.data());
    fns.finish(builder, node, left.data(), builder.lit_int(DType::i64, 4), result);
  };
  ops::RecordBuilder recorder(tape);
  Cx<Value> recorded;
  run(recorder, row.reduction.record, x, &recorded);
  uint64_t state = 99;
  for (int round = 0; round < 60; ++round) {
    std::vector<Scalar> inputs;
    std::vector<Cx<Scalar>> elements;
    for (int k = 0; k < 4; ++k) {
      const auto draw = [&] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const auto choices = samples(part);
        inputs.push_back({part, choices[(state >> 33) % choices.size()]});
        return inputs.back();
      };
      Cx<Scalar> v{draw(), {}};
      if (is_complex(t)) v.im = draw();
      elements.push_back(v);
    }
    ops::ScalarBuilder builder;
    Cx<Scalar> expected;
    run(builder, row.reduction.scalar, elements, &expected);
    tape.bind(inputs);
    REQUIRE(expected.re.dtype == real_part_of(node.type().dtype));
    REQUIRE(same_bits(tape.at(recorded.re), expected.re));
    if (is_complex(node.type().dtype)) REQUIRE(same_bits(tape.at(recorded.im), expected.im));
  }
}

}  // namespace

TEST_CASE("recorded elementwise rows give the bits of the interpreter") {
  for (const OpInfo* row : all_ops()) {
    if (row->kind != OpKind::elementwise) continue;
    int accepted = 0;
    for (const DType t : dtypes)
      for (const Attrs& attrs : attr_choices(*row)) {
        const auto node = node_over(*row, t, attrs);
        if (!node) continue;
        INFO(row->name << " of " << name_of(t));
        ++accepted;
        check_elementwise(**node);
      }
    INFO(row->name);
    CHECK(accepted > 0);
  }
}

TEST_CASE("recorded reductions give the bits of the interpreter") {
  for (const OpInfo* row : all_ops()) {
    if (row->kind != OpKind::reduction) continue;
    int accepted = 0;
    for (const DType t : dtypes) {
      Expr e;
      try {
        e = reduce(*row, tensor("x", t, {"n"}));
      } catch (const UserError&) { continue; }
      INFO(row->name << " of " << name_of(t));
      ++accepted;
      check_reduction(*e);
    }
    CHECK(accepted > 0);
  }
}

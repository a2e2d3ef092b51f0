// tests/codegen/llvm_prim_test.cpp: every primitive of every dtype in every kind of loop against eval_prim, bit for bit.
//
// Each kernel computes all primitives of one dtype; buffers end or begin at a page nobody may touch, and every range of positions must
// write its elements and nothing else.
#include <catch2/catch.hpp>

#include <memory>
#include <random>

#include "kernel_samples.h"
#include "llvm_support.h"

namespace voxloom::codegen {

namespace {

using ops::Prim;
using ops::Value;

constexpr DType dtypes[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,
                            DType::u16,     DType::u32, DType::u64, DType::f32, DType::f64};
constexpr size_t count = 131;  // above two chunks of the widest vectors
constexpr char canary = 0x5b;

/// Awkward values first, then random bits.
std::vector<uint64_t> operands(DType t, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<uint64_t> awkward = samples::awkward_values(t);
  std::vector<uint64_t> values;
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = i % 3 != 2 ? awkward[random() % awkward.size()] : random();
    if (t == DType::boolean) bits &= 1;
    if (size_of(t) < 8) bits &= (uint64_t{1} << (8 * size_of(t))) - 1;
    values.push_back(bits);
  }
  return values;
}

struct Output {
  Prim op;
  DType type;
  uint64_t imm = 0;
};

/// What is computed from three operands of a dtype; cast and bitcast to every dtype they reach.
std::vector<Output> outputs_of(DType t) {
  std::vector<Output> list;
  for (Prim p : {Prim::minimum, Prim::maximum, Prim::select}) list.push_back({p, t});
  for (Prim p : {Prim::eq, Prim::ne, Prim::lt, Prim::le}) list.push_back({p, DType::boolean});
  if (t != DType::boolean) {
    for (Prim p : {Prim::add, Prim::sub, Prim::mul, Prim::neg, Prim::abs}) list.push_back({p, t});
  }
  if (is_float(t)) {
    for (Prim p : {Prim::div, Prim::sqrt, Prim::fma, Prim::floor, Prim::ceil, Prim::trunc, Prim::rint}) list.push_back({p, t});
    list.push_back({Prim::rare, t, 1});
    list.push_back({Prim::scale, t});
  } else {
    for (Prim p : {Prim::bit_and, Prim::bit_or, Prim::bit_xor, Prim::bit_not}) list.push_back({p, t});
  }
  if (is_integer(t)) {
    for (Prim p : {Prim::idiv, Prim::imod, Prim::shl, Prim::shr}) list.push_back({p, t});
  }
  if (t == DType::i32) list.insert(list.end(), {{Prim::lookup, DType::f32, 0}, {Prim::lookup, DType::f32, 3}});
  for (DType to : dtypes) {
    list.push_back({Prim::cast, to});
    if (size_of(to) == size_of(t) && to != DType::boolean && t != DType::boolean) list.push_back({Prim::bitcast, to});
  }
  return list;
}

Kernel all_primitives(DType t, const std::vector<Output>& outputs, int lanes) {
  KernelBuilder b("primitives");
  int in[3];
  for (int& a : in) a = b.add_access({.storage = t, .pointer = b.add_pointer()});
  std::vector<int> out;
  for (const Output& o : outputs) out.push_back(b.add_access({.storage = o.type, .written = true, .pointer = b.add_pointer()}));
  const Id i = b.begin_loop(b.begin(), b.end(), {}, lanes)[0];
  Value v[3];
  for (int k = 0; k < 3; ++k) v[k] = b.value(b.load(in[k], {{i, -1}}));
  for (size_t k = 0; k < outputs.size(); ++k) {
    const Output& o = outputs[k];
    const bool masked = o.op == Prim::select || o.op == Prim::rare;
    const Value mask = masked ? b.record().lt(v[0], v[1]) : v[0];
    const Value result =
        o.op == Prim::scale ? samples::scaled(b.record(), v[0], v[1]) : b.record().emit(o.op, o.type, mask, v[1], v[2], o.imm);
    b.store(out[k], {{i, -1}}, result.id);
  }
  b.end_loop();
  return b.finish();
}

bool same_bits(DType t, uint64_t a, uint64_t b) {
  if (a == b) return true;
  if (t == DType::f32)
    return std::isnan(std::bit_cast<float>(static_cast<uint32_t>(a))) && std::isnan(std::bit_cast<float>(static_cast<uint32_t>(b)));
  return t == DType::f64 && std::isnan(std::bit_cast<double>(a)) && std::isnan(std::bit_cast<double>(b));
}

class PrimitiveCheck {
 public:
  PrimitiveCheck(DType t, bool at_end) : t_(t), outputs_(outputs_of(t)) {
    for (uint64_t k = 0; k < 3; ++k) {
      values_.push_back(operands(t, 17 * k + static_cast<uint64_t>(t)));
      buffers_.push_back(std::make_unique<test::Guarded>(count * size_of(t), at_end));
      for (size_t i = 0; i < count; ++i) std::memcpy(buffers_.back()->data() + i * size_of(t), &values_[k][i], size_of(t));
    }
    for (const Output& o : outputs_) buffers_.push_back(std::make_unique<test::Guarded>(count * size_of(o.type), at_end));
    for (const Output& o : outputs_) {
      expected_.emplace_back();
      for (size_t i = 0; i < count; ++i) {
        const bool masked = o.op == Prim::select || o.op == Prim::rare;
        const uint64_t a = masked ? ops::eval_prim(Prim::lt, DType::boolean, t, values_[0][i], values_[1][i], 0, 0) : values_[0][i];
        ops::ScalarBuilder scalar;
        expected_.back().push_back(o.op == Prim::scale ? samples::scaled(scalar, ops::Scalar{t, a}, ops::Scalar{t, values_[1][i]}).bits
                                                       : ops::eval_prim(o.op, o.type, t, a, values_[1][i], values_[2][i], o.imm));
      }
    }
  }

  /// Empty, or the first element of [begin, end) or beside it that is wrong.
  std::string run(KernelEntry entry, size_t begin, size_t end) {
    std::vector<char*> pointers;
    for (size_t k = 0; k < buffers_.size(); ++k) {
      pointers.push_back(buffers_[k]->data());
      if (k >= 3) std::memset(buffers_[k]->data(), canary, buffers_[k]->size());
    }
    entry(nullptr, pointers.data(), static_cast<int64_t>(begin), static_cast<int64_t>(end), nullptr);
    for (size_t k = 0; k < outputs_.size(); ++k) {
      const DType t = outputs_[k].type;
      for (size_t i = 0; i < count; ++i) {
        uint64_t got = 0, untouched = 0;
        std::memcpy(&got, buffers_[k + 3]->data() + i * size_of(t), size_of(t));
        std::memset(&untouched, canary, size_of(t));
        const bool inside = i >= begin && i < end;
        if (inside ? same_bits(t, got, expected_[k][i]) : got == untouched) continue;
        return "primitive " + std::to_string(static_cast<int>(outputs_[k].op)) + " to " + std::string(name_of(t)) + ", element " +
               std::to_string(i) + " of [" + std::to_string(begin) + ", " + std::to_string(end) + "): " + std::to_string(got) + " for " +
               std::to_string(expected_[k][i]);
      }
    }
    return {};
  }

 private:
  DType t_;
  std::vector<Output> outputs_;
  std::vector<std::vector<uint64_t>> values_, expected_;
  std::vector<std::unique_ptr<test::Guarded>> buffers_;
};

}  // namespace

TEST_CASE("every primitive has the bits of eval_prim in every kind of loop", "[llvm]") {
  for (const Target& target : test::targets()) {
    if (!target.tune.empty()) continue;
    for (DType t : dtypes) {
      PrimitiveCheck at_end(t, true), at_start(t, false);
      for (int lanes : {1, 0, 32, 8}) {
        INFO(target.name << ", " << name_of(t) << ", lanes " << lanes);
        const auto kernel = compile_kernel(all_primitives(t, outputs_of(t), lanes), {target, "", 0});
        std::string wrong;
        for (size_t end = 0; end <= count && wrong.empty(); ++end) {
          wrong = at_end.run(kernel->entry(), count - end, count);  // lengths of every kind against the page behind
          if (wrong.empty()) wrong = at_start.run(kernel->entry(), end / 3, end);
        }
        CHECK(wrong == "");
      }
    }
  }
}

}  // namespace voxloom::codegen

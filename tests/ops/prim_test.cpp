// tests/ops/prim_test.cpp: the edges of every primitive, and that recording folds literals to the same bits.
#include <voxloom/ops/builder.h>
#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

using namespace voxloom;
using namespace voxloom::ops;

namespace {
ScalarBuilder b;
Scalar f(float x) { return b.lit_bits(f32, std::bit_cast<uint32_t>(x)); }
Scalar d(double x) { return b.lit_bits(f64, std::bit_cast<uint64_t>(x)); }
Scalar i(DType t, int64_t x) { return b.lit_int(t, x); }
const float inf = std::numeric_limits<float>::infinity(), qnan = std::numeric_limits<float>::quiet_NaN();

/// A sink that keeps every instruction and knows its literals.
class ListSink : public InstSink {
 public:
  uint32_t emit(const Inst& inst) override {
    list.push_back(inst);
    return static_cast<uint32_t>(list.size() - 1);
  }
  bool literal(uint32_t id, uint64_t& bits) const override {
    bits = list[id].imm;
    return list[id].op == Prim::literal;
  }
  uint32_t argument() {
    Inst inst;
    inst.op = Prim::rint;  // Anything that is not a literal.
    return emit(inst);
  }
  std::vector<Inst> list;
};
}  // namespace

TEST_CASE("minimum and maximum order zeros and propagate NaN") {
  CHECK(b.minimum(f(-0.0f), f(0.0f)).bits == f(-0.0f).bits);
  CHECK(b.minimum(f(0.0f), f(-0.0f)).bits == f(-0.0f).bits);
  CHECK(b.maximum(f(-0.0f), f(0.0f)).bits == 0);
  CHECK(b.maximum(f(0.0f), f(-0.0f)).bits == 0);
  CHECK(std::isnan(to_double(b.minimum(f(qnan), f(1)))));
  CHECK(std::isnan(to_double(b.maximum(f(1), f(qnan)))));
  CHECK(to_double(b.maximum(f(-inf), f(3))) == 3);
  CHECK(to_int(b.minimum(i(i8, -3), i(i8, 5))) == -3);
  CHECK(b.maximum(i(u64, -1), i(u64, 5)).bits == ~0ULL);
}

TEST_CASE("integer division floors and is defined everywhere") {
  CHECK(to_int(b.idiv(i(i32, -7), i(i32, 2))) == -4);
  CHECK(to_int(b.imod(i(i32, -7), i(i32, 2))) == 1);
  CHECK(to_int(b.idiv(i(i32, 7), i(i32, -2))) == -4);
  CHECK(to_int(b.imod(i(i32, 7), i(i32, -2))) == -1);
  for (DType t : {i8, i16, i32, i64, u8, u16, u32, u64}) {
    CHECK(to_int(b.idiv(i(t, 5), i(t, 0))) == 0);
    CHECK(to_int(b.imod(i(t, 5), i(t, 0))) == 0);
  }
  for (DType t : {i8, i16, i32, i64}) {
    const Scalar low = i(t, static_cast<int64_t>(~0ULL << (8 * size_of(t) - 1)));
    CHECK(b.idiv(low, i(t, -1)).bits == low.bits);
    CHECK(b.imod(low, i(t, -1)).bits == 0);
    CHECK(b.abs(low).bits == low.bits);
    CHECK(b.neg(low).bits == low.bits);
    CHECK(b.sub(low, i(t, 1)).bits == i(t, static_cast<int64_t>(~(~0ULL << (8 * size_of(t) - 1)))).bits);
  }
  CHECK(to_int(b.mul(i(u8, 200), i(u8, 200))) == (200 * 200) % 256);
}

TEST_CASE("shifts beyond the width give zero or the sign") {
  CHECK(to_int(b.shl(i(i32, 1), i(i32, 31))) == std::numeric_limits<int32_t>::min());
  CHECK(b.shl(i(i32, 1), i(i32, 32)).bits == 0);
  CHECK(b.shl(i(i32, 1), i(i32, -1)).bits == 0);
  CHECK(to_int(b.shr(i(i32, -8), i(i32, 1))) == -4);
  CHECK(to_int(b.shr(i(i32, -8), i(i32, 40))) == -1);
  CHECK(to_int(b.shr(i(i32, -8), i(i32, -1))) == -1);
  CHECK(b.shr(i(u32, -8), i(u32, 32)).bits == 0);
  CHECK(b.shr(i(i64, 8), i(i64, 64)).bits == 0);
  CHECK(b.bit_not(i(u8, 0x0f)).bits == 0xf0);
  CHECK(b.bit_not(b.boolean(true)).bits == 0);
}

TEST_CASE("casts saturate, wrap and round as defined") {
  CHECK(to_int(b.cast(i8, f(300.7f))) == 127);
  CHECK(to_int(b.cast(i8, f(-300.7f))) == -128);
  CHECK(to_int(b.cast(u8, f(-3.0f))) == 0);
  CHECK(to_int(b.cast(i32, f(-3.99f))) == -3);
  CHECK(to_int(b.cast(i32, f(qnan))) == 0);
  CHECK(to_int(b.cast(i32, f(2147483648.0f))) == 2147483647);
  CHECK(b.cast(u64, d(18446744073709551616.0)).bits == ~0ULL);
  CHECK(b.cast(u64, d(18446744073709549568.0)).bits == 0xfffffffffffff800ULL);
  CHECK(to_int(b.cast(i64, d(-inf))) == std::numeric_limits<int64_t>::min());
  CHECK(to_int(b.cast(i8, i(i32, 0x1ff))) == -1);
  CHECK(b.cast(u64, i(i8, -1)).bits == ~0ULL);
  CHECK(b.cast(i32, i(i8, -1)).bits == 0xffffffffULL);
  CHECK(b.cast(boolean, f(qnan)).bits == 1);
  CHECK(b.cast(boolean, f(-0.0f)).bits == 0);
  CHECK(to_double(b.cast(f32, i(i32, 16777217))) == 16777216.0);
  CHECK(to_double(b.cast(f32, i(u64, -1))) == 18446744073709551616.0);
  CHECK(to_double(b.cast(f32, d(1 + 0x1p-24))) == 1.0);
  CHECK(to_double(b.cast(f32, d(0x1p-149))) == 0x1p-149);
}

TEST_CASE("float primitives are IEEE") {
  CHECK(b.fma(f(1 + 0x1p-12f), f(1 - 0x1p-12f), f(-1)).bits == f(-0x1p-24f).bits);
  CHECK(to_double(b.rint(f(2.5f))) == 2);
  CHECK(to_double(b.rint(d(-3.5))) == -4);
  CHECK(b.rint(d(-0.25)).bits == d(-0.0).bits);
  CHECK(b.neg(f(0)).bits == 0x80000000U);
  CHECK(b.abs(b.lit_bits(f32, 0xffc00001U)).bits == 0x7fc00001U);
  CHECK(to_double(b.mul(f(0x1p-100f), f(0x1p-45f))) == 0x1p-145);
  CHECK(std::isnan(to_double(b.sqrt(f(-1)))));
  CHECK(b.ne(f(qnan), f(qnan)).bits == 1);
  CHECK(b.le(f(qnan), f(qnan)).bits == 0);
  CHECK(b.eq(f(0), f(-0.0f)).bits == 1);
  CHECK(b.bitcast(i32, f(1)).bits == 0x3f800000U);
}

TEST_CASE("lookup takes its index modulo the size of a table") {
  for (int table = 0; table < lookup_count; ++table) {
    for (int64_t k : {0, 1, 7, 8, 13, -1, -8, 1 << 30}) {
      CHECK(b.lookup(table, i(i32, k)).bits == std::bit_cast<uint32_t>(lookup_tables[table][static_cast<size_t>(k & 7)]));
    }
  }
}

TEST_CASE("scale rounds once, overflows and underflows gradually") {
  CHECK(b.scale(f(1.5f), f(-3)).bits == f(0.1875f).bits);
  CHECK(b.scale(f(1.5f), f(127)).bits == f(0x1.8p127f).bits);
  CHECK(b.scale(f(1.5f), f(128)).bits == f(inf).bits);
  CHECK(b.scale(f(-0.0f), f(100)).bits == f(-0.0f).bits);
  CHECK(b.scale(f(1.5f), f(-149)).bits == f(0x1p-148f).bits);
  CHECK(b.scale(f(1.5f), f(-150)).bits == f(0x1p-149f).bits);
  CHECK(b.scale(f(1), f(-150)).bits == 0);
  CHECK(b.scale(f(1.25f), f(252)).bits == f(inf).bits);
  CHECK(b.scale(f(1.25f), f(-252)).bits == 0);
  CHECK(b.scale(d(1.5), d(-1074)).bits == d(0x1p-1073).bits);
  CHECK(b.scale(d(1.5), d(1023)).bits == d(0x1.8p1023).bits);
  CHECK(std::isnan(to_double(b.scale(f(qnan), f(qnan)))));
  for (int k = -252; k <= 252; ++k) CHECK(b.scale(f(1.7f), f(static_cast<float>(k))).bits == f(std::ldexp(1.7f, k)).bits);
}

TEST_CASE("numbers to bits") {
  CHECK(bits_of(f32, 0.1) == std::bit_cast<uint32_t>(0.1f));
  CHECK(bits_of(i8, 2.5) == 2);
  CHECK(bits_of(i8, -1) == 0xff);
  CHECK(bits_of(u64, 18446744073709549568.0) == 0xfffffffffffff800ULL);
  CHECK(bits_of(i32, 4294967297.0) == 1);
  CHECK(bits_of(i32, std::numeric_limits<double>::quiet_NaN()) == 0);
  CHECK(bits_of(boolean, 0.3) == 1);
  CHECK(bits_of_int(f64, 3) == std::bit_cast<uint64_t>(3.0));
  CHECK(bits_of_int(boolean, 4) == 1);
}

TEST_CASE("recording folds literals and exact identities only") {
  ListSink sink;
  RecordBuilder r(sink);
  const Value x{f32, sink.argument()};
  const Value three = r.add(r.lit(f32, 1), r.lit(f32, 2));
  CHECK(sink.list[three.id].op == Prim::literal);
  CHECK(sink.list[three.id].imm == bits_of(f32, 3));
  CHECK(r.mul(x, r.lit(f32, 1)).id == x.id);
  CHECK(r.mul(r.lit(f32, 1), x).id == x.id);
  CHECK(r.add(x, r.lit(f32, -0.0)).id == x.id);
  CHECK(r.add(x, r.lit(f32, 0.0)).id != x.id);
  CHECK(r.sub(x, r.lit(f32, 0.0)).id == x.id);
  CHECK(r.sub(r.lit(f32, 0.0), x).id != x.id);
  CHECK(r.mul(x, r.lit(f32, 0)).id != x.id);
  CHECK(r.select(r.boolean(false), three, x).id == x.id);
  CHECK(r.select(Value{boolean, sink.argument()}, x, x).id == x.id);
  CHECK(r.rare(0, r.boolean(false), x, three).id == x.id);
  const Inst divided = sink.list[r.div(r.lit(f32, 1), x).id];
  CHECK(divided.op == Prim::div);
  CHECK(divided.args[1] == x.id);
}

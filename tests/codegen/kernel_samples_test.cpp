// tests/codegen/kernel_samples_test.cpp: the sample kernels, and that they are well formed.
#include "kernel_samples.h"

#include <catch2/catch.hpp>

#include <voxloom/ops/builder.h>
#include <voxloom/ops/reduce_order.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace voxloom::codegen::samples {

using ops::Prim;
using ops::Value;

namespace {

constexpr DType real_dtypes[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,
                                 DType::u16,     DType::u32, DType::u64, DType::f32, DType::f64};
constexpr char canary = 0x5b;

std::vector<char> packed(DType t, const std::vector<uint64_t>& values) {
  std::vector<char> bytes(values.size() * size_of(t));
  for (size_t i = 0; i < values.size(); ++i) std::memcpy(&bytes[i * size_of(t)], &values[i], size_of(t));
  return bytes;
}
template <class T> std::vector<char> bytes_of(const std::vector<T>& values) {
  std::vector<char> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}
int input(KernelCase& c, KernelBuilder& b, DType t, std::vector<char> data, bool swapped = false) {
  c.buffers.push_back(std::move(data));
  c.dtypes.push_back(t);
  return b.add_access({.storage = t, .swapped = swapped, .pointer = b.add_pointer()});
}
/// An output of n elements and 64 more bytes that must stay as they are.
int output(KernelCase& c, KernelBuilder& b, DType t, size_t n) {
  c.buffers.emplace_back(n * size_of(t) + 64, canary);
  c.dtypes.push_back(t);
  return b.add_access({.storage = t, .written = true, .pointer = b.add_pointer()});
}
Id i64_param(KernelCase& c, KernelBuilder& b, const char* name, int64_t v) {
  c.params.push_back(v);
  return b.read_param(b.add_param(DType::i64, name));
}
int stride_param(KernelCase& c, KernelBuilder& b, const char* name, int64_t v) {
  c.params.push_back(v);
  return b.add_param(DType::i64, name);
}
/// Small pseudo-random numbers, the same everywhere.
std::vector<float> wave(size_t n) {
  std::vector<float> v(n);
  uint32_t s = 12345;
  for (float& x : v) {
    s = s * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<int>(s >> 12) % 2001 - 1000) * 0.37f;
  }
  return v;
}

}  // namespace

std::vector<std::vector<char>> run_case(const KernelCase& c, const Entry& entry) {
  std::vector<std::vector<char>> buffers = c.buffers;
  std::vector<char*> pointers;
  for (size_t i = 0; i < buffers.size(); ++i) pointers.push_back(buffers[i].data() + (i < c.offsets.size() ? c.offsets[i] : 0));
  std::vector<char> scratch(c.scratch_bytes + 64, canary);
  entry(c.params.data(), pointers.data(), c.begin, c.end, scratch.data());
  buffers.emplace_back(scratch.end() - 64, scratch.end());
  return buffers;
}

namespace {
template <class T> bool same_float(const char* a, const char* b) {
  T x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return (x != x && y != y) || std::memcmp(a, b, sizeof x) == 0;
}
bool same_element(DType t, const char* a, const char* b) {
  if (t == DType::f32) return same_float<float>(a, b);
  if (t == DType::f64) return same_float<double>(a, b);
  return std::memcmp(a, b, size_of(t)) == 0;
}
}  // namespace

std::string first_difference(const KernelCase& c, const std::vector<std::vector<char>>& a, const std::vector<std::vector<char>>& b) {
  for (size_t k = 0; k < a.size(); ++k) {
    const DType t = k < c.dtypes.size() ? c.dtypes[k] : DType::u8;
    for (size_t i = 0; i + size_of(t) <= a[k].size(); i += size_of(t)) {
      if (same_element(t, &a[k][i], &b[k][i])) continue;
      return c.kernel.name + ": buffer " + std::to_string(k) + " differs at element " + std::to_string(i / size_of(t));
    }
  }
  return {};
}

std::vector<uint64_t> awkward_values(DType t) {
  std::vector<uint64_t> out;
  const auto add = [&](uint64_t bits) {
    const size_t n = size_of(t);
    out.push_back(t == DType::boolean ? bits & 1 : n == 8 ? bits : bits & ((uint64_t{1} << (8 * n)) - 1));
  };
  if (t == DType::f32 || t == DType::f64) {
    for (double x : {0.0,
                     -0.0,
                     1.0,
                     -1.0,
                     0.5,
                     -2.5,
                     1.5,
                     3.0,
                     1e-3,
                     1e10,
                     -7.25,
                     127.0,
                     128.0,
                     -128.0,
                     -129.0,
                     255.0,
                     256.0,
                     32767.5,
                     65536.0,
                     2147483647.0,
                     2147483648.0,
                     -2147483649.0,
                     4294967295.0,
                     9.2233720368547758e18,
                     1.8446744073709552e19,
                     -9.3e18,
                     1e30}) {
      add(ops::bits_of(t, x));
    }
    if (t == DType::f32) {
      for (uint32_t bits : {1u, 0x80000001u, 0x007fffffu, 0x7f7fffffu, 0xff7fffffu, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0x4effffffu})
        add(bits);
    } else {
      for (uint64_t bits : {1ul, 0x8000000000000001ul, 0x7feffffffffffffful, 0x7ff0000000000000ul, 0xfff0000000000000ul,
                            0x7ff8000000000000ul, 0x3ff0000010000000ul, 0x47efffffe0000000ul}) {
        add(bits);
      }
    }
    return out;
  }
  if (t == DType::boolean) return {0, 1};
  for (int64_t v : {0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 32767, 65535, -1, -2, -3, -7, -8, -100, -128}) {
    add(static_cast<uint64_t>(v));
  }
  for (uint64_t v : {0x7fffffffull, 0x80000000ull, 0xffffffffull, 0x7fffffffffffffffull, 0x8000000000000000ull, 0x8000000000000001ull})
    add(v);
  return out;
}

KernelCase primitives(DType t) {
  KernelCase c;
  KernelBuilder b("primitives_" + std::string(name_of(t)));
  const std::vector<uint64_t> values = awkward_values(t);
  std::vector<uint64_t> first, second, third;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < values.size(); ++j) {
      first.push_back(values[i]);
      second.push_back(values[j]);
      third.push_back(values[(3 * i + j) % values.size()]);
    }
  }
  const size_t n = first.size();
  const int a = input(c, b, t, packed(t, first)), d = input(c, b, t, packed(t, second)), e = input(c, b, t, packed(t, third));
  std::vector<int> outputs;
  std::vector<Prim> prims{Prim::minimum, Prim::maximum, Prim::eq, Prim::ne, Prim::lt, Prim::le, Prim::select};
  if (t != DType::boolean) prims.insert(prims.end(), {Prim::add, Prim::sub, Prim::mul, Prim::neg, Prim::abs});
  if (is_float(t)) {
    prims.insert(prims.end(),
                 {Prim::div, Prim::sqrt, Prim::fma, Prim::floor, Prim::ceil, Prim::trunc, Prim::rint, Prim::rare, Prim::scale});
  } else {
    prims.insert(prims.end(), {Prim::bit_and, Prim::bit_or, Prim::bit_xor, Prim::bit_not});
    if (t != DType::boolean) prims.insert(prims.end(), {Prim::idiv, Prim::imod, Prim::shl, Prim::shr});
    if (t == DType::i32) prims.push_back(Prim::lookup);
  }
  const auto result = [&](Prim p) { return p >= Prim::eq && p <= Prim::le ? DType::boolean : p == Prim::lookup ? DType::f32 : t; };
  for (Prim p : prims) outputs.push_back(output(c, b, result(p), n));
  const Id i = b.begin_loop(b.begin(), b.end(), {}, 0)[0];
  const Value x = b.value(b.load(a, {{i, -1}})), y = b.value(b.load(d, {{i, -1}})), z = b.value(b.load(e, {{i, -1}}));
  for (size_t k = 0; k < prims.size(); ++k) {
    const Prim p = prims[k];
    const bool masked = p == Prim::select || p == Prim::rare;
    const Value mask = masked ? b.record().lt(x, y) : x;
    const uint64_t imm = p == Prim::rare ? 1 : p == Prim::lookup ? 2 : 0;
    const Value v = p == Prim::scale ? scaled(b.record(), x, y) : b.record().emit(p, result(p), mask, masked ? x : y, z, imm);
    b.store(outputs[k], {{i, -1}}, v.id);
  }
  b.end_loop();
  c.kernel = b.finish();
  c.end = static_cast<int64_t>(n);
  return c;
}

KernelCase casts(DType from) {
  KernelCase c;
  KernelBuilder b("casts_" + std::string(name_of(from)));
  const std::vector<uint64_t> values = awkward_values(from);
  const int a = input(c, b, from, packed(from, values));
  std::vector<int> outputs;
  for (DType to : real_dtypes) outputs.push_back(output(c, b, to, values.size()));
  const auto same_size = [&](DType to) { return size_of(to) == size_of(from) && to != DType::boolean && from != DType::boolean; };
  for (DType to : real_dtypes) {
    if (same_size(to)) outputs.push_back(output(c, b, to, values.size()));
  }
  const Id i = b.begin_loop(b.begin(), b.end(), {}, 0)[0];
  const Value x = b.value(b.load(a, {{i, -1}}));
  size_t k = 0;
  for (DType to : real_dtypes) b.store(outputs[k++], {{i, -1}}, b.record().cast(to, x).id);
  for (DType to : real_dtypes) {
    if (same_size(to)) b.store(outputs[k++], {{i, -1}}, b.record().bitcast(to, x).id);
  }
  b.end_loop();
  c.kernel = b.finish();
  c.end = static_cast<int64_t>(values.size());
  return c;
}

KernelCase leaf_sum(int64_t lo, int64_t n) {
  KernelCase c;
  KernelBuilder b("leaf_sum");
  const int a = input(c, b, DType::f32, bytes_of(wave(static_cast<size_t>(n))));
  const int out = output(c, b, DType::f64, 2);
  auto& r = b.record();
  const Id zero = r.lit(DType::f64, -0.0).id, none = b.integer(-1);
  const Id i = b.begin_loop(b.begin(), b.end(), {}, ops::lanes_per_leaf)[0];
  const Value sum = b.value(b.carry(zero)), last = b.value(b.carry(none));
  const Value x = r.cast(DType::f64, b.value(b.load(a, {{i, -1}})));
  const std::vector<Id> lanes = b.end_loop({r.add(sum, x).id, r.maximum(last, b.value(i)).id});
  const std::vector<Id> folded = b.lane_fold(ops::lanes_per_leaf, lanes, [&](const std::vector<Id>& l, const std::vector<Id>& h) {
    return std::vector<Id>{r.add(b.value(l[0]), b.value(h[0])).id, r.maximum(b.value(l[1]), b.value(h[1])).id};
  });
  b.store(out, {}, folded[0]);
  b.store(out, {{b.integer(1), -1}}, r.cast(DType::f64, b.value(folded[1])).id);
  c.kernel = b.finish();
  c.begin = lo;
  c.end = n;
  return c;
}

KernelCase row_center(int64_t rows, int64_t columns) {
  KernelCase c;
  KernelBuilder b("row_center");
  auto& r = b.record();
  // Element (row, column) lies at 1 + 2 * (row + column * rows), high byte first.
  std::vector<char> data(static_cast<size_t>(1 + 2 * rows * columns));
  const std::vector<float> source = wave(static_cast<size_t>(rows * columns));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const auto v = static_cast<uint16_t>(static_cast<int16_t>(source[static_cast<size_t>(row * columns + column)]));
      const auto at = static_cast<size_t>(1 + 2 * (row + column * rows));
      data[at] = static_cast<char>(v >> 8);
      data[at + 1] = static_cast<char>(v & 255);
    }
  }
  const int a = input(c, b, DType::i16, data, true);
  c.dtypes.back() = DType::u8;
  c.offsets.push_back(1);
  const int out = output(c, b, DType::f32, static_cast<size_t>(rows * columns));
  const Id n = i64_param(c, b, "columns", columns), first = b.integer(0), zero = r.lit(DType::f64, -0.0).id;
  const int row_stride = stride_param(c, b, "a row", 2), column_stride = stride_param(c, b, "a column", 2 * rows);
  const int out_stride = stride_param(c, b, "out row", 4 * columns);
  const Id row = b.begin_loop(b.begin(), b.end())[0];
  const Id i = b.begin_loop(first, n, {}, ops::lanes_per_leaf)[0];
  const Value sum = b.value(b.carry(zero));
  const auto element = [&](Id at) { return b.value(b.load(a, {{row, row_stride}, {at, column_stride}})); };
  const std::vector<Id> lanes = b.end_loop({r.add(sum, r.cast(DType::f64, element(i))).id});
  const Id total = b.lane_fold(ops::lanes_per_leaf, lanes, [&](const std::vector<Id>& l, const std::vector<Id>& h) {
    return std::vector<Id>{r.add(b.value(l[0]), b.value(h[0])).id};
  })[0];
  const Value mean = r.div(b.value(total), r.cast(DType::f64, b.value(n)));
  const Id j = b.begin_loop(first, n, {}, 0)[0];
  b.store(out, {{row, out_stride}, {j, -1}}, r.cast(DType::f32, r.sub(r.cast(DType::f64, element(j)), mean)).id);
  b.end_loop();
  b.end_loop();
  c.kernel = b.finish();
  c.writes = columns > 0;
  c.begin = rows > 2 ? 1 : 0;
  c.end = rows;
  return c;
}

KernelCase lanes_through_rows(int64_t rows, int64_t columns) {
  KernelCase c;
  KernelBuilder b("lanes_through_rows");
  auto& r = b.record();
  const int a = input(c, b, DType::f32, bytes_of(wave(static_cast<size_t>(rows * columns))));
  const int out = output(c, b, DType::f32, 2);
  const Id n = i64_param(c, b, "columns", columns), first = b.integer(0);
  const Id zero = r.lit(DType::f32, 0).id, one = r.lit(DType::f32, 1).id;
  const int row_stride = stride_param(c, b, "row", 4 * columns);
  const Id row = b.begin_loop(b.begin(), b.end())[0];
  const Id sum = b.carry(zero, true), swap = b.carry(one, true), count = b.carry(first);
  const Id i = b.begin_loop(first, n, {}, 8)[0];
  const Id inner = b.carry(sum), most = b.carry(swap);
  const Value x = b.value(b.load(a, {{row, row_stride}, {i, -1}}));
  const std::vector<Id> state = b.end_loop({r.add(b.value(inner), x).id, r.maximum(b.value(most), x).id});
  const Value both = r.add(b.value(state[0]), r.mul(b.value(state[1]), r.lit(DType::f32, 0.25)));  // lanes outside a vector loop
  // The two states change places from row to row.
  const std::vector<Id> done = b.end_loop({state[1], both.id, r.add(b.value(count), r.lit_int(DType::i64, 1)).id});
  const std::vector<Id> folded = b.lane_fold(8, {done[0], done[1]}, [&](const std::vector<Id>& l, const std::vector<Id>& h) {
    return std::vector<Id>{r.sub(b.value(l[0]), b.value(h[0])).id, r.sub(b.value(l[1]), b.value(h[0])).id};
  });
  b.store(out, {}, r.add(b.value(folded[0]), r.cast(DType::f32, b.value(done[2]))).id);
  b.store(out, {{b.integer(1), -1}}, folded[1]);
  c.kernel = b.finish();
  c.end = rows;
  return c;
}

KernelCase flattened(int64_t n0, int64_t n1, int64_t n2) {
  KernelCase c;
  KernelBuilder b("flattened");
  auto& r = b.record();
  const auto size = static_cast<size_t>(n0 * n1 * n2);
  const int a = input(c, b, DType::f32, bytes_of(wave(size)));
  c.offsets.push_back(static_cast<size_t>(4 * (n0 - 1)));  // axis 0 runs backwards
  const int bias = input(c, b, DType::f64, bytes_of(std::vector<double>{0.125}));
  const int out = output(c, b, DType::f32, size), marks = output(c, b, DType::u8, size);
  const Id e0 = i64_param(c, b, "n0", n0), e1 = i64_param(c, b, "n1", n1), e2 = i64_param(c, b, "n2", n2);
  const int back = stride_param(c, b, "a 0", -4), s1 = stride_param(c, b, "a 1", 4 * n0), s2 = stride_param(c, b, "a 2", 4 * n0 * n1);
  const int zero = stride_param(c, b, "bias", 0), slot = stride_param(c, b, "scratch at", 16);
  c.scratch_bytes = 32;
  const Id start = r.lit(DType::f32, 0.5).id;
  const int scratch = b.add_access({.storage = DType::f64, .written = true, .scratch_slot = slot});
  const std::vector<Id> i = b.begin_loop(b.begin(), b.end(), {e0, e1, e2});
  const Value before = b.value(b.carry(start));
  const Value x = b.value(b.load(a, {{i[0], back}, {i[1], s1}, {i[2], s2}}));
  const Value y = b.value(b.load(bias, {{i[1], zero}, {i[0], zero}}));
  b.store(scratch, {{b.integer(1), -1}}, r.mul(y, r.lit(DType::f64, 3.0)).id);
  const Value z = r.cast(DType::f32, b.value(b.load(scratch, {{b.integer(1), -1}})));
  const Value v = r.add(r.add(r.mul(x, z), before), r.cast(DType::f32, b.value(i[2])));
  b.store(out, {{i[0], -1}, {i[1], s1}, {i[2], s2}}, v.id);
  b.begin_if(r.lt(x, before).id);
  const Id k = b.begin_loop(b.integer(0), b.integer(1), {}, 0)[0];
  b.store(marks, {{k, -1}, {i[0], -1}, {r.add(r.mul(b.value(i[2]), b.value(e1)), b.value(i[1])).id, stride_param(c, b, "row", n0)}},
          r.lit_int(DType::u8, 200).id);
  b.end_loop();
  b.end_if();
  b.end_loop({r.mul(x, r.lit(DType::f32, -0.5)).id});
  c.kernel = b.finish();
  c.begin = n0 > 1 ? 1 : 0;
  c.end = n0 * n1 * n2;
  return c;
}

KernelCase scalars(bool swapped) {
  KernelCase c;
  KernelBuilder b(swapped ? "scalars_swapped" : "scalars");
  auto& r = b.record();
  struct Item {
    DType dtype;
    uint64_t bits;
  };
  std::vector<int> in, out;
  const Item items[] = {{DType::i16, 0x0102},     {DType::i32, 0x01020304},         {DType::u64, 0x0102030405060708},
                        {DType::f32, 0x3f801234}, {DType::f64, 0x3ff0000012345678}, {DType::u8, 0x7f},
                        {DType::boolean, 1}};
  for (const Item& item : items) {
    std::vector<char> bytes = packed(item.dtype, {item.bits});
    if (swapped) std::reverse(bytes.begin(), bytes.end());
    in.push_back(input(c, b, item.dtype, bytes, swapped && size_of(item.dtype) > 1));
  }
  for (const Item& item : items) out.push_back(output(c, b, item.dtype, 1));
  for (size_t k = 0; k < in.size(); ++k) {
    const Value x = b.value(b.load(in[k], {}));
    b.store(out[k], {}, (x.dtype == DType::boolean ? r.bit_not(x) : r.add(x, x)).id);
  }
  c.kernel = b.finish();
  c.end = 1;
  return c;
}

KernelCase gathered(int64_t n, int64_t wrong, int lanes) {
  KernelCase c;
  KernelBuilder b("gathered_" + std::to_string(lanes));
  auto& r = b.record();
  constexpr int64_t size = 37;
  std::vector<int64_t> indices;
  for (int64_t k = 0; k < n; ++k) indices.push_back(k == wrong ? size + k : k * 11 % size);
  const int index = input(c, b, DType::i64, bytes_of(indices)), table = input(c, b, DType::f32, bytes_of(wave(size)));
  const int out = output(c, b, DType::f32, static_cast<size_t>(n)), told = output(c, b, DType::i64, 1);
  const int stride = stride_param(c, b, "stride", sizeof(float));
  c.params.push_back(0);
  const int cell = b.add_access({.storage = DType::i64, .written = true, .scratch_slot = b.add_param(DType::i64, "cell")});
  c.scratch_bytes = 8;
  b.store(cell, {}, r.lit_int(DType::i64, INT64_MIN).id);
  const Id p = b.begin_loop(b.begin(), b.end(), {}, lanes)[0];
  const Value at = b.value(b.load(index, {{p, -1}})), zero = r.lit_int(DType::i64, 0);
  const Value inside = r.bit_and(r.le(zero, at), r.lt(at, r.lit_int(DType::i64, size)));
  b.fault(cell, r.bit_not(inside).id, at.id);
  const Value x = b.value(b.load(table, {{r.select(inside, at, zero).id, stride}}));
  b.store(out, {{p, -1}}, r.add(x, x).id);
  b.end_loop();
  b.store(told, {}, b.load(cell, {}));
  c.kernel = b.finish();
  c.end = n;
  return c;
}

std::vector<KernelCase> all_cases() {
  std::vector<KernelCase> out;
  for (DType t : real_dtypes) out.push_back(primitives(t));
  for (DType t : real_dtypes) out.push_back(casts(t));
  for (int64_t n : {0, 1, 31, 32, 33, 64, 1000}) out.push_back(leaf_sum(0, n));
  out.push_back(leaf_sum(5, 20));
  out.push_back(leaf_sum(40, 97));
  out.push_back(row_center(1, 1));
  out.push_back(row_center(5, 67));
  out.push_back(row_center(3, 0));
  out.push_back(lanes_through_rows(4, 9));
  out.push_back(lanes_through_rows(0, 9));
  out.push_back(lanes_through_rows(3, 24));
  out.push_back(flattened(3, 4, 5));
  out.push_back(flattened(1, 1, 7));
  for (int lanes : {0, 1, 32}) {
    for (int64_t wrong : {-1, 0, 8, 44}) out.push_back(gathered(45, wrong, lanes));
    out.push_back(gathered(0, -1, lanes));
  }
  out.push_back(scalars(false));
  out.push_back(scalars(true));
  return out;
}

TEST_CASE("sample kernels are well formed") {
  for (const KernelCase& c : all_cases()) {
    INFO(c.kernel.name << "\n" << canonical_text(c.kernel));
    CHECK(verify(c.kernel) == std::vector<std::string>{});
  }
}

}  // namespace voxloom::codegen::samples

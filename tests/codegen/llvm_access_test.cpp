// tests/codegen/llvm_access_test.cpp: memory accesses of compiled code: strides of every kind, byte order, non-temporal stores, ranges.
#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

#include <voxloom/codegen/kernel_eval.h>

#include "llvm_support.h"

namespace voxloom::codegen {

namespace {

constexpr char canary = 0x5b;

Kernel strided_copy(DType t, bool swapped, int lanes) {
  KernelBuilder b("strided_copy");
  const int in = b.add_access({.storage = t, .swapped = swapped, .pointer = b.add_pointer()});
  const int out = b.add_access({.storage = t, .written = true, .pointer = b.add_pointer()});
  const int from = b.add_param(DType::i64, "from"), to = b.add_param(DType::i64, "to");
  const Id i = b.begin_loop(b.begin(), b.end(), {}, lanes)[0];
  b.store(out, {{i, to}}, b.load(in, {{i, from}}));
  b.end_loop();
  return b.finish();
}

/// n elements `stride` bytes apart in memory that begins and ends with them; first() is element 0.
class StridedBuffer {
 public:
  StridedBuffer(size_t n, int64_t stride, size_t item, bool at_end)
      : stride_(stride), memory_(std::max<size_t>(n, 1) == 1 ? item : (n - 1) * static_cast<size_t>(std::abs(stride)) + item, at_end) {
    std::memset(memory_.data(), canary, memory_.size());
  }
  char* first() { return stride_ < 0 ? memory_.data() + memory_.size() - last_item() : memory_.data(); }
  char* element(size_t i) { return first() + static_cast<int64_t>(i) * stride_; }
  void set_item(size_t item) { item_ = item; }

 private:
  size_t last_item() const { return item_; }
  int64_t stride_;
  size_t item_ = 1;
  test::Guarded memory_;
};

std::string check_copy(KernelEntry entry, DType t, bool swapped, size_t n, int64_t from, int64_t to, bool at_end) {
  const size_t item = size_of(t);
  StridedBuffer in(n, from, item, at_end), out(n, to, item, at_end);
  in.set_item(item);
  out.set_item(item);
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < item; ++k) in.element(i)[k] = static_cast<char>(t == DType::boolean ? i % 2 : 7 * i + 31 * k + 1);
  }
  char* pointers[] = {in.first(), out.first()};
  const int64_t params[] = {from, to};
  entry(params, pointers, 0, static_cast<int64_t>(n), nullptr);
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < item; ++k) {
      if (out.element(i)[k] != in.element(i)[swapped ? item - 1 - k : k]) {
        return std::string(name_of(t)) + ": element " + std::to_string(i) + " of " + std::to_string(n) + ", strides " +
               std::to_string(from) + " and " + std::to_string(to);
      }
    }
  }
  return {};
}

}  // namespace

TEST_CASE("strides may be negative, zero or odd, and bytes reversed", "[llvm]") {
  for (const Target& target : test::targets()) {
    if (!target.tune.empty()) continue;
    for (DType t : {DType::boolean, DType::i8, DType::u16, DType::i32, DType::i64, DType::f32, DType::f64}) {
      const auto item = static_cast<int64_t>(size_of(t));
      for (int lanes : {1, 0, 32}) {
        for (bool swapped : {false, true}) {
          INFO(target.name << " " << name_of(t) << " lanes " << lanes << (swapped ? " swapped" : ""));
          const auto kernel = compile_kernel(strided_copy(t, swapped, lanes), {target, "", 0});
          std::string wrong;
          for (size_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 71}) {
            for (int64_t from : {item, -item, int64_t{0}, 3 * item + 1, -2 * item - 1}) {
              for (int64_t to : {item, -item, 2 * item + 3}) {
                if (wrong.empty()) wrong = check_copy(kernel->entry(), t, swapped, n, from, to, (n + static_cast<size_t>(lanes)) % 2 == 0);
              }
            }
          }
          CHECK(wrong == "");
        }
      }
    }
  }
}

namespace {

Kernel unit_copy(DType t, bool swapped_in, bool swapped_out, bool nontemporal, int lanes) {
  KernelBuilder b("unit_copy");
  const int in = b.add_access({.storage = t, .swapped = swapped_in, .pointer = b.add_pointer()});
  const int out =
      b.add_access({.storage = t, .swapped = swapped_out, .written = true, .nontemporal = nontemporal, .pointer = b.add_pointer()});
  const Id i = b.begin_loop(b.begin(), b.end(), {}, lanes)[0];
  b.store(out, {{i, -1}}, b.load(in, {{i, -1}}));
  b.end_loop();
  return b.finish();
}

}  // namespace

TEST_CASE("contiguous copies touch exactly their range", "[llvm]") {
  for (const Target& target : test::targets()) {
    for (DType t : {DType::boolean, DType::u8, DType::i16, DType::f32, DType::u64}) {
      const size_t item = size_of(t);
      for (int form = 0; form < 6; ++form) {
        const bool nontemporal = form == 5;
        const int lanes = form % 3 == 0 ? 32 : 0;
        const auto kernel = compile_kernel(unit_copy(t, form == 1 || form == 3, form == 2, nontemporal, lanes), {target, "", 0});
        const bool reversed = form == 1 || form == 2 || form == 3;
        std::string wrong;
        for (size_t n = 0; n <= 150 && wrong.empty(); ++n) {
          test::Guarded in(n * item, true), out_memory((n * item + 63) / 64 * 64, true);
          char* out = nontemporal ? out_memory.data() : out_memory.data() + out_memory.size() - n * item;
          std::memset(out_memory.data(), canary, out_memory.size());
          for (size_t k = 0; k < n * item; ++k) in.data()[k] = static_cast<char>(t == DType::boolean ? k % 2 : 13 * k + 5);
          char* pointers[] = {in.data(), out};
          kernel->entry()(nullptr, pointers, 0, static_cast<int64_t>(n), nullptr);
          for (size_t k = 0; k < n * item; ++k) {
            const size_t from = reversed ? k / item * item + item - 1 - k % item : k;
            if (out[k] != in.data()[from]) wrong = "byte " + std::to_string(k) + " of " + std::to_string(n) + " elements";
          }
          for (char* p = out_memory.data(); p < out_memory.data() + out_memory.size(); ++p) {
            if ((p < out || p >= out + n * item) && *p != canary) wrong = "a byte beside the range of " + std::to_string(n);
          }
        }
        INFO(target.name << " " << name_of(t) << " form " << form);
        CHECK(wrong == "");
      }
    }
  }
}

TEST_CASE("non-temporal stores bypass the caches and are fenced", "[llvm]") {
  for (const Target& target : test::targets()) {
    const std::string plain = assembly_text(unit_copy(DType::f32, false, false, false, 0), target);
    const std::string streaming = assembly_text(unit_copy(DType::f32, false, false, true, 0), target);
    CHECK(plain.find("vmovnt") == std::string::npos);
    CHECK(streaming.find("vmovnt") != std::string::npos);
    CHECK(streaming.find("sfence") != std::string::npos);
  }
}

namespace {

/// Row sums with carried lanes, an uneven start, integer and boolean state, and a value of the row used inside the vector loop.
Kernel carried_lanes(int lanes) {
  KernelBuilder b("carried_lanes");
  const int in = b.add_access({.storage = DType::f32, .pointer = b.add_pointer()});
  const int sums = b.add_access({.storage = DType::f64, .written = true, .pointer = b.add_pointer()});
  const int counts = b.add_access({.storage = DType::i64, .written = true, .pointer = b.add_pointer()});
  const int flags = b.add_access({.storage = DType::boolean, .written = true, .pointer = b.add_pointer()});
  auto& r = b.record();
  const auto zero = r.lit(DType::f64, 0), bound = r.lit(DType::f32, 40);
  const auto none = r.lit_int(DType::i64, 0), no = r.boolean(false);
  const Id i = b.begin_loop(b.begin(), b.end(), {}, lanes)[0];
  const Id sum = b.carry(zero.id), number = b.carry(none.id), any = b.carry(no.id);
  const auto x = b.value(b.load(in, {{i, -1}}));
  const auto big = r.lt(bound, x);
  const std::vector<Id> result = b.end_loop({r.fma(r.cast(DType::f64, x), r.lit(DType::f64, 1.5), b.value(sum)).id,
                                             r.add(b.value(number), r.cast(DType::i64, big)).id, r.bit_or(b.value(any), big).id});
  const std::vector<Id> folded = b.lane_fold(lanes, result, [&](const std::vector<Id>& left, const std::vector<Id>& right) {
    return std::vector<Id>{r.add(b.value(left[0]), b.value(right[0])).id, r.add(b.value(left[1]), b.value(right[1])).id,
                           r.bit_or(b.value(left[2]), b.value(right[2])).id};
  });
  b.store(sums, {}, folded[0]);
  b.store(counts, {}, folded[1]);
  b.store(flags, {}, folded[2]);
  return b.finish();
}

}  // namespace

TEST_CASE("fixed vector loops: every head and tail", "[llvm]") {
  test::Guarded in(160 * sizeof(float), true);
  for (int k = 0; k < 160; ++k) {
    const float x = static_cast<float>(k * 37 % 101) / 3;
    std::memcpy(in.data() + static_cast<size_t>(k) * sizeof x, &x, sizeof x);
  }
  for (const Target& target : test::targets()) {
    for (int lanes : {8, 32, 64}) {
      const Kernel kernel = carried_lanes(lanes);
      REQUIRE(verify(kernel).empty());
      const auto compiled = compile_kernel(kernel, {target, "", 0});
      std::string wrong;
      for (int64_t lo = 0; lo <= 70; ++lo) {
        for (int64_t hi = lo; hi <= 160; hi += lo % 2 == 0 ? 3 : 7) {
          char got[2][17] = {};
          for (int which = 0; which < 2; ++which) {
            char* pointers[] = {in.data(), got[which], got[which] + 8, got[which] + 16};
            if (which == 0) compiled->entry()(nullptr, pointers, lo, hi, nullptr);
            else eval_kernel(kernel, nullptr, pointers, lo, hi, nullptr);
          }
          if (std::memcmp(got[0], got[1], sizeof got[0]) != 0) wrong = "[" + std::to_string(lo) + ", " + std::to_string(hi) + ")";
        }
      }
      INFO(target.name << " lanes " << lanes);
      CHECK(wrong == "");
    }
  }
}

}  // namespace voxloom::codegen

// tests/codegen/kernel_text_test.cpp: canonical text: deterministic, blind to names, sees everything that matters for code.
#include "kernel_samples.h"

#include <catch2/catch.hpp>

#include <functional>
#include <set>

namespace voxloom::codegen {

namespace {

/// out[i] = a[i] * scale + 2 over one free loop, with something to change in each test.
struct Choice {
  std::string name = "k", param = "scale";
  DType dtype = DType::f32;
  double constant = 2;
  bool swapped = false, nontemporal = false, fixed = false, subtract = false, strided = false, scratch = false, unused = false;
};
Kernel small(const Choice& c) {
  KernelBuilder b(c.name);
  auto& r = b.record();
  if (c.unused) b.add_pointer();
  Access in{.storage = c.dtype, .swapped = c.swapped, .pointer = b.add_pointer()};
  Access out{.storage = c.dtype, .nontemporal = c.nontemporal, .pointer = b.add_pointer()};
  const int scale_slot = b.add_param(c.dtype, c.param), stride_slot = b.add_param(DType::i64, "stride");
  if (c.scratch) in.scratch_slot = stride_slot;
  const int a = b.add_access(in), o = b.add_access(out);
  const Id scale = b.read_param(scale_slot);
  const Id i = b.begin_loop(b.begin(), b.end(), {}, c.fixed ? 32 : 0)[0];
  const ops::Value x = r.mul(b.value(b.load(a, {{i, c.strided ? stride_slot : -1}})), b.value(scale)), k = r.lit(c.dtype, c.constant);
  b.store(o, {{i, -1}}, c.subtract ? r.sub(x, k).id : r.add(x, k).id);
  b.end_loop();
  return b.finish();
}

}  // namespace

TEST_CASE("canonical text ignores names") {
  const std::string text = canonical_text(small({}));
  CHECK(text == canonical_text(small({})));
  Choice renamed;
  renamed.name = "another name";
  renamed.param = "p";
  CHECK(text == canonical_text(small(renamed)));
  CHECK(text.find("scale") == std::string::npos);
}

TEST_CASE("canonical text sees what changes the code") {
  std::set<std::string> texts{canonical_text(small({}))};
  const auto differs = [&](const std::function<void(Choice&)>& change) {
    Choice c;
    change(c);
    const Kernel kernel = small(c);
    REQUIRE(verify(kernel) == std::vector<std::string>{});
    CHECK(texts.insert(canonical_text(kernel)).second);
  };
  differs([](Choice& c) { c.dtype = DType::f64; });
  differs([](Choice& c) { c.constant = -0.0; });
  differs([](Choice& c) { c.constant = 0.0; });
  differs([](Choice& c) { c.swapped = true; });
  differs([](Choice& c) { c.nontemporal = true; });
  differs([](Choice& c) { c.fixed = true; });
  differs([](Choice& c) { c.subtract = true; });
  differs([](Choice& c) { c.strided = true; });
  differs([](Choice& c) { c.scratch = true; });
  differs([](Choice& c) { c.unused = true; });
}

TEST_CASE("all sample kernels have texts of their own, whatever the sizes") {
  std::set<std::string> texts, names;
  for (const auto& c : samples::all_cases()) {
    texts.insert(canonical_text(c.kernel));
    names.insert(c.kernel.name);
  }
  CHECK(texts.size() == names.size());
}

TEST_CASE("canonical text of a small kernel") {
  CHECK(canonical_text(small({})) ==
        "params f32 i64\n"
        "access f32 pointer 0\n"
        "access f32 written pointer 1\n"
        "pointers 2 s0 s1\n"
        " s2 param 0\n"
        "loop 0 s0 s1 / index v3\n"
        " v4 @0 v3\n"
        " v5 mul.f32 s2 v4\n"
        " s6 literal.f32 40000000\n"
        " v7 add.f32 v5 s6\n"
        "store @1 v3 = v7\n"
        "next result\n");
}

}  // namespace voxloom::codegen

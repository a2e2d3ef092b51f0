// tests/codegen/llvm_samples_test.cpp: compiled sample kernels against the statement-by-statement evaluation, bit for bit, on every target.
#include "kernel_samples.h"
#include "llvm_support.h"

#include <catch2/catch.hpp>

#include <voxloom/codegen/kernel_eval.h>

namespace voxloom::codegen {

TEST_CASE("compiled kernels give the bits of their evaluation", "[llvm]") {
  for (const Target& target : test::targets()) {
    INFO(target.name << " tuned for '" << target.tune << "'");
    for (const samples::KernelCase& c : samples::all_cases()) {
      INFO(c.kernel.name);
      const auto compiled = compile_kernel(c.kernel, {target, "", 0});
      const auto expected = samples::run_case(c, [&](auto... args) { eval_kernel(c.kernel, args...); });
      CHECK(samples::first_difference(c, samples::run_case(c, compiled->entry()), expected).empty());
    }
  }
}

}  // namespace voxloom::codegen

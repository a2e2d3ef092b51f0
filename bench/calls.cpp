// bench/calls.cpp: what a call of a compiled function costs when there is next to nothing to compute.
#include "harness.h"

#include <voxloom/api/voxloom.h>

#include <array>

namespace vl = voxloom;

namespace bench {

void run_calls(const Options& options, Report& report, const Wanted& wanted) {
  if (!wanted("call_8_floats")) return;
  auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {x * 2 + 1});
  const vl::Array a = vl::Array::from({1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f});
  const std::array<vl::Array, 1> in = {a};
  std::array<vl::Array, 1> out = {vl::Array::empty({8}, vl::f32)};
  const int calls = options.quick ? 1000 : 100'000;
  const auto samples = alternate({{"call_into",
                                   [&] {
                                     for (int i = 0; i < calls; ++i) f.call_into(in, out);
                                   }},
                                  {"call",
                                   [&] {
                                     for (int i = 0; i < calls; ++i) (void)f.call(in);
                                   }},
                                  {"operator()",
                                   [&] {
                                     for (int i = 0; i < calls; ++i) const vl::Array result = f(a);
                                   }}},
                                 options.repeat > 0 ? options.repeat : 15);
  report.figure("call_8_floats", samples[0].median / calls * 1e6, "us", 0.3);
  report.detail("best of call_into, us", samples[0].best / calls * 1e6);
  report.detail("call with a fresh output, us", samples[1].median / calls * 1e6);
  report.detail("best of call, us", samples[1].best / calls * 1e6);
  report.detail("operator(), us", samples[2].median / calls * 1e6);
}

}  // namespace bench

// bench/arrays.cpp: elementwise functions of large arrays beside the hand-written loops.
#include "hand.h"
#include "hand_threads.h"
#include "harness.h"

#include <voxloom/api/voxloom.h>

#include <cstring>
#include <optional>
#include <random>

namespace vl = voxloom;

namespace bench {
namespace {

vl::Array random_vector(size_t n, uint32_t seed) {
  vl::Array a = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32);
  uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (float& v : a.span<float>()) {  // uniform in [-3, 3)
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    v = static_cast<float>(state >> 40) * (6.0f / 16777216.0f) - 3.0f;
  }
  return a;
}

std::string same(const vl::Array& a, const vl::Array& b) {
  return vl::same_bits(a, b) ? "the hand-written loop's bits" : "other bits than the hand-written loop";
}

void add(const Options& options, Report& report, const Wanted& wanted, HandThreads& threads) {
  if (!wanted("add_owned") && !wanted("add_borrowed")) return;
  const size_t n = options.quick ? 1'000'000 : 99'000'000;
  auto x = vl::fvector("x", {"n"}), y = vl::fvector("y", {"n"});
  const vl::Array a = random_vector(n, 1), b = random_vector(n, 2);
  vl::Array hand_out = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32), result;
  const Contender hand = {"hand", [&] {
                            threads.run_pieces(n, 1 << 18, [&](size_t begin, size_t end) {
                              hand_loops().add_stream(a.data<const float>(), b.data<const float>(), hand_out.data<float>(), begin, end);
                            });
                          }};
  const int repeat = options.repeat > 0 ? options.repeat : 9;
  for (const bool borrow : {false, true}) {
    const std::string name = borrow ? "add_borrowed" : "add_owned";
    if (!wanted(name)) continue;
    const vl::Function f = vl::function({x, y}, {vl::Out(x + y, {.borrow = borrow})});
    const auto samples = alternate({{"voxloom", [&] { result = vl::Array(), result = f(a, b); }}, hand}, repeat);
    report.times(name, samples, 1.15);
    report.detail("GB/s", 12.0 * static_cast<double>(n) / samples[0].median / 1e9);
    report.detail("result", same(result, hand_out));
    result = vl::Array();
  }
}

void exp(const Options& options, Report& report, const Wanted& wanted, HandThreads& threads) {
  if (!wanted("exp_1000_calls")) return;
  const size_t n = 230'400;
  auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::Out(vl::exp(x), {.borrow = true})});
  const vl::Array a = random_vector(n, 3);
  vl::Array hand_out = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32), result;
  const int calls = options.quick ? 10 : 1000;
  const auto samples =
      alternate({{"voxloom",
                  [&] {
                    for (int i = 0; i < calls; ++i) result = vl::Array(), result = f(a);
                  }},
                 {"hand",
                  [&] {
                    for (int i = 0; i < calls; ++i) {
                      threads.run_pieces(n, (n / static_cast<size_t>(options.threads) + 63) / 64 * 64, [&](size_t begin, size_t end) {
                        hand_loops().exp(a.data<const float>(), hand_out.data<float>(), begin, end);
                      });
                    }
                  }}},
                options.repeat > 0 ? options.repeat : 9);
  report.times("exp_1000_calls", samples, 1.2);
  report.detail("result", same(result, hand_out));
}

void expression(const Options& options, Report& report, const Wanted& wanted, HandThreads& threads) {
  if (!wanted("expression")) return;
  const size_t n = options.quick ? 100'000 : 10'000'000;
  auto x = vl::fvector("x", {"n"}), y = vl::fvector("y", {"n"}), z = vl::fvector("z", {"n"});
  const vl::Function f =
      vl::function({x, y, z}, {vl::Out(vl::exp(-vl::pow(x - y, 2) / 2) * vl::sin(z) + vl::tanh(x * y), {.borrow = true})});
  const vl::Array a = random_vector(n, 4), b = random_vector(n, 5), c = random_vector(n, 6);
  vl::Array hand_out = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32), result;
  const auto samples = alternate({{"voxloom", [&] { result = vl::Array(), result = f(a, b, c); }},
                                  {"hand",
                                   [&] {
                                     threads.run_pieces(n, 1 << 15, [&](size_t begin, size_t end) {
                                       hand_loops().expression_stream(a.data<const float>(), b.data<const float>(), c.data<const float>(),
                                                                      hand_out.data<float>(), begin, end);
                                     });
                                   }}},
                                 options.repeat > 0 ? options.repeat : 15);
  report.times("expression", samples, 1.5);
  report.detail("kernels", static_cast<double>(f.toposort().size()));
  report.detail("result", same(result, hand_out));
}

void two_outputs(const Options& options, Report& report, const Wanted& wanted, HandThreads& threads) {
  if (!wanted("add_and_sub")) return;
  const size_t n = options.quick ? 100'000 : 10'000'000;
  auto x = vl::fvector("x", {"n"}), y = vl::fvector("y", {"n"});
  const vl::Function f = vl::function({x, y}, {vl::Out(x + y, {.borrow = true}), vl::Out(x - y, {.borrow = true})});
  const vl::Array a = random_vector(n, 7), b = random_vector(n, 8);
  const vl::Array sum = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32),
                  difference = vl::Array::empty({static_cast<int64_t>(n)}, vl::f32);
  std::vector<vl::Array> results;
  const auto samples = alternate({{"voxloom", [&] { results.clear(), results = f.call({a, b}); }},
                                  {"hand",
                                   [&] {
                                     threads.run_pieces(n, 1 << 16, [&](size_t begin, size_t end) {
                                       hand_loops().add_sub_stream(a.data<const float>(), b.data<const float>(), sum.data<float>(),
                                                                   difference.data<float>(), begin, end);
                                     });
                                   }}},
                                 options.repeat > 0 ? options.repeat : 25);
  report.times("add_and_sub", samples, 0);
  report.detail("kernels", static_cast<double>(f.toposort().size()));
  report.detail("result", same(results.at(0), sum) + "; " + same(results.at(1), difference));
}

}  // namespace

void run_arrays(const Options& options, Report& report, const Wanted& wanted) {
  HandThreads threads(options.threads);
  add(options, report, wanted, threads);
  exp(options, report, wanted, threads);
  expression(options, report, wanted, threads);
  two_outputs(options, report, wanted, threads);
}

}  // namespace bench

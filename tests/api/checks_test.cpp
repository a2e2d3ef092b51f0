// tests/api/checks_test.cpp: DebugMode finds planted bugs in kernels and rewrites; NanGuardMode names the first bad value.
#include <voxloom/api/checks.h>
#include <voxloom/api/voxloom.h>
#include <voxloom/codegen/program_builder.h>
#include <voxloom/graph/passes/rule.h>
#include <voxloom/ops/table.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

Array vec(std::vector<float> values) { return Array::from(values); }

void subtract_instead(vl::codegen::Block& block) {
  for (vl::codegen::Stmt& s : block) {
    if (s.loop) subtract_instead(s.loop->body);
    if (s.body) subtract_instead(*s.body);
    if (s.kind == vl::codegen::Stmt::Kind::inst && s.inst.op == vl::ops::Prim::add && s.inst.type == vl::f32)
      s.inst.op = vl::ops::Prim::sub;
  }
}

/// Kernels subtract where they should add, while it lives.
struct PlantedBug {
  PlantedBug() {
    vl::codegen::test_hooks().kernel = [](vl::codegen::Kernel& kernel) { subtract_instead(kernel.body); };
  }
  ~PlantedBug() { vl::codegen::test_hooks().kernel = nullptr; }
};

}  // namespace

TEST_CASE("DebugMode lets right functions through, with the same results") {
  const auto x = vl::fmatrix("x");
  const auto w = vl::shared(vec({1, 2, 3}), "w");
  const auto y = vl::log(1 - vl::sigmoid(x)) + vl::mean(x, 0);
  const std::vector<vl::Out> outputs = {y, vl::sum(y), vl::reshape(vl::transpose(x), {-1}), vl::concatenate({x, x * 2}, 0)};
  const vl::Function checked = vl::function({x}, outputs, {.updates = {{w, w + vl::sum(x, 0)}}, .mode = "DebugMode"});
  const vl::Function plain = vl::function({x}, outputs);
  const Array a = Array::from({0.5f, -1.f, 3.f, 100.f, -100.f, 0.f}, vl::Dims(2, 3));
  const auto got = checked.call({a}), expected = plain.call({a});
  for (size_t k = 0; k < got.size(); ++k) CHECK(vl::same_bits(got[k], expected[k]));
  CHECK(w.get_value().at<float>(0) == 101.5f);
  checked.repeat(2, {a});
  CHECK(w.get_value().at<float>(0) == 302.5f);
}

TEST_CASE("both checking modes see through indices, scatters, wide reductions and gradients") {
  const auto x = vl::fmatrix("x"), v = vl::fvector("v");
  const auto k = vl::lvector("k");
  const auto touched = vl::inc_subtensor(vl::exp(x), {k}, v);
  const auto cost = vl::sum(vl::sqr(touched)) + vl::mean(vl::take(x, k, 1));
  const std::vector<vl::Out> outputs = {
      touched, cost, vl::grad(cost, x), vl::set_subtensor(x, {vl::Slice{0, 1}}, 2), vl::std(x, 0), vl::arange(5) * vl::sum(k)};
  std::vector<float> values(400 * 30);
  for (size_t n = 0; n < values.size(); ++n) values[n] = static_cast<float>(n % 97) / 97.f;
  const std::vector<Array> arguments = {Array::from(values, vl::Dims(400, 30)), Array::from(std::vector<float>(30, 0.5f)),
                                        Array::from({int64_t{3}, int64_t{-1}, int64_t{3}})};
  const auto expected = vl::function({x, v, k}, outputs).call(arguments);
  for (const char* mode : {"DebugMode", "NanGuardMode"}) {
    INFO(mode);
    const vl::Function f = vl::function({x, v, k}, outputs, {.mode = mode});
    const auto got = f.call(arguments, {.threads = 2});
    for (size_t n = 0; n < got.size(); ++n) CHECK(vl::same_bits(got[n], expected[n]));
    std::vector<Array> outside = arguments;
    outside[2] = Array::from({int64_t{30}, int64_t{0}, int64_t{0}});
    CHECK_THROWS_WITH(f.call(outside), Contains("index 30 is out of bounds for axis 1 with size 30"));
    CHECK_NOTHROW(f.call(arguments));
  }
}

TEST_CASE("DebugMode names a kernel that computes something else, with both values and the line") {
  const auto x = vl::fvector("x");
  const PlantedBug bug;
  const vl::Function f = vl::function({x}, {x + 2}, {.mode = "DebugMode", .name = "wrong"});
  CHECK_THROWS_WITH(f(vec({1, 2})), Contains("DebugMode: wrong: the kernel") && Contains("gives -1 at [0] for add") &&
                                        Contains("the interpreter gives 3") && Contains("checks_test.cpp:"));
}

TEST_CASE("DebugMode finds a planted wrong rule in the first call that it spoils") {
  const vl::Rule wrong = {"abs_is_nothing", vl::RuleClass::exact, "abs(x)", "x", "false for negative numbers"};
  const char* const precedence[] = {"abs"};
  const vl::RuleSet rules({std::span(&wrong, 1)}, precedence, vl::find_op);
  const auto x = vl::fvector("x");
  const auto make = [&](const vl::Mode& mode) {
    vl::detail::planted_rules() = &rules;
    const vl::Function f = vl::function({x}, {vl::sum(vl::abs(x) + 1)}, {.mode = mode, .name = "planted"});
    vl::detail::planted_rules() = nullptr;
    return f;
  };
  const vl::Function f = make("DebugMode");
  CHECK(f(vec({1, 2}))[0].item<float>() == 5);  // nothing to see yet
  CHECK_THROWS_WITH(f(vec({1, -2})), Contains("DebugMode: planted: the pass simplify (rule abs_is_nothing) [at ") &&
                                         Contains("checks_test.cpp:") && Contains("changes output 0 at []: 5 before, 1 after"));
  CHECK_THROWS_AS(f(vec({1, -2})), vl::InternalError);
  CHECK(make("FAST_RUN")(vec({1, -2}))[0].item<float>() == 1);  // no one else looks
}

TEST_CASE("DebugMode names a pass and a rule that change a value") {
  const auto x = vl::fvector("x");
  const auto before = x * 2, after = x * 3;
  vl::detail::Rewrite rewrite{
      "simplify", vl::Graph::make({x}, {before + 1}), vl::Graph::make({x}, {after + 1}), {{"planted", before, after}}};
  const std::vector<Array> arguments = {vec({0, 5})};
  CHECK_THROWS_WITH(vl::detail::check_rewrites("f", {rewrite}, arguments),
                    Contains("the pass simplify (rule planted)") && Contains("changes output 0 at [1]: 11 before, 16 after"));
  // An improving pass may change bits, not values.
  rewrite.pass = "stabilise";
  CHECK_THROWS_AS(vl::detail::check_rewrites("f", {rewrite}, arguments), vl::InternalError);
  rewrite.after = vl::Graph::make({x}, {x * 2 + 1.0000002});
  CHECK_NOTHROW(vl::detail::check_rewrites("f", {rewrite}, arguments));
}

TEST_CASE("DebugMode leaves out=, mutable arguments and empty arrays alone") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(vl::exp(x), {.borrow = true})}, {.mode = "DebugMode"});
  const Array a = vec({1, 2});
  CHECK(Array(f(a)).raw() == a.raw());
  std::vector<Array> out = {a};
  CHECK_NOTHROW(f.call({a}, {.out = out}));
  CHECK(Array(f(Array::zeros({0}, vl::f32))).size() == 0);
}

TEST_CASE("NanGuardMode names the first operation with a bad value, and its line") {
  const auto x = vl::fmatrix("x");
  const auto e = vl::sum(vl::exp(vl::log(x) * 2), 1);
  const vl::Function f = vl::function({x}, {e}, {.mode = "NanGuardMode", .name = "f"});
  const Array good = Array::from({1.f, 2.f, 3.f, 4.f}, vl::Dims(2, 2)), bad = Array::from({1.f, 2.f, 3.f, -4.f}, vl::Dims(2, 2));
  CHECK(vl::same_bits(f(good), vl::function({x}, {e})(good)));
  CHECK_THROWS_WITH(f(bad), Contains("f: NanGuardMode: log gives nan at [1, 1]") && Contains("checks_test.cpp:"));
  CHECK_THROWS_WITH(f(Array::from({1.f, 0.f}, vl::Dims(1, 2))), Contains("log gives -inf at [0, 1]"));
  CHECK_THROWS_WITH(f(Array::from({1.f, 1e6f}, vl::Dims(1, 2))), Contains("exp gives the big value") && Contains("at [0, 1]"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(f(Array::from({1.f, nan}, vl::Dims(1, 2))), Contains("the argument \"x\" holds nan at [0, 1]"));
  CHECK_NOTHROW(f(good));
}

TEST_CASE("what NanGuardMode looks for can be chosen") {
  const auto x = vl::fvector("x");
  const auto guard = [&](vl::NanGuard g) { return vl::function({x}, {vl::log(x)}, {.mode = vl::nan_guard_mode(g)}); };
  CHECK_NOTHROW(guard({.inf = false})(vec({0})));
  CHECK_NOTHROW(guard({.nan = false})(vec({-1})));
  CHECK_NOTHROW(guard({.big = 0})(vec({1e30f})));
  CHECK_THROWS_WITH(guard({.big = 1})(vec({2.f})), Contains("holds the big value 2"));
  std::string warned;
  vl::set_log([&](vl::LogLevel, std::string_view text) { warned = text; });
  CHECK_NOTHROW(guard({.raise = false})(vec({-1})));
  vl::set_log({});
  CHECK_THAT(warned, Contains("log gives nan at [0]"));
  CHECK_THROWS_AS(vl::nan_guard_mode({.big = -1}), vl::UserError);
  const auto z = vl::zvector("z");
  const vl::Function complex = vl::function({z}, {z * 2}, {.mode = "NanGuardMode"});
  CHECK_THROWS_WITH(complex(Array::from({std::complex<double>(1, std::nan(""))})), Contains("nan at [0]"));
  const auto w = vl::shared(vec({std::nanf("")}), "w");
  CHECK_THROWS_WITH(vl::function({}, {w + 1}, {.mode = "NanGuardMode"})(), Contains("the shared variable \"w\" holds nan"));
}

// tests/api/state_test.cpp: shared variables under updates: together, all or nothing, step by step, from many threads.
#include <voxloom/api/voxloom.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

Array vec(std::vector<float> values) { return Array::from(values); }
float at(const Array& a, int k) { return a.at<float>(k); }

}  // namespace

TEST_CASE("an error in the middle of a call leaves every variable as it was") {
  const auto x = vl::fvector("x");
  const auto a = vl::shared(vec({1, 2}), "a"), b = vl::shared(vec({3, 4}), "b");
  // The sizes of the second update do not fit when x has three elements.
  const vl::Function f = vl::function({x}, {}, {.updates = {{a, a + 1}, {b, b + x}}});
  CHECK_THROWS_AS(f(vec({1, 1, 1})), vl::UserError);
  CHECK(at(a.get_value(), 0) == 1);
  vl::CancelToken token;
  token.cancel();
  CHECK_THROWS_AS(f.call({vec({1, 1})}, {.cancel = &token}), vl::RuntimeError);
  CHECK(at(a.get_value(), 0) == 1);
  CHECK_THROWS_AS(f.call({vec({1, 1})}, {.memory = 1}), vl::RuntimeError);
  CHECK(at(b.get_value(), 0) == 3);
  // A value found bad after other kernels have run.
  const vl::Function guarded = vl::function({x}, {}, {.updates = {{a, a + 1}, {b, vl::log(x)}}, .mode = "NanGuardMode"});
  CHECK_THROWS_WITH(guarded(vec({1, -1})), Contains("log gives nan at [1]"));
  CHECK(at(a.get_value(), 0) == 1);
  // An exception of the caller's own, thrown between kernels.
  struct Stop {};
  CHECK_THROWS_AS(f.call({vec({1, 1})}, {.progress = [](double) { throw Stop{}; }}), Stop);
  CHECK(at(a.get_value(), 0) == 1);
  f(vec({1, 1}));
  CHECK(at(a.get_value(), 0) == 2);
  CHECK(at(b.get_value(), 0) == 4);
}

TEST_CASE("updates that are refused when the function is made") {
  const auto x = vl::fvector("x");
  const auto w = vl::shared(vec({1, 2}), "w");
  CHECK_THROWS_WITH(vl::function({x}, {}, {.updates = {{w, w + x}, {w, w - x}}}),
                    Contains("\"w\" is updated twice") && Contains("state_test.cpp:"));
  CHECK_THROWS_WITH(vl::function({x}, {}, {.updates = {{w, vl::cast(x, vl::f64)}}}),
                    Contains("the update of w is f64") && Contains("cast the update"));
  CHECK_THROWS_WITH(vl::function({x}, {}, {.updates = {{w, vl::sum(x)}}}), Contains("the update of w is f32[]"));
}

TEST_CASE("repeat(n) is n calls, with one buffer more than one call") {
  const auto x = vl::fvector("x");
  const auto w = vl::shared(vec({1, 2}), "w"), n = vl::shared(0.f, "n");
  const vl::Function f = vl::function({x}, {w * n, vl::Out(w + n, {.borrow = true})}, {.updates = {{w, w * 0.5f + x}, {n, n + 1}}});
  const auto once = f.copy({.swap = {{w, vl::shared(vec({1, 2}), "w2")}, {n, vl::shared(0.f, "n2")}}});
  std::vector<Array> expected;
  for (int k = 0; k < 17; ++k) expected = once.call({vec({3, 5})});
  const std::vector<Array> got = f.repeat(17, {vec({3, 5})});
  CHECK(vl::same_bits(got[0], expected[0]));
  CHECK(vl::same_bits(got[1], expected[1]));
  CHECK(n.get_value().item<float>() == 17);
  CHECK(vl::same_bits(w.get_value(), once.shared()[0].get_value()));
  CHECK(at(f.repeat(1, vec({3, 5}))[0], 0) == at(w.get_value(), 0) * 0 + at(once(vec({3, 5}))[0], 0));
  CHECK_THROWS_WITH(f.repeat(0, vec({1, 1})), Contains("at least 1 step, not 0"));
  CHECK_THROWS_AS(f.repeat(3, vec({1, 1, 1})), vl::UserError);
}

TEST_CASE("repeat(n) writes over nobody's value") {
  const Array mine = vec({1, 2});
  const auto w = vl::shared(mine, "w", {.borrow = true});
  const vl::Function f = vl::function({}, {}, {.updates = {{w, w + 1}}});
  std::vector<Array> held;
  f.repeat(5, std::span<const Array>(), {.progress = [&](double) { held.push_back(w.get_value(true)); }});
  CHECK(at(mine, 0) == 1);
  for (size_t k = 0; k < 5; ++k) CHECK(at(held[k], 0) == static_cast<float>(k) + 2);
  const Array last = w.get_value(true);
  f.repeat(6);
  CHECK(at(last, 0) == 6);
  CHECK(at(w.get_value(), 0) == 12);
  // A mutable argument is the same in every step.
  const auto x = vl::fvector("x");
  const vl::Function g = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(x * 2, {.borrow = true})});
  CHECK(at(g.repeat(3, vec({1, 2})), 0) == 2);
}

TEST_CASE("repeat(n) of values whose size changes, and of a variable set in between") {
  const auto w = vl::shared(vec({1}), "w");
  const vl::Function grow = vl::function({}, {w * 2}, {.updates = {{w, vl::concatenate({w, w}, 0)}}});
  CHECK(Array(grow.repeat(4)).shape() == vl::Dims(8));
  CHECK(w.get_value().size() == 16);
  const auto v = vl::shared(vec({0}), "v");
  const vl::Function count = vl::function({}, {}, {.updates = {{v, v + 1}}});
  count.repeat(4, std::span<const Array>(), {.progress = [&](double done) {
                 if (done == 0.5) v.set_value(vec({100}));
               }});
  CHECK(at(v.get_value(), 0) == 102);
}

TEST_CASE("a cancelled repeat leaves the last whole step") {
  const auto w = vl::shared(vec({0}), "w"), u = vl::shared(vec({0}), "u");
  const vl::Function f = vl::function({}, {}, {.updates = {{w, w + 1}, {u, u - 1}}});
  vl::CancelToken token;
  CHECK_THROWS_AS(f.repeat(1000, std::span<const Array>(),
                           {.cancel = &token,
                            .progress =
                                [&](double done) {
                                  if (done >= 0.007) token.cancel();
                                }}),
                  vl::RuntimeError);
  CHECK(at(w.get_value(), 0) == 7);
  CHECK(at(u.get_value(), 0) == -7);
}

TEST_CASE("functions with updates serialise on their variables; readers never see half an update") {
  const auto a = vl::shared(vec(std::vector<float>(64, 0)), "a"), b = vl::shared(vec(std::vector<float>(64, 0)), "b");
  const auto x = vl::fscalar("x");
  const vl::Function up = vl::function({x}, {}, {.updates = {{a, a + x}, {b, b - x}}});
  const vl::Function down = vl::function({x}, {}, {.updates = {{b, b - x}, {a, a + x}}});  // locks in one order all the same
  const vl::Function look = vl::function({}, {a + b});
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!stop) {
      const Array both = look();
      if (at(both, 0) != 0 || at(both, 63) != 0) ++torn;
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&, t] {
      const Array one = Array::scalar(1.f);
      for (int k = 0; k < 200; ++k) (t % 2 == 0 ? up : down)(one);
      up.repeat(50, one);
    });
  }
  for (std::thread& t : writers) t.join();
  stop = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(at(a.get_value(), 5) == 1000);
  CHECK(at(b.get_value(), 5) == -1000);
}

TEST_CASE("memory() counts shared variables as what they are") {
  const auto x = vl::fvector("x", {"n"});
  const auto w = vl::shared(vec({1, 2}), "w");
  const vl::Function f = vl::function({x}, {x * 2}, {.updates = {{w, w + 1}}});
  CHECK(f.memory({vec({1, 2, 3})}).outputs == 12 + 8);
  CHECK(f.memory({{"n", 5}}).outputs == 20 + 8);
}

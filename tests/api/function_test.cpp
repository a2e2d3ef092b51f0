// tests/api/function_test.cpp: compiled functions against the interpreter, one test per shape of fused kernel.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <thread>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

Array random_array(vl::Dims shape, uint32_t seed, vl::Order order = vl::Order::C, vl::DType dtype = vl::f32) {
  Array a = Array::empty(shape, vl::f64, order);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-3, 3);
  auto values = a.span<double>(order);
  for (double& v : values) v = uniform(rng);
  return a.cast(dtype, order);
}

/// Runs the expressions compiled and interpreted and requires the same bits, for several thread counts and targets.
void check_same(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays) {
  const vl::Graph graph = vl::Graph::make(inputs, outputs);
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(graph, views);
  for (const char* target : {"x86-64-v3", "native"}) {
    for (bool fuse : {true, false}) {
      vl::FunctionOptions options;
      options.target = target;
      options.fuse = fuse;
      options.optimise = false;
      const vl::Function f = vl::compile(graph, options);
      for (int threads : {1, 2, 3}) {
        vl::CallOptions call;
        call.threads = threads;
        const auto results = f.call(arrays, call);
        for (size_t k = 0; k < results.size(); ++k) {
          INFO("output " << k << " target " << target << " fused " << fuse << " threads " << threads << "\n" << f.explain());
          INFO("got      " << results[k].to_string());
          INFO("expected " << Array::view(expected[k].view()).to_string());
          REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("elementwise") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  check_same({x, y}, {x + y, x - y, x * y / 2}, {random_array({37, 53}, 1), random_array({37, 53}, 2)});
  check_same({x, y}, {x + y}, {random_array({0, 53}, 1), random_array({0, 53}, 2)});
  check_same({x}, {vl::transpose(x), vl::cast(x, vl::i16), x}, {random_array({200, 301}, 3)});
}

TEST_CASE("broadcasting and strides") {
  auto x = vl::fmatrix("x");
  auto v = vl::fvector("v");
  const Array big = random_array({60, 100}, 4);
  check_same({x, v}, {x * v + 1}, {random_array({19, 31}, 5), random_array({31}, 6)});
  check_same({x}, {x + vl::transpose(x)}, {random_array({45, 45}, 7)});
  check_same({x}, {vl::abs(x)}, {big.slice(0, {}, {}, -2).slice(1, 3, 90, 3)});
  check_same({x}, {vl::sub(vl::slice(x, 1, {1, {}, {}}), vl::slice(x, 1, {{}, -1, {}}))}, {big});
}

TEST_CASE("inner reductions") {
  auto x = vl::fmatrix("x");
  for (int n : {0, 1, 5, 32, 33, 700, 5000}) {
    const Array a = random_array({7, n}, 8);
    check_same({x}, {vl::sum(x, 1), vl::mean(x, 1)}, {a});
    if (n > 0) check_same({x}, {vl::max(x, 1), vl::argmin(x, 1), vl::var(x, 1)}, {a});
    check_same({x}, {(x - vl::mean(x, 1, {.keepdims = true})) / vl::std(x, 1, {.keepdims = true})}, {a});
  }
}

TEST_CASE("whole reductions") {
  auto x = vl::fmatrix("x");
  for (int n : {1, 33, 1000}) { check_same({x}, {vl::sum(x), vl::var(x) + 1, x - vl::mean(x)}, {random_array({117, n}, 9)}); }
  check_same({x}, {vl::sum(x), vl::argmax(x)}, {random_array({300, 401}, 10).slice(1, 1, {}, 2)});
}

TEST_CASE("reductions over nothing") {
  auto x = vl::tensor("x", vl::f64, {0, 2, 1});
  check_same({x}, {vl::sum(x), vl::prod(x, 0), vl::mean(x, {1, 2})}, {random_array({0, 2, 1}, 26, vl::Order::C, vl::f64)});
}

TEST_CASE("outer reductions") {
  auto x = vl::fmatrix("x");
  for (int n : {1, 31, 100, 3000}) {
    const Array a = random_array({n, 65}, 11);
    check_same({x}, {vl::sum(x, 0), vl::std(x, 0), vl::min(x, 0)}, {a});
    check_same({x}, {(x - vl::mean(x, 0)) / vl::std(x, 0)}, {a});
  }
  auto t = vl::ftensor3("t");
  check_same({t}, {vl::mean(t, 1), vl::sum(t, {0, 2}), vl::argmax(t, 0)}, {random_array({11, 45, 38}, 12)});
}

TEST_CASE("images in Fortran order with axis names") {
  auto a = vl::image_input("a", vl::i16, {9, 8, 7, 40}, {"x", "y", "z", "t"});
  Array v = random_array({9, 8, 7, 40}, 13, vl::Order::F);
  Array raw = Array::empty({9, 8, 7, 40}, vl::i16, vl::Order::F);
  for (int64_t i = 0; i < raw.size(); ++i)
    raw.span<int16_t>(vl::Order::F)[static_cast<size_t>(i)] =
        static_cast<int16_t>(1000 * v.span<float>(vl::Order::F)[static_cast<size_t>(i)]);
  check_same({a}, {(a - vl::mean(a, "t")) / vl::std(a, "t")}, {raw});
  check_same({a}, {vl::mean(a), vl::mean(a, {"x", "t"}), vl::max(a, "z")}, {raw});
  check_same({a}, {vl::exp(-(vl::index(a, {vl::ellipsis, 0}) - vl::index(a, {vl::ellipsis, 1})) / 50)}, {raw});
}

TEST_CASE("row fusion: a logistic regression step reads X once") {
  auto X = vl::fmatrix("X");
  auto w = vl::fvector("w"), y = vl::fvector("y");
  auto p = 1 / (1 + vl::exp(-vl::sum(X * w, 1)));
  auto g = p - y;
  auto gw = vl::sum(X * vl::dimshuffle(g, {0, -1}), 0);
  auto cost = vl::mean(-y * vl::log(p) - (1 - y) * vl::log(1 - p));
  const std::vector<Array> arrays{random_array({400, 784}, 14), random_array({784}, 15), random_array({400}, 16).cast(vl::f32)};
  check_same({X, w, y}, {gw}, arrays);
  check_same({X, w, y}, {gw, cost, w - gw * 0.1f}, arrays);
  const vl::Function f = vl::function({X, w, y}, {gw});
  INFO(f.explain());
  REQUIRE(f.toposort().size() == 2);  // the second adds up what the leaves of the first left
  REQUIRE(f.toposort()[1].find("(X") == std::string::npos);
}

TEST_CASE("moves") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  check_same({x, y}, {vl::concatenate({x, y * 2}, 0), vl::stack({x, y}, 1), vl::reshape(x + 1, {-1})},
             {random_array({6, 10}, 17), random_array({6, 10}, 18)});
  check_same({x}, {vl::reshape(vl::transpose(x), {5, 12}), vl::flip(x, 1)}, {random_array({6, 10}, 17)});
}

TEST_CASE("out, borrowed outputs, aliases") {
  auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::Out(x * 2 + 1, {.borrow = true})});
  const Array a = random_array({1000}, 19);
  Array first = f(a);
  Array second = f(a);
  REQUIRE(first.raw() != second.raw());  // the first is still held
  const auto* where = second.raw();
  second = Array();
  first = Array();
  Array third = f(a);
  REQUIRE((third.raw() == where || third.defined()));
  std::vector<Array> out{a};
  const Array expected = third.copy();
  f.call({a}, {.out = out});
  REQUIRE(vl::same_bits(a, expected));
  const auto overlapping = a.slice(0, 1, {});
  std::vector<Array> shifted{a.slice(0, 0, 999)};
  const Array wanted = vl::Array(f(overlapping.copy()));
  f.call({overlapping}, {.out = shifted});
  REQUIRE(vl::same_bits(shifted[0], wanted));
}

TEST_CASE("wrong arguments are user errors that name both facts") {
  auto x = vl::fmatrix("x");
  const vl::Function f = vl::function({x}, {x + 1});
  REQUIRE_THROWS_WITH(f(random_array({3}, 1)), Catch::Contains("rank"));
  REQUIRE_THROWS_WITH(f(random_array({3, 3}, 1, vl::Order::C, vl::f64)), Catch::Contains("float64") && Catch::Contains("f32"));
  auto v = vl::fvector("v");
  const vl::Function third = vl::function({v}, {vl::index(v, {2}) * 2});
  REQUIRE(vl::Array(third(random_array({3}, 1))).rank() == 0);
  REQUIRE_THROWS_WITH(third(random_array({2}, 1)), Catch::Contains("size 2"));
  const vl::Function most = vl::function({v}, {vl::max(v)});
  REQUIRE_THROWS_WITH(most(random_array({0}, 1)), Catch::Contains("empty"));
  auto n = vl::fvector("n"), m = vl::fvector("m");
  const vl::Function g = vl::function({n, m}, {n + m});
  REQUIRE_THROWS_WITH(g(random_array({3}, 1), random_array({4}, 1)), Catch::Contains("3") && Catch::Contains("4"));
}

TEST_CASE("temporaries of a chain share memory: written over their operands where the kernel only maps") {
  auto x = vl::fvector("x");
  Expr e = x;
  for (int k = 0; k < 6; ++k) e = vl::flip(vl::exp(e / 8), 0);  // flips keep the steps apart
  const vl::Graph graph = vl::Graph::make({x}, {vl::exp(e)});
  vl::FunctionOptions options;
  options.optimise = false;
  const vl::Function f = vl::compile(graph, options);
  const Array a = random_array({100000}, 20);
  REQUIRE(f.toposort().size() >= 6);
  REQUIRE(f.memory({a}).temporaries <= 2 * 100032 * 4);
  check_same({x}, {vl::exp(e)}, {a});
  auto y = vl::fvector("y");
  vl::FunctionOptions unfused;
  unfused.fuse = false;
  unfused.optimise = false;
  const vl::Function g = vl::compile(vl::Graph::make({y}, {vl::exp(vl::sqrt(vl::abs(vl::exp(y) + 1)))}), unfused);
  REQUIRE(g.memory({a}).temporaries <= 100032 * 4);
}

TEST_CASE("shared variables and updates: simultaneous, all or nothing") {
  const auto a = vl::shared(2.0f, "a"), b = vl::shared(3.0f, "b");
  auto x = vl::fscalar("x");
  const vl::Function swap = vl::function({x}, {a * b + x}, {.updates = {{a, b + 0 * x}, {b, a + 0 * x}}});
  const Array one = Array::scalar(1.0f);
  REQUIRE(Array(swap(one)).item<float>() == 7.0f);
  REQUIRE(a.get_value().item<float>() == 3.0f);
  REQUIRE(b.get_value().item<float>() == 2.0f);
  auto v = vl::fvector("v");
  auto w = vl::shared(random_array({5}, 21), "w");
  const vl::Function add = vl::function({v}, {}, {.updates = {{w, w + v}}});
  const Array before = w.get_value(true);
  const Array kept = before.copy();
  REQUIRE_THROWS_AS(add(random_array({4}, 22)), vl::UserError);
  REQUIRE(vl::same_bits(w.get_value(), kept));
  add(random_array({5}, 22));
  REQUIRE(vl::same_bits(before, kept));  // updates replace the value, they never write into it
  REQUIRE(!vl::same_bits(w.get_value(), kept));
  w.set_value(random_array({4}, 23));
  add(random_array({4}, 22));
  REQUIRE_THROWS_AS(w.set_value(Array::scalar(1.0f)), vl::UserError);
}

TEST_CASE("a mutable argument is written over by a borrowed output") {
  auto x = vl::fvector("x");
  const vl::Function f = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(vl::exp(x), {.borrow = true})});
  const Array a = random_array({1000}, 24);
  const Array copy = a.copy();
  const Array result = f(a);
  REQUIRE(result.raw() == a.raw());
  REQUIRE(vl::same_bits(Array(vl::function({x}, {vl::exp(x)})(copy)), a));
}

TEST_CASE("plan, progress and the limit of a call") {
  auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::sum(x)});
  REQUIRE_THAT(f.plan().text, Catch::Contains("Leaves{sum}"));
  const Array a = random_array({100000}, 25);
  double last = 0;
  f.call({a}, {.progress = [&](double done) { last = done; }});
  REQUIRE(last == 1.0);
  REQUIRE_THROWS_AS(vl::function({x}, {x * 2}).call({a}, {.memory = 1000}), vl::RuntimeError);
  vl::CancelToken token;
  token.cancel();
  REQUIRE_THROWS_AS(f.call({a}, {.cancel = &token}), vl::RuntimeError);
}

TEST_CASE("a call asks its token between pieces of one kernel, on the caller's thread too") {
  auto x = vl::fvector("x");
  const auto f = vl::function({x}, {vl::exp(x), vl::sum(x)});
  const Array a = random_array({2'000'000}, 30);
  struct State {
    std::thread::id caller = std::this_thread::get_id();
    std::atomic<int> asked{0}, by_caller{0};
    int stop_at = 0;
  };
  const auto poll = [](void* p) {
    auto& state = *static_cast<State*>(p);
    state.by_caller += std::this_thread::get_id() == state.caller ? 1 : 0;
    return ++state.asked == state.stop_at;
  };
  for (int threads : {1, 2}) {
    State state, stopping;
    vl::CancelToken token(poll, &state);
    const auto whole = f.call({a}, {.cancel = &token, .threads = threads});
    REQUIRE(state.asked > 3);
    REQUIRE(state.by_caller > 0);
    REQUIRE(same_bits(whole[1], f.call({a})[1]));
    stopping.stop_at = 3;
    vl::CancelToken stop(poll, &stopping);
    REQUIRE_THROWS_AS(f.call({a}, {.cancel = &stop, .threads = threads}), vl::RuntimeError);
    REQUIRE(stop.cancelled());
  }
}

TEST_CASE("arrays read across their order, too large for the cache") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  auto t = vl::ftensor3("t");
  check_same({x, y}, {x + vl::transpose(y)}, {random_array({700, 513}, 31), random_array({513, 700}, 32)});
  check_same({x, y}, {x - vl::mean(vl::transpose(y), 0)}, {random_array({5, 700}, 33), random_array({700, 513}, 34)});
  check_same({x, y}, {(x * vl::transpose(y)) - vl::mean(vl::transpose(y), 0)},
             {random_array({512, 700}, 35), random_array({700, 512}, 36)});
  check_same({t}, {vl::exp(vl::dimshuffle(t, {2, 0, 1})), vl::sum(vl::dimshuffle(t, {2, 1, 0}), 1)}, {random_array({67, 50, 101}, 37)});
}

TEST_CASE("a value needed before and after a reduction waits in the same kernel") {
  auto x = vl::fmatrix("x");
  auto z = vl::fmatrix("z");
  const auto rows = vl::ReduceOptions{.keepdims = true};
  const auto e = vl::exp(x - vl::max(x, 1, rows));
  const vl::Function softmax = vl::function({x}, {e / vl::sum(e, 1, rows)});
  CHECK(softmax.toposort().size() == 1);
  check_same({x}, {e / vl::sum(e, 1, rows)}, {random_array({9, 700}, 41)});
  check_same({x}, {e / vl::sum(e, 1, rows), vl::log(e) * vl::sum(e, 1, rows)}, {random_array({3, 45}, 42)});
  check_same({x}, {vl::exp(x) / vl::sum(x, 1, rows)}, {random_array({5, 33}, 43)});
  // Along the slow axis, inside and outside of a pass over it; complex values have two parts.
  const auto u = vl::exp(x);
  check_same({x, z}, {vl::sum(u * vl::sum(u * z, 1, rows), 0)}, {random_array({40, 70}, 44), random_array({40, 70}, 45)});
  const auto c = vl::exp(vl::cast(x, vl::c64) * vl::cast(z, vl::c64));
  check_same({x, z}, {c / vl::sum(c, 1, rows)}, {random_array({4, 37}, 46), random_array({4, 37}, 47)});
}

TEST_CASE("more reductions than one kernel may hold are spread over several") {
  auto x = vl::fvector("x");
  auto m = vl::fmatrix("m");
  std::vector<Expr> sums, complex_sums;
  for (int k = 0; k < 70; ++k) sums.push_back(vl::sum(x * (k + 2)));
  for (int k = 0; k < 20; ++k) complex_sums.push_back(vl::sum(vl::cast(x, vl::c64) * (k + 2)));
  check_same({x}, sums, {random_array({100}, 51)});
  check_same({x}, complex_sums, {random_array({100}, 52)});
  Expr total = vl::sum(m, 1);
  for (int k = 0; k < 70; ++k) total = total + vl::sum(m * (k + 2), 1);
  const vl::Function f = vl::function({m}, {total});
  CHECK(f.explain().find("would keep more than 16 running values") != std::string::npos);
  check_same({m}, {total}, {random_array({3, 100}, 53)});
}

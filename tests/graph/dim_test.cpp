// tests/graph/dim_test.cpp: canonical form, folding, text and evaluation of dims.
#include <voxloom/graph/dim.h>
#include <voxloom/graph/error.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <thread>

using namespace voxloom;

namespace {
const Dim n = Dim::symbol("n"), m = Dim::symbol("m");
}

TEST_CASE("equal expressions are one node") {
  CHECK(n + m == m + n);
  CHECK((n + 1) * (n - 1) == n * n - 1);
  CHECK(2 * (n + m) - n - n == 2 * m);
  CHECK(n - n == Dim(0));
  CHECK_FALSE(n == m);
  CHECK((n + 5 - n).constant() == 5);
  CHECK(Dim::parse("m*n") == n * m);
  CHECK_FALSE(Dim::fresh() == Dim::fresh());
}

TEST_CASE("floor_div folds") {
  CHECK(floor_div(7, 2) == Dim(3));
  CHECK(floor_div(-7, 2) == Dim(-4));
  CHECK(floor_div(2 * n, 2) == n);
  CHECK(floor_div(2 * n + 5, 2) == n + 2);
  CHECK(floor_div(n * m * 6, n * 3) == 2 * m);
  CHECK(floor_div(floor_div(n, 2), 3) == floor_div(n, 6));
  CHECK(floor_div(floor_div(n + 1, 2) + 1, 2) == floor_div(n + 3, 4));
  CHECK(floor_div(2 * n + 1, 4) == floor_div(n, 2));
  CHECK(floor_div(n, n) == Dim(1));
  CHECK(ceil_div(n, 1) == n);
  CHECK(ceil_div(n, 2).str() == "floor_div(n + 1, 2)");
  CHECK_THROWS_AS(floor_div(n, 0), UserError);
}

TEST_CASE("max and min fold") {
  CHECK(max(n, n) == n);
  CHECK(max(3, 5) == Dim(5));
  CHECK(min(3, 5) == Dim(3));
  CHECK(max(n + 1, n) == n + 1);
  CHECK(max(n, 0) == n);
  CHECK(max(n, m) == max(m, n));
  CHECK(max(max(n, m), n) == max(n, m));
  CHECK(max(max(n - 1, 0) - 1, 0) == max(n - 2, 0));
  CHECK(max(n - 1, 0).str() == "max(0, n - 1)");
  CHECK(max(n, 1) == max(n - 1, 0) + 1);
  CHECK(min(n, 3).str() == "min(3, n)");
  CHECK(min(n - 1, 2) == min(n, 3) - 1);
  CHECK(max(min(n, 3), 0) == min(n, 3));
  CHECK(max(max(n + 2, m + 3), 0) == max(n + 2, m + 3));
  CHECK(max(max(n, m), 0) == max(n, m));
}

TEST_CASE("text") {
  CHECK((n + 2 * m - 1).str() == "2*m + n - 1");
  CHECK((Dim(0) - n).str() == "-n");
  CHECK(Dim(0).str() == "0");
  CHECK(Dim::symbol("odd name").str() == "\"odd name\"");
  CHECK(Dim::parse("-9223372036854775808").constant() == INT64_MIN);
  CHECK(Dim::parse(" 2 * (n+1) - n ") == n + 2);
  CHECK(Dim::parse("#123456") == Dim::parse("#123456"));
  for (const char* bad :
       {"", "n +", "max(n)", "floor_div(n, 0)", "floor_div(n, 1, 2)", "9223372036854775808", "n n", "sin(n)", "#", "(n"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(Dim::parse(bad), UserError);
  }
  CHECK_THROWS_AS(Dim::parse(std::string(100000, '(')), UserError);
}

TEST_CASE("a fresh symbol read from a text stays different from new ones") {
  const Dim read = Dim::parse("#1000000");
  for (int i = 0; i < 3; ++i) CHECK_FALSE(Dim::fresh() == read);
}

TEST_CASE("evaluation") {
  CHECK((n + 2 * m - 1).evaluate({{"n", 3}, {"m", 4}}) == 10);
  CHECK(max(n - 5, 0).evaluate({{"n", 3}}) == 0);
  CHECK_THROWS_WITH((n + m).evaluate({{"n", 3}}), Catch::Contains("\"m\" has no value"));
  CHECK_THROWS_AS((n * n).evaluate({{"n", int64_t{1} << 40}}), UserError);
  CHECK_THROWS_AS(Dim(INT64_MAX) + 1, UserError);
  CHECK_THROWS_AS(n.evaluate({{"n", -1}}), UserError);
  CHECK((n * m + n).symbols().size() == 2);
}

TEST_CASE("expressions do not grow without bound") {
  Dim d = n;
  const auto grow = [&] {
    for (int i = 0; i < 1000; ++i) d = floor_div(d * m + 1, n + d);
  };
  CHECK_THROWS_AS(grow(), UserError);
}

TEST_CASE("random expressions: text round trip and the value of the canonical form") {
  const auto seed = GENERATE(range(0u, 200u));
  std::mt19937 rng(seed);
  const auto pick = [&](int count) { return static_cast<int>(rng() % static_cast<unsigned>(count)); };
  const DimBindings at = {{"n", pick(20)}, {"m", pick(20)}};
  std::vector<std::pair<Dim, int64_t>> pool = {{n, at.at("n")}, {m, at.at("m")}, {2, 2}, {3, 3}, {Dim(-4), -4}};
  for (int i = 0; i < 12; ++i) {
    const auto a = pool[static_cast<size_t>(pick(static_cast<int>(pool.size())))];
    const auto b = pool[static_cast<size_t>(pick(static_cast<int>(pool.size())))];
    if (std::abs(a.second) > 100000 || std::abs(b.second) > 100000) continue;
    const int64_t c = 1 + pick(7);
    switch (pick(6)) {
      case 0: pool.emplace_back(a.first + b.first, a.second + b.second); break;
      case 1: pool.emplace_back(a.first - b.first, a.second - b.second); break;
      case 2: pool.emplace_back(a.first * b.first, a.second * b.second); break;
      case 3: pool.emplace_back(max(a.first, b.first), std::max(a.second, b.second)); break;
      case 4: pool.emplace_back(min(a.first, b.first), std::min(a.second, b.second)); break;
      default: pool.emplace_back(floor_div(a.first, c), (a.second - ((a.second % c) + c) % c) / c); break;
    }
    CAPTURE(seed, pool.back().first.str());
    CHECK(pool.back().first.evaluate(at) == pool.back().second);
    CHECK(Dim::parse(pool.back().first.str()) == pool.back().first);
  }
}

TEST_CASE("interning is thread-safe") {
  std::vector<std::thread> threads;
  std::vector<Dim> results(4);
  for (size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&results, t] {
      Dim sum = 0;
      for (int i = 0; i < 200; ++i) sum = sum + Dim::symbol("s" + std::to_string(i % 20)) * i;
      results[t] = sum;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const Dim& d : results) CHECK(d == results[0]);
}

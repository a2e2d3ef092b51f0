// tests/ops/interpret_test.cpp: the interpreter on graphs: strides, byte order, symbolic sizes, the order of reductions.
#include "check.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace voxloom;
using namespace voxloom::test;

TEST_CASE("one expression with operators and host numbers") {
  const Expr x = vector("x");
  const Expr e = (x + 1) * 2 - x / 4;
  CHECK(e.dtype() == DType::f32);
  CHECK(values<float>(e, {{x, array<float>({1, 2, -3})}}) == std::vector<float>{3.75f, 5.5f, -3.25f});
}

TEST_CASE("inputs are read through any strides and byte order") {
  const Expr x = imatrix("x");
  const std::vector<int32_t> data = {1, 2, 3, 4, 5, 6};
  auto* bytes = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(data.data()));
  const auto run = [&](const StridedView& view) {
    return elements<int32_t>(interpret(Graph::make({x}, {x + 1}), std::vector<StridedView>{view})[0]);
  };
  CHECK(run({bytes, DType::i32, {3, 2}, {4, 12}, false}) == std::vector<int32_t>{2, 5, 3, 6, 4, 7});         // transposed
  CHECK(run({bytes + 20, DType::i32, {2, 3}, {-12, -4}, false}) == std::vector<int32_t>{7, 6, 5, 4, 3, 2});  // flipped
  CHECK(run({bytes, DType::i32, {2, 2}, {0, 4}, false}) == std::vector<int32_t>{2, 3, 2, 3});                // repeated
  const std::vector<uint32_t> swapped = {0x01000000, 0x02010000};
  auto* big = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(swapped.data()));
  CHECK(run({big, DType::i32, {1, 2}, {8, 4}, true}) == std::vector<int32_t>{2, 259});
}

TEST_CASE("sizes are bound from the arguments and must agree") {
  const Expr x = fmatrix("x", {"n", 3}), y = fvector("y", {"n"});
  const Graph graph = Graph::make({x, y}, {sum(x, 1) + y});
  const HostArray a = array<float>({1, 2, 3, 4, 5, 6}, {2, 3}), b = array<float>({10, 20});
  CHECK(elements<float>(interpret(graph, std::vector<StridedView>{a.view(), b.view()})[0]) == std::vector<float>{16, 35});
  const HostArray c = array<float>({1, 2, 3});
  CHECK(user_error([&] { interpret(graph, std::vector<StridedView>{a.view(), c.view()}); }).find("y has size 3 on axis 0, where n = 2") !=
        std::string::npos);
  const HostArray d = array<float>({1, 2}, {1, 2});
  CHECK(user_error([&] { interpret(graph, std::vector<StridedView>{d.view(), b.view()}); }).find("its type says 3") != std::string::npos);
  CHECK(user_error([&] { interpret(graph, std::vector<StridedView>{a.view()}); }).find("takes 2 arguments") != std::string::npos);
}

TEST_CASE("a symbolic size of 1 does not broadcast silently") {
  const Expr x = vector("x"), y = vector("y");
  const std::string text = user_error([&] { eval(x + y, {{x, array<float>({1, 2})}, {y, array<float>({1})}}); });
  CHECK(text.find("declare") != std::string::npos);
  const Expr one = vector("one", {1});
  CHECK(values<float>(x + one, {{x, array<float>({1, 2})}, {one, array<float>({5})}}) == std::vector<float>{6, 7});
}

TEST_CASE("long sums follow the defined order") {
  const int64_t n = 4096;  // 16 leaves of 256
  std::vector<double> data(static_cast<size_t>(n));
  for (size_t k = 1; k < data.size(); k += 2) data[k] = 0x1p-53;
  data[0] = 1.0;
  // 32 lanes: the 1 stands in lane 0, the small ones in the odd lanes, and nothing is lost.
  CHECK(values<double>(sum(vec(data)))[0] == 1.0 + 0x1p-42);
  // Along another axis than the fastest one a leaf has one state: 1 + 2^-53 rounds to 1 throughout the first leaf.
  std::vector<double> twice;
  for (const double value : data) twice.insert(twice.end(), 2, value);
  CHECK(values<double>(sum(constant(twice, {n, 2}), 0))[1] == 1.0 + 15 * 0x1p-46);
  // An axis of the constant size 1 does not count as the fastest.
  CHECK(values<double>(sum(constant(data, {n, 1}), 0))[0] == 1.0 + 0x1p-42);
}

TEST_CASE("reductions of nothing") {
  const Expr x = vector("x");
  const Bound none = {{x, array<float>({})}};
  CHECK(values<float>(sum(x), none)[0] == 0);
  CHECK_FALSE(std::signbit(values<float>(sum(x), none)[0]));
  CHECK(values<float>(prod(x), none)[0] == 1);
  CHECK(std::isnan(values<float>(mean(x), none)[0]));
  CHECK(std::isnan(values<float>(var(x), none)[0]));
  CHECK(values<bool>(any(x), none)[0] == false);
  CHECK(values<bool>(all(x), none)[0] == true);
  CHECK(user_error([&] { eval(min(x), none); }).find("min: has no value for 0 elements") == 0);
  CHECK(user_error([&] { eval(argmax(x), none); }).find("argmax: has no value for 0 elements") == 0);
}

TEST_CASE("variance of shifted data is exact where naive sums are not") {
  const Expr x = vec<float>({1e8f, 1e8f + 8, 1e8f + 16});
  CHECK(values<float>(var(x))[0] == Approx(128.0 / 3));
  CHECK(values<float>(var(x, {}, {.ddof = 1}))[0] == 64.0f);
  CHECK(values<float>(voxloom::std(x, {}, {.ddof = 1}))[0] == 8.0f);
  std::vector<double> many(3000, 1e10);
  CHECK(values<double>(var(vec(many)))[0] == 0.0);
  for (size_t k = 0; k < many.size(); ++k) many[k] += static_cast<double>(k % 3);
  CHECK(values<double>(var(vec(many)))[0] == Approx(2.0 / 3).epsilon(1e-9));
}

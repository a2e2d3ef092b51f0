// tests/graph/text_test.cpp: graphs print and parse back; malformed texts are refused with their position.
#include "rows.h"

#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>

#include <catch2/catch.hpp>

#include <bit>
#include <cstring>
#include <limits>
#include <random>

using namespace voxloom;

namespace {

Graph parse(std::string_view text) { return parse_graph(text, rows::lookup); }

void check_round_trip(const Graph& g) {
  const std::string text = to_text(g);
  CAPTURE(text.substr(0, 2000));
  const Graph back = parse(text);
  CHECK(verify(back).empty());
  CHECK(to_text(back) == text);
  CHECK(back.structural_hash() == g.structural_hash());
}

template <class T> Expr list(std::vector<T> values) {
  StridedView view{reinterpret_cast<std::byte*>(values.data()),
                   dtype_of<T>,
                   {static_cast<int64_t>(values.size())},
                   {static_cast<int64_t>(sizeof(T))},
                   false};
  return make_constant(constant_op(), view);
}

Graph random_graph(uint32_t seed) {
  std::mt19937 rng(seed);
  const auto pick = [&](size_t count) { return rng() % count; };
  const std::vector<Expr> inputs = {rows::vector("a"), rows::vector("b.c"), rows::vector("two words"), rows::vector("a")};
  std::vector<Expr> pool = inputs;
  pool.push_back(make_scalar_bits(f32, static_cast<uint32_t>(rng())));
  const size_t count = 3 + pick(40);
  for (size_t i = 0; i < count; ++i) {
    const Expr &x = pool[pick(pool.size())], &y = pool[pick(pool.size())];
    switch (pick(6)) {
      case 0: pool.push_back(make_node(rows::neg, {x})); break;
      case 1:
        pool.push_back(make_node(
            rows::sum, {x}, {{"axes", std::vector<int64_t>{0, -1}}, {"keepdims", pick(2) == 0}, {"f", static_cast<double>(pick(5)) / 3}}));
        break;
      case 2:
        pool.push_back(make_node(rows::loop, {x},
                                 {{"body", std::make_shared<const Graph>(Graph::make({inputs[0]}, {make_node(rows::neg, {inputs[0]})}))}}));
        break;
      case 3: pool.push_back(with_name(*make_node(rows::mul, {x, y}), "r\"esult\n")); break;
      default: pool.push_back(make_node(rows::add, {x, y})); break;
    }
  }
  return Graph::make(inputs, {pool.back(), pool[pool.size() / 2]});
}

}  // namespace

TEST_CASE("the text of a graph") {
  const Expr a = make_input("a", Type{f32, {Dim::symbol("n"), 784}});
  const Expr sum =
      make_node(rows::sum, {make_node(rows::mul, {a, make_scalar(f32, 2)})}, {{"axes", std::vector<int64_t>{1}}, {"keepdims", false}});
  const Graph g = Graph::make({a}, {sum});
  CHECK(to_text(g) ==
        "graph {\n"
        "  %a = input \"a\" : f32[n, 784]\n"
        "  %1 = constant 2 : f32[]\n"
        "  %2 = mul(%a, %1) : f32[n, 784]\n"
        "  %3 = sum(%2) {axes=[1], keepdims=false} : f32[]\n"
        "  return %3\n"
        "}\n");
  check_round_trip(g);
}

TEST_CASE("a size as a value") {
  const Expr a = rows::vector("a"), n = make_size(a.shape()[0] * Dim(2) + Dim(1));
  check_round_trip(Graph::make({a}, {a, n}));
  CHECK(Graph::make({a}, {n, make_size(a.shape()[0] * Dim(2) + Dim(1))}).size() == 2);
  CHECK(constant_of(*make_size(7)) != nullptr);
  CHECK(n.dtype() == i64);
  CHECK_THROWS_AS(parse("graph {\n  %1 = size from \"n\" : f32[]\n  return %1\n}\n"), UserError);
  CHECK_THROWS_AS(parse("graph {\n  %1 = size from \"n +\" : i64[]\n  return %1\n}\n"), UserError);
  CHECK_THROWS_AS(parse("graph {\n  %1 = size : i64[]\n  return %1\n}\n"), UserError);
}

TEST_CASE("random graphs survive the round trip") {
  const auto seed = GENERATE(range(0u, 150u));
  CAPTURE(seed);
  check_round_trip(random_graph(seed));
}

TEST_CASE("constants are exact") {
  const float nan_with_payload = std::bit_cast<float>(0xffc01234u);
  check_round_trip(Graph::make(
      {}, {list<float>({0.1f, -0.0f, std::numeric_limits<float>::infinity(), nan_with_payload, std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()})}));
  check_round_trip(Graph::make({}, {list<double>({0.1, -1e300, 5e-324, std::numeric_limits<double>::quiet_NaN()})}));
  check_round_trip(Graph::make({}, {list<int64_t>({INT64_MIN, INT64_MAX, 0})}));
  check_round_trip(Graph::make({}, {list<uint64_t>({UINT64_MAX})}));
  check_round_trip(Graph::make({}, {list<int8_t>({-128, 127})}));
  check_round_trip(Graph::make({}, {list<std::complex<float>>({{1, -2}, {0.5f, 3}})}));
  check_round_trip(Graph::make({}, {list<int16_t>(std::vector<int16_t>(1000, -3)), list<float>({})}));
  check_round_trip(Graph::make({}, {make_scalar(boolean, 1), make_scalar(c128, 2.5)}));
}

TEST_CASE("every kind of attribute survives") {
  const Expr a = rows::vector("a");
  const Attrs attrs = {{"b", true},
                       {"c", -0.0},
                       {"d", 1e300},
                       {"e", std::string("x\\\"\x01é")},
                       {"f", c64},
                       {"g", std::vector<int64_t>{}},
                       {"h", std::vector<Dim>{Dim::symbol("n") - 1, 4}},
                       {"i", std::vector<Dim>{}},
                       {"j", INT64_MIN},
                       {"k", 3.0},
                       {"l", std::numeric_limits<double>::infinity()},
                       {"odd key", boolean},
                       {"m", -std::numeric_limits<double>::infinity()},
                       {"n", std::numeric_limits<double>::quiet_NaN()}};
  check_round_trip(Graph::make({a}, {make_node(rows::sum, {a}, attrs)}));
}

TEST_CASE("types with order, axis names and fresh sizes survive") {
  const Expr image = make_input("bold", Type{i16, {64, 64, Dim::fresh()}, Order::F, {"x", "", "t"}});
  check_round_trip(Graph::make({image}, {make_node(rows::neg, {image})}));
}

TEST_CASE("malformed texts are refused with line and column") {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "1:1: expected \"graph {\""},
      {"graph {", "return"},
      {"graph {\n  %a = input \"a\" : f32[n\n  return %a\n}", "3:3: expected \",\""},
      {"graph {\n  %1 = sin(%a) : f32[n]\n  return %1\n}", "2:8: unknown op \"sin\""},
      {"graph {\n  %1 = neg(%a) : f32[n]\n  return %1\n}", "2:12: %a is not defined above"},
      {"graph {\n  %a = input \"a\" : f32[n]\n  %1 = add(%a) : f32[n]\n  return %1\n}", "3:8: add: takes 2 operands, got 1"},
      {"graph {\n  %a = input \"a\" : f32[n]\n  %1 = neg(%a) : f64[n]\n  return %1\n}",
       "3:18: the type is f32[n], but the text says f64[n]"},
      {"graph {\n  %a = input \"a\" : f32[n]\n  %a = input \"a\" : f32[n]\n  return %a\n}", "3:3: %a is defined twice"},
      {"graph {\n  %1 = constant [1, 2] : f32[3]\n  return %1\n}", "holds 2 elements"},
      {"graph {\n  %1 = constant 300 : u8[]\n  return %1\n}", "\"300\" is not a value"},
      {"graph {\n  %1 = constant hex 0 : u8[1]\n  return %1\n}", "two hexadecimal digits"},
      {"graph {\n  %1 = constant 1 : f32[n]\n  return %1\n}", "sizes that are numbers"},
      {"graph {\n  %1 = constant [1] : f32[4000000000, 4000000000, 4000000000]\n  return %1\n}", "too large"},
      {"graph {\n  %w = shared \"w\" from \"\" : f32[]\n  return %w\n}", "its content is not in the text"},
      {"graph {\n  %a = input \"a\" : f32[]\n  return %a\n} x", "expected the end"},
      {"graph {\n  %a = input \"a\" {k=1, k=2} : f32[]\n  return %a\n}", "given twice"},
      {"graph {\n  %a = input \"a\\q\" : f32[]\n  return %a\n}", "unknown escape"},
      {"graph {\n  %a = input \"a : f32[]\n  return %a\n}", "closing quote"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse(text), UserError);
    CHECK_THROWS_WITH(parse(text), Catch::Contains(message));
  }
}

TEST_CASE("cut and corrupted texts never do worse than a UserError") {
  const std::string text = to_text(random_graph(7));
  std::mt19937 rng(1);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string broken = text;
    if (i % 3 == 0) {
      broken.resize(rng() % broken.size());
    } else {
      for (int k = 0; k < 1 + i % 4; ++k)
        broken[rng() % broken.size()] = static_cast<char>(i % 2 == 0 ? rng() % 256 : "{}[]()%=,:\"0 n"[rng() % 14]);
    }
    bool sound = true;
    try {
      sound = verify(parse(broken)).empty();
    } catch (const UserError&) { ++refused; }
    CHECK(sound);
  }
  CHECK(refused > 1000);
}

TEST_CASE("a payload reader makes the leaves that the text only names") {
  struct Slot final : Payload {
    std::string text() const override { return "slot 3"; }
  };
  const auto slot = std::make_shared<const Slot>();
  const Expr w = make_leaf(shared_op(), Type{f32, {}}, "w", slot);
  const Graph g = Graph::make({}, {make_node(rows::neg, {w})});
  CHECK_THAT(to_text(g), Catch::Contains("%w = shared \"w\" from \"slot 3\" : f32[]"));
  const Graph back =
      parse_graph(to_text(g), rows::lookup, [&](const OpInfo&, const std::string& name, const std::string& text, const Type&) {
        CHECK(name == "w");
        CHECK(text == "slot 3");
        return slot;
      });
  CHECK(structurally_equal(g, back));
}

TEST_CASE("sub-graphs are read at most 64 levels deep, on a small stack") {
  const auto nested = [](int levels) {
    std::string text = "graph {\n%a = input \"a\" : f32[]\n";
    for (int i = 0; i < levels; ++i) text += "%1 = loop(%a) {body=graph {\n%a = input \"a\" : f32[]\n";
    for (int i = 0; i < levels; ++i) text += "return %a\n}} : f32[]\n";
    return text + "return %a\n}";
  };
  std::string message;
  size_t size = 0;
  rows::on_small_stack([&] {
    size = parse(nested(63)).size();
    try {
      parse(nested(100000));
    } catch (const UserError& error) { message = error.what(); }
  });
  CHECK(size == 1);
  CHECK_THAT(message, Catch::Contains("64 levels"));
}

TEST_CASE("100 000 nodes print, parse and free under a small stack") {
  bool same = false;
  rows::on_small_stack([&] {
    const Expr a = rows::vector("a");
    Expr x = a;
    for (int i = 0; i < 100000; ++i) x = i % 2 == 0 ? make_node(rows::add, {x, x}) : make_node(rows::neg, {x});
    const Graph g = Graph::make({a}, {x});
    x = Expr();
    same = parse(to_text(g)).structural_hash() == g.structural_hash() && verify(g).empty();
  });
  CHECK(same);
}

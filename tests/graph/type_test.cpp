// tests/graph/type_test.cpp: queries and text of types.
#include <voxloom/graph/error.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/type.h>
#include <catch2/catch.hpp>

using namespace voxloom;

TEST_CASE("types print and read back") {
  const Dim n = Dim::symbol("n");
  const std::vector<Type> types = {{f32, {}, Order::C, {}},
                                   {boolean, {n, 784}, Order::C, {}},
                                   {i16, {64, 64, n}, Order::F, {"x", "y", "t"}},
                                   {c64, {n, max(n - 1, 0)}, Order::F, {"", "two words"}},
                                   {u8, {Dim::symbol("x"), Dim::fresh()}, Order::C, {"x", "x2"}}};
  for (const Type& type : types) {
    const std::string text = type.str();
    CAPTURE(text);
    Lexer lexer(text, "type");
    CHECK(parse_type(lexer) == type);
    CHECK(lexer.at_end());
  }
  CHECK(types[1].str() == "bool[n, 784]");
  CHECK(types[2].str() == "i16[x:64, y:64, t:n]F");
}

TEST_CASE("malformed types are refused") {
  for (const char* bad : {"f33[]", "f32", "f32[n", "f32[n,]", "f32[x:1, 2]", "f32[1,1,1,1,1,1,1,1,1]", "f16[]"}) {
    CAPTURE(bad);
    Lexer lexer(bad, "type");
    CHECK_THROWS_AS(parse_type(lexer), UserError);
  }
}

TEST_CASE("queries") {
  const Type image{f32, {2, 3, 4}, Order::F, {"x", "", "t"}};
  CHECK(image.axis_named("t") == 2);
  CHECK(image.axis_named("") == -1);
  CHECK(image.fastest_first() == std::vector<int>{0, 1, 2});
  CHECK(Type{f32, {2, 3}}.fastest_first() == std::vector<int>{1, 0});
  CHECK(image.size().constant() == 24);
}

// tests/ops/index_test.cpp: take, arrays of integers as indices, elements that are set or increased: values, shapes and messages.
#include "check.h"

#include <voxloom/ops/gradient.h>
#include <voxloom/ops/verify_grad.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Ints = std::vector<int32_t>;
using Longs = std::vector<int64_t>;
using Reals = std::vector<double>;
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
Expr grid() { return constant<int32_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {3, 4}); }
Expr at(const Longs& v) { return vec(v); }
Expr truths(const std::vector<int8_t>& v) { return cast(vec(v), DType::boolean); }
Ints ints(const Expr& e, const Bound& bound = {}) { return values<int32_t>(e, bound); }
std::vector<int8_t> bools(const Expr& e) { return values<int8_t>(cast(e, DType::i8)); }
std::string shape(const Expr& e) { return e.type().str(); }

}  // namespace

TEST_CASE("take along an axis") {
  CHECK(ints(take(grid(), at({2, 0, -1}), 0)) == Ints{8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11});
  CHECK(ints(take(grid(), at({3, -4}), 1)) == Ints{3, 0, 7, 4, 11, 8});
  CHECK(ints(take(grid(), at({-1, 5}))) == Ints{11, 5});
  CHECK(ints(take(grid(), 1, 1)) == Ints{1, 5, 9});
  CHECK(shape(take(grid(), constant<int64_t>({0, 1, 1, 0, 2, 2}, {2, 3}), 0)) == "i32[2, 3, 4]");
  CHECK(shape(take(grid(), constant<int64_t>({0, 1, 1, 0, 2, 2}, {2, 3}), 1)) == "i32[3, 2, 3]");
  CHECK(ints(take(grid(), cast(constant(2, DType::i64), DType::u8), 0)) == Ints{8, 9, 10, 11});  // rank 0: the axis disappears
  CHECK(ints(take(grid(), at({}), 0)).empty());
  CHECK(shape(take(fmatrix("x", {"n", 4}), lvector("i", {"k"}), 0)) == "f32[k, 4]");
  for (const DType t : {DType::i8, DType::i16, DType::i32, DType::u8, DType::u16, DType::u32, DType::u64})
    CHECK(ints(take(grid(), cast(at({2, 1}), t), 0)) == Ints{8, 9, 10, 11, 4, 5, 6, 7});
}

TEST_CASE("arrays among other indices stand where NumPy puts them") {
  const Expr x = constant<int32_t>(
      [] {
        Ints v(60);
        for (size_t k = 0; k < v.size(); ++k) v[k] = static_cast<int32_t>(k);
        return v;
      }(),
      {3, 4, 5});
  const Expr two = at({0, 2}), column = constant<int64_t>({1, 0}, {2, 1});
  CHECK(ints(index(x, {two, two, two})) == Ints{0, 52});
  CHECK(shape(index(x, {two, two})) == "i32[2, 5]");
  CHECK(shape(index(x, {column, two})) == "i32[2, 2, 5]");
  CHECK(ints(index(x, {column, two, 0})) == Ints{20, 30, 0, 10});
  CHECK(shape(index(x, {Slice{}, two, two})) == "i32[3, 2]");
  CHECK(shape(index(x, {two, Slice{}, two})) == "i32[2, 4]");  // apart: in front
  CHECK(ints(index(x, {two, Slice{0, 2}, two})) == Ints{0, 5, 42, 47});
  CHECK(shape(index(x, {Slice{}, Slice{}, two})) == "i32[3, 4, 2]");
  CHECK(shape(index(x, {0, Slice{}, two})) == "i32[2, 4]");  // the position counts as an array: apart
  CHECK(shape(index(x, {Slice{}, 0, two})) == "i32[3, 2]");
  CHECK(shape(index(x, {newaxis, two, ellipsis, newaxis})) == "i32[1, 2, 4, 5, 1]");
  CHECK(ints(index(x, {ellipsis, Slice{{}, {}, -2}, at({-1})})) == Ints{19, 9, 39, 29, 59, 49});
  CHECK(shape(index(x, {two, newaxis, two})) == "i32[2, 1, 5]");
}

TEST_CASE("names of axes survive where they can") {
  const Expr image = image_input("a", DType::f32, {4, 5, 6}, {"x", "y", "t"});
  CHECK(shape(take(image, at({0, 2}), "t")) == "f32[x:4, y:5, t:2]F");
  CHECK(shape(take(image, constant<int64_t>({0, 1}, {1, 2}), "t")) == "f32[x:4, y:5, :1, :2]F");
  CHECK(shape(take(dvector("lut", {"n"}), image_input("l", DType::u8, {4, 5}, {"x", "y"}), 0)) == "f64[x:4, y:5]F");
  CHECK(shape(take(image, image_input("l", DType::u8, {4, 5}, {"x", "q"}), 1)) == "f32[:4, :4, q:5, t:6]F");
}

TEST_CASE("indices that cannot be") {
  const Expr x = imatrix("x", {3, "n"}), i = lvector("i", {"k"});
  const Bound bound = {{x, array<int32_t>({0, 1, 2, 3, 4, 5}, {3, 2})}, {i, array<int64_t>({1, -4})}};
  const std::string outside = user_error([&] { eval(take(x, i, 0), bound); });
  CHECK(has(outside, "take: index -4 is out of bounds for axis 0 with size 3"));
  CHECK(has(outside, "index_test.cpp:"));
  CHECK(has(user_error([&] { eval(take(x, i + 1, 1), bound); }), "index 2 is out of bounds for axis 1 with size 2"));
  CHECK(has(user_error([&] { eval(inc_subtensor(x, {i}, 1), bound); }), "inc_at: index -4 is out of bounds for axis 0 with size 3"));
  CHECK(has(user_error([&] { eval(take(x, vec<uint64_t>({~uint64_t{0}}), 0), bound); }), "index 9223372036854775807 is out of bounds"));
  CHECK(has(user_error([&] { take(x, fvector("f"), 0); }), "an index of dtype float32"));
  CHECK(has(user_error([&] { take(x, i, 2); }), "axis 2"));
  CHECK(has(user_error([&] { index(x, {i, i, i}); }), "3 indices for an operand of rank 2"));
  CHECK(has(user_error([&] { index(x, {lvector("a", {3}), lvector("b", {4})}); }), "do not broadcast"));
  CHECK(has(user_error([&] { take(x, 3, 0); }), "position 3 of axis 0, which has size 3"));
}

TEST_CASE("elements are set") {
  CHECK(ints(set_subtensor(index(grid(), {1}), 7)) == Ints{0, 1, 2, 3, 7, 7, 7, 7, 8, 9, 10, 11});
  CHECK(ints(set_subtensor(index(grid(), {Slice{}, Slice{1, {}, 2}}), vec<int32_t>({-1, -2}))).size() == 12);
  CHECK(ints(set_subtensor(grid(), {Slice{}, Slice{1, {}, 2}}, vec<int32_t>({-1, -2}))) == Ints{0, -1, 2, -2, 4, -1, 6, -2, 8, -1, 10, -2});
  CHECK(ints(set_subtensor(grid(), {Slice{{}, {}, -1}, 0}, vec<int32_t>({5, 6, 7}))) == Ints{7, 1, 2, 3, 6, 5, 6, 7, 5, 9, 10, 11});
  CHECK(ints(set_subtensor(slice(grid(), 0, {0, 9}), 1)) == Ints(12, 1));  // all there is, and still a slice
  CHECK(ints(set_subtensor(index(index(grid(), {Slice{1, 2}}), {0}), 1)) == Ints(4, 1));
  CHECK(ints(inc_subtensor(index(grid(), {ellipsis, newaxis}), 1))[11] == 12);
  CHECK(ints(set_subtensor(flip(grid(), 1), grid())) == Ints{3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8});
  CHECK(ints(set_subtensor(grid(), {ellipsis}, 1)) == Ints(12, 1));
  CHECK(ints(set_subtensor(grid(), {Slice{2, 2}}, 1)) == ints(grid()));
  CHECK(ints(set_subtensor(grid(), {newaxis, 2, newaxis, Slice{2, {}}}, constant<int32_t>({50, 60}, {1, 1, 2}))) ==
        Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 60});
  CHECK(ints(set_subtensor(grid(), {at({0, 2, 0}), Slice{1, 3}}, constant<int32_t>({1, 2, 3, 4, 5, 6}, {3, 2}))) ==
        Ints{0, 5, 6, 3, 4, 5, 6, 7, 8, 3, 4, 11});
  CHECK(ints(set_subtensor(take(grid(), at({1, -1}), 1), 0)) == Ints{0, 0, 2, 0, 4, 0, 6, 0, 8, 0, 10, 0});
  CHECK(shape(set_subtensor(fmatrix("x", {"n", "m"}), {0}, fvector("y"))) == "f32[n, m]");
  CHECK(bools(set_subtensor(truths({false, false}), {1}, true)) == std::vector<int8_t>{false, true});
}

TEST_CASE("elements are increased, equal indices as often as they come") {
  CHECK(ints(inc_subtensor(index(grid(), {ellipsis, 0}), 100)) == Ints{100, 1, 2, 3, 104, 5, 6, 7, 108, 9, 10, 11});
  CHECK(ints(inc_subtensor(vec<int32_t>({0, 0, 0}), {at({2, 0, 2, 2})}, vec<int32_t>({1, 2, 3, 4}))) == Ints{2, 0, 8});
  CHECK(ints(inc_subtensor(grid(), {at({1, 1}), at({0, -4})}, 1)) == Ints{0, 1, 2, 3, 6, 5, 6, 7, 8, 9, 10, 11});
  CHECK(ints(inc_subtensor(grid(), {at({0, 0}), Slice{2, {}}}, 1)) == Ints{0, 1, 4, 5, 4, 5, 6, 7, 8, 9, 10, 11});
  // Order matters: (1 + 1e16) - 1e16, and (1e16 - 1e16) + 1.
  CHECK(values<double>(inc_subtensor(vec<double>({1, 0}), {at({0, 0, 1, 1, 1})}, vec<double>({1e16, -1e16, 1e16, -1e16, 1}))) ==
        Reals{0, 1});
  CHECK(bools(inc_subtensor(truths({true, false}), {at({0, 1})}, truths({true, true}))) == std::vector<int8_t>{true, true});
  CHECK(values<std::complex<double>>(inc_subtensor(vec<std::complex<double>>({{1, 2}}), {at({0, 0})}, 2)) ==
        std::vector<std::complex<double>>{{5, 2}});
}

TEST_CASE("what cannot be set") {
  const Expr x = fmatrix("x", {3, 4});
  CHECK(has(user_error([&] { set_subtensor(x + 1, 0); }), "add, which chooses no elements"));
  CHECK(has(user_error([&] { set_subtensor(x, 0); }), "input, which chooses no elements"));
  CHECK(has(user_error([&] { set_subtensor(take(transpose(x), at({0}), 0), 0); }), "write set_subtensor(x, {...}, values)"));
  CHECK(has(user_error([&] { set_subtensor(x, {0}, dvector("y", {4})); }), "values of dtype float64 for elements of dtype float32"));
  CHECK(has(user_error([&] { set_subtensor(x, {0}, fvector("y", {5})); }), "5"));
  CHECK(has(user_error([&] { set_subtensor(x, {0}, fmatrix("y", {2, 4})); }), "are chosen"));
  CHECK(has(user_error([&] { set_subtensor(x, {Slice{0, 1}}, fmatrix("y", {3, 4})); }), "are chosen"));
  const Expr n = fvector("v", {"n"}), y = fvector("y", {"m"});
  const auto call = [&](int64_t rows, int64_t given) {
    return user_error([&] {
      eval(set_subtensor(n, {Slice{0, 3}}, y),
           {{n, array(std::vector<float>(static_cast<size_t>(rows)))}, {y, array(std::vector<float>(static_cast<size_t>(given)))}});
    });
  };
  CHECK(call(4, 3).empty());
  CHECK(has(call(4, 2), "has size 2 on axis 0 where 3 elements are set"));
}

TEST_CASE("masks choose what is set") {
  const Expr rows = truths({true, false, true}), odd = eq(grid() % 2, 1);
  CHECK(ints(set_subtensor(grid(), {odd}, 0)) == Ints{0, 0, 2, 0, 4, 0, 6, 0, 8, 0, 10, 0});
  CHECK(ints(inc_subtensor(grid(), {rows}, vec<int32_t>({10, 20, 30, 40}))) == Ints{10, 21, 32, 43, 4, 5, 6, 7, 18, 29, 40, 51});
  CHECK(ints(set_subtensor(grid(), {odd}, vec<int32_t>({50}))) == Ints{0, 50, 2, 50, 4, 50, 6, 50, 8, 50, 10, 50});
  CHECK(ints(set_subtensor(grid(), {rows}, constant<int32_t>({1, 2, 3, 4}, {1, 4}))) == Ints{1, 2, 3, 4, 4, 5, 6, 7, 1, 2, 3, 4});
  CHECK(shape(inc_subtensor(image_input("a", DType::u8, {4, 5, 6}, {"x", "y", "t"}), {image_input("m", DType::boolean, {4, 5}, {"x", "y"})},
                            constant(3, DType::u8))) == "u8[x:4, y:5, t:6]F");
  CHECK(has(user_error([&] {
              set_subtensor(image_input("a", DType::u8, {4, 4}, {"x", "y"}), {image_input("m", DType::boolean, {4, 4}, {"y", "x"})}, 0);
            }),
            "axis y of a mask for axis x of the operand"));
}

TEST_CASE("masks among slices and positions") {
  const Expr rows = truths({true, false, true}), columns = truths({false, true, true, false});
  CHECK(ints(set_subtensor(grid(), {Slice{}, columns}, 0)) == Ints{0, 0, 0, 3, 4, 0, 0, 7, 8, 0, 0, 11});
  CHECK(ints(inc_subtensor(grid(), {ellipsis, columns}, constant<int32_t>({10, 20, 30}, {3, 1}))) ==
        Ints{0, 11, 12, 3, 4, 25, 26, 7, 8, 39, 40, 11});
  CHECK(ints(set_subtensor(grid(), {1, columns}, 0)) == Ints{0, 1, 2, 3, 4, 0, 0, 7, 8, 9, 10, 11});
  CHECK(ints(set_subtensor(grid(), {rows, -1}, 0)) == Ints{0, 1, 2, 0, 4, 5, 6, 7, 8, 9, 10, 0});
  CHECK(ints(inc_subtensor(grid(), {Slice{{}, {}, -1}, columns}, constant<int32_t>({10, 20, 30}, {3, 1}))) ==
        Ints{0, 31, 32, 3, 4, 25, 26, 7, 8, 19, 20, 11});
  CHECK(ints(set_subtensor(grid(), {newaxis, rows, newaxis, Slice{1, 3}}, constant<int32_t>({50, 60}, {1, 1, 2}))) ==
        Ints{0, 50, 60, 3, 4, 5, 6, 7, 8, 50, 60, 11});
  const Expr cube = reshape(constant<int32_t>({0, 1, 2, 3, 4, 5, 6, 7}, {8}), {2, 2, 2}), first = truths({true, false});
  CHECK(ints(set_subtensor(cube, {Slice{}, eq(index(cube, {0}) % 3, 0)}, constant<int32_t>({50, 60}, {2, 1}))) ==
        Ints{50, 1, 2, 50, 60, 5, 6, 60});
  CHECK(ints(set_subtensor(cube, {0, Slice{}, first}, 9)) == Ints{9, 1, 9, 3, 4, 5, 6, 7});
  CHECK(has(user_error([&] { set_subtensor(cube, {0, Slice{}, first}, vec<int32_t>({1, 2})); }), "positions apart from it"));
  CHECK(has(user_error([&] { set_subtensor(cube, {first, at({0})}, 1); }), "beside another array"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {rows, columns}, 1); }), "beside another array"));
}

TEST_CASE("masks that cannot be") {
  const Expr rows = truths({true, false, true}), odd = eq(grid() % 2, 1);
  const std::string refused = user_error([&] { index(grid(), {odd}); });
  CHECK(has(refused, "index: a mask of shape [3, 4] chooses from shape [3, 4] a number of elements that is known only at the call"));
  CHECK(has(refused, "where(mask, x, 0)"));
  CHECK(has(refused, "index_test.cpp:"));
  CHECK(has(user_error([&] { take(grid(), rows, 0); }), "take: a mask"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {odd}, vec<int32_t>({1, 2})); }), "one for each chosen element is not supported"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {rows}, constant<int32_t>({1, 2}, {2, 1})); }), "one for each chosen element"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {rows}, constant<int32_t>({1}, {1, 1, 1})); }), "too many axes"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {rows}, vec<int32_t>({1, 2, 3})); }), "do not broadcast"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {truths({true})}, 1); }), "a mask of shape [1] for axes of shape [3]"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {Slice{}, rows}, 1); }), "a mask of shape [3] for axes of shape [4]"));
  CHECK(has(user_error([&] { set_subtensor(grid(), {0, odd}, 1); }), "3 indices for an operand of rank 2"));
}

TEST_CASE("gradients of indices agree with differences") {
  using Variables = std::vector<Expr>;
  const auto square = [](const Expr& e) { return e * e; };
  const std::vector<std::pair<const char*, std::function<Expr(const Variables&)>>> cases = {
      {"take", [&](const Variables& v) { return square(take(v[0], at({2, 0, 2, -1}), 0)); }},
      {"take 1", [&](const Variables& v) { return square(take(v[0], constant<int64_t>({0, 3, 3, 1}, {2, 2}), 1)); }},
      {"arrays", [&](const Variables& v) { return square(index(v[0], {at({0, 1, 0}), at({3, 3, 3})})); }},
      {"arrays apart", [&](const Variables& v) { return square(index(v[0], {at({0, 1, 0}), newaxis, at({3, 1, 3})})); }},
      {"set row", [&](const Variables& v) { return square(set_subtensor(v[0], {1}, index(v[1], {0}))); }},
      {"set steps",
       [&](const Variables& v) { return square(set_subtensor(v[0], {Slice{}, Slice{{}, {}, -2}}, index(v[1], {ellipsis, Slice{0, 2}}))); }},
      {"set broadcast", [&](const Variables& v) { return square(set_subtensor(v[0], {Slice{1}, Slice{1, 3}}, index(v[1], {0, 0}))); }},
      {"inc", [&](const Variables& v) { return square(inc_subtensor(v[0], {Slice{0, 2}}, index(v[1], {Slice{1}}))); }},
      {"set at", [&](const Variables& v) { return square(set_subtensor(v[0], {at({0, 2, 0})}, v[1])); }},
      {"set at pairs",
       [&](const Variables& v) { return square(set_subtensor(v[0], {at({0, 1, 0}), at({1, 2, 1})}, index(v[1], {ellipsis, 0}))); }},
      {"set at second", [&](const Variables& v) { return square(set_subtensor(v[0], {Slice{}, at({3, 3, 0, 1})}, v[1])); }},
      {"inc at", [&](const Variables& v) { return square(inc_subtensor(v[0], {at({0, 2, 0})}, v[1])); }},
      {"set mask", [&](const Variables& v) { return square(set_subtensor(v[0], {gt(v[0], 0)}, sum(v[1]))); }},
      {"inc mask", [&](const Variables& v) { return square(inc_subtensor(v[0], {1, gt(index(v[1], {0}), 0)}, sum(v[1]))); }},
      {"inc at slice",
       [&](const Variables& v) { return square(inc_subtensor(v[0], {at({0, 2, 0}), Slice{1, 3}}, index(v[1], {Slice{}, Slice{2}}))); }},
  };
  const Reals a = {0.3, -1.2, 2.1, 0.7, -0.4, 1.6, 0.9, -2.2, 1.1, 0.5, -0.8, 1.4};
  Reals b(a.rbegin(), a.rend());
  for (const auto& [name, f] : cases) {
    INFO(name);
    CHECK_NOTHROW(verify_grad(
        [&f = f](const Variables& v) {
          const Expr y = f(v);
          return y + 0 * sum(v.back());  // every case depends on all its variables
        },
        {array(a, {3, 4}), array(b, {3, 4})}));
  }
}

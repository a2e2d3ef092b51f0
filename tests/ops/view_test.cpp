// tests/ops/view_test.cpp: views and moves: values, shapes, names and messages.
#include "check.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Ints = std::vector<int32_t>;
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
Expr grid() { return constant<int32_t>({0, 1, 2, 3, 4, 5}, {2, 3}); }
Ints ints(const Expr& e, const Bound& bound = {}) { return values<int32_t>(e, bound); }

}  // namespace

TEST_CASE("axes are moved, added and dropped") {
  CHECK(ints(transpose(grid())) == Ints{0, 3, 1, 4, 2, 5});
  CHECK(transpose(grid()).type().str() == "i32[3, 2]");
  CHECK(dimshuffle(grid(), {1, -1, 0}).type().str() == "i32[3, 1, 2]");
  CHECK(ints(swapaxes(grid(), 0, 1)) == Ints{0, 3, 1, 4, 2, 5});
  CHECK(moveaxis(itensor3("x", {2, 3, 4}), 0, -1).type().str() == "i32[3, 4, 2]");
  CHECK(squeeze(itensor3("x", {1, 3, 1})).type().str() == "i32[3]");
  CHECK(squeeze(itensor3("x", {1, 3, 1}), 0).type().str() == "i32[3, 1]");
  CHECK(expand_dims(grid(), -1).type().str() == "i32[2, 3, 1]");
  const Expr x = imatrix("x", {2, "n"});
  CHECK(dimshuffle(x, {0, 1}).same_as(x));
  CHECK(has(user_error([&] { dimshuffle(x, {0}); }), "axis 1 of size n cannot be dropped"));
  CHECK(has(user_error([&] { dimshuffle(x, {0, 0, 1}); }), "axis 0 is used twice"));
  CHECK(has(user_error([&] { dimshuffle(x, {0, 2}); }), "axis 2 of an operand of rank 2"));
  CHECK(has(user_error([&] { squeeze(x, 0); }), "has size 2, not 1"));
  const Expr image = image_input("a", DType::i16, {4, 5}, {"x", "y"});
  CHECK(transpose(image, {"y", "x"}).type().str() == "i16[y:5, x:4]F");
}

TEST_CASE("slices") {
  const Expr x = grid();
  CHECK(ints(index(x, {0})) == Ints{0, 1, 2});
  CHECK(ints(index(x, {-1, Slice{}})) == Ints{3, 4, 5});
  CHECK(ints(index(x, {ellipsis, 1})) == Ints{1, 4});
  CHECK(ints(index(x, {ellipsis, Slice{1}})) == Ints{1, 2, 4, 5});
  CHECK(ints(index(x, {Slice{}, Slice{{}, -1}})) == Ints{0, 1, 3, 4});
  CHECK(ints(index(x, {Slice{}, Slice{{}, {}, 2}})) == Ints{0, 2, 3, 5});
  CHECK(ints(index(x, {Slice{}, Slice{{}, {}, -1}})) == Ints{2, 1, 0, 5, 4, 3});
  CHECK(ints(index(x, {Slice{}, Slice{{}, {}, -2}})) == Ints{2, 0, 5, 3});
  CHECK(ints(index(x, {1, Slice{-2, -1}})) == Ints{4});
  CHECK(ints(index(x, {Slice{1, 0}})).empty());
  CHECK(index(x, {newaxis, 0, ellipsis, newaxis}).type().str() == "i32[1, 3, 1]");
  CHECK(ints(flip(x)) == Ints{5, 4, 3, 2, 1, 0});
  CHECK(ints(flip(x, 0)) == Ints{3, 4, 5, 0, 1, 2});
  CHECK(ints(slice(x, 1, Slice{1, 2})) == Ints{1, 4});
  CHECK(index(x, {ellipsis}).type() == x.type());  // a slice of everything, for set_subtensor; canonicalise drops it
  CHECK(has(user_error([&] { index(x, {2}); }), "position 2 of axis 0, which has size 2"));
  CHECK(has(user_error([&] { index(x, {0, 0, 0}); }), "3 indices for an operand of rank 2"));
  CHECK(has(user_error([&] { index(x, {ellipsis, ellipsis}); }), "more than one ellipsis"));
  CHECK(has(user_error([&] { index(x, {Slice{{}, {}, 0}}); }), "the step is 0"));
}

TEST_CASE("slices of every start, stop and step agree with Python's rule") {
  const int n = 5;
  Ints data = {10, 11, 12, 13, 14};
  const Expr x = ivector("x", {"n"}), fixed = vec(data);
  const auto python = [&](std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step) {
    const auto clamp = [&](std::optional<int64_t> v, int64_t absent) {
      if (!v) return absent;
      const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
      return std::clamp(*v < 0 ? *v + n : *v, low, high);
    };
    Ints out;
    const int64_t last = clamp(stop, step > 0 ? n : -1);
    for (int64_t k = clamp(start, step > 0 ? 0 : n - 1); step > 0 ? k < last : k > last; k += step)
      out.push_back(data[static_cast<size_t>(k)]);
    return out;
  };
  std::vector<std::optional<int64_t>> ends = {std::nullopt};
  for (int64_t k = -7; k <= 7; ++k) ends.emplace_back(k);
  for (const int64_t step : {1, 2, 3, -1, -2, -7})
    for (const auto& start : ends)
      for (const auto& stop : ends) {
        INFO("start " << start.value_or(99) << " stop " << stop.value_or(99) << " step " << step);
        const Ints expected = python(start, stop, step);
        REQUIRE(ints(index(fixed, {Slice{start, stop, step}})) == expected);
        REQUIRE(ints(index(x, {Slice{start, stop, step}}), {{x, array(data)}}) == expected);
      }
}

TEST_CASE("symbolic slices and positions") {
  const Expr x = ivector("x", {"n"});
  CHECK(index(x, {Slice{1}}).type().str() == "i32[max(0, n - 1)]");
  CHECK((index(x, {Slice{1}}) - index(x, {Slice{{}, -1}})).rank() == 1);
  CHECK(ints(index(x, {Slice{1}}) - index(x, {Slice{{}, -1}}), {{x, array<int32_t>({1, 4, 9})}}) == Ints{3, 5});
  CHECK(ints(index(x, {-1}), {{x, array<int32_t>({1, 4, 9})}}) == Ints{9});
  CHECK(has(user_error([&] { eval(index(x, {5}), {{x, array<int32_t>({1, 4, 9})}}); }), "which has size 3"));
}

TEST_CASE("reshape keeps the order of the type") {
  CHECK(ints(reshape(grid(), {3, 2})) == Ints{0, 1, 2, 3, 4, 5});
  CHECK(reshape(grid(), {-1, 2}).type().str() == "i32[3, 2]");
  CHECK(ravel(grid()).type().str() == "i32[6]");
  CHECK(has(user_error([&] { reshape(grid(), {4, 2}); }), "another number of elements"));
  CHECK(has(user_error([&] { reshape(grid(), {-1, -1}); }), "only one size can be -1"));
  const Expr image = image_input("a", DType::i32, {2, 3}, {"x", "y"});
  CHECK(ints(ravel(image), {{image, array<int32_t>({0, 1, 2, 3, 4, 5}, {2, 3})}}) == Ints{0, 3, 1, 4, 2, 5});
}

TEST_CASE("broadcast_to") {
  CHECK(ints(broadcast_to(vec<int32_t>({1, 2}), {2, 2})) == Ints{1, 2, 1, 2});
  CHECK(ints(broadcast_to(constant(7, DType::i32), {3})) == Ints{7, 7, 7});
  CHECK(has(user_error([&] { broadcast_to(grid(), {3, 3}); }), "cannot become [3, 3]"));
  CHECK(has(user_error([&] { broadcast_to(grid(), {3}); }), "cannot become [3]"));
}

TEST_CASE("concatenate and stack") {
  const Expr a = vec<int32_t>({1, 2}), b = vec<int32_t>({3});
  CHECK(ints(concatenate({a, b})) == Ints{1, 2, 3});
  CHECK(ints(concatenate({grid(), grid()}, 1)) == Ints{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
  CHECK(ints(stack({a, a + 10})) == Ints{1, 2, 11, 12});
  CHECK(ints(stack({a, a + 10}, -1)) == Ints{1, 11, 2, 12});
  CHECK(concatenate({ivector("x", {"n"}), ivector("y", {"m"})}).type().str() == "i32[m + n]");
  CHECK(concatenate({a, vec<float>({1.5f})}).dtype() == DType::f32);
  CHECK(has(user_error([&] { concatenate({grid(), constant<int32_t>({1, 2}, {1, 2})}); }), "differ beside axis 0"));
  CHECK(has(user_error([&] { concatenate({}); }), "at least one operand"));
  const Expr x = image_input("x", DType::i16, {2, 3}, {"x", "t"});
  CHECK(concatenate({x, x}, "t").type().str() == "i16[x:2, t:6]F");
}

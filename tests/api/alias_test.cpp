// tests/api/alias_test.cpp: who shares memory with whom: shared variables, borrowed and owned outputs, mutable arguments. The cases of Theano's
// page on aliasing, and those that peers got wrong: one borrowed result destroying another, a mutable argument changed through its twin.
#include <voxloom/api/voxloom.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

Array vec(std::vector<float> values) { return Array::from(values); }
float at(const Array& a, int k) { return a.at<float>(k); }

}  // namespace

TEST_CASE("shared(): a copy, unless borrowed") {
  const Array a = vec({1, 2});
  const auto copied = vl::shared(a, "copied"), borrowed = vl::shared(a, "borrowed", {.borrow = true});
  a.set(9.f, 0);
  CHECK(at(copied.get_value(), 0) == 1);
  CHECK(at(borrowed.get_value(), 0) == 9);
  CHECK(borrowed.get_value(true).raw() == a.raw());
}

TEST_CASE("get_value() and set_value(): copies, unless borrowed; a borrowed value cannot be written") {
  const auto w = vl::shared(vec({1, 2}), "w");
  const Array copy = w.get_value();
  copy.set(9.f, 0);
  CHECK(at(w.get_value(), 0) == 1);
  CHECK(w.get_value(true).raw() == w.get_value(true).raw());
  CHECK_THROWS_AS(w.get_value(true).set(9.f, 0), vl::UserError);
  const Array given = vec({5, 6});
  w.set_value(given);
  given.set(0.f, 0);
  CHECK(at(w.get_value(), 0) == 5);
  w.set_value(given, true);
  given.set(3.f, 0);
  CHECK(at(w.get_value(), 0) == 3);
  w.set_value(Array::from({int8_t{4}}));  // converts without loss
  CHECK(at(w.get_value(), 0) == 4);
  CHECK_THROWS_WITH(w.set_value(Array::from({1.0})), Contains("float64") && Contains("w is f32"));
  const auto strict = vl::shared(vec({1}), "s", {.strict = true});
  CHECK_THROWS_WITH(strict.set_value(Array::from({int8_t{4}})), Contains("strict"));
}

TEST_CASE("owned outputs share memory with nothing") {
  const auto x = vl::fvector("x");
  const auto w = vl::shared(vec({1, 2}), "w");
  const vl::Function f = vl::function({x}, {x, w, w, x + w}, {.updates = {{w, x + w}}});
  const Array argument = vec({3, 4});
  std::vector<Array> all = f.call({argument});
  const std::vector<Array> second = f.call({argument});
  all.insert(all.end(), second.begin(), second.end());
  all.push_back(argument);
  all.push_back(w.get_value(true));
  for (size_t j = 0; j < all.size(); ++j) {
    for (size_t k = 0; k < j; ++k) CHECK_FALSE(vl::may_overlap(all[j], all[k]));
  }
  CHECK(at(all[1], 0) == 1);
  CHECK(at(second[1], 0) == 4);
}

TEST_CASE("outputs that are computed from each other, the same expression, or views share memory with nothing, borrowed or not") {
  const auto x = vl::fmatrix("x");
  const auto w = vl::shared(Array::from({1.f, 2.f, 3.f, 4.f}, vl::Dims(2, 2)), "w");
  const auto y = vl::exp(x), next = w + x;
  for (const bool borrow : {false, true}) {
    const vl::OutOptions how{.borrow = borrow};
    const vl::Function f = vl::function({x},
                                        {{y, how},
                                         {y + 1, how},
                                         {y, how},
                                         {vl::transpose(x), how},
                                         {x, how},
                                         {vl::transpose(w), how},
                                         {vl::slice(w, 0, {0, 1}), how},
                                         {next, how}},
                                        {.updates = {{w, next}}});
    const Array argument = Array::from({0.f, 1.f, 2.f, 3.f}, vl::Dims(2, 2));
    const Array old_w = w.get_value(true), old_bits = w.get_value();
    std::vector<Array> all = f.call({argument});
    CHECK(vl::same_bits(all[0], all[2]));
    CHECK(all[1].at<float>(0, 0) == 2);
    CHECK(all[3].at<float>(0, 1) == 2);
    CHECK(vl::same_bits(all[7], w.get_value()));
    CHECK(vl::same_bits(old_w, old_bits));
    all.push_back(argument);
    all.push_back(w.get_value(true));
    all.push_back(old_w);
    for (size_t j = 0; j < all.size(); ++j) {
      for (size_t k = 0; k < j; ++k) CHECK_FALSE(vl::may_overlap(all[j], all[k]));
    }
    // Nor does what the caller writes into a result reach the variable.
    all[7].set(100.f, 0, 0);
    CHECK(w.get_value().at<float>(0, 0) != 100);
  }
}

TEST_CASE("variables that take each other's values do not share them") {
  const auto a = vl::shared(vec({1}), "a"), b = vl::shared(vec({2}), "b"), c = vl::shared(vec({3}), "c");
  const vl::Function rotate = vl::function({}, {}, {.updates = {{a, b}, {b, a}, {c, a}}});
  rotate();
  CHECK(at(a.get_value(), 0) == 2);
  CHECK(at(b.get_value(), 0) == 1);
  CHECK(at(c.get_value(), 0) == 1);
  CHECK_FALSE(vl::may_overlap(b.get_value(true), c.get_value(true)));
  CHECK_FALSE(vl::may_overlap(a.get_value(true), b.get_value(true)));
  // Two variables that were given one array: an update of one leaves the other.
  const Array both = vec({1});
  const auto p = vl::shared(both, "p", {.borrow = true}), q = vl::shared(both, "q", {.borrow = true});
  vl::function({}, {}, {.updates = {{p, p + 1}}})();
  CHECK(at(p.get_value(), 0) == 2);
  CHECK(at(q.get_value(), 0) == 1);
  CHECK(at(both, 0) == 1);
}

TEST_CASE("a borrowed result is not overwritten while somebody holds it, a view or a copy of the handle included") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::Out(x * 2, {.borrow = true}), vl::Out(x * 3, {.borrow = true})});
  const auto f0 = f.call({vec({1, 2})});
  const Array view = f0[1].slice(0, 1, {});
  const auto f1 = f.call({vec({10, 20})});
  CHECK(at(f0[0], 0) == 2);
  CHECK(at(view, 0) == 6);
  CHECK(at(f1[0], 0) == 20);
  // Held by a shared variable alone.
  const auto w = vl::shared(vec({0, 0}), "w");
  w.set_value(Array(f.call({vec({5, 5})})[0]), true);
  f.call({vec({7, 7})});
  f.call({vec({8, 8})});
  CHECK(at(w.get_value(), 0) == 10);
  CHECK_FALSE(f.profile().counters.empty());
}

TEST_CASE("a borrowed buffer is written again when it is free") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::Out(x * 2, {.borrow = true})});
  const auto* const first = f.call({vec({1, 2})})[0].raw();
  CHECK(f.call({vec({3, 4})})[0].raw() == first);
  CHECK(f.profile().counters.empty());
}

TEST_CASE("strict_borrow refuses where another buffer would be taken") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const vl::Function f = vl::function({x}, {vl::Out(x * 2, {.borrow = true})}, {.strict_borrow = true});
  Array held = f(vec({1, 2}));
  CHECK_THROWS_WITH(f(vec({3, 4})), Contains("output 0 is borrowed") && Contains("still held"));
  CHECK(at(held, 0) == 2);
  held = Array();
  CHECK(at(f(vec({3, 4})), 0) == 6);
  const vl::Function g = vl::function({vl::In(x, {.mutable_ = true}), y}, {vl::Out(x + y, {.borrow = true})}, {.strict_borrow = true});
  const Array a = vec({1, 2});
  CHECK_THROWS_WITH(g(a, a), Contains("argument 0 (x) shares memory"));
  CHECK(at(a, 0) == 1);
}

TEST_CASE("a mutable argument that shares bytes with another is not written over") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const vl::Function f = vl::function({vl::In(x, {.mutable_ = true}), y}, {vl::Out(x + y, {.borrow = true})});
  CHECK_THAT(f.plan().text, Contains("written over the argument x"));
  const Array whole = vec({1, 2, 3, 4, 5});
  const Array low = whole.slice(0, 0, 4), high = whole.slice(0, 1, 5);
  const Array sum = f(low, high);
  CHECK(at(sum, 3) == 9);
  CHECK(at(whole, 0) == 1);
  CHECK(at(whole, 4) == 5);
  CHECK_FALSE(vl::may_overlap(sum, whole));
  const Array twin = f(whole, whole);
  CHECK(at(twin, 4) == 10);
  CHECK(at(whole, 4) == 5);
  // Apart, it is written over.
  const Array own = vec({1, 2, 3, 4});
  CHECK(Array(f(own, low)).raw() == own.raw());
  // A shared variable is an argument too.
  const auto w = vl::shared(whole, "w", {.borrow = true});
  const vl::Function g = vl::function({vl::In(x, {.mutable_ = true})}, {vl::Out(x + w, {.borrow = true})});
  CHECK(at(g(whole), 0) == 2);
  CHECK(at(whole, 0) == 1);
  // Read-only and reversed arguments.
  CHECK_FALSE(vl::may_overlap(Array(f(own.as_read_only(), low)), own));
  CHECK_FALSE(vl::may_overlap(Array(f(own.flip(0), low)), own));
}

TEST_CASE("two mutable arguments that look the same: only one is taken") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const vl::Function f = vl::function({vl::In(x, {.mutable_ = true}), vl::In(y, {.mutable_ = true})}, {vl::Out(x + y, {.borrow = true})});
  const Array a = vec({1, 2}), b = vec({10, 20});
  const Array sum = f(a, b);
  CHECK(sum.raw() == a.raw());
  CHECK(at(b, 0) == 10);
  CHECK(at(f(b, b), 0) == 20);
}

TEST_CASE("an input that is an output and borrowed on both sides is handed through") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const Array a = vec({1, 2});
  const vl::Function f =
      vl::function({vl::In(x, {.borrow = true}), y}, {vl::Out(x, {.borrow = true}), x + y, vl::Out(y, {.borrow = true})});
  const auto out = f.call({a, vec({3, 4})});
  CHECK(out[0].raw() == a.raw());
  CHECK(at(out[1], 1) == 6);
  CHECK(at(out[2], 1) == 4);
  CHECK_THAT(f.plan().text, Contains("output 0 is the argument x itself"));
  std::vector<Array> places = {vec({0, 0}), vec({0, 0}), vec({0, 0})};
  f.call({a, vec({3, 4})}, {.out = places});
  CHECK(at(places[0], 1) == 2);
  CHECK_FALSE(vl::may_overlap(places[0], a));
  CHECK(Array(vl::function({vl::In(x, {.borrow = true})}, {vl::Out(x, {.borrow = true})})(a)).raw() == a.raw());
}

TEST_CASE("out= that overlaps an argument, a shared value or another output") {
  const auto x = vl::fvector("x");
  const Array whole = vec({1, 2, 3, 4});
  const auto w = vl::shared(whole.slice(0, 0, 3), "w", {.borrow = true});
  const vl::Function f = vl::function({x}, {vl::flip(w, 0) + x});
  std::vector<Array> out = {whole.slice(0, 1, 4)};
  f.call({vec({0, 0, 0})}, {.out = out});
  CHECK(at(out[0], 0) == 3);
  CHECK(at(out[0], 1) == 2);
  CHECK(at(out[0], 2) == 1);
  const vl::Function two = vl::function({x}, {x + 1, x + 2});
  std::vector<Array> same = {whole, whole.slice(0, 0, 4)};
  CHECK_THROWS_WITH(two.call({vec({1, 2, 3, 4})}, {.out = same}), Contains("share memory"));
}

TEST_CASE("temporaries given back or kept: the same results, whatever is called in between") {
  const auto x = vl::fvector("x");
  auto e = vl::exp(x);
  for (int k = 0; k < 4; ++k) e = vl::flip(vl::sqrt(vl::abs(e) + 1), 0);
  for (const bool gc : {true, false}) {
    const vl::Function f = vl::function({x}, {e, vl::sum(e)}, {.fuse = false, .allow_gc = gc});
    const auto first = f.call({vec({1, 2, 3})});
    f.call({vec({4, 5, 6, 7})});
    const auto again = f.call({vec({1, 2, 3})});
    CHECK(vl::same_bits(first[0], again[0]));
    CHECK(vl::same_bits(first[1], again[1]));
  }
}

TEST_CASE("borrowing functions called from many threads at once give each caller its own") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {vl::Out(vl::exp(x), {.borrow = true}), vl::sum(x)});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Array argument = vec(std::vector<float>(200, static_cast<float>(t)));
      Array held = f.call({argument})[0];
      const Array expected = held.copy();
      for (int k = 0; k < 300; ++k) {
        const auto out = f.call({argument});
        if (!vl::same_bits(out[0], expected) || out[1].item<float>() != 200.f * static_cast<float>(t)) ++wrong;
        if (!vl::same_bits(held, expected)) ++wrong;
        if (k % 3 == 0) held = out[0];
      }
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

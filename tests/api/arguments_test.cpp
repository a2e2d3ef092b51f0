// tests/api/arguments_test.cpp: inputs by position, name and default; conversions; outputs one, list, named, none; givens; unused inputs; copies.
#include <voxloom/api/voxloom.h>
#include <voxloom/graph/safe_cast.h>

#include <catch2/catch.hpp>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

Array vec(std::vector<float> values) { return Array::from(values); }
float at(const Array& a, int k) { return a.at<float>(k); }

}  // namespace

TEST_CASE("defaults and arguments by name") {
  const auto x = vl::fvector("x"), y = vl::fvector("y"), z = vl::fvector("z");
  const vl::Function f =
      vl::function({x, vl::In(y, {.value = vec({10, 20})}), vl::In(z, {.value = vec({0, 1}), .name = "shift"})}, {x + y * 2 + z});
  CHECK(at(f(vec({1, 2})), 1) == 43);
  CHECK(at(f(vec({1, 2}), vec({1, 1})), 1) == 5);
  CHECK(at(f.call_named({vec({1, 2})}, {{"shift", vec({100, 100})}}), 0) == 121);
  CHECK(at(f.call_named({}, {{"shift", vec({5, 5})}, {"x", vec({1, 2})}}), 0) == 26);
  CHECK_THROWS_WITH(f(), Contains("takes 3 arguments, but 0 were given") && Contains("(x) has no default"));
  CHECK_THROWS_WITH(f.call_named({vec({1, 2})}, {{"shfit", vec({5, 5})}}), Contains("no input called \"shfit\" (did you mean shift?)"));
  CHECK_THROWS_WITH(f.call_named({vec({1, 2})}, {{"x", vec({5, 5})}}), Contains("\"x\" is given twice"));
  CHECK_THROWS_WITH(f.call({vec({1}), vec({1}), vec({1}), vec({1})}), Contains("takes 3 arguments, but 4 were given"));
  CHECK(f.input_names() == std::vector<std::string>{"x", "y", "shift"});
  CHECK_THROWS_WITH(vl::function({vl::In(x, {.value = Array::scalar(1.f)})}, {x + 1}), Contains("default value of \"x\" is float32 ()"));
}

TEST_CASE("a default value is the function's own, unless it is borrowed") {
  const auto x = vl::fvector("x");
  const Array value = vec({1, 2});
  const vl::Function own = vl::function({vl::In(x, {.value = value})}, {x + 0.5f});
  const vl::Function borrowing = vl::function({vl::In(x, {.value = value, .borrow = true})}, {x + 0.5f});
  value.set(7.f, 0);
  CHECK(at(own(), 0) == 1.5f);
  CHECK(at(borrowing(), 0) == 7.5f);
  // A mutable input may be written over; its default value stays what it was.
  const vl::Function writing =
      vl::function({vl::In(x, {.value = value, .mutable_ = true, .borrow = true})}, {vl::Out(x * 2, {.borrow = true})});
  CHECK(at(writing(), 0) == 14);
  CHECK(at(writing(), 0) == 14);
  CHECK(at(value, 0) == 7);
}

TEST_CASE("arguments convert without loss, and with loss where that is allowed") {
  const auto x = vl::fvector("x");
  const vl::Function f = vl::function({x}, {x + 1});
  CHECK(at(f(Array::from({int16_t{1}, int16_t{2}})), 1) == 3);
  const Array wide = Array::from({1.5, 2.5}), ints = Array::from({int32_t{1}, int32_t{2}});
  CHECK_THROWS_WITH(f(wide), Contains("argument 0 (x) is float64") && Contains("cast(float32)") && Contains("allow_input_downcast") &&
                                 Contains("declare the input as float64") && Contains("arguments_test.cpp:"));
  CHECK_THROWS_WITH(f(ints), Contains("is int32"));
  const vl::Function down = vl::function({x}, {x + 1}, {.allow_input_downcast = true});
  CHECK(at(down(wide), 0) == 2.5f);
  CHECK(at(down(ints), 0) == 2);
  CHECK_THROWS_AS(down(Array::from({std::complex<double>(1, 2)})), vl::UserError);
  const vl::Function never = vl::function({vl::In(x, {.allow_downcast = false})}, {x + 1}, {.allow_input_downcast = true});
  CHECK_THROWS_AS(never(wide), vl::UserError);
  const vl::Function strict = vl::function({vl::In(x, {.strict = true})}, {x + 1});
  CHECK_THROWS_WITH(strict(Array::from({int16_t{1}})), Contains("strict"));
  CHECK(at(f(vec({1})), 0) == 2);  // usable after errors
}

TEST_CASE("outputs by name, several, and none") {
  const auto x = vl::fvector("x");
  const vl::Function named = vl::function({x}, {{"double", x * 2}, {"sum", vl::sum(x)}});
  const vl::Results r = named(vec({1, 2}));
  CHECK(at(r["double"], 1) == 4);
  CHECK(r["sum"].item<float>() == 3);
  CHECK_THROWS_WITH(r["duoble"], Contains("did you mean double?"));
  CHECK_THROWS_WITH(vl::function({x}, {{"a", x * 2}, {"a", x * 3}}), Contains("two outputs are called \"a\""));
  CHECK_THROWS_WITH(vl::function({x}, {{"a", x * 2}, x * 3}), Contains("either all outputs have names"));
  CHECK_THROWS_WITH(vl::function({x}, {x + 1})(vec({1}))["a"], Contains("no names"));
  CHECK_THROWS_WITH(vl::function({x}, {}), Contains("neither an output nor an update"));
  const auto w = vl::shared(vec({0, 0}), "w");
  const vl::Function update = vl::function({x}, {}, {.updates = {{w, w + x}}});
  CHECK(update.call({vec({1, 2})}).empty());
  CHECK(at(w.get_value(), 1) == 2);
  // The same expression twice: two arrays.
  const std::vector<Array> twice = vl::function({x}, {x + 1, x + 1}).call({vec({1, 2})});
  CHECK_FALSE(vl::may_overlap(twice[0], twice[1]));
}

TEST_CASE("givens stand for variables, shared ones and any node, all at once") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const auto w = vl::shared(vec({1, 2}), "w");
  CHECK(at(vl::function({y}, {x + w}, {.givens = {{x, y * 10}}})(vec({3, 4})), 1) == 42);
  CHECK(at(vl::function({x, y}, {x - 2 * y}, {.givens = {{x, y}, {y, x}}})(vec({1, 1}), vec({10, 10})), 0) == 8);  // swapped
  CHECK(at(vl::function({x}, {vl::exp(w) * 0 + x}, {.givens = {{w, x}}})(vec({3, 4})), 0) == 3);
  const auto node = vl::exp(x);
  CHECK(at(vl::function({x}, {node + node}, {.givens = {{node, x}}})(vec({3, 4})), 0) == 6);
  CHECK(at(vl::function({x}, {x + 1}, {.givens = {{x, x * 2}}})(vec({3, 4})), 0) == 7);
  // Attributes that speak of the replaced sizes speak of the new ones.
  const auto m = vl::fmatrix("m", {"a", "b"}), n = vl::fmatrix("n", {"c", "d"});
  const vl::Function flat = vl::function({n}, {vl::reshape(m, {-1}), vl::flip(m, 0)}, {.givens = {{m, n + 1}}});
  CHECK(flat.call({Array::zeros({2, 3}, vl::f32)})[0].shape() == vl::Dims(6));
  // Sizes go with what they are sizes of, also where nothing is replaced below.
  const auto long_one = vl::fvector("a", {"p"}), short_one = vl::fvector("b", {"q"});
  const auto sized = vl::ones_like(long_one) * 3 + vl::mean(long_one) * 0 + vl::cast(vl::arange("p"), vl::f32);
  CHECK(at(vl::function({short_one}, {sized}, {.givens = {{long_one, short_one}}})(vec({1, 2})), 1) == 4);
  CHECK_THROWS_WITH(vl::function({x}, {x + 1}, {.givens = {{x, vl::fmatrix("k")}}}), Contains("\"x\"") && Contains("replacement"));
  CHECK_THROWS_WITH(vl::function({x}, {x + 1}, {.givens = {{x, vl::dvector("k")}}}), Contains("f64"));
  CHECK_THROWS_WITH(vl::function({x}, {x + 1}, {.givens = {{x, x * 2}, {x, x * 3}}}), Contains("replaced twice"));
  // Updates are substituted too.
  const vl::Function up = vl::function({y}, {}, {.updates = {{w, w + x}}, .givens = {{x, y * 2}}});
  up(vec({1, 1}));
  CHECK(at(w.get_value(), 0) == 3);
}

TEST_CASE("inputs that nothing uses") {
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  CHECK_THROWS_WITH(vl::function({x, y}, {x + 1}), Contains("\"y\" is not used") && Contains("arguments_test.cpp:"));
  std::string warned;
  vl::set_log([&](vl::LogLevel, std::string_view text) { warned = text; });
  CHECK_NOTHROW(vl::function({x, y}, {x + 1}, {.on_unused_input = vl::OnUnusedInput::warn}));
  vl::set_log({});
  CHECK_THAT(warned, Contains("\"y\" is not used"));
  CHECK(at(vl::function({x, y}, {x + 1}, {.on_unused_input = vl::OnUnusedInput::ignore})(vec({1}), vec({1})), 0) == 2);
  CHECK_THROWS_WITH(vl::function({x + 1}, {x + 1}), Contains("an input is not a variable but add"));
  CHECK_THROWS_WITH(vl::function({x}, {x + y}), Contains("\"y\"") && Contains("not listed"));
}

TEST_CASE("eval") {
  const auto x = vl::fvector("x");
  const auto w = vl::shared(vec({1, 2}), "w");
  CHECK(at(vl::eval(x + w, {{x, vec({3, 4})}}), 1) == 6);
  CHECK(at(vl::eval(w * 2), 1) == 4);
  CHECK_THROWS_WITH(vl::eval(x + 1), Contains("\"x\""));
}

TEST_CASE("copies: with other variables, without updates, sharing memory") {
  const auto x = vl::fvector("x");
  const auto w = vl::shared(vec({1, 1}), "w"), other = vl::shared(vec({100, 100}), "other");
  const vl::Function step = vl::function({x}, {w * 2}, {.updates = {{w, w + x}}, .name = "step"});
  const vl::Function on_other = step.copy({.swap = {{w, other}}, .name = "on other"});
  CHECK(at(on_other(vec({1, 1})), 0) == 200);
  CHECK(at(other.get_value(), 0) == 101);
  CHECK(at(w.get_value(), 0) == 1);
  CHECK(on_other.name() == "on other");
  const vl::Function fixed = step.copy({.delete_updates = true});
  CHECK(at(fixed.call_named({vec({1, 1})}, {}), 0) == 2);
  CHECK(at(w.get_value(), 0) == 1);
  const vl::Function same = step.copy(), sharing = step.copy({.share_memory = true});
  same(vec({1, 1}));
  sharing(vec({1, 1}));
  CHECK(at(w.get_value(), 0) == 3);
  CHECK(step.shared().size() == 1);
  CHECK_THROWS_WITH(step.copy({.swap = {{other, w}}}), Contains("no shared variable \"other\""));
  CHECK_THROWS_WITH(step.copy({.share_memory = true, .delete_updates = true}), Contains("another program"));
}

TEST_CASE("what converts without loss is what NumPy's promotion keeps") {
  const vl::Policy numpy{.floatX = vl::f64, .cast_policy = vl::CastPolicy::numpy};
  for (const vl::DType from :
       {vl::boolean, vl::i8, vl::i16, vl::i32, vl::i64, vl::u8, vl::u16, vl::u32, vl::u64, vl::f32, vl::f64, vl::c64, vl::c128}) {
    for (const vl::DType to :
         {vl::boolean, vl::i8, vl::i16, vl::i32, vl::i64, vl::u8, vl::u16, vl::u32, vl::u64, vl::f32, vl::f64, vl::c64, vl::c128}) {
      INFO(vl::name_of(from) << " to " << vl::name_of(to));
      CHECK(vl::is_safe_cast(from, to) == (vl::promote(from, to, numpy) == to));
    }
  }
}

// tests/api/index_test.cpp: compiled indexing against the interpreter: dtypes, layouts, threads, messages, and how it fuses.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <catch2/catch.hpp>
#include <random>

namespace vl = voxloom;
using Catch::Matchers::Contains;
using vl::Array;
using vl::Expr;
using vl::Slice;

namespace {

Array random_array(vl::Dims shape, uint32_t seed, vl::DType dtype = vl::f32, vl::Order order = vl::Order::C) {
  Array a = Array::empty(shape, vl::f64, order);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-9, 9);
  for (double& v : a.span<double>(order)) v = uniform(rng);
  return a.cast(dtype, order);
}

/// Indices of an axis of n elements, negative ones among them.
Array random_indices(vl::Dims shape, int64_t n, uint32_t seed, vl::DType dtype = vl::i64) {
  Array a = Array::empty(shape, vl::i64);
  std::mt19937 rng(seed);
  const bool back = vl::is_signed_int(dtype);
  std::uniform_int_distribution<int64_t> uniform(back ? -n : 0, n - 1);
  for (int64_t& v : a.span<int64_t>()) v = uniform(rng);
  return a.cast(dtype);
}

void check_same(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays) {
  const vl::Graph graph = vl::Graph::make(inputs, outputs);
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(graph, views);
  for (const bool optimise : {false, true}) {
    for (const bool fuse : {true, false}) {
      vl::FunctionOptions options;
      options.fuse = fuse;
      options.optimise = optimise;
      const vl::Function f = vl::compile(graph, options);
      for (const int threads : {1, 2, 3, 8}) {
        vl::CallOptions call;
        call.threads = threads;
        const auto results = f.call(arrays, call);
        for (size_t k = 0; k < results.size(); ++k) {
          INFO("output " << k << " fused " << fuse << " threads " << threads << "\n" << f.explain());
          INFO("got      " << results[k].to_string());
          INFO("expected " << Array::view(expected[k].view()).to_string());
          REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
        }
      }
    }
  }
}

size_t kernels(const Expr& output, const std::vector<vl::In>& inputs) { return vl::function(inputs, {output}).toposort().size(); }

const vl::DType all_dtypes[] = {vl::boolean, vl::i8,  vl::i16, vl::i32, vl::i64, vl::u8,  vl::u16,
                                vl::u32,     vl::u64, vl::f32, vl::f64, vl::c64, vl::c128};

}  // namespace

TEST_CASE("take of every dtype, along every axis") {
  for (const vl::DType t : all_dtypes) {
    INFO(vl::name_of(t));
    auto x = vl::tensor("x", t, {"a", "b", "c"});
    auto i = vl::lvector("i");
    std::vector<Expr> taken;
    for (int axis : {0, 1, 2}) taken.push_back(vl::take(x, i, axis));
    check_same({x, i}, taken, {random_array({5, 5, 37}, 1, t), random_indices({23}, 5, 2)});
  }
  for (const vl::DType t : {vl::i8, vl::i16, vl::i32, vl::u8, vl::u16, vl::u32, vl::u64}) {
    auto x = vl::fmatrix("x");
    auto i = vl::tensor("i", t, {"k", "l"});
    check_same({x, i}, {vl::take(x, i, 0), vl::take(x, i, 1)}, {random_array({7, 7}, 3), random_indices({19, 3}, 7, 4, t)});
  }
}

TEST_CASE("indices of any layout, many and none") {
  auto x = vl::fmatrix("x");
  auto i = vl::lvector("i");
  const Array indices = random_indices({90000}, 300, 5), big = random_array({300, 301}, 6);
  check_same({x, i}, {vl::take(x, i, 0) + 1}, {big.slice(1, 0, 7), indices.slice(0, {}, {}, 300)});
  check_same({x, i}, {vl::take(x, i, 1)}, {big.flip(0).slice(1, 0, 300), indices.slice(0, {}, {}, -700)});
  check_same({x, i}, {vl::take(x, i, 0)}, {big, indices.slice(0, 5, 5)});
  check_same({x, i}, {vl::take(x, i, 0)}, {Array::empty({0, 4}, vl::f32), indices.slice(0, 0, 0)});
  check_same({x, i}, {vl::take(x, i, 0)}, {Array::empty({300, 0}, vl::f32), indices.slice(0, 0, 9)});
  const Array swapped = [] {
    Array a = random_indices({40}, 300, 7);
    Array b = Array::empty({40}, vl::i64).as_swapped();
    b.assign(a);
    return b;
  }();
  check_same({x, i}, {vl::take(x, i, 0)}, {big, swapped});
  float one = 2.5F;
  check_same({x, i}, {vl::take(x, i, 0)}, {Array::view(&one, {300, 4}, vl::f32, {0, 0}), indices.slice(0, 0, 9)});
  auto v = vl::fvector("v");
  check_same({v, i}, {vl::take(v, i, 0), vl::sum(vl::take(v, i, 0))}, {random_array({300}, 8), indices});
}

TEST_CASE("arrays among slices and positions") {
  auto x = vl::ftensor4("x");
  auto i = vl::lvector("i"), j = vl::lmatrix("j");
  check_same({x, i, j},
             {vl::index(x, {i, i}), vl::index(x, {Slice{}, j, i}), vl::index(x, {i, Slice{1}, j}), vl::index(x, {1, vl::ellipsis, j}),
              vl::index(x, {vl::newaxis, Slice{{}, {}, -1}, vl::newaxis, j}), vl::index(x, {j, i, i, j})},
             {random_array({6, 6, 6, 7}, 9), random_indices({4}, 6, 10), random_indices({5, 4}, 6, 11)});
}

TEST_CASE("indices computed in the graph, and what is computed from what they choose") {
  auto x = vl::fmatrix("x"), w = vl::fmatrix("w");
  auto i = vl::lvector("i");
  const std::vector<Array> arrays = {random_array({50, 37}, 12), random_array({25, 37}, 13), random_indices({25}, 50, 14)};
  check_same({x, w, i},
             {vl::exp(vl::take(x, i, 0)) * w, vl::sum(vl::take(x, i, 0) * w, 1), vl::take(vl::exp(x), i, 0),
              vl::mean(vl::take(x, i % 7, 0), 0), vl::take(x, vl::argmax(x, 0), 0), vl::take(vl::sum(x, 1), i, 0),
              vl::take(vl::transpose(x) + 1, i, 1), vl::take(vl::argmax(x, 1), i, 0)},
             arrays);
  check_same({x}, {vl::take(vl::ravel(x), vl::argmax(x))}, {random_array({500, 300}, 15)});
  check_same({x}, {vl::index(x, {vl::arange(25), vl::argmax(vl::slice(x, 0, {0, 25}), 1)})}, {arrays[0]});
  check_same({x, w, i}, {vl::max(vl::abs(vl::take(x, i, 0) - w)), vl::var(vl::take(x, i, 0), 0)}, arrays);
}

TEST_CASE("slices set and increased") {
  for (const vl::DType t : all_dtypes) {
    auto x = vl::tensor("x", t, {"a", "b"}), y = vl::tensor("y", t, {"c", "d"});
    check_same({x, y},
               {vl::set_subtensor(x, {Slice{1, 4}, Slice{2, 35}}, y),
                vl::inc_subtensor(x, {Slice{0, 6, 2}, Slice{-1, 0, -1}}, vl::index(y, {Slice{}, 0, vl::newaxis})),
                vl::set_subtensor(x, {2}, 1), vl::inc_subtensor(x, {vl::ellipsis, 3}, 1)},
               {random_array({6, 37}, 16, t), random_array({3, 33}, 17, t)});
  }
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  const Array big = random_array({300, 301}, 18);
  check_same({x, y}, {vl::set_subtensor(vl::exp(x), {Slice{3, -3}}, vl::sum(y, 0)), vl::sum(vl::inc_subtensor(x, {Slice{1}}, y), 0)},
             {big, random_array({299, 301}, 19)});
  check_same({x, y}, {vl::inc_subtensor(x, {vl::ellipsis, Slice{1}}, y) - vl::inc_subtensor(x, {vl::ellipsis, Slice{{}, -1}}, y)},
             {big.flip(1), random_array({300, 300}, 20)});
  check_same({x, y}, {vl::set_subtensor(x, {Slice{2, 2}}, y)}, {big, Array::empty({0, 301}, vl::f32)});
  check_same({x, y}, {vl::set_subtensor(x, {Slice{0, 1000}}, y)}, {Array::empty({0, 3}, vl::f32), Array::empty({0, 3}, vl::f32)});
  check_same({x}, {vl::sum(vl::set_subtensor(x, {Slice{{}, {}, 3}, Slice{5, {}, 7}}, 0.5), 1)}, {big});
}

TEST_CASE("slices without elements that begin behind the array are not read") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  auto i = vl::lvector("i");
  const Slice behind{int64_t{1} << 45};
  const auto part = vl::index(x, {behind});
  check_same({x}, {vl::inc_subtensor(x, {behind}, part)}, {random_array({9, 37}, 41)});
  check_same({x, y}, {vl::set_subtensor(y, {Slice{2, 2}, Slice{3}}, vl::index(x, {behind, Slice{3}}))},
             {random_array({9, 37}, 42), random_array({5, 37}, 43)});
  const vl::Function f = vl::function({x, i}, {vl::take(part, i, 0)});
  const Array none = f(random_array({9, 37}, 44), Array::empty({0}, vl::i64));
  CHECK(none.size() == 0);
  CHECK_THROWS_WITH(f(random_array({9, 37}, 44), random_indices({70}, 5, 45)), Contains("take") && Contains("with size 0"));
}

TEST_CASE("elements set and increased at arrays of indices") {
  for (const vl::DType t : all_dtypes) {
    auto x = vl::tensor("x", t, {"a", "b"}), y = vl::tensor("y", t, {"k", "b"});
    auto i = vl::lvector("i");
    check_same({x, y, i}, {vl::set_subtensor(x, {i}, y), vl::inc_subtensor(x, {i}, y), vl::inc_subtensor(x, {vl::ellipsis, i}, 1)},
               {random_array({9, 37}, 21, t), random_array({40, 37}, 22, t), random_indices({40}, 9, 23)});
  }
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y"), v = vl::fvector("v");
  auto i = vl::lvector("i"), j = vl::lvector("j");
  const Array big = random_array({50, 400}, 24), rows = random_array({700, 400}, 25), many = random_indices({700}, 50, 26);
  check_same({x, y, i}, {vl::inc_subtensor(x, {i}, y), vl::inc_subtensor(vl::exp(x), {i}, y * 2), vl::sum(vl::inc_subtensor(x, {i}, y), 1)},
             {big, rows, many});
  check_same({x, v, i, j}, {vl::inc_subtensor(x, {i, j}, v), vl::set_subtensor(x, {i, j}, v)},
             {big, random_array({700}, 27), many, random_indices({700}, 400, 28)});
  check_same({x, y, i}, {vl::inc_subtensor(x, {i, Slice{3, {}, 2}}, vl::slice(y, 1, {0, 199}))},
             {big, rows.flip(1), many.slice(0, {}, {}, -1)});
  check_same({v, i}, {vl::inc_subtensor(vl::zeros_like(v), {i}, 1)}, {random_array({50}, 29), many});
  check_same({x, v, i}, {vl::inc_subtensor(x, {i, vl::index(i, {3, vl::newaxis})}, v), vl::index(x, {i, vl::index(i, {3, vl::newaxis})})},
             {big, random_array({700}, 38), many});
  check_same({v, i}, {vl::inc_subtensor(v, {i}, 1)}, {random_array({50}, 30), many.slice(0, 0, 0)});
}

TEST_CASE("what masks choose set and increased") {
  for (const vl::DType t : all_dtypes) {
    auto x = vl::tensor("x", t, {"a", "b", "c"}), y = vl::tensor("y", t, {"c"});
    auto m = vl::tensor("m", vl::boolean, {"a", "b"});
    check_same({x, y, m},
               {vl::set_subtensor(x, {m}, 1), vl::inc_subtensor(x, {m}, y), vl::set_subtensor(x, {Slice{}, vl::index(m, {0})}, y),
                vl::inc_subtensor(x, {vl::newaxis, 1, vl::index(m, {-1}), Slice{{}, {}, -1}}, y)},
               {random_array({6, 7, 37}, 46, t), random_array({37}, 47, t), random_array({6, 7}, 48).cast(vl::i8).cast(vl::boolean)});
  }
  auto x = vl::fmatrix("x");
  CHECK(kernels(vl::set_subtensor(vl::exp(x), {vl::gt(x, 0)}, 0), {x}) == 1);
  auto m = vl::tensor("m", vl::boolean, {"k"});
  const vl::Function f = vl::function({x, m}, {vl::set_subtensor(x, {m}, 0)});
  CHECK_THROWS_WITH(f(random_array({5, 37}, 49), random_array({4}, 50).cast(vl::boolean)),
                    Contains("5") && Contains("4") && Contains("index_test.cpp:"));
}

TEST_CASE("outputs that hold what is joined or scattered at once, given or not") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  auto i = vl::lvector("i");
  const Array a = random_array({5, 37}, 31), b = random_array({8, 37}, 32), k = random_indices({8}, 5, 33);
  const auto e = vl::inc_subtensor(x, {i}, y), c = vl::concatenate({x * 2, y});
  check_same({x, y, i}, {e, e * 2, e, c, vl::sum(c), vl::transpose(c)}, {a, b, k});
  const vl::Function f = vl::function({x, y, i}, {e});
  CHECK(f.toposort() == std::vector<std::string>{"Copy(x)", "Scatter{inc_at}(i, y)"});
  const Array expected = f(a, b, k);
  Array in_place = a.copy();
  vl::CallOptions call;
  std::vector<Array> out = {in_place};
  call.out = out;
  f.call(std::vector<Array>{in_place, b, k}, call);
  CHECK(vl::same_bits(in_place, expected));
}

TEST_CASE("indexing shares kernels with what is around it") {
  auto x = vl::fmatrix("x"), w = vl::fmatrix("w");
  auto i = vl::lvector("i");
  CHECK(kernels(vl::exp(vl::take(x, i, 0)) * w, {x, w, i}) == 1);
  CHECK(kernels(vl::sum(vl::sqr(vl::take(x, i * 2, 0) - w), 1), {x, w, i}) == 1);
  CHECK(kernels(vl::set_subtensor(vl::exp(x), {Slice{1, 4}}, w) * 2, {x, w}) == 1);
  CHECK(kernels(vl::sum(vl::inc_subtensor(x, {Slice{1}}, w) * 2, 1), {x, w}) == 1);
  CHECK(kernels(vl::take(vl::exp(x), i, 0), {x, i}) == 2);  // exp once per element of x
  auto d = vl::index(x, {vl::ellipsis, Slice{1}}) - vl::index(x, {vl::ellipsis, Slice{{}, -1}});
  CHECK(kernels(vl::grad(vl::sum(vl::abs(d)), x), {x}) == 2);  // sign(d), and the two places it goes to
}

TEST_CASE("an index outside is told of, and the function goes on") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  auto i = vl::lvector("i");
  const Array a = random_array({5, 37}, 34), b = random_array({8, 37}, 35), good = random_indices({8}, 5, 36);
  Array bad = good.copy();
  bad.set<int64_t>(5, 3);
  Array below = good.copy();
  below.set<int64_t>(-6, 7);
  for (const Expr& e :
       {vl::take(x, i, 0) + y, vl::inc_subtensor(x, {i}, y), vl::sum(vl::take(x, i, 0) * y), vl::set_subtensor(x, {i}, y * 2)}) {
    const vl::Function f = vl::function({x, y, i}, {e});
    const Array expected = f(a, b, good);
    for (const int threads : {1, 3}) {
      vl::CallOptions call;
      call.threads = threads;
      for (const auto& [indices, text] : {std::pair(bad, "index 5 is out of bounds for axis 0 with size 5"),
                                          std::pair(below, "index -6 is out of bounds for axis 0 with size 5")}) {
        try {
          f.call(std::vector<Array>{a, b, indices}, call);
          FAIL("no error");
        } catch (const vl::UserError& error) {
          CHECK(error.code() == vl::ErrorCode::index);
          CHECK_THAT(error.what(), Contains(text) && Contains("index_test.cpp:"));
        }
        CHECK(vl::same_bits(f.call(std::vector<Array>{a, b, good}, call)[0], expected));
      }
    }
  }
  const vl::Function f = vl::function({x, y, i}, {vl::take(x, i, 0) + y});
  CHECK_THROWS_WITH(f(Array::empty({0, 37}, vl::f32), b, good), Contains("with size 0"));
  const Array none = f(Array::empty({0, 37}, vl::f32), b.slice(0, 0, 0), good.slice(0, 0, 0));
  CHECK(none.size() == 0);
  auto u = vl::ulvector("u");
  const Array huge = Array::from<uint64_t>({~uint64_t{0}});
  CHECK_THROWS_AS(vl::function({x, u}, {vl::take(x, u, 0)})(a, huge), vl::UserError);
  const Array least = Array::from<int64_t>({INT64_MIN});
  CHECK_THROWS_AS(vl::function({x, i}, {vl::take(x, i, 0)})(a, least), vl::UserError);
  CHECK_THROWS_WITH(vl::function({x, y, i}, {vl::inc_subtensor(x, {i}, y)})(a, b.slice(0, 0, 7), good), Contains("7") && Contains("8"));
  CHECK_THROWS_AS(vl::function({x, y}, {vl::set_subtensor(x, {Slice{3, 9}}, y)})(a, b.slice(0, 0, 6)), vl::UserError);
}

TEST_CASE("new arrays") {
  auto x = vl::fmatrix("x", {"n", "m"});
  check_same({x},
             {vl::zeros_like(x), vl::ones_like(x) * x, vl::full_like(x, 2.5), vl::full({"n", 3}, 7, vl::i16), vl::arange(vl::Size("m")),
              vl::arange(vl::Size("m")) * x, vl::eye("n", "m", -1), vl::tril(x), vl::triu(x, 1), vl::roll(x, 2, 1), vl::roll(x, -1, 0),
              vl::tile(x, {2, 3}), vl::repeat(x, 3, 1), vl::repeat(x, 2, 0), vl::pad(x, {{1, 2}, {0, 3}}, -1)},
             {random_array({5, 7}, 37)});
}

TEST_CASE("one operation that needs a cheap value along two axes") {
  auto x = vl::fvector("x", {"n"});
  const auto column = [](const Expr& e) { return vl::dimshuffle(e, {0, -1}); };
  const auto row = [](const Expr& e) { return vl::dimshuffle(e, {-1, 0}); };
  const Expr a = x + 1, n = vl::arange(vl::Size("n"));
  check_same({x},
             {vl::eye("n"), vl::eye(3), vl::eye(4, 4, 1), column(a) - row(a), column(a * 2) - row(a * 3), column(n) * row(n) + column(x)},
             {random_array({7}, 41)});
  check_same({x}, {vl::sum(column(n + 1) * row(n) - column(a) * row(a), 0)}, {random_array({33}, 42)});
}

TEST_CASE("positions beside reductions") {
  auto x = vl::ftensor3("x", {1, "n", "m"});
  auto first = vl::dimshuffle(vl::arange(1), {0, -1, -1});  // one position, in a kernel that reduces an outer axis
  check_same({x}, {first > x, vl::mean(vl::cos(x), 1), x * vl::dimshuffle(vl::arange(vl::Size("m")), {-1, -1, 0})},
             {random_array({1, 16, 31}, 39)});
  check_same({x}, {vl::sum(x * vl::dimshuffle(vl::arange(vl::Size("n")), {-1, 0, -1}), {1, 2}), vl::sum(vl::arange(vl::Size("m")))},
             {random_array({1, 40, 331}, 40)});
}

// tests/api/product_test.cpp: products compiled and interpreted, with every layout and number of threads, and how they fuse.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <catch2/catch.hpp>
#include <random>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

Array random_array(vl::Dims shape, uint32_t seed, vl::DType dtype = vl::f32, vl::Order order = vl::Order::C) {
  Array a = Array::empty(shape, vl::f64, order);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-3, 3);
  for (double& v : a.span<double>(order)) v = uniform(rng);
  return a.cast(dtype, order);
}

/// The same bits from the interpreter and from compiled code, for every number of threads and from call to call.
void check_same(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays, bool optimise = true) {
  const vl::Graph graph = vl::Graph::make(inputs, outputs);
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(graph, views);
  const vl::Function f = vl::compile(graph, {.optimise = optimise});
  for (const int threads : {1, 2, 3, 8, 2}) {
    const auto results = f.call(arrays, {.threads = threads});
    for (size_t k = 0; k < results.size(); ++k) {
      INFO("output " << k << " threads " << threads << "\n" << f.explain());
      REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
    }
  }
}

Expr tensor(const char* name, vl::DType dtype, const vl::Sizes& shape) {
  return vl::detail::variable("tensor", dtype, static_cast<int>(shape.size()), -1, name, shape, std::source_location::current());
}

}  // namespace

TEST_CASE("matrix products have the bits of their definition, for all sizes") {
  auto a = vl::fmatrix("a"), b = vl::fmatrix("b");
  const std::vector<std::array<int64_t, 3>> sizes = {{1, 1, 1},    {0, 3, 2},      {3, 0, 2},      {2, 3, 0},
                                                     {2, 2, 2},    {5, 7, 3},      {13, 385, 33},  {12, 384, 32},
                                                     {97, 50, 65}, {100, 800, 70}, {3, 1000, 200}, {200, 9, 2100}};
  for (const auto& [m, k, n] : sizes) {
    INFO(m << " x " << k << " x " << n);
    check_same({a, b}, {vl::dot(a, b)}, {random_array({m, k}, 1), random_array({k, n}, 2)});
  }
}

TEST_CASE("matrix products in every dtype") {
  for (const vl::DType t :
       {vl::boolean, vl::i8, vl::i16, vl::i32, vl::i64, vl::u8, vl::u16, vl::u32, vl::u64, vl::f32, vl::f64, vl::c64, vl::c128}) {
    INFO(vl::name_of(t));
    auto a = tensor("a", t, {"m", "k"}), b = tensor("b", t, {"k", "n"});
    const Array x = random_array({19, 390}, 1, t), y = random_array({390, 37}, 2, t);
    REQUIRE(vl::matmul(a, b).dtype() == t);
    check_same({a, b}, {vl::matmul(a, b), vl::matmul(vl::transpose(b), vl::transpose(a))}, {x, y});
    auto v = tensor("v", t, {"k"});
    REQUIRE(vl::dot(a, v).dtype() == t);
    check_same({a, v}, {vl::dot(a, v), vl::dot(v, vl::transpose(a)), vl::dot(v, v), vl::outer(v, v)},
               {random_array({7, 40}, 3, t), random_array({40}, 4, t)});
  }
  auto a = vl::fmatrix("a"), b = vl::fmatrix("b");
  check_same({a, b}, {vl::matmul(a, b, {.acc_dtype = vl::f64})}, {random_array({30, 500}, 1), random_array({500, 40}, 2)});
}

TEST_CASE("operands of matrix products in any layout") {
  auto a = vl::dmatrix("a"), b = vl::dmatrix("b");
  const Array x = random_array({60, 400}, 1, vl::f64), y = random_array({400, 50}, 2, vl::f64);
  const auto rev = [](const Expr& e) { return vl::flip(e); };
  const auto every_other = [](const Expr& e) { return vl::index(e, {vl::Slice{0, {}, 2}, vl::Slice{1, {}, 2}}); };
  check_same({a, b},
             {vl::dot(rev(a), rev(b)), vl::dot(every_other(a), every_other(b)), vl::dot(vl::transpose(b), vl::transpose(a)),
              vl::dot(a, vl::transpose(a)), vl::dot(vl::transpose(b), b), vl::transpose(vl::dot(a, b))},
             {x, y});
  const Array xf = random_array({60, 400}, 1, vl::f64, vl::Order::F), yf = random_array({400, 50}, 2, vl::f64, vl::Order::F);
  check_same({a, b}, {vl::dot(a, b)}, {xf, yf});
  check_same({a, b}, {vl::dot(a, b)}, {x, yf});
  // A stride of 0, and an operand computed on the way.
  auto r = vl::drow("r", {1, 400});
  check_same({r, b}, {vl::dot(vl::broadcast_to(r, {30, 400}), b), vl::dot(vl::broadcast_to(r, {30, 400}) + 1, b * 2)},
             {random_array({1, 400}, 5, vl::f64), y});
}

TEST_CASE("batches of matrix products broadcast") {
  auto a = vl::tensor3("a"), b = vl::tensor3("b"), m = vl::fmatrix("m");
  const Array x = random_array({6, 20, 30}, 1), y = random_array({6, 30, 10}, 2), z = random_array({30, 10}, 3);
  check_same({a, b, m}, {vl::matmul(a, b), vl::matmul(a, m), vl::matmul(vl::transpose(m), vl::swapaxes(a, 1, 2)), vl::batched_dot(a, b)},
             {x, y, z});
  auto c = tensor("c", vl::f32, {5, 1, 20, 30}), d = tensor("d", vl::f32, {4, 30, 7});
  check_same({c, d}, {vl::matmul(c, d)}, {random_array({5, 1, 20, 30}, 4), random_array({4, 30, 7}, 5)});
  auto e = tensor("e", vl::f32, {300, 3, 3});
  check_same({e}, {vl::matmul(e, e)}, {random_array({300, 3, 3}, 6)});
}

TEST_CASE("products of vectors and sums over several axes") {
  auto x = vl::fmatrix("x"), v = vl::fvector("v"), w = vl::fvector("w");
  const Array X = random_array({40, 78}, 1), V = random_array({78}, 2), W = random_array({40}, 3);
  check_same(
      {x, v, w},
      {vl::dot(x, v), vl::dot(w, x), vl::dot(vl::transpose(x), w), vl::vecdot(x, v), vl::matvec(x, v), vl::vecmat(w, x), vl::outer(w, v)},
      {X, V, W});
  auto t = vl::tensor4("t"), u = vl::tensor3("u");
  const Array T = random_array({4, 5, 6, 7}, 4), U = random_array({5, 7, 3}, 5);
  check_same(
      {t, u},
      {vl::tensordot(t, u, {1, 3}, {0, 1}), vl::einsum("aibj,ijc->bac", {t, u}), vl::einsum("aibj,ijc", {t, u}), vl::tensordot(t, u, 0)},
      {T, U});
}

TEST_CASE("a result is used, given out twice and written in place of an argument") {
  auto a = vl::fmatrix("a"), b = vl::fmatrix("b");
  const Expr c = vl::dot(a, b);
  const Array x = random_array({50, 50}, 1), y = random_array({50, 50}, 2);
  check_same({a, b}, {c, vl::exp(c), c, vl::dot(c, c)}, {x, y});
  const vl::Function f = vl::function({a, b}, {c});
  const Array expected = f(x, y);
  Array target = x.copy();
  Array out[] = {target};
  (void)f.call({target, y}, {.out = out});
  REQUIRE(vl::same_bits(target, expected));
  Array f_order = Array::empty({50, 50}, vl::f32, vl::Order::F);
  Array out_f[] = {f_order};
  (void)f.call({x, y}, {.out = out_f});
  REQUIRE(vl::same_bits(f_order, expected));
}

TEST_CASE("sizes that do not fit are found at the call") {
  auto a = vl::fmatrix("a"), b = vl::fmatrix("b"), v = vl::fvector("v");
  const auto text = [](auto&& call) {
    try {
      call();
    } catch (const vl::UserError& e) { return std::string(e.what()); }
    return std::string();
  };
  const vl::Function f = vl::function({a, b}, {vl::dot(a, b)});
  const std::string message = text([&] { (void)f.call({random_array({3, 4}, 1), random_array({5, 2}, 2)}); });
  CHECK(message.find("matmul: sizes 4") == 0);
  CHECK(message.find("and 5") != std::string::npos);
  CHECK(message.find("product_test.cpp") != std::string::npos);
  CHECK(f.call({random_array({3, 4}, 1), random_array({4, 2}, 2)})[0].shape() == vl::Dims{3, 2});
  const vl::Function g = vl::function({a, v}, {vl::dot(a, v)});
  CHECK(text([&] { (void)g.call({random_array({3, 4}, 1), random_array({5}, 2)}); }).find("product_test.cpp") != std::string::npos);
}

TEST_CASE("a logistic regression step is one kernel over X") {
  auto x = vl::fmatrix("x"), y = vl::fvector("y"), w = vl::fvector("w");
  const Expr b = vl::fscalar("b");
  const Expr p = 1 / (1 + vl::exp(-vl::dot(x, w) - b));
  const Expr g = (p - y) / 400;
  const Expr gw = vl::dot(vl::transpose(x), g) + 0.02 * w;
  const auto step = [&](const std::vector<Expr>& outputs) { return vl::compile(vl::Graph::make({x, y, w, b}, outputs)); };
  const vl::Function f = step({p > 0.5, w - 0.1 * gw, b - 0.1 * vl::sum(g)});
  INFO(f.explain());
  size_t over_x = 0;
  for (const std::string& name : f.toposort())
    over_x += name.find("(x") != std::string::npos || name.find(" x") != std::string::npos ? 1 : 0;
  CHECK(f.toposort().size() <= 2);
  CHECK(over_x <= 1);
  const Array X = random_array({400, 784}, 1), Y = random_array({400}, 2), W = random_array({784}, 3), B = random_array({}, 4);
  CHECK(f.memory({X, Y, W, B}).temporaries < 100000);
  check_same({x, y, w, b}, {p > 0.5, w - 0.1 * gw, b - 0.1 * vl::sum(g)}, {X, Y, W, B});
}

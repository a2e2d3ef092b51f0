// tests/api/custom_op_test.cpp: users' ops, compiled: C expressions fuse and equal the interpreter.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/verify_grad.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

namespace vl = voxloom;
using Catch::Matchers::Contains;
using vl::Array;
using vl::Expr;

namespace {

Array random_array(vl::Dims shape, uint32_t seed, vl::DType dtype = vl::f32, vl::Order order = vl::Order::C) {
  Array a = Array::empty(shape, vl::f64, order);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-9, 9);
  for (double& v : a.span<double>(order)) v = uniform(rng);
  return a.cast(dtype, order);
}

void check_same(const std::vector<Expr>& inputs, const std::vector<Expr>& outputs, const std::vector<Array>& arrays) {
  const vl::Graph graph = vl::Graph::make(inputs, outputs);
  std::vector<vl::StridedView> views;
  for (const Array& a : arrays) views.push_back(a.view());
  const auto expected = vl::interpret(graph, views);
  for (const char* mode : {"FAST_RUN", "FAST_COMPILE", "DebugMode"}) {
    vl::FunctionOptions options;
    options.mode = vl::Mode(mode);
    const vl::Function f = vl::compile(graph, options);
    for (const int threads : {1, 3}) {
      vl::CallOptions call;
      call.threads = threads;
      const auto results = f.call(arrays, call);
      for (size_t k = 0; k < results.size(); ++k) {
        INFO("output " << k << " " << mode << " threads " << threads << "\n" << f.explain());
        REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
      }
    }
  }
}

}  // namespace

TEST_CASE("C expressions: compiled code equals the interpreter for every dtype, their gradients too") {
  const vl::ElemwiseOp real("real", "x > y ? exp(-x * x) / (1 + fabs(y)) : fmod(x, 3) + (x < 1)", {.inputs = {"x", "y"}});
  const vl::ElemwiseOp integer("integer", "(x / 3) * (y % 5) + (x & 6 ^ y << 1) - (x > y)", {.inputs = {"x", "y"}});
  for (const vl::DType dtype : {vl::f32, vl::f64, vl::i8, vl::i16, vl::i32, vl::i64, vl::u8, vl::u16, vl::u32, vl::u64}) {
    const auto x = vl::tensor("x", dtype, {"n", "m"}), y = vl::tensor("y", dtype, {"m"});
    const bool floats = vl::is_float(dtype);
    std::vector<Expr> outputs = {real(x, y)};
    if (floats) outputs.push_back(vl::grad(vl::sum(real(x, y)), x));
    else outputs.push_back(integer(x, y));
    INFO(vl::name_of(dtype));
    check_same({x, y}, outputs, {random_array({37, 50}, 1, dtype).transpose().copy().transpose(), random_array({50}, 2, dtype)});
  }
}

TEST_CASE("C expressions fuse with what is around them, a gradient of their own too; equal ones are computed once") {
  const auto x = vl::fmatrix("x"), a = vl::fscalar("a");
  const vl::ElemwiseOp soft("soft", "x > 0 ? x : a * expm1(x)", {.inputs = {"x", "a"}, .grad = {"x > 0 ? g : g * (out + a)", "0"}});
  const auto f = vl::function({x, a}, {vl::mean(2 * soft(x, a) + 1, 1), soft(x + 0, a) - soft(x + 0, a)});
  REQUIRE(f.toposort().size() == 1);
  CHECK_THAT(f.toposort()[0], !Contains("custom_gradient"));
  const auto step = vl::function({x, a}, {vl::grad(vl::sum(soft(x, a)), x)});
  REQUIRE(step.toposort().size() == 1);
  check_same({x, a}, {vl::grad(vl::sum(vl::sqr(soft(x, a))), x), soft(x, a)}, {random_array({20, 30}, 3), Array::scalar(0.5f)});
  const std::string once = vl::function({x}, {vl::ElemwiseOp("p", "exp(x)")(x) + vl::ElemwiseOp("q", "expf( x )")(x)}).toposort()[0];
  CHECK(once.find("exp") == once.rfind("exp"));
}

TEST_CASE("C expressions are saved as what they are") {
  const auto x = vl::fvector("x");
  const vl::ElemwiseOp soft("soft", "x > 0 ? x : expm1(x)", {.grad = {"g * 7 * x"}});
  const vl::Function f = vl::function({x}, {soft(x), vl::sum(x)});
  const vl::Function g = vl::load_function_bytes(vl::save_function_bytes(f));
  const Array at = Array::from({-1.f, 2.f});
  CHECK(vl::same_bits(f(at)[0], g(at)[0]));
  const Expr loaded = g.written().outputs()[0], input = g.written().inputs()[0];
  CHECK(vl::function({input}, {vl::grad(vl::sum(loaded), input)})(at)[0].at<float>(0) == -7);
}

// ---- host functions ----

namespace {

template <class T> void double_elements(std::span<const vl::StridedView> in, const vl::StridedView& out) {
  const Array x = Array::view(in[0]), y = Array::view(out);
  for (int64_t i = 0; i < x.shape(0); ++i)
    for (int64_t k = 0; k < x.shape(1); ++k) y.set<T>(2 * x.at<T>(i, k), i, k);
}

vl::HostOp doubling() {
  static const vl::HostOp op("doubling", double_elements<float>,
                             {.grad = [](const std::vector<Expr>&, const Expr& g) { return std::vector<Expr>{2 * g}; }});
  return op;
}

/// The sum of each row and column: a vector of another shape and dtype than the matrix.
vl::Type type_of_sums(const std::vector<Expr>& x) {
  if (x.size() != 1 || x[0].rank() != 2) vl::fail_user(vl::ErrorCode::shape, "sums", "a matrix is needed");
  return {vl::f64, {x[0].shape()[0] + x[0].shape()[1]}};
}
void sums(std::span<const vl::StridedView> in, const vl::StridedView& out) {
  const Array x = Array::view(in[0]), y = Array::view(out);
  for (int64_t k = 0; k < y.size(); ++k) {
    double sum = 0;
    for (int64_t j = 0; j < x.shape(k < x.shape(0) ? 1 : 0); ++j)
      sum += static_cast<double>(k < x.shape(0) ? x.at<float>(k, j) : x.at<float>(j, k - x.shape(0)));
    y.set<double>(sum, k);
  }
}

}  // namespace

TEST_CASE("host functions: any layout, between kernels, equal nodes once, as the interpreter") {
  const auto x = vl::fmatrix("x");
  const Array a = random_array({4, 5}, 1), turned = random_array({5, 4}, 2).transpose(),
              back = random_array({8, 10}, 3).slice(0, {}, {}, -2).slice(1, 1, {}, 2);
  const vl::HostOp marginals("marginals", sums, {.infer = type_of_sums});
  for (const Array& at : {a, turned, back})
    check_same(
        {x}, {doubling()(x), vl::exp(doubling()(x + 1)) * 3, doubling()(vl::transpose(x)), marginals(doubling()(x)), vl::sum(marginals(x))},
        {at});
  const auto f = vl::function({x}, {doubling()(x) + 1, doubling()(x) - 1});
  CHECK(f.toposort().size() == 2);
  CHECK_THAT(f.toposort()[0], Contains("doubling"));
  CHECK(vl::same_bits(vl::function({x}, {doubling()(x)})(a)[0], vl::function({x}, {2 * x})(a)[0]));
  CHECK(vl::function({x}, {marginals(x)})(a)[0].shape() == vl::Dims(9));
}

TEST_CASE("host functions: gradients") {
  const auto x = vl::fmatrix("x"), u = vl::fmatrix("u");
  const Array a = random_array({4, 5}, 1);
  const auto g = vl::grad(vl::sum(vl::sqr(doubling()(x * 3))), x);
  CHECK(vl::function({x}, {g})(a)[0].at<float>(1, 2) == Approx(72 * a.at<float>(1, 2)));
  CHECK(vl::function({x, u}, {vl::Rop(doubling()(x), x, u)}, {.on_unused_input = vl::OnUnusedInput::ignore})(a, a)[0].at<float>(0, 1) ==
        2 * a.at<float>(0, 1));
  const vl::HostOp wide(
      "cube",
      [](auto in, auto& out) {
        for (int64_t k = 0; k < out.size(); ++k) {
          const double v = Array::view(in[0]).template at<double>(k);
          Array::view(out).template set<double>(v * v * v, k);
        }
      },
      {.grad = [](const std::vector<Expr>& in, const Expr& slope) { return std::vector<Expr>{slope * 3 * vl::sqr(in[0])}; }});
  vl::HostArray point = vl::HostArray::copy(Array::from({1.0, -2.0, 0.5}).view());
  CHECK_NOTHROW(vl::verify_grad([&](const std::vector<Expr>& v) { return wide(v[0]) * v[0]; }, {point}));
  const vl::HostOp none("none", double_elements<float>);
  CHECK_THROWS_WITH(vl::grad(vl::sum(none(x)), x), Contains("none: a host function without a gradient") && Contains("custom_op_test.cpp:"));
  CHECK_NOTHROW(vl::grad(vl::sum(vl::disconnected_grad(none(x)) * x), x));
  const vl::HostOp few("few", double_elements<float>, {.grad = [](const auto&, const Expr&) { return std::vector<Expr>{}; }});
  CHECK_THROWS_WITH(vl::grad(vl::sum(few(x)), x), Contains("few: its gradient gives 0 expressions for 1 operands"));
  const vl::HostOp flat("flat", double_elements<float>, {.grad = [](const auto&, const Expr& s) { return std::vector<Expr>{vl::sum(s)}; }});
  CHECK_THROWS_WITH(vl::grad(vl::sum(flat(x)), x), Contains("its gradient for operand 0 has shape []"));
}

TEST_CASE("host functions: what they throw leaves the call, the function and shared values as they were") {
  const auto x = vl::fmatrix("x");
  int calls = 0;
  const vl::HostOp moody("moody", [&](auto in, auto& out) {
    double_elements<float>(in, out);
    if (++calls == 2) throw std::logic_error("not today");
    if (calls == 3) vl::fail_user(vl::ErrorCode::shape, "inner", "its own error");
  });
  const auto w = vl::shared(Array::scalar(1.f), "w");
  const vl::Function f = vl::function({x}, {moody(x)}, {.updates = {{w, w + vl::sum(moody(x))}}});
  const Array ones = Array::from(std::vector<float>(20, 1), vl::Dims(4, 5));
  CHECK(f(ones)[0].at<float>(3, 4) == 2);
  CHECK(w.get_value().item<float>() == 41);
  try {
    f(ones);
    FAIL("nothing was thrown");
  } catch (const vl::UserError& error) {
    CHECK_THAT(error.what(), Contains("moody: the host function failed: not today") && Contains("custom_op_test.cpp:"));
    try {
      std::rethrow_if_nested(error);
      FAIL("nothing is nested");
    } catch (const std::logic_error& inner) { CHECK(inner.what() == std::string("not today")); }
  }
  CHECK_THROWS_WITH(f(ones), Contains("inner: its own error"));
  CHECK(w.get_value().item<float>() == 41);
  CHECK(f(ones)[0].at<float>(0, 0) == 2);
  CHECK(w.get_value().item<float>() == 81);
}

TEST_CASE("host functions: many threads, and those of a call") {
  const auto x = vl::fmatrix("x");
  const vl::Function f = vl::function({x}, {vl::sum(doubling()(x * 2) - 1)});
  const Array a = random_array({60, 70}, 5);
  const float expected = f(a)[0].item<float>();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int k = 0; k < 20; ++k) {
        vl::CallOptions call;
        call.threads = t % 3 + 1;
        if (f.call({a}, call)[0].item<float>() != expected) ++wrong;
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("host functions: names, and files that name them") {
  const auto x = vl::fmatrix("x");
  CHECK_THROWS_WITH(vl::HostOp("exp", double_elements<float>), Contains("voxloom has an op called \"exp\""));
  CHECK_THROWS_WITH(vl::HostOp("custom_gradient", double_elements<float>), Contains("voxloom has an op"));
  CHECK_THROWS_WITH(vl::HostOp("a b", double_elements<float>), Contains("C identifier"));
  CHECK_THROWS_WITH(vl::HostOp("empty", {}), Contains("empty: the host function is empty"));
  const vl::HostOp first("again", double_elements<float>), second("again", double_elements<float>), same = first;
  CHECK(first == same);
  CHECK_FALSE(first == second);
  CHECK(vl::Graph::make({x}, {first(x), same(x), second(x)}).size() == 3);
  const vl::HostOp needs_matrix("needs_matrix", sums, {.infer = type_of_sums});
  CHECK_THROWS_WITH(needs_matrix(vl::fvector("v")), Contains("sums: a matrix is needed"));

  const Array a = random_array({4, 5}, 1);
  const std::string bytes = vl::save_function_bytes(vl::function({x}, {doubling()(x) * 3}));
  CHECK(bytes.find("doubling(%x)") != std::string::npos);
  try {
    vl::load_function_bytes(bytes, "f.vlf");
    FAIL("it was loaded");
  } catch (const vl::UserError& error) {
    CHECK(error.code() == vl::ErrorCode::bad_input);
    CHECK(error.what() ==
          std::string("f.vlf: the saved function runs doubling, a host function of this program; allow_native_ops lets it"));
  }
  const vl::Function loaded = vl::load_function_bytes(bytes, "f.vlf", {.allow_native_ops = true});
  CHECK(loaded(a)[0].at<float>(1, 1) == 6 * a.at<float>(1, 1));
}

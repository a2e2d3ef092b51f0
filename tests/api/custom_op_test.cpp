// tests/api/custom_op_test.cpp: users' ops, compiled: C expressions fuse and equal the interpreter.
#include <voxloom/api/voxloom.h>
#include <voxloom/ops/interpret.h>

#include <catch2/catch.hpp>
#include <random>

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

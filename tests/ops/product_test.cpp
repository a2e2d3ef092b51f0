// tests/ops/product_test.cpp: products by hand, their errors, einsum's notation, and gradients against differences.
#include "check.h"

#include <voxloom/graph/verify.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/gemm/kernel.h>
#include <voxloom/ops/verify_grad.h>

#include <catch2/catch.hpp>

#include <complex>

using namespace voxloom;
using namespace voxloom::test;

namespace {

using Reals = std::vector<double>;
using Complex = std::complex<double>;

Expr mat(const Reals& v, int64_t rows, int64_t columns) { return constant(v, {rows, columns}); }

const Expr a23 = mat({1, 2, 3, 4, 5, 6}, 2, 3), b32 = mat({7, 8, 9, 10, 11, 12}, 3, 2);

HostArray ramp(std::vector<int64_t> shape, double start) {
  HostArray a = HostArray::of(DType::f64, std::move(shape));
  for (int64_t k = 0; k < a.size(); ++k) {
    const double value = start + 0.37 * static_cast<double>(k % 11) - 0.21 * static_cast<double>(k % 5);
    std::memcpy(a.bytes.data() + k * 8, &value, 8);
  }
  return a;
}

}  // namespace

TEST_CASE("dot, matmul and outer by hand") {
  CHECK(values<double>(dot(a23, b32)) == Reals{58, 64, 139, 154});
  CHECK(values<double>(matmul(a23, b32)) == Reals{58, 64, 139, 154});
  CHECK(values<double>(dot(a23, vec<double>({1, 0, -1}))) == Reals{-2, -2});
  CHECK(values<double>(dot(vec<double>({1, -1}), a23)) == Reals{-3, -3, -3});
  CHECK(values<double>(dot(vec<double>({1, 2, 3}), vec<double>({4, 5, 6}))) == Reals{32});
  CHECK(values<double>(dot(2.0, a23)) == Reals{2, 4, 6, 8, 10, 12});
  CHECK(values<double>(outer(vec<double>({1, 2}), vec<double>({3, 4, 5}))) == Reals{3, 4, 5, 6, 8, 10});
  CHECK(values<double>(outer(b32, vec<double>({2}))).size() == 6);
  CHECK(values<double>(dot(transpose(a23), transpose(b32))) == Reals{39, 49, 59, 54, 68, 82, 69, 87, 105});
  CHECK(dot(a23, b32).shape() == std::vector<Dim>{2, 2});
  // No terms: zeros. Integers wrap in their dtype.
  CHECK(values<double>(dot(constant(Reals{}, {2, 0}), constant(Reals{}, {0, 3}))) == Reals(6, 0));
  CHECK(values<int8_t>(dot(constant(std::vector<int8_t>{100, 100}, {1, 2}), constant(std::vector<int8_t>{2, 3}, {2}))) ==
        std::vector<int8_t>{-12});
  CHECK(values<int8_t>(dot(constant(std::vector<int8_t>{100, 100, 1, 1}, {2, 2}), constant(std::vector<int8_t>{2, 3, 3, 4}, {2, 2}))) ==
        std::vector<int8_t>{-12, -68, 5, 7});
}

TEST_CASE("complex products: dot does not conjugate, vecdot and vecmat do") {
  const std::vector<Complex> x = {{1, 2}, {3, -1}}, y = {{0, 1}, {2, 2}};
  CHECK(values<Complex>(dot(vec(x), vec(y))) == std::vector<Complex>{Complex(6, 5)});
  CHECK(values<Complex>(vecdot(vec(x), vec(y))) == std::vector<Complex>{Complex(6, 9)});
  const Expr m = constant(std::vector<Complex>{{1, 2}, {3, -1}, {0, 1}, {2, 2}}, {2, 2});
  CHECK(values<Complex>(matmul(m, m)) == std::vector<Complex>{Complex(-2, 7), Complex(13, 9), Complex(-4, 3), Complex(1, 11)});
  CHECK(values<Complex>(vecmat(vec(x), m)) == std::vector<Complex>{Complex(4, 3), Complex(5, 1)});
}

TEST_CASE("batches and several axes") {
  const Expr t = constant(Reals{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 2, 3});
  CHECK(values<double>(matmul(t, b32)) == Reals{58, 64, 139, 154, 220, 244, 301, 334});
  CHECK(values<double>(matvec(t, vec<double>({1, 1, 1}))) == Reals{6, 15, 24, 33});
  CHECK(values<double>(vecmat(vec<double>({1, 1}), t)) == Reals{5, 7, 9, 17, 19, 21});
  CHECK(values<double>(batched_dot(t, mat({1, 0, 0, 0, 0, 1}, 2, 3))) == Reals{1, 4, 9, 12});
  CHECK(values<double>(tensordot(t, a23)) == Reals{91, 217});
  CHECK(values<double>(tensordot(t, b32, {2}, {0})) == Reals{58, 64, 139, 154, 220, 244, 301, 334});
  CHECK(values<double>(dot(t, b32)) == Reals{58, 64, 139, 154, 220, 244, 301, 334});
  CHECK(dot(t, swapaxes(t, 1, 2)).rank() == 4);
}

TEST_CASE("einsum") {
  CHECK(values<double>(einsum("ij,jk->ik", {a23, b32})) == Reals{58, 64, 139, 154});
  CHECK(values<double>(einsum("ij, jk", {a23, b32})) == Reals{58, 64, 139, 154});
  CHECK(values<double>(einsum("ij->ji", {a23})) == Reals{1, 4, 2, 5, 3, 6});
  CHECK(values<double>(einsum("ba", {a23})) == Reals{1, 4, 2, 5, 3, 6});
  CHECK(values<double>(einsum("ij->", {a23})) == Reals{21});
  CHECK(values<double>(einsum("ij,ij->i", {a23, a23})) == Reals{14, 77});
  CHECK(values<double>(einsum("i,j->ji", {vec<double>({1, 2}), vec<double>({3, 4})})) == Reals{3, 6, 4, 8});
  CHECK(values<double>(einsum("...j,jk->...k", {a23, b32})) == Reals{58, 64, 139, 154});
  CHECK(values<double>(einsum("ij,jk,kl->il", {a23, b32, mat({1, 0, 0, 1}, 2, 2)})) == Reals{58, 64, 139, 154});
  CHECK(values<double>(einsum("ij,k->i", {a23, vec<double>({1, 2})})) == Reals{18, 45});
  CHECK(values<double>(einsum("i,i,i->", {vec<double>({1, 2}), vec<double>({3, 4}), vec<double>({5, 6})})) == Reals{63});
}

TEST_CASE("errors of products name both shapes and the line") {
  const auto says = [](const std::string& text, std::initializer_list<const char*> parts) {
    INFO(text);
    for (const char* part : parts) CHECK(text.find(part) != std::string::npos);
    CHECK(text.find("product_test.cpp") != std::string::npos);
  };
  says(user_error([] { (void)dot(a23, a23); }), {"dot", "[2, 3] and [2, 3]", "size 3", "2"});
  says(user_error([] { (void)matmul(a23, constant(1.0, DType::f64)); }), {"matmul", "rank 1"});
  says(user_error([] { (void)dot(a23, vec<double>({1, 2})); }), {"dot", "[2, 3] and [2]"});
  says(user_error([] { (void)dot(vec<double>({1}), vec<double>({1, 2})); }), {"dot", "[1] and [2]"});
  says(user_error([] { (void)matmul(constant(Reals(12), {2, 2, 3}), constant(Reals(18), {3, 3, 2})); }), {"[2, 2, 3]", "[3, 3, 2]"});
  says(user_error([] { (void)tensordot(a23, b32, {0}, {0, 1}); }), {"tensordot", "1 axes", "2"});
  says(user_error([] { (void)tensordot(a23, b32, 3); }), {"tensordot", "3 axes"});
  says(user_error([] { (void)einsum("ij,jk->ik", {a23, a23}); }), {"einsum", "'j'", "size 2", "3"});
  says(user_error([] { (void)einsum("ij,jk->ikz", {a23, b32}); }), {"'z'"});
  says(user_error([] { (void)einsum("ii->i", {a23}); }), {"diagonals"});
  says(user_error([] { (void)einsum("ij,j1", {a23, b32}); }), {"'1'", "character 5"});
  says(user_error([] { (void)einsum("ij", {a23, b32}); }), {"1 terms for 2 operands"});
  says(user_error([] { (void)einsum("i", {a23}); }), {"labels", "[2, 3]"});
  says(user_error([] { (void)einsum(std::string(1000, 'i'), {a23}); }), {"1000 characters"});
  says(user_error([] { (void)batched_dot(a23, b32); }), {"batched_dot", "[2, 3] and [3, 2]"});
}

TEST_CASE("both sets of kernels give the same bits") {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx512dq")) return;
  using namespace ops::gemm;
  const auto compare = [](auto kind, const auto& wide, const auto& base) {
    using T = decltype(kind);
    const int64_t depth = 37, rows = 4, columns = 32;
    std::vector<T> a(static_cast<size_t>(depth * rows)), b(static_cast<size_t>(depth * columns));
    for (size_t k = 0; k < a.size(); ++k) a[k] = static_cast<T>(1.0 + 0.37 * static_cast<double>(k % 17));
    for (size_t k = 0; k < b.size(); ++k) b[k] = static_cast<T>(2.0 + 0.11 * static_cast<double>(k % 23));
    std::vector<T> results[2];
    int which = 0;
    for (const auto* kernel : {&wide, &base}) {
      std::vector<T> panel(static_cast<size_t>(depth * kernel->mr));
      for (int64_t k = 0; k < depth; ++k)
        for (int64_t r = 0; r < rows; ++r) panel[static_cast<size_t>(k * kernel->mr + r)] = a[static_cast<size_t>(k * rows + r)];
      std::vector<T>& c = results[which++];
      c.assign(static_cast<size_t>(rows * columns), T(1));
      for (int64_t j = 0; j < columns; j += kernel->nr)
        for (const bool add : {true, true, false, true})
          kernel->run(depth, panel.data(), b.data() + j, columns, c.data() + j, columns, static_cast<int>(rows), add);
    }
    CHECK(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(T)) == 0);
  };
  compare(float{}, avx512_kernels.f32, base_kernels.f32);
  compare(double{}, avx512_kernels.f64, base_kernels.f64);
  compare(uint32_t{}, avx512_kernels.u32, base_kernels.u32);
  compare(uint64_t{}, avx512_kernels.u64, base_kernels.u64);
#endif
}

TEST_CASE("gradients of products against differences") {
  using Variables = std::vector<Expr>;
  const auto agree = [](const std::function<Expr(const Variables&)>& f, const std::vector<HostArray>& at) {
    CHECK_NOTHROW(verify_grad(f, at));
  };
  const HostArray m = ramp({4, 3}, 0.5), n = ramp({3, 5}, -0.3), v = ramp({3}, 0.2), b = ramp({2, 4, 3}, 0.1), c = ramp({2, 3, 5}, -0.4);
  agree([](const Variables& x) { return dot(x[0], x[1]); }, {m, n});
  agree([](const Variables& x) { return dot(x[0], x[1]); }, {m, v});
  agree([](const Variables& x) { return dot(x[1], x[0]); }, {n, v});
  agree([](const Variables& x) { return dot(x[0], x[1]); }, {v, v});
  agree([](const Variables& x) { return outer(x[0], x[1]); }, {v, v});
  agree([](const Variables& x) { return dot(transpose(x[1]), transpose(x[0])); }, {m, n});
  agree([](const Variables& x) { return matmul(x[0], x[1]); }, {b, c});
  agree([](const Variables& x) { return matmul(x[0], x[1]); }, {b, n});
  agree([](const Variables& x) { return batched_dot(x[0], x[1]); }, {b, c});
  agree([](const Variables& x) { return tensordot(x[0], x[1], {2}, {1}); }, {b, c});
  agree([](const Variables& x) { return einsum("bij,bjk,k->i", {x[0], x[1], x[2]}); }, {b, c, ramp({5}, 1)});
}

TEST_CASE("gradients of complex products against differences") {
  const auto complex = [](std::vector<int64_t> shape, double start) {
    HostArray a = HostArray::of(DType::c128, std::move(shape));
    for (int64_t k = 0; k < a.size(); ++k) {
      const Complex value(start + 0.3 * static_cast<double>(k % 7), 0.5 - 0.2 * static_cast<double>(k % 5));
      std::memcpy(a.bytes.data() + k * 16, &value, 16);
    }
    return a;
  };
  CHECK_NOTHROW(verify_grad([](const std::vector<Expr>& x) { return dot(x[0], x[1]); }, {complex({3, 4}, 0.2), complex({4, 2}, -0.6)}));
  CHECK_NOTHROW(verify_grad([](const std::vector<Expr>& x) { return vecdot(x[0], x[1]); }, {complex({4}, 0.2), complex({4}, -0.6)}));
}

TEST_CASE("products with vectors add in their own dtype or in acc_dtype, and so do their gradients") {
  const Expr x = fmatrix("x"), w = fvector("w");
  const auto accumulators = [&](const ProductOptions& options) {
    const Expr p = dot(x, w, options);
    std::vector<DType> found;
    const Graph graph = Graph::make({x, w}, {grad(sum(p), w), p});
    for (const Expr& node : graph.nodes()) {
      if (node->op().kind == OpKind::reduction) found.push_back(node->attr_dtype("acc_dtype"));
    }
    return found;
  };
  CHECK((accumulators({}) == std::vector<DType>{DType::f32, DType::f32}));
  CHECK((accumulators({.acc_dtype = DType::f64}) == std::vector<DType>{DType::f64, DType::f64}));
}

TEST_CASE("products of images: a name that two axes would have is given to neither") {
  const Expr one_column = image_input("a", DType::f32, {"n", 1}, {"x", "y"}), rows = image_input("b", DType::f32, {"n", 3}, {"x", "y"});
  CHECK(dot(one_column, transpose(one_column)).type().str() == "f32[n, n]F");
  CHECK(dot(rows, transpose(rows)).type().str() == "f32[n, n]F");
  CHECK(verify(Graph::make({one_column}, {dot(one_column, transpose(one_column))})).empty());
}

// tests/passes/absorb_test.cpp: matrix products take in factors, addends and transpositions, with the same bits, and only where nothing
// else uses them.
#include "harness.h"

#include <voxloom/graph/passes/absorb.h>

#include <catch2/catch.hpp>

using namespace passes_test;

namespace {

int count(const Graph& g, const char* name) {
  int n = 0;
  for (const Expr& e : g.nodes()) n += std::string(e->op().name) == name ? 1 : 0;
  return n;
}

HostArray numbers(std::vector<int64_t> shape, double start) {
  HostArray a = HostArray::of(DType::f32, std::move(shape));
  for (int64_t k = 0; k < a.size(); ++k) {
    const auto value = static_cast<float>(start + 0.37 * static_cast<double>(k % 13) - static_cast<double>(k % 5));
    std::memcpy(a.bytes.data() + k * 4, &value, 4);
  }
  return a;
}

const Expr x = fmatrix("x", {"m", "k"}), y = fmatrix("y", {"k", "n"}), z = fmatrix("z", {"m", "n"}), b = frow("b", {1, "n"}),
           s = fscalar("s");

/// The expression optimised and as written: the same bits; gives the optimised graph.
Graph same(const Expr& e) {
  const Graph written = Graph::make({x, y, z, b, s}, {e});
  PassContext c = context();
  const Graph after = optimise(written, c);
  CHECK(verify(after).empty());
  const std::vector<HostArray> values = {numbers({4, 400}, 0.3), numbers({400, 5}, -0.2), numbers({4, 5}, 7), numbers({1, 5}, 0.1),
                                         numbers({}, 1.7)};
  CHECK(same_bits(value_of(written, values), value_of(after, values)));
  return after;
}

}  // namespace

TEST_CASE("factors and addends become one gemm") {
  const Expr p = dot(x, y);
  for (const Expr& e :
       {p + z, z + p, s * p + z, p * s + z * 2, z - s * p, p - z, 3 * p - s * z, p + b, z - 0.5 * dot(transpose(transpose(x)), y)}) {
    const Graph g = same(e);
    INFO(to_text(g));
    CHECK(count(g, "gemm") == 1);
    CHECK(count(g, "matmul") == 0);
    CHECK(count(g, "add") + count(g, "sub") + count(g, "mul") == 0);
  }
}

TEST_CASE("a transposed product is the product of the transposed") {
  CHECK(count(same(transpose(dot(x, y))), "dimshuffle") == 2);
  CHECK(count(same(transpose(dot(transpose(y), transpose(x))) + z), "gemm") == 1);
  CHECK(count(same(transpose(dot(transpose(y), transpose(x)))), "dimshuffle") == 0);
}

TEST_CASE("what something else uses is left alone") {
  const Expr p = dot(x, y);
  CHECK(count(same((p + z) * p), "gemm") == 0);
  CHECK(count(same(p * z + p), "matmul") == 1);
  CHECK(count(same(p + z * s + exp(z * s)), "exp") == 1);
  CHECK(count(same(dot(x, y) + stack({z, z})), "matmul") == 1);  // the product is repeated
}

// tests/passes/optimise_test.cpp: the whole pipeline over the op table: same bits on random graphs, views, reductions, depth.
#include "harness.h"

#include <voxloom/graph/constant.h>

#include <catch2/catch.hpp>

#include <pthread.h>

#include <functional>
#include <random>

using namespace voxloom;
using namespace passes_test;

namespace {

// Random expressions over two matrices that share an axis, an image-like tensor in F order and constants, with views in between.
class Generator {
 public:
  explicit Generator(uint32_t seed) : rng_(seed) {
    const DType dtype = pick(3) == 0 ? f64 : pick(3) == 0 ? i32 : f32;
    inputs = {tensor("a", dtype, {4, "n"}), tensor("b", dtype, {"n"}), tensor("c", dtype, {4, "n"})};
    pool_ = inputs;
    for (int i = 0; i < 25; ++i) grow();
  }

  Graph graph() { return Graph::make(inputs, {pool_[pool_.size() - 1], pool_[pool_.size() - 2], any()}); }

  std::vector<HostArray> values() {
    std::vector<HostArray> arrays;
    for (const Expr& x : inputs) {
      arrays.push_back(HostArray::of(x.dtype(), x.rank() == 2 ? std::vector<int64_t>{4, 5} : std::vector<int64_t>{5}));
      for (int64_t k = 0; k < arrays.back().size(); ++k) store(arrays.back(), k);
    }
    return arrays;
  }

  std::vector<Expr> inputs;

 private:
  size_t pick(size_t n) { return rng_() % n; }
  const Expr& any() { return pool_[pick(pool_.size())]; }

  void store(HostArray& array, int64_t k) {
    const auto put = [&](auto value) { std::memcpy(array.bytes.data() + static_cast<size_t>(k) * sizeof value, &value, sizeof value); };
    if (array.dtype == f32) put(special_values<float>()[pick(20)]);
    if (array.dtype == f64) put(special_values<double>()[pick(20)]);
    if (array.dtype == i32) put(special_values<int32_t>()[pick(10)]);
  }

  void grow() {
    try {
      pool_.push_back(grown());
    } catch (const UserError&) {}  // operands that do not fit
  }

  Expr grown() {
    const Expr x = any(), y = any();
    static const double numbers[] = {0, -0.0, 1, -1, 2, 0.5, 3, 8};
    const double c = numbers[pick(8)];
    switch (pick(24)) {
      case 0: return x + y;
      case 1: return x - y;
      case 2: return x * y;
      case 3: return is_float(x.dtype()) ? x / y : x - y;
      case 4: return -x;
      case 5: return abs(x);
      case 6: return x * static_cast<int>(c);
      case 7: return is_float(x.dtype()) ? x + c : x + static_cast<int>(c);
      case 8: return is_float(x.dtype()) ? x / (c == 0 ? 4 : c) : x;
      case 9: return where(x < y, x, y);
      case 10: return where(logical_not(eq(x, y)), y, x);
      case 11: return minimum(x, y);
      case 12: return cast(cast(x, pick(2) == 0 ? f64 : i16), x.dtype());
      case 13: return x.rank() == 2 ? transpose(transpose(x)) : x;
      case 14: return x.rank() == 2 ? transpose(x) : x;
      case 15: return x.rank() == 2 ? index(x, {Slice{1, {}, {}}}) : x;
      case 16: return x.rank() > 0 ? flip(x) : x;
      case 17: return x.rank() > 0 ? slice(x, -1, Slice{{}, -1, 2}) : x;
      case 18: return sum(x, 0, {.keepdims = true});
      case 19: return max(max(x, 0), 0);
      case 20: return max(x, 0, {.keepdims = true}) - x;
      case 21: return x.rank() == 1 ? x + expand_dims(x, 1) : x;
      case 22: return sqr(-x);
      default: return is_float(x.dtype()) ? exp(x) : x * x;
    }
  }

  std::mt19937 rng_;
  std::vector<Expr> pool_;
};

void on_small_stack(std::function<void()> body) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, VOXLOOM_SMALL_STACK);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  pthread_create(&thread, &attr, run, &body);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attr);
}

}  // namespace

TEST_CASE("exact passes keep the bits of random graphs, and run to a fixed point") {
  std::set<std::string> fired;
  int smaller = 0, compared = 0;
  for (uint32_t seed = 0; seed < 400; ++seed) {
    Generator generator(seed);
    PassContext passes = context(&fired);
    passes.excluded = {"stabilise"};
    passes.verify = true;
    const Graph off = generator.graph(), on = optimise(off, passes);
    smaller += on.size() < off.size() ? 1 : 0;
    const std::vector<HostArray> values = generator.values();
    std::vector<StridedView> views;
    for (const HostArray& x : values) views.push_back(x.view());
    std::vector<HostArray> want;
    try {
      want = interpret(off, views);
    } catch (const UserError&) { continue; }
    const std::vector<HostArray> got = interpret(on, views);
    for (size_t k = 0; k < want.size(); ++k) {
      CAPTURE(seed, k, to_text(off), to_text(on));
      CHECK(same_bits(want[k], got[k]));
      ++compared;
    }
    const Graph again = optimise(on, passes);
    CAPTURE(seed, to_text(on), to_text(again));
    CHECK(structurally_equal(again, on));
  }
  CHECK(smaller > 200);
  CHECK(compared > 600);
  CHECK(fired.size() > 20);
}

TEST_CASE("each rule can be left out by leaving out its pass") {
  PassContext passes = context();
  passes.excluded = {"simplify", "stabilise", "canonicalise", "fold_constants", "push_views", "check_float64"};
  const Expr x = fvector("x");
  const Graph g = Graph::make({x}, {-(-x)});
  CHECK(optimise(g, passes).outputs()[0].same_as(g.outputs()[0]));
  passes.excluded.erase(passes.excluded.begin());
  CHECK(optimise(g, passes).outputs()[0].same_as(x));
}

TEST_CASE("constants meet other ranks without leaving views behind") {
  PassContext passes = context();
  const Expr x = fmatrix("x");
  const Graph g = optimise(Graph::make({x}, {exp(x / 2) * 1}), passes);
  CHECK_THAT(to_text(g), Catch::Contains("constant [0.5] : f32[1, 1]"));
  CHECK(g.size() == 4);
}

TEST_CASE("a slice of an image expression reaches the image") {
  PassContext passes = context();
  const Expr a = image_input("a", i16, {8, 8, 8, "t"}, {"x", "y", "z", "t"});
  const Graph g = optimise(Graph::make({a}, {exp(-sqr((index(a, {ellipsis, 0}) - index(a, {ellipsis, 1})) / 50))}), passes);
  const Graph whole = optimise(Graph::make({a}, {index(exp(-sqr(a / 50)), {ellipsis, 0})}), passes);
  const Graph part = optimise(Graph::make({a}, {exp(-sqr(index(a, {ellipsis, 0}) / 50))}), passes);
  CHECK(structurally_equal(whole, part));
  CHECK(g.size() < 14);
}

TEST_CASE("slices pass dimshuffles; transposes move to the leaves, new axes stay where they are") {
  PassContext passes = context();
  const Expr x = fmatrix("x", {8, "n"}), v = fvector("v", {8});
  const auto one = [&](const Expr& e) { return optimise(Graph::make({x, v}, {e}), passes); };
  CHECK(structurally_equal(one(slice(transpose(exp(x)), 1, {2, 6})), one(exp(transpose(slice(x, 0, {2, 6}))))));
  const Graph column = one(exp(x) * expand_dims(sigmoid(v), 1));
  CHECK(std::any_of(column.nodes().begin(), column.nodes().end(),
                    [](const Expr& e) { return e->op().name == std::string("sigmoid") && e.rank() == 1; }));
}

TEST_CASE("nothing is folded to a constant without elements") {
  PassContext passes = context();
  const Expr x = fmatrix("x", {1, "n"});
  const Graph g = optimise(Graph::make({x}, {slice(fmax(x, 100), 0, {0, 0})}), passes);
  for (const Expr& node : g.nodes()) { CHECK((constant_of(*node) == nullptr || constant_of(*node)->size() > 0)); }
}

TEST_CASE("reductions of reductions become one") {
  PassContext passes = context();
  const Expr x = ftensor3("x", {"a", "b", "c"}), i = itensor3("i", {"a", "b", "c"});
  const auto one = [&](const Expr& e) { return optimise(Graph::make({x, i}, {e}), passes); };
  CHECK(structurally_equal(one(max(max(x, 0), 1)), one(max(x, {0, 2}))));
  CHECK(structurally_equal(one(min(min(x, 1, {.keepdims = true}), {0, 1}, {.keepdims = true})), one(min(x, {0, 1}, {.keepdims = true}))));
  CHECK(one(sum(sum(x, 0), 0)).size() == 4);
  CHECK(one(max(max(x, 0, {.keepdims = true}), 1)).size() == 4);
}

TEST_CASE("100 000 nodes of the op table are optimised under a small stack") {
  size_t chain = 0, dag = 0;
  on_small_stack([&] {
    const Expr x = fvector("x");
    Expr y = x, z = x;
    for (int i = 0; i < 50000; ++i) y = abs(-y);
    for (int i = 0; i < 100000; ++i) z = i % 2 == 0 ? z * z : exp(z);
    PassContext passes = context();
    passes.verify = false;
    chain = optimise(Graph::make({x}, {y}), passes).size();
    dag = optimise(Graph::make({x}, {z}), passes).size();
  });
  CHECK(chain == 2);
  CHECK(dag == 100001);
}

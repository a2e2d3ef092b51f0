// tests/graph/fold_constants_test.cpp: what is known is computed, within bounds.
#include "pass_rows.h"

#include <voxloom/graph/passes/fold_constants.h>

#include <catch2/catch.hpp>

#include <vector>

using namespace voxloom;
using namespace pass_rows;

TEST_CASE("fold_constants computes what is known, within bounds") {
  PassContext context;
  context.evaluate = evaluate;
  const Graph g = fold_constants(Graph::make({a}, {add(a, neg(neg(neg(rows::number(2)))))}), context);
  CHECK(g.size() == 3);
  CHECK(uniform_value(*g.outputs()[0]->input(1)) == -2.0);
  std::vector<float> many(5000, 1.0f);
  const StridedView view{reinterpret_cast<std::byte*>(many.data()), f32, {5000}, {4}, false};
  CHECK(fold_constants(Graph::make({}, {neg(make_constant(constant_op(), view))}), context).size() == 2);
  const Graph untouched = Graph::make({a}, {exp(rows::number(1))});
  CHECK(fold_constants(untouched, context).outputs()[0].same_as(untouched.outputs()[0]));
  context.evaluate = [](const Node&) -> std::shared_ptr<const ConstantPayload> { fail_user(ErrorCode::shape, "op", "no elements"); };
  CHECK(fold_constants(Graph::make({}, {neg(rows::number(1))}), context).size() == 2);
}

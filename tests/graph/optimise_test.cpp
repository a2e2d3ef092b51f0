// tests/graph/optimise_test.cpp: the pipeline without rules.
#include "pass_rows.h"

#include <voxloom/graph/passes/optimise.h>

#include <catch2/catch.hpp>

#include <algorithm>

using namespace voxloom;
using namespace pass_rows;

TEST_CASE("the whole pipeline runs without rules, keeps names of passes and is idempotent") {
  PassContext context;
  context.evaluate = evaluate;
  context.view_of_operand = view_of_operand;
  const Graph g = Graph::make({a, b}, {add(neg(rows::number(1)), rows::take(add(b, a), 0, n))});
  const Graph once = optimise(g, context);
  CHECK(structurally_equal(once, Graph::make({a, b}, {add(add(a, b), rows::number(-1))})));
  CHECK(structurally_equal(optimise(once, context), once));
  for (const PassReport& report : context.reports) {
    CHECK(std::find(pass_names().begin(), pass_names().end(), report.name) != pass_names().end());
  }
  context.excluded.assign(pass_names().begin(), pass_names().end());
  CHECK(optimise(g, context).outputs()[0].same_as(g.outputs()[0]));
}

// tests/graph/run_pass_test.cpp: reports, changes shown, the interface checked, passes switched off.
#include "pass_rows.h"

#include <voxloom/graph/passes/canonicalise.h>
#include <voxloom/graph/passes/run_pass.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace pass_rows;

TEST_CASE("run_pass reports, shows changes, verifies and can be switched off") {
  PassContext context;
  std::string changed;
  context.on_change = [&](const std::string& name, const Graph&, const Graph&) { changed += name; };
  const Graph g = Graph::make({a, b}, {add(rows::number(1), a)});
  const Graph result = run_pass("canonicalise", g, context, canonicalise);
  CHECK(changed == "canonicalise");
  CHECK(constant_of(*result.outputs()[0]->input(1)) != nullptr);
  run_pass("canonicalise", result, context, canonicalise);
  CHECK(changed == "canonicalise");
  REQUIRE(context.reports.size() == 2);
  CHECK(context.reports[0].changed);
  CHECK(context.reports[0].firings == 1);
  CHECK_FALSE(context.reports[1].changed);
  context.excluded = {"canonicalise"};
  CHECK(run_pass("canonicalise", g, context, canonicalise).outputs()[0].same_as(g.outputs()[0]));
  CHECK(context.reports.size() == 2);
}

TEST_CASE("run_pass refuses a pass that changes the interface") {
  PassContext context;
  const Graph g = Graph::make({a}, {neg(a)});
  CHECK_THROWS_AS(run_pass("bad", g, context, [](const Graph&, PassContext&) { return Graph::make({a}, {make_node(rows::sum, {a})}); }),
                  InternalError);
  CHECK_THROWS_AS(run_pass("bad", g, context, [](const Graph&, PassContext&) { return Graph::make({a, b}, {neg(a)}); }), InternalError);
}

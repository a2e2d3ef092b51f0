// tests/graph/check_float64_test.cpp: nodes that bring float64 in are named.
#include "pass_rows.h"

#include <voxloom/graph/passes/check_float64.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace pass_rows;

TEST_CASE("check_float64 names the node and the line") {
  const OpInfo widen = rows::make_row("widen", 1, OpKind::elementwise, [](const OpInfo&, std::span<const Expr> in, const Attrs&, OriginId) {
    Type type = in[0].type();
    type.dtype = f64;
    return type;
  });
  const Expr e = make_node(widen, {make_node(widen, {a}, {}, origin_of_text("model.cpp", 12))});
  const Graph g = Graph::make({a}, {e});
  PassContext context;
  std::vector<std::string> warnings;
  context.warn = [&](const std::string& text) { warnings.push_back(text); };
  check_float64(g, context);
  CHECK(warnings.empty());
  context.float64 = Float64Check::warn;
  check_float64(g, context);
  CHECK(warnings == std::vector<std::string>{"widen gives f64[n] from float32 [at model.cpp:12]"});
  context.float64 = Float64Check::raise;
  CHECK_THROWS_WITH(check_float64(g, context), Catch::Contains("widen: gives f64[n]") && Catch::Contains("model.cpp:12"));
}

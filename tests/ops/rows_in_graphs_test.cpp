// tests/ops/rows_in_graphs_test.cpp: graphs over the whole table are sound, and read back from their text.
#include "check.h"

#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>
#include <voxloom/graph/verify.h>

#include <catch2/catch.hpp>

using namespace voxloom;
using namespace voxloom::test;

namespace {

/// One expression of each elementwise row and reduction over a float (or else integer or boolean) matrix, and of each view.
std::vector<Expr> one_of_each(const Expr& x, const Expr& k) {
  std::vector<Expr> outputs;
  for (const OpInfo* row : all_ops()) {
    for (const Expr& operand : {x, k, k > 0}) {
      try {
        if (row->kind == OpKind::reduction) outputs.push_back(reduce(*row, operand, 1));
        else if (std::string(row->name) == "cast") outputs.push_back(cast(operand, DType::u16));
        else if (row->kind == OpKind::elementwise)
          outputs.push_back(elementwise(*row, std::vector<Operand>(static_cast<size_t>(row->min_arity), operand)));
        else continue;
        break;
      } catch (const UserError&) {
        continue;  // the row refuses this dtype; the next one is tried
      }
    }
  }
  for (const Expr& e :
       {index(x, {-1, Slice{1, {}, 2}}), flip(x), transpose(x), reshape(x, {-1, 2}), broadcast_to(index(x, {0}), {4, "m"}), stack({x, k}),
        arange("n"), take(x, k % 2, 0), set_subtensor(x, {0}, 1), inc_subtensor(x, {Slice{}, Slice{1}}, 2), set_subtensor(x, {k % 2}, 3),
        inc_subtensor(x, {k % 2, k % 3}, 4), matmul(x, transpose(x)), matmul(transpose(x), k)})
    outputs.push_back(e);
  const Expr alpha = constant(std::vector<float>{0.5f}, {1, 1});
  outputs.push_back(make_node(op("gemm"), {x, transpose(x), matmul(x, transpose(x)), alpha, alpha}, {{"acc_dtype", DType::f32}}));
  return outputs;
}

}  // namespace

TEST_CASE("every row in one graph: sound, printed and read back") {
  const Expr x = fmatrix("x", {"n", "m"}), k = imatrix("k", {"n", "m"});
  const std::vector<Expr> outputs = one_of_each(x, k);
  CHECK(outputs.size() >= all_ops().size());
  const Graph graph = Graph::make({x, k}, outputs);
  const auto broken = verify(graph);
  CHECK(broken.empty());
  for (const std::string& line : broken) UNSCOPED_INFO(line);
  const std::string text = to_text(graph);
  const Graph again = parse_graph(text, find_op);
  CHECK(to_text(again) == text);
  CHECK(again.structural_hash() == graph.structural_hash());
}

TEST_CASE("what is read back computes the same") {
  const Expr x = fmatrix("x", {"n", "m"}), k = imatrix("k", {"n", "m"});
  const Graph graph = Graph::make({x, k}, one_of_each(x, k));
  const Graph again = parse_graph(to_text(graph), find_op);
  const HostArray a = array<float>({0.5f, -1.5f, 2, 3, 0.25f, 7, 1, -0.75f}, {2, 4}), b = array<int32_t>({3, -1, 0, 2, 5, 1, 1, 4}, {2, 4});
  const std::vector<StridedView> views = {a.view(), b.view()};
  const auto first = interpret(graph, views), second = interpret(again, views);
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) CHECK(first[i].bytes == second[i].bytes);
}

TEST_CASE("malformed attributes are refused, not trusted") {
  const auto refuse = [](const std::string& line) {
    const std::string text = "graph {\n  %x = input \"x\" : f32[3, 4]\n  " + line + "\n  return %y\n}\n";
    return user_error([&] { parse_graph(text, find_op); });
  };
  CHECK(refuse("%y = sum(%x) {acc_dtype=f64, axes=[0], dtype=f32, keepdims=false} : f32[4]").empty());
  CHECK_FALSE(refuse("%y = sum(%x) {axes=[0]} : f32[4]").empty());
  CHECK_FALSE(refuse("%y = sum(%x) {acc_dtype=f64, axes=[2], dtype=f32, keepdims=false} : f32[4]").empty());
  CHECK_FALSE(refuse("%y = sum(%x) {acc_dtype=f64, axes=[1, 0], dtype=f32, keepdims=false} : f32[]").empty());
  CHECK_FALSE(refuse("%y = sum(%x) {acc_dtype=i64, axes=[0], dtype=f32, keepdims=false} : f32[4]").empty());
  CHECK_FALSE(refuse("%y = dimshuffle(%x) {pattern=[0]} : f32[3]").empty());
  CHECK_FALSE(refuse("%y = dimshuffle(%x) {pattern=[0, 5]} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = slice(%x) {shape=[3, 5], starts=[0, 0], steps=[1, 1]} : f32[3, 5]").empty());
  CHECK_FALSE(refuse("%y = slice(%x) {shape=[3], starts=[0], steps=[1]} : f32[3]").empty());
  CHECK_FALSE(refuse("%y = reshape(%x) {shape=[5]} : f32[5]").empty());
  CHECK_FALSE(refuse("%y = cast(%x) {dtype=f16} : f16[3, 4]").empty());
  CHECK_FALSE(refuse("%y = iota() {axis=1, shape=dims[3]} : i64[3]").empty());
  CHECK_FALSE(refuse("%y = iota() {axis=0, shape=dims[-3]} : i64[-3]").empty());
  CHECK_FALSE(refuse("%y = take(%x, %x) {axes=[0], position=0} : f32[3, 4, 4]").empty());
  CHECK(refuse("%i = iota() {axis=0, shape=dims[3]} : i64[3]\n  %y = take(%x, %i) {axes=[0], position=0} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%i = iota() {axis=0, shape=dims[3]} : i64[3]\n  %y = take(%x, %i) {axes=[2], position=0} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%i = iota() {axis=0, shape=dims[3]} : i64[3]\n  %y = take(%x, %i) {axes=[0], position=2} : f32[4, 3]").empty());
  CHECK_FALSE(refuse("%i = iota() {axis=0, shape=dims[3]} : i64[3]\n  %y = take(%x, %i) {axes=[0, 1], position=0} : f32[3]").empty());
  CHECK_FALSE(refuse("%i = iota() {axis=0, shape=dims[3]} : i64[3]\n  %y = set_at(%x, %x, %i) {axes=[1], position=0} : f32[3, 4]").empty());
  CHECK(refuse("%y = set_slice(%x, %x) {shape=dims[-1, -1], starts=dims[0, 0], steps=[1, 1]} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = set_slice(%x, %x) {shape=dims[-1, -1], starts=dims[0, 1], steps=[1, 1]} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = set_slice(%x, %x) {shape=dims[3, 2], starts=dims[0, 0], steps=[1, 1]} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = set_slice(%x, %x) {shape=dims[3, 4], starts=dims[0, 2], steps=[1, 1]} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = concatenate(%x) {axis=7} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = concatenate(%x) {axis=0, name=3} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = concatenate(%x) {axis=0, name=\"t\"} : f32[3, 4]").empty());
  CHECK(refuse("%t = dimshuffle(%x) {pattern=[1, 0]} : f32[4, 3]\n  %y = matmul(%x, %t) {acc_dtype=f64} : f32[3, 3]").empty());
  CHECK_FALSE(refuse("%y = matmul(%x, %x) {acc_dtype=f32} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%t = dimshuffle(%x) {pattern=[1, 0]} : f32[4, 3]\n  %y = matmul(%x, %t) {acc_dtype=i64} : f32[3, 3]").empty());
  CHECK_FALSE(refuse("%y = gemm(%x, %x, %x, %x, %x) {acc_dtype=f32} : f32[3, 4]").empty());
  CHECK_FALSE(refuse("%y = var(%x) {axes=[0], dtype=f32, keepdims=false} : f32[4]").empty());
}

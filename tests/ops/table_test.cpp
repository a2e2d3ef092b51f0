// tests/ops/table_test.cpp: every row of the op table is complete.
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/table.h>

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace voxloom;

namespace {

bool filled(const char* text) { return text != nullptr && text[0] != '\0'; }

template <class Fns> bool complete(const Fns& fns) {
  return fns.init != nullptr && fns.step != nullptr && fns.combine != nullptr && fns.finish != nullptr;
}

}  // namespace

TEST_CASE("every row has all its entries") {
  std::set<std::string> names;
  for (const OpInfo* row : all_ops()) {
    INFO("row " << row->name);
    CHECK(filled(row->name));
    CHECK(names.insert(row->name).second);
    CHECK(row->min_arity >= (row->kind == OpKind::indexed ? 0 : 1));
    CHECK(row->max_arity >= row->min_arity);
    CHECK(row->infer != nullptr);
    CHECK(filled(row->doc));
    CHECK(filled(row->domain));
    CHECK(filled(row->family));
    CHECK((row->elementwise.scalar != nullptr) == (row->kind == OpKind::elementwise));
    CHECK((row->elementwise.record != nullptr) == (row->kind == OpKind::elementwise));
    CHECK((row->reduction.state != nullptr) == (row->kind == OpKind::reduction));
    CHECK(complete(row->reduction.scalar) == (row->kind == OpKind::reduction));
    CHECK(complete(row->reduction.record) == (row->kind == OpKind::reduction));
    CHECK((row->gradient != nullptr) != row->no_gradient);
    CHECK((row->library.define != nullptr && row->library.run != nullptr && row->library.flops != nullptr) ==
          (row->kind == OpKind::library));
    if (row->kind == OpKind::reduction || row->kind == OpKind::scatter || row->kind == OpKind::library) CHECK(row->axes != nullptr);
    CHECK((row->indexed.scalar.value != nullptr && row->indexed.record.value != nullptr) == (row->kind == OpKind::indexed));
    CHECK((row->indexed.scalar.index != nullptr && row->indexed.record.index != nullptr) == (row->kind == OpKind::indexed));
    CHECK((row->indexed.sizes != nullptr && row->indexed.reads_position != nullptr) == (row->kind == OpKind::indexed));
    CHECK(row->indexed.source < row->min_arity);
    if (row->indexed.source >= 0) CHECK(row->axes != nullptr);
    if (row->flags.associative) CHECK(row->max_arity == 2);
    if (row->flags.commutative) CHECK(row->min_arity == 2);
    if (filled(row->identity) || filled(row->absorbing)) CHECK(row->min_arity == 2);
    CHECK(find_op(row->name) == row);
  }
  CHECK(names.size() > 50);
}

TEST_CASE("rows are found by name") {
  CHECK(find_op("no_such_op") == nullptr);
  CHECK(find_op("") == nullptr);
  CHECK(&op("add") == find_op("add"));
  CHECK_THROWS_AS(op("no_such_op"), InternalError);
  CHECK(find_op("input") == &input_op());
  CHECK(find_op("constant") == &constant_op());
}

TEST_CASE("other names lead to rows and hide none") {
  CHECK(find_function("add") == find_op("add"));
  CHECK(find_function("absolute") == find_op("abs"));
  CHECK(find_function("switch") == find_op("where"));
  CHECK(find_function("no_such_function") == nullptr);
  for (const OpInfo* row : all_ops())
    for (const std::string_view alias : aliases_of(*row)) {
      INFO(alias);
      CHECK(find_op(alias) == nullptr);
      CHECK(find_function(alias) == row);
    }
}

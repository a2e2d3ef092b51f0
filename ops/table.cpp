// ops/table.cpp: the op table, gathered from the families.
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/elemwise_op.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/table.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom {
namespace {

struct Table {
  std::vector<const OpInfo*> rows;
  std::unordered_map<std::string_view, const OpInfo*> by_name;

  Table() {
    using namespace ops;
    for (auto* family :
         {arithmetic_rows, power_rows, exponential_rows, trigonometric_rows, rounding_rows, comparison_rows, bit_rows, special_rows,
          cast_rows, complex_rows, reduction_rows, variance_rows, product_rows, view_rows, index_rows, gradient_rows})
      for (const OpInfo& row : family()) rows.push_back(&row);
    for (const OpInfo* row : rows) add(*row);
    for (const OpInfo* row : leaf_ops()) add(*row);
    add(custom_gradient_row());
  }

 private:
  void add(const OpInfo& row) { internal_check(by_name.emplace(row.name, &row).second, "two rows of the op table have one name"); }
};

const Table& table() {
  static const auto* const instance = new Table;  // never destroyed: expressions may outlive static objects
  return *instance;
}

}  // namespace

const OpInfo* find_op(std::string_view name) {
  const auto it = table().by_name.find(name);
  return it == table().by_name.end() ? nullptr : it->second;
}

std::span<const OpInfo* const> all_ops() { return table().rows; }

const OpInfo& op(const char* name) {
  const OpInfo* row = find_op(name);
  if (row == nullptr) fail_internal("no row of the op table is named " + std::string(name));
  return *row;
}

}  // namespace voxloom

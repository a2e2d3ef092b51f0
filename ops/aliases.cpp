// ops/aliases.cpp: names that NumPy and Theano have for rows of the op table.
#include <voxloom/ops/table.h>

namespace voxloom {
namespace {

struct Alias {
  std::string_view name;
  const char* row;
};
constexpr Alias aliases[] = {
    {"subtract", "sub"},
    {"multiply", "mul"},
    {"divide", "div"},
    {"true_divide", "div"},
    {"true_div", "div"},
    {"floor_divide", "floordiv"},
    {"int_div", "floordiv"},
    {"remainder", "mod"},
    {"negative", "neg"},
    {"absolute", "abs"},
    {"fabs", "abs"},
    {"sgn", "sign"},
    {"power", "pow"},
    {"square", "sqr"},
    {"inv", "reciprocal"},
    {"arcsin", "asin"},
    {"arccos", "acos"},
    {"arctan", "atan"},
    {"arctan2", "atan2"},
    {"arcsinh", "asinh"},
    {"arccosh", "acosh"},
    {"arctanh", "atanh"},
    {"radians", "deg2rad"},
    {"degrees", "rad2deg"},
    {"round", "rint"},
    {"around", "rint"},
    {"fix", "trunc"},
    {"equal", "eq"},
    {"not_equal", "ne"},
    {"neq", "ne"},
    {"less", "lt"},
    {"less_equal", "le"},
    {"greater", "gt"},
    {"greater_equal", "ge"},
    {"switch", "where"},
    {"bitwise_and", "bit_and"},
    {"bitwise_or", "bit_or"},
    {"bitwise_xor", "bit_xor"},
    {"invert", "bit_not"},
    {"bitwise_not", "bit_not"},
    {"left_shift", "shl"},
    {"right_shift", "shr"},
    {"expit", "sigmoid"},
    {"astype", "cast"},
    {"tensor_copy", "identity"},
    {"fill", "second"},
    {"conjugate", "conj"},
    {"amin", "min"},
    {"amax", "max"},
    {"join", "concatenate"},
};

}  // namespace

const OpInfo* find_function(std::string_view name) {
  if (const OpInfo* row = find_op(name)) return row;
  for (const Alias& alias : aliases)
    if (alias.name == name) return &op(alias.row);
  return nullptr;
}

std::vector<std::string_view> aliases_of(const OpInfo& row) {
  std::vector<std::string_view> names;
  for (const Alias& alias : aliases)
    if (std::string_view(alias.row) == row.name) names.push_back(alias.name);
  return names;
}

}  // namespace voxloom

// cli/fold.cpp: exact 64-bit integers for + - * **; every other row by the interpreter in float64.
#include <voxloom/cli/fold.h>

#include <voxloom/cli/lexer.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/policy.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace voxloom::cli {
namespace {

bool power(int64_t base, int64_t exponent, int64_t* result) {
  *result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) && __builtin_mul_overflow(*result, base, result)) return true;
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) return true;
  }
  return false;
}

/// Nothing for rows whose result is no integer, or that the interpreter does as well.
std::optional<int64_t> fold_integers(std::string_view row, int64_t x, int64_t y, int column) {
  int64_t result = 0;
  bool overflow = false;
  if (row == "add") overflow = __builtin_add_overflow(x, y, &result);
  else if (row == "sub") overflow = __builtin_sub_overflow(x, y, &result);
  else if (row == "mul") overflow = __builtin_mul_overflow(x, y, &result);
  else if (row == "pow" && y >= 0) overflow = power(x, y, &result);
  else return std::nullopt;
  if (overflow) fail_at(column, "the integer result does not fit 64 bits; write a decimal point to compute in floats");
  return result;
}

std::optional<double> fold_reals(std::string_view row, double x, double y) {
  if (row == "add") return x + y;
  if (row == "sub") return x - y;
  if (row == "mul") return x * y;
  if (row == "div") return x / y;
  return std::nullopt;
}

Operand number_of(const HostArray& value, OriginId origin) {
  const std::byte* const data = value.bytes.data();
  switch (value.dtype) {
    case DType::boolean: return Operand(*reinterpret_cast<const uint8_t*>(data) != 0, origin);
    case DType::i64: {
      int64_t integer;
      std::memcpy(&integer, data, sizeof integer);
      return Operand(integer, origin);
    }
    case DType::f64: {
      double real;
      std::memcpy(&real, data, sizeof real);
      return Operand(real, origin);
    }
    case DType::c128: {
      double parts[2];
      std::memcpy(parts, data, sizeof parts);
      return Operand(std::complex<double>(parts[0], parts[1]));
    }
    default: fail_internal("fold: dtype " + std::string(name_of(value.dtype)));
  }
}

}  // namespace

Operand fold(const OpInfo& row, std::span<const Operand> operands, int column) {
  const OriginId origin = operands[0].origin();
  bool integers = true, complex = false;
  for (const Operand& x : operands) {
    integers = integers && x.weak() == Operand::Weak::integer;
    complex = complex || x.weak() == Operand::Weak::complex;
  }
  const std::string_view name = row.name;
  if (operands.size() == 2 && integers) {
    if (const auto result = fold_integers(name, operands[0].integer(), operands[1].integer(), column)) return Operand(*result, origin);
  }
  if (operands.size() == 2 && !integers && !complex) {
    if (const auto result = fold_reals(name, operands[0].real(), operands[1].real())) return Operand(*result, origin);
  }
  const PolicyScope scope({.floatX = DType::f64});
  // An integer ** a negative integer is a fraction, as in Python.
  const DType dtype = complex ? DType::c128 : integers && name != "pow" ? DType::i64 : DType::f64;
  std::vector<Operand> constants;
  for (const Operand& x : operands) constants.emplace_back(x.as_expr(dtype), origin);
  const Graph graph = Graph::make({}, {elementwise(row, constants)});
  return number_of(interpret(graph, {}).at(0), origin);
}

}  // namespace voxloom::cli

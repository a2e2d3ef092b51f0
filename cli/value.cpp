// cli/value.cpp: arguments by position and keyword, converted and checked.
#include <voxloom/cli/value.h>

#include <voxloom/cli/lexer.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/io/diagnostics.h>

#include <algorithm>
#include <limits>

namespace voxloom::cli {
namespace {

int small_integer(int64_t value, int column) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    fail_at(column, std::to_string(value) + " is out of range");
  return static_cast<int>(value);
}

}  // namespace

std::string Value::describe() const {
  switch (kind) {
    case Kind::operand: return operand->is_weak() ? "a number" : "an expression";
    case Kind::text: return "the string '" + io::escape_text(text) + "'";
    case Kind::none: return "None";
    case Kind::ellipsis: return "'...'";
    case Kind::dtype: return "the dtype " + std::string(name_of(dtype));
    case Kind::list: return "a tuple";
  }
  return "a value";
}

void refuse_dtype(const Value& value) {
  if (value.kind == Value::Kind::dtype) fail_at(value.column, value.text);
}

void Call::fail(const std::string& message) const { fail_at(column_, function_ + ": " + message); }

void Call::add(std::string keyword, Value value) {
  for (const auto& [name, given] : keywords_) {
    if (name == keyword) fail_at(value.column, function_ + ": argument '" + keyword + "' is given twice");
  }
  keywords_.emplace_back(std::move(keyword), std::move(value));
}

std::optional<Value> Call::take(std::string_view keyword) {
  std::optional<Value> by_name = take_keyword(keyword);
  if (taken_ == positional_.size()) return by_name;
  if (by_name) fail_at(by_name->column, function_ + ": argument '" + std::string(keyword) + "' is given by position and by name");
  return std::move(positional_[taken_++]);
}

std::optional<Value> Call::take_keyword(std::string_view keyword) {
  known_.emplace_back(keyword);
  for (size_t k = 0; k < keywords_.size(); ++k) {
    if (keywords_[k].first != keyword) continue;
    Value value = std::move(keywords_[k].second);
    keywords_.erase(keywords_.begin() + static_cast<std::ptrdiff_t>(k));
    return value;
  }
  return std::nullopt;
}

Operand Call::as_operand(const Value& value, std::string_view keyword) const {
  refuse_dtype(value);
  if (value.kind != Value::Kind::operand)
    fail_at(value.column, function_ + ": argument '" + std::string(keyword) + "' is " + value.describe() + ", not an expression or number");
  return *value.operand;
}

Operand Call::operand(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value) fail("argument '" + std::string(keyword) + "' is missing");
  return as_operand(*value, keyword);
}

std::optional<Operand> Call::optional_operand(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value || value->kind == Value::Kind::none) return std::nullopt;
  return as_operand(*value, keyword);
}

Axis Call::one_axis(const Value& value) const {
  if (value.kind == Value::Kind::text) return Axis(value.text);
  if (value.is_integer()) return Axis(small_integer(value.operand->integer(), value.column));
  fail_at(value.column, function_ + ": an axis is a number or a name such as \"t\", not " + value.describe());
}

Axes Call::axes(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value || value->kind == Value::Kind::none) return {};
  std::vector<Axis> list;
  if (value->kind == Value::Kind::list) {
    for (const Value& item : value->list) list.push_back(one_axis(item));
  } else {
    list.push_back(one_axis(*value));
  }
  return Axes(std::move(list));
}

std::optional<Axis> Call::axis(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value) return std::nullopt;
  return one_axis(*value);
}

std::optional<int64_t> Call::integer(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value) return std::nullopt;
  if (!value->is_integer())
    fail_at(value->column, function_ + ": argument '" + std::string(keyword) + "' is " + value->describe() + ", not an integer");
  return small_integer(value->operand->integer(), value->column);
}

std::optional<double> Call::real_keyword(std::string_view keyword) {
  const std::optional<Value> value = take_keyword(keyword);
  if (!value || value->kind == Value::Kind::none) return std::nullopt;
  if (!value->is_number())
    fail_at(value->column, function_ + ": argument '" + std::string(keyword) + "' is " + value->describe() + ", not a number");
  return value->operand->real();
}

bool Call::flag_keyword(std::string_view keyword) {
  const std::optional<Value> value = take_keyword(keyword);
  if (!value) return false;
  if (value->truth) return *value->truth;
  if (value->is_integer()) return value->operand->integer() != 0;
  fail_at(value->column, function_ + ": argument '" + std::string(keyword) + "' is True or False, not " + value->describe());
}

DType Call::as_dtype(const Value& value) const {
  if (value.kind == Value::Kind::dtype) return value.dtype;
  if (value.kind == Value::Kind::text) {
    if (const std::optional<DType> found = dtype_from_name(value.text)) return *found;
    fail_at(value.column, function_ + ": unknown dtype '" + io::escape_text(value.text) +
                              "' (bool, int8 ... int64, uint8 ... uint64, float32, float64, complex64, complex128)");
  }
  fail_at(value.column, function_ + ": a dtype such as \"float32\" is needed, not " + value.describe());
}

std::optional<DType> Call::dtype(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value || value->kind == Value::Kind::none) return std::nullopt;
  return as_dtype(*value);
}

std::optional<DType> Call::dtype_keyword(std::string_view keyword) {
  const std::optional<Value> value = take_keyword(keyword);
  if (!value || value->kind == Value::Kind::none) return std::nullopt;
  return as_dtype(*value);
}

std::vector<Operand> Call::operands(std::string_view keyword) {
  const std::optional<Value> value = take(keyword);
  if (!value || value->kind != Value::Kind::list) fail("takes a tuple of expressions, such as " + function_ + "((a, b), axis=\"t\")");
  std::vector<Operand> list;
  for (const Value& item : value->list) list.push_back(as_operand(item, keyword));
  if (list.empty()) fail("the tuple is empty");
  return list;
}

void Call::finish() {
  if (taken_ < positional_.size())
    fail_at(positional_[taken_].column, function_ + ": takes " + std::to_string(taken_) + (taken_ == 1 ? " argument" : " arguments") +
                                            " by position, not " + std::to_string(positional_.size()));
  if (!keywords_.empty())
    fail_at(keywords_[0].second.column,
            function_ + ": unknown argument '" + keywords_[0].first + "'" + did_you_mean(keywords_[0].first, known_));
}

}  // namespace voxloom::cli

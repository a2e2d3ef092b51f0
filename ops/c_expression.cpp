// ops/c_expression.cpp: C's operators and functions as rows of the op table.
#include <voxloom/ops/c_expression.h>

#include <voxloom/graph/graph.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/interpret.h>

#include <algorithm>
#include <cstring>

namespace voxloom::ops {
namespace {

using Rule = CFunction::Rule;

constexpr CFunction operators[] = {
    {"?:", 3, Rule::choice},
    {"||", 2, Rule::row, "logical_or"},
    {"&&", 2, Rule::row, "logical_and"},
    {"|", 2, Rule::row, "bit_or"},
    {"^", 2, Rule::row, "bit_xor"},
    {"&", 2, Rule::row, "bit_and"},
    {"==", 2, Rule::row, "eq"},
    {"!=", 2, Rule::row, "ne"},
    {"<", 2, Rule::row, "lt"},
    {"<=", 2, Rule::row, "le"},
    {">", 2, Rule::row, "gt"},
    {">=", 2, Rule::row, "ge"},
    {"<<", 2, Rule::number, "shl"},
    {">>", 2, Rule::number, "shr"},
    {"+", 2, Rule::number, "add"},
    {"-", 2, Rule::number, "sub"},
    {"*", 2, Rule::number, "mul"},
    {"/", 2, Rule::divide},
    {"%", 2, Rule::remainder},
    {"-", 1, Rule::number, "neg"},
    {"+", 1, Rule::none},
    {"!", 1, Rule::row, "logical_not"},
    {"~", 1, Rule::number, "bit_not"},
};

// Of <math.h>: with the suffixes f and l too.
constexpr CFunction functions[] = {
    {"exp", 1, Rule::floats, "exp"},
    {"exp2", 1, Rule::floats, "exp2"},
    {"expm1", 1, Rule::floats, "expm1"},
    {"log", 1, Rule::floats, "log"},
    {"log2", 1, Rule::floats, "log2"},
    {"log10", 1, Rule::floats, "log10"},
    {"log1p", 1, Rule::floats, "log1p"},
    {"sqrt", 1, Rule::floats, "sqrt"},
    {"cbrt", 1, Rule::floats, "cbrt"},
    {"rsqrt", 1, Rule::rsqrt},
    {"sin", 1, Rule::floats, "sin"},
    {"cos", 1, Rule::floats, "cos"},
    {"tan", 1, Rule::floats, "tan"},
    {"asin", 1, Rule::floats, "asin"},
    {"acos", 1, Rule::floats, "acos"},
    {"atan", 1, Rule::floats, "atan"},
    {"sinh", 1, Rule::floats, "sinh"},
    {"cosh", 1, Rule::floats, "cosh"},
    {"tanh", 1, Rule::floats, "tanh"},
    {"asinh", 1, Rule::floats, "asinh"},
    {"acosh", 1, Rule::floats, "acosh"},
    {"atanh", 1, Rule::floats, "atanh"},
    {"erf", 1, Rule::floats, "erf"},
    {"erfc", 1, Rule::floats, "erfc"},
    {"floor", 1, Rule::number, "floor"},
    {"ceil", 1, Rule::number, "ceil"},
    {"trunc", 1, Rule::number, "trunc"},
    {"rint", 1, Rule::number, "rint"},
    {"nearbyint", 1, Rule::number, "rint"},
    {"round", 1, Rule::number, "round_half_away"},
    {"fabs", 1, Rule::number, "abs"},
    {"pow", 2, Rule::floats, "pow"},
    {"hypot", 2, Rule::floats, "hypot"},
    {"atan2", 2, Rule::floats, "atan2"},
    {"fmin", 2, Rule::number, "fmin"},
    {"fmax", 2, Rule::number, "fmax"},
    {"copysign", 2, Rule::floats, "copysign"},
    {"fmod", 2, Rule::fmod},
    {"fdim", 2, Rule::fdim},
};
// Without suffixes.
constexpr CFunction plain_functions[] = {
    {"abs", 1, Rule::number, "abs"},        {"labs", 1, Rule::number, "abs"}, {"min", 2, Rule::number, "fmin"},
    {"max", 2, Rule::number, "fmax"},       {"isnan", 1, Rule::row, "isnan"}, {"isinf", 1, Rule::row, "isinf"},
    {"isfinite", 1, Rule::row, "isfinite"}, {"signbit", 1, Rule::signbit},
};

/// Builds the steps of one expression.
class Applier {
 public:
  Applier(const CExpression& e, std::span<const Operand> values, OriginId origin) : e_(e), values_(values), origin_(origin) {
    std::vector<Operand> typed;
    for (const Operand& x : values)
      if (!x.is_weak()) typed.push_back(x);
    common_ = typed.empty() ? Operand(1.0, origin).as_expr().dtype() : common_dtype(op("add"), typed);
    if (common_ == DType::boolean) common_ = DType::i32;
  }

  Operand run() {
    std::vector<Operand> made;
    for (const CStep& step : e_.steps) {
      std::vector<Operand> in;
      const int arity = step.kind == CStep::Kind::call ? step.function->arity : step.kind == CStep::Kind::cast ? 1 : 0;
      for (int k = 0; k < arity; ++k) in.push_back(made[step.operands[static_cast<size_t>(k)]]);
      try {
        made.push_back(value_of(step, in));
      } catch (const UserError& error) {
        std::string text = error.what();
        if (const size_t end = text.rfind(" [at "); end != std::string::npos) text.resize(end);
        e_.fail_at(step.column, text, origin_, error.code());
      }
    }
    return made.back();
  }

 private:
  Operand value_of(const CStep& step, std::vector<Operand>& in) const {
    switch (step.kind) {
      case CStep::Kind::name: return values_[static_cast<size_t>(step.integer)];
      case CStep::Kind::integer: return Operand(step.integer, origin_);
      case CStep::Kind::real: return Operand(step.real, origin_);
      case CStep::Kind::truth: return Operand(step.integer != 0, origin_);
      case CStep::Kind::cast: return cast(in[0], step.dtype);
      case CStep::Kind::call: break;
    }
    const bool numbers = std::all_of(in.begin(), in.end(), [](const Operand& x) { return x.is_weak(); });
    return numbers ? folded(*step.function, in) : call(*step.function, in);
  }

  Operand made(const char* row, std::initializer_list<Operand> operands) const { return {elementwise(row, operands), origin_}; }
  Operand cast(const Operand& x, DType dtype) const {
    const bool fraction = x.weak() == Operand::Weak::real && !is_float(dtype) && !is_complex(dtype);
    return fraction ? Operand(voxloom::cast(Operand(x.as_expr(DType::f64), origin_), dtype), origin_) : Operand(x.as_expr(dtype), origin_);
  }

  /// Numbers alone stay a number, computed in 64 bits.
  Operand folded(const CFunction& f, std::span<const Operand> in) const {
    const PolicyScope scope({.floatX = DType::f64});
    const bool integers = std::all_of(in.begin(), in.end(), [](const Operand& x) { return x.weak() == Operand::Weak::integer; });
    if (f.rule == Rule::none) return in[0];
    std::vector<Operand> typed;
    for (const Operand& x : in) typed.push_back(cast(x, integers ? DType::i64 : DType::f64));
    const HostArray result = interpret(Graph::make({}, {call(f, typed).as_expr()}), {}).at(0);
    const auto read = [&](auto value) {
      std::memcpy(&value, result.bytes.data(), sizeof value);
      return Operand(value, origin_);
    };
    if (result.dtype == DType::boolean) return read(false);
    return result.dtype == DType::i64 ? read(int64_t{0}) : read(0.0);
  }

  /// Truths and numbers among themselves take the common dtype of the values.
  void settle(std::vector<Operand>& in) const {
    bool fraction = false, complex = false;
    for (const Operand& x : in) {
      if (!x.is_weak() && x.expr().dtype() != DType::boolean) return;
      fraction = fraction || x.weak() == Operand::Weak::real;
      complex = complex || x.weak() == Operand::Weak::complex;
    }
    DType dtype = fraction || complex ? float_of(common_, current_policy()) : common_;
    if (complex) dtype = complex_of(dtype);
    for (Operand& x : in) x = cast(x, dtype);
  }

  void to_floats(const char* row, std::vector<Operand>& in) const {
    const DType dtype = common_dtype(op(row), in);
    if (is_integer(dtype) || dtype == DType::boolean)
      for (Operand& x : in) x = cast(x, float_of(dtype, current_policy()));
  }

  Operand call(const CFunction& f, std::vector<Operand> in) const {
    const bool truths = f.rule == Rule::choice && !in[1].is_weak() && !in[2].is_weak();
    if (f.rule == Rule::choice && !truths) {
      std::vector<Operand> branches(in.begin() + 1, in.end());
      settle(branches);
      in = {in[0], branches[0], branches[1]};
    } else if (f.rule != Rule::row && f.rule != Rule::choice && f.rule != Rule::none) {
      settle(in);
    }
    switch (f.rule) {
      case Rule::none: return in[0];
      case Rule::choice: return made("where", {in[0], in[1], in[2]});
      case Rule::floats: to_floats(f.row, in); break;
      case Rule::divide: return divided(in[0], in[1], false);
      case Rule::remainder: return divided(in[0], in[1], true);
      case Rule::fmod: to_floats("add", in); return made("copysign", {made("mod", {made("abs", {in[0]}), made("abs", {in[1]})}), in[0]});
      case Rule::fdim: return made("where", {made("le", {in[0], in[1]}), Operand(0, origin_), made("sub", {in[0], in[1]})});
      case Rule::rsqrt: to_floats("sqrt", in); return made("reciprocal", {made("sqrt", {in[0]})});
      case Rule::signbit: to_floats("add", in); return made("lt", {made("copysign", {Operand(1.0, origin_), in[0]}), Operand(0, origin_)});
      default: break;
    }
    return {elementwise(op(f.row), in), origin_};
  }

  /// Rows round towards minus infinity; with signs that differ the quotient towards zero is one more, where there is a rest.
  Operand divided(const Operand& x, const Operand& y, bool rest) const {
    const DType dtype = common_dtype(op("add"), std::array{x, y});
    if (!is_integer(dtype)) {
      if (rest) fail_user(ErrorCode::dtype, "%", "of " + std::string(name_of(dtype)) + "; C writes fmod(x, y)", origin_);
      return made("div", {x, y});
    }
    const Operand a = cast(x, dtype), b = cast(y, dtype), zero(0, origin_);
    Operand floored = made(rest ? "mod" : "floordiv", {a, b});
    if (is_unsigned_int(dtype)) return floored;
    const Operand signs = made("ne", {made("lt", {a, zero}), made("lt", {b, zero})});
    const Operand off = made("logical_and", {signs, made("ne", {rest ? floored : made("mod", {a, b}), zero})});
    return made("where", {off, rest ? made("sub", {floored, b}) : made("add", {floored, Operand(1, origin_)}), floored});
  }

  const CExpression& e_;
  std::span<const Operand> values_;
  const OriginId origin_;
  DType common_ = DType::f64;
};

}  // namespace

const CFunction* c_operator(std::string_view symbol, int arity) {
  for (const CFunction& f : operators)
    if (f.name == symbol && f.arity == arity) return &f;
  return nullptr;
}

const CFunction* c_function(std::string_view name) {
  for (const CFunction& f : plain_functions)
    if (f.name == name) return &f;
  for (const CFunction& f : functions) {
    if (!name.starts_with(f.name)) continue;
    const std::string_view suffix = name.substr(f.name.size());
    if (suffix.empty() || suffix == "f" || suffix == "l") return &f;
  }
  return nullptr;
}

std::vector<std::string> c_function_names() {
  std::vector<std::string> names;
  for (const CFunction& f : functions) names.emplace_back(f.name);
  for (const CFunction& f : plain_functions) names.emplace_back(f.name);
  return names;
}

Operand apply_c_expression(const CExpression& expression, std::span<const Operand> values, OriginId origin) {
  internal_check(values.size() == expression.names.size(), "a C expression has another number of values than names");
  return Applier(expression, values, origin).run();
}

}  // namespace voxloom::ops

// ops/elemwise_op.cpp: elementwise ops as C expressions, and the row that holds a gradient of their own.
#include <voxloom/ops/elemwise_op.h>

#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/lexer.h>
#include <voxloom/graph/substitute.h>
#include <voxloom/ops/c_expression.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>

#include <algorithm>

namespace voxloom {
namespace ops {
namespace {

constexpr size_t most_inputs = 64;

/// The names that a gradient may use: those of the inputs, g, out.
std::vector<std::string> gradient_names(std::vector<std::string> inputs) {
  inputs.insert(inputs.end(), {"g", "out"});
  return inputs;
}

void check_inputs(const std::string& op, const std::vector<std::string>& inputs, bool has_gradient, OriginId origin) {
  if (inputs.empty() || inputs.size() > most_inputs)
    fail_user(ErrorCode::usage, op, std::to_string(inputs.size()) + " inputs (allowed 1 to " + std::to_string(most_inputs) + ")", origin);
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (!is_c_value_name(inputs[k])) fail_user(ErrorCode::usage, op, "an input cannot be called " + quoted(inputs[k]), origin);
    if (has_gradient && (inputs[k] == "g" || inputs[k] == "out"))
      fail_user(ErrorCode::usage, op,
                "an input is called " + inputs[k] + ", which in gradients is the " + (inputs[k] == "g" ? "gradient" : "result"), origin);
    if (std::find(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(k), inputs[k]) !=
        inputs.begin() + static_cast<std::ptrdiff_t>(k))
      fail_user(ErrorCode::usage, op, "the input " + inputs[k] + " is listed twice", origin);
  }
}

std::vector<CExpression> parse_gradients(const std::string& op, const std::vector<std::string>& texts,
                                         const std::vector<std::string>& inputs, OriginId origin) {
  if (texts.size() != inputs.size())
    fail_user(ErrorCode::usage, op, std::to_string(texts.size()) + " gradients for " + std::to_string(inputs.size()) + " inputs", origin);
  std::vector<CExpression> parsed;
  for (size_t k = 0; k < texts.size(); ++k) {
    parsed.push_back(parse_c_expression(op + " (gradient of " + inputs[k] + ")", texts[k], gradient_names(inputs), false, origin));
    if (!parsed.back().uses(inputs.size()) && !parsed.back().is_zero())
      parsed.back().fail_at(1, "a gradient is g times something, or 0", origin);
  }
  return parsed;
}

std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return all;
}
std::vector<std::string> parted(const std::string& text, char between) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(between); end != std::string::npos; begin = end + 1, end = text.find(between, begin))
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

// ---- custom_gradient ----

struct First {
  template <class B> static void run(B&, const Node&, const Cx<typename B::V>* in, Cx<typename B::V>* out) { *out = in[0]; }
};

/// A graph of all operands (but the value) and g, an output for each of them, on nothing else.
void check_gradient_graph(const std::string& name, const Graph& graph, std::span<const Expr> in, OriginId origin) {
  const auto fail = [&](const std::string& text) { fail_user(ErrorCode::usage, name, text, origin); };
  const size_t count = in.size() - 1;
  if (graph.inputs().size() != count + 1 || graph.outputs().size() != count)
    fail("its gradient has " + std::to_string(graph.inputs().size()) + " inputs and " + std::to_string(graph.outputs().size()) +
         " results for " + std::to_string(count) + " operands");
  for (size_t k = 0; k < count; ++k) {
    const Expr &entry = graph.outputs()[k], &operand = in[k + 1];
    if (entry.rank() != operand.rank())
      fail("its gradient for input " + std::to_string(k) + " has shape " + shape_text(entry.shape()) + ", the operand " +
           shape_text(operand.shape()));
  }
  for (const Expr& node : graph.nodes())
    if (node->op().kind == OpKind::leaf && !is_input_leaf(*node) && &node->op() != &constant_op() && &node->op() != &size_op())
      fail("its gradient uses " + quoted(node->name()) + "; what it needs must be an input");
}

/// Attributes may come from a file: everything is checked again.
Type infer_custom_gradient(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const auto& name = need_attr<std::string>(row, attrs, "name", origin);
  const auto inputs = parted(need_attr<std::string>(row, attrs, "inputs", origin), ' ');
  check_op_name(row.name, name, origin);
  check_inputs(name, inputs, true, origin);
  if (const auto* graph = find_attr<std::shared_ptr<const Graph>>(attrs, "gradient")) check_gradient_graph(name, **graph, in, origin);
  else parse_gradients(name, parted(need_attr<std::string>(row, attrs, "gradient", origin), ';'), inputs, origin);
  if (in.size() != inputs.size() + 1)
    fail_user(ErrorCode::usage, name, std::to_string(in.size() - 1) + " operands for " + std::to_string(inputs.size()) + " inputs", origin);
  const Type& type = in[0].type();
  const Type all = broadcast_type(row, in, type.dtype, origin);
  if (all.shape != type.shape)
    fail_user(ErrorCode::shape, name, "the result has shape " + shape_text(type.shape) + ", all operands together " + shape_text(all.shape),
              origin);
  return type;
}

std::vector<Expr> gradient_of_graph(const Expr& node, const Graph& graph, const Expr& g) {
  std::vector<Replacement> replacements;
  for (size_t k = 0; k < graph.inputs().size(); ++k)
    replacements.emplace_back(graph.inputs()[k], k + 1 < node->inputs().size() ? node->input(k + 1) : g);
  std::vector<Expr> entries = substitute(graph.outputs(), replacements, node->attr_string("name"));
  entries.insert(entries.begin(), Expr());
  return entries;
}

std::vector<Expr> custom_gradient(const Expr& node, const Expr& g) {
  if (const auto* graph = find_attr<std::shared_ptr<const Graph>>(node->attrs(), "gradient")) return gradient_of_graph(node, **graph, g);
  const auto inputs = parted(node->attr_string("inputs"), ' ');
  std::vector<Operand> values;
  for (const Expr& x : node->inputs().subspan(1)) values.emplace_back(x, node->origin());
  values.emplace_back(g, node->origin());
  values.emplace_back(node, node->origin());
  std::vector<Expr> entries(1);
  for (const CExpression& e :
       parse_gradients(node->attr_string("name"), parted(node->attr_string("gradient"), ';'), inputs, node->origin())) {
    const Operand entry = apply_c_expression(e, values, node->origin());
    entries.push_back(entry.is_weak() ? zero({node, node->origin()}).expr() : entry.expr());
  }
  return entries;
}

}  // namespace

const OpInfo& custom_gradient_row() {
  static const OpInfo row{.name = "custom_gradient",
                          .min_arity = 2,
                          .max_arity = -1,
                          .flags = {.cheap = true},
                          .infer = infer_custom_gradient,
                          .elementwise = elementwise_fns<First>(),
                          .gradient = custom_gradient,
                          .doc = "the first operand, with a gradient that attributes give",
                          .domain = "bits of NaN are kept",
                          .family = "gradients"};
  return row;
}

void check_op_name(const char* function, const std::string& name, OriginId origin) {
  const auto part = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), part) && !(name[0] >= '0' && name[0] <= '9')) return;
  fail_user(ErrorCode::usage, function, "an op's name is a C identifier of at most 100 characters, not " + quoted(name.substr(0, 100)),
            origin);
}

}  // namespace ops

ElemwiseOp::ElemwiseOp(std::string name, std::string c_code, ElemwiseOptions options, Where where)
    : name_(std::move(name)), c_code_(std::move(c_code)), inputs_(std::move(options.inputs)), grad_(std::move(options.grad)) {
  const OriginId origin = origin_of(where);
  ops::check_op_name("ElemwiseOp", name_, origin);
  if (options.grad_function) grad_function_ = std::make_shared<const decltype(options.grad_function)>(std::move(options.grad_function));
  if (grad_function_ && !grad_.empty()) fail_user(ErrorCode::usage, name_, "grad and grad_function are both given", origin);
  const bool open = inputs_.empty(), has_gradient = grad_function_ || !grad_.empty();
  if (!open) ops::check_inputs(name_, inputs_, has_gradient, origin);
  auto body = std::make_shared<const ops::CExpression>(ops::parse_c_expression(name_, c_code_, inputs_, open, origin));
  if (open && body->names.size() != 1) {
    const std::string names = ops::joined(body->names, ", ");
    fail_user(ErrorCode::usage, name_,
              body->names.empty() ? "the expression uses no input"
                                  : "the expression uses " + names + ": inputs says in which order they are given",
              origin);
  }
  inputs_ = body->names;
  ops::check_inputs(name_, inputs_, has_gradient, origin);
  for (size_t k = 0; k < inputs_.size(); ++k)
    if (!body->uses(k)) fail_user(ErrorCode::usage, name_, "the expression does not use the input " + inputs_[k], origin);
  if (!grad_.empty()) ops::parse_gradients(name_, grad_, inputs_, origin);
  body_ = std::move(body);
}

Expr ElemwiseOp::apply(const std::vector<Operand>& operands) const {
  const OriginId origin = operands.empty() ? OriginId{} : operands[0].origin();
  if (operands.size() != inputs_.size())
    fail_user(ErrorCode::usage, name_,
              "takes " + std::to_string(inputs_.size()) + " operands (" + ops::joined(inputs_, ", ") + "), not " +
                  std::to_string(operands.size()),
              origin);
  Expr value = ops::apply_c_expression(*body_, operands, origin).as_expr();
  if (grad_.empty() && !grad_function_) return value;
  std::vector<Expr> in = {value};
  const bool floats = is_float(value.dtype()) || is_complex(value.dtype());
  for (const Operand& x : operands) in.push_back(x.is_weak() && floats ? x.as_expr(value.dtype()) : x.as_expr());
  in = align(name_.c_str(), std::move(in), origin);
  Attrs attrs = {{"gradient", gradient_of(in, origin)}, {"inputs", ops::joined(inputs_, " ")}, {"name", name_}};
  return make_node(ops::custom_gradient_row(), std::move(in), std::move(attrs), origin);
}

AttrValue ElemwiseOp::gradient_of(const std::vector<Expr>& operands, OriginId origin) const {
  if (!grad_function_) return ops::joined(grad_, ";");
  std::vector<Expr> variables;
  for (size_t k = 0; k < inputs_.size(); ++k) variables.push_back(make_input(inputs_[k], operands[k + 1].type(), origin));
  const Expr g = make_input("g", operands[0].type(), origin);
  std::vector<Expr> entries = (*grad_function_)(variables, g);
  if (entries.size() != inputs_.size())
    fail_user(ErrorCode::usage, name_,
              "its gradient gives " + std::to_string(entries.size()) + " expressions for " + std::to_string(inputs_.size()) + " inputs",
              origin);
  for (size_t k = 0; k < entries.size(); ++k)
    if (!entries[k]) entries[k] = ops::zero({variables[k], origin}).expr();
  variables.push_back(g);
  return std::make_shared<const Graph>(Graph::make(variables, entries));
}

}  // namespace voxloom

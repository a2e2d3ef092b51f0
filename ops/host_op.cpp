// ops/host_op.cpp: rows of users' functions, and the table of their names.
#include <voxloom/ops/host_op.h>

#include <voxloom/graph/lexer.h>
#include <voxloom/ops/elemwise_op.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/table.h>

#include <exception>
#include <map>
#include <mutex>

namespace voxloom {
namespace ops {
namespace {

struct HostRow : OpInfo {
  std::string own_name;
  NodeHost host;
  HostOptions options;
};
const HostRow& row_of(const OpInfo& op) { return static_cast<const HostRow&>(op); }

Type infer_host(const OpInfo& op, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  if (!attrs.empty()) fail_user(ErrorCode::usage, op.name, "a host function takes no attributes", origin);
  const auto& infer = row_of(op).options.infer;
  Type type = infer ? infer({in.begin(), in.end()}) : in[0].type();
  if (type.rank() > max_rank)
    fail_user(ErrorCode::shape, op.name, "a result of " + std::to_string(type.rank()) + " axes; at most " + std::to_string(max_rank),
              origin);
  return type;
}

std::vector<AxisMap> host_axes(const Node& node, size_t operand) {
  return std::vector<AxisMap>(node.input(operand).shape().size(), {.relation = AxisRelation::whole, .out_axis = -1});
}

void define_host(const Node& node, std::span<const StridedView> in, const StridedView& out) { row_of(node.op()).host(node, in, out); }
void run_host(const LibraryCall& call) { define_host(call.node, call.operands, call.result); }
double no_flops(const Node&, std::span<const StridedView>) { return 0; }

std::vector<Expr> host_gradient(const Expr& node, const Expr& g) {
  const auto fail = [&](const std::string& text) { fail_user(ErrorCode::usage, node->op().name, text, node->origin()); };
  const auto& grad = row_of(node->op()).options.grad;
  if (!grad) fail("a host function without a gradient; give it one, or keep it out with disconnected_grad or consider_constant");
  std::vector<Expr> entries = grad({node->inputs().begin(), node->inputs().end()}, g);
  const size_t count = node->inputs().size();
  if (entries.size() != count)
    fail("its gradient gives " + std::to_string(entries.size()) + " expressions for " + std::to_string(count) + " operands");
  for (size_t k = 0; k < count; ++k) {
    if (!entries[k]) continue;
    bool fits = entries[k].rank() == node->input(k).rank();
    for (size_t a = 0; fits && a < entries[k].shape().size(); ++a)
      fits = node->input(k).shape()[a].is_one() || meet(entries[k].shape()[a], node->input(k).shape()[a]).has_value();
    if (!fits)
      fail("its gradient for operand " + std::to_string(k) + " has shape " + shape_text(entries[k].shape()) + ", the operand " +
           shape_text(node->input(k).shape()));
  }
  return entries;
}

struct Names {
  std::mutex mutex;
  std::map<std::string, const HostRow*, std::less<>> rows;
};
Names& names() {
  static auto* const instance = new Names;  // never destroyed, as the rows: expressions may outlive static objects
  return *instance;
}

}  // namespace

const OpInfo& make_host_row(std::string name, NodeHost host, HostOptions options, OriginId origin) {
  check_op_name("HostOp", name, origin);
  if (find_op(name) != nullptr)
    fail_user(ErrorCode::usage, "HostOp", "voxloom has an op called " + quoted(name) + "; give yours another name", origin);
  if (!host) fail_user(ErrorCode::usage, name, "the host function is empty", origin);
  auto* const row = new HostRow{{.kind = OpKind::library,
                                 .min_arity = 1,
                                 .max_arity = -1,
                                 .infer = infer_host,
                                 .axes = host_axes,
                                 .library = {.define = define_host, .run = run_host, .flops = no_flops},
                                 .gradient = host_gradient,
                                 .doc = "a function of the user"},
                                std::move(name),
                                std::move(host),
                                std::move(options)};
  row->name = row->own_name.c_str();
  const std::lock_guard lock(names().mutex);
  names().rows[row->own_name] = row;
  return *row;
}

const OpInfo* find_host_row(std::string_view name) {
  const std::lock_guard lock(names().mutex);
  const auto found = names().rows.find(name);
  return found == names().rows.end() ? nullptr : found->second;
}

bool is_host_row(const OpInfo& row) { return row.infer == infer_host; }

}  // namespace ops

namespace {

/// Errors of others get the op and the line of the expression.
ops::NodeHost with_context(HostOp::Host host) {
  if (!host) return {};
  return [host = std::move(host)](const Node& node, std::span<const StridedView> in, const StridedView& out) {
    try {
      host(in, out);
    } catch (const Error&) { throw; } catch (const std::exception& error) {
      std::throw_with_nested(
          UserError(ErrorCode::usage, node.op().name, std::string("the host function failed: ") + error.what(), node.origin()));
    }
  };
}

}  // namespace

HostOp::HostOp(std::string name, Host host, HostOptions options, Where where)
    : row_(&ops::make_host_row(std::move(name), with_context(std::move(host)), std::move(options), origin_of(where))) {}

Expr HostOp::apply(const std::vector<Operand>& operands) const {
  const OriginId origin = operands.empty() ? OriginId{} : operands[0].origin();
  std::vector<Expr> in;
  for (const Operand& x : operands) in.push_back(x.as_expr());
  return make_node(*row_, std::move(in), {}, origin);
}

}  // namespace voxloom

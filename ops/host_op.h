// ops/host_op.h: ops that users give as a function over whole arrays.
#pragma once

#include <voxloom/graph/op_info.h>
#include <voxloom/ops/operand.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom {

struct HostOptions {
  /// The type of the result from the operands. Empty: that of the first operand. Called whenever the node is made again with other operands: the
  /// same types must give the same type.
  std::function<Type(const std::vector<Expr>& operands)> infer = {};
  /// What each operand gets of the gradient g of a cost with respect to the result: expressions of the operands' ranks, linear in g, or an empty
  /// Expr where nothing comes through. Empty: grad() through this op is a UserError.
  std::function<std::vector<Expr>(const std::vector<Expr>& operands, const Expr& g)> grad = {};
};

/// An op computed by a function of yours: HostOp twice("twice", [](auto in, auto& out) { ... }); twice(x). Its step runs alone, on the thread that
/// calls the function: it neither fuses nor streams, and nothing is known of it but its type.
///
/// The function reads the operands where they are, in any strides and byte order, and writes every element of the result, which overlaps none
/// of them; Array::view(in[0]) makes an Array of such a view. It must depend on the operands alone (equal nodes are computed once, results
/// nobody uses not at all), keep no pointer, and bear to be called from several threads at once where compiled functions are. What it
/// throws leaves the call: voxloom's errors as they are, others nested in a UserError with the op and your line; shared variables keep
/// their values.
///
/// An op lives as long as the process, under its name; one that is made again under the same name is another op. Saved functions hold the name
/// only, and load_function() refuses it unless told otherwise.
class VOXLOOM_API HostOp {
 public:
  using Where = std::source_location;
  using Host = std::function<void(std::span<const StridedView> operands, const StridedView& result)>;
  HostOp(std::string name, Host host, HostOptions options = {}, Where where = Where::current());
  /// Of a row that make_host_row() has made.
  explicit HostOp(const OpInfo& row) : row_(&row) {}

  Expr operator()(const Operand& x) const { return apply({x}); }
  Expr operator()(const Operand& x, const Operand& y) const { return apply({x, y}); }
  Expr operator()(const Operand& x, const Operand& y, const Operand& z) const { return apply({x, y, z}); }
  Expr apply(const std::vector<Operand>& operands) const;

  const char* name() const { return row_->name; }
  const OpInfo& row() const { return *row_; }
  friend bool operator==(const HostOp& a, const HostOp& b) { return a.row_ == b.row_; }

 private:
  const OpInfo* row_;
};

namespace ops {
using NodeHost = std::function<void(const Node& node, std::span<const StridedView> operands, const StridedView& result)>;
/// The row of such an op, for bindings; what `host` throws passes. UserError for a name that the op table has.
VOXLOOM_API const OpInfo& make_host_row(std::string name, NodeHost host, HostOptions options, OriginId origin);
/// The last one made under that name, or nullptr.
VOXLOOM_API const OpInfo* find_host_row(std::string_view name);
VOXLOOM_API bool is_host_row(const OpInfo& row);
}  // namespace ops

}  // namespace voxloom

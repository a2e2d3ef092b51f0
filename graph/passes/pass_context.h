// graph/passes/pass_context.h: what passes need from outside graph/, and what they leave behind.
#pragma once

#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace voxloom {

class RuleSet;

/// One run of one pass.
struct PassReport {
  std::string name;
  double seconds = 0;
  bool changed = false;
  size_t nodes_before = 0, nodes_after = 0;
  int firings = 0;  ///< rules that fired
};

/// What to do about nodes that bring in float64.
enum class Float64Check : uint8_t { ignore, warn, raise };

struct PassContext {
  // ---- handed in; everything may be left empty ----
  /// Names of passes not to run.
  std::vector<std::string> excluded = {};
  /// Value of a node whose operands are all constants; null when it has none. Empty: nothing is folded.
  std::function<std::shared_ptr<const ConstantPayload>(const Node&)> evaluate = {};
  /// The rules of ops; null: no rule fires.
  const RuleSet* rules = nullptr;
  /// The view `view` of an elementwise node seen on one of its operands, such that op(operands') = view(op(operands)); `result` is the
  /// node's type. Empty when the view cannot pass. Empty function: views stay where they are.
  std::function<Expr(const Node& view, const Expr& operand, const Type& result)> view_of_operand = {};
  /// A node that does the work of `node` and of operands for which `used_once` holds; empty when there is none. Empty function: none.
  std::function<Expr(const Expr& node, const std::function<bool(const Expr&)>& used_once)> absorb = {};
  Float64Check float64 = Float64Check::ignore;
  std::function<void(const std::string& message)> warn = {};
  /// Called after a pass that changed something.
  std::function<void(const std::string& pass, const Graph& before, const Graph& after)> on_change = {};
  /// Called for every rule that fires.
  std::function<void(const char* rule, const Expr& before, const Expr& after)> on_rule = {};
  /// Verify the graph after every pass that changed something; on in Debug builds.
  bool verify =
#ifdef NDEBUG
      false;
#else
      true;
#endif

  // ---- left behind ----
  std::vector<PassReport> reports = {};
  /// Rules that fired since the running pass began.
  int firings = 0;
};

}  // namespace voxloom

// graph/passes/push_views.cpp: moves views from elementwise results to their operands.
#include <voxloom/graph/passes/push_views.h>

#include <voxloom/graph/op_info.h>

#include <algorithm>

namespace voxloom {
namespace {

class Pusher {
 public:
  Pusher(const Graph& graph, PassContext& context) : context_(context), budget_(8 * graph.size() + 1000) {
    for (const Expr& node : graph.nodes()) {
      for (const Expr& input : node->inputs()) ++uses_of_[input.get()];
    }
    for (const Expr& output : graph.outputs()) ++uses_of_[output.get()];
  }

  Expr image(const Expr& node, std::span<const Expr> inputs) {
    const bool changed =
        !std::equal(inputs.begin(), inputs.end(), node->inputs().begin(), [](const Expr& a, const Expr& b) { return a.same_as(b); });
    Expr result = changed ? with_inputs(*node, {inputs.begin(), inputs.end()}) : node;
    if (result->op().kind == OpKind::view) result = pushed(result);
    if (!result.same_as(node)) {
      alive_.push_back(result);
      uses_of_[result.get()] += uses_of_[node.get()];
    }
    return result;
  }

 private:
  // A view waiting for the views of the operands below it.
  struct Frame {
    Expr view;
    std::vector<Expr> operands;  // of the elementwise node below, seen through the view
    size_t next = 0;
    bool exclusive = false;  // the node below disappears, so its operands lose a user
  };

  // Depth first with an explicit stack: views pass chains of any length.
  Expr pushed(const Expr& top) {
    std::vector<Frame> stack;
    Expr done = open(top, true, stack);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      if (done) frame.operands[frame.next++] = std::exchange(done, Expr());
      while (frame.next < frame.operands.size() && frame.operands[frame.next]->op().kind != OpKind::view) ++frame.next;
      if (frame.next < frame.operands.size()) {
        const Expr view = frame.operands[frame.next];
        const bool exclusive = frame.exclusive;
        done = open(view, exclusive, stack);  // may push and so move `frame`
        continue;
      }
      done = with_inputs(*frame.view->input(0), std::move(frame.operands));
      stack.pop_back();
    }
    return done;
  }

  // The view itself if it stays; otherwise nothing, and a frame for the node below it.
  Expr open(const Expr& view, bool exclusive, std::vector<Frame>& stack) {
    const Expr& below = view->input(0);
    if (below->op().kind != OpKind::elementwise || budget_ < below->inputs().size() + 1) return view;
    const auto uses = uses_of_.find(below.get());
    const bool only_user = exclusive && (uses == uses_of_.end() || uses->second <= 1);
    if (!only_user && !below->op().flags.cheap) return view;
    Frame frame{view, {}, 0, only_user};
    for (const Expr& operand : below->inputs()) {
      Expr seen = context_.view_of_operand(*view, operand, below.type());
      if (!seen) return view;
      frame.operands.push_back(std::move(seen));
    }
    try {
      if (!(make_node(below->op(), frame.operands, below->attrs(), below->origin()).type() == view.type())) return view;
    } catch (const UserError&) { return view; }
    budget_ -= below->inputs().size() + 1;
    ++context_.firings;
    stack.push_back(std::move(frame));
    return {};
  }

  PassContext& context_;
  size_t budget_;
  std::unordered_map<const Node*, int> uses_of_;
  std::vector<Expr> alive_;
};

}  // namespace

Graph push_views(const Graph& graph, PassContext& context) {
  if (!context.view_of_operand) return graph;
  Pusher pusher(graph, context);
  return rewrite(graph, [&](const Expr& node, std::span<const Expr> inputs) { return pusher.image(node, inputs); });
}

}  // namespace voxloom

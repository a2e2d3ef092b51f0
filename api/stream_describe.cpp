// api/stream_describe.cpp: a plan as text, for explain.
#include <voxloom/api/pipeline.h>
#include <voxloom/api/stream_plan.h>
#include <voxloom/graph/print.h>
#include <voxloom/runtime/limits.h>

#include <algorithm>

namespace voxloom::detail {

std::string describe(const StreamPlan& plan, int threads, const ExplainOptions& options) {
  std::string text = "optimised graph\n" + to_text(plan.graph) + "\n\nplan\n";
  for (const std::string& reason : plan.reasons) text += "  " + reason + "\n";
  for (const Expr& e : plan.graph.nodes()) {
    const ImagePayload* image = image_of(*e);
    if (!image) continue;
    size_t times = 0;
    for (const StreamPass& p : plan.passes) times += static_cast<size_t>(std::count(p.leaves.begin(), p.leaves.end(), e.get()));
    const auto& info = image->source->info();
    const bool in_blocks = times > 0;
    if (!in_blocks) times = 1;
    text += "  " + info.path + ": read " + (times == 1 ? "once" : std::to_string(times) + " times") +
            (in_blocks ? " in blocks along " + plan.axis->name : ", whole") + ", " + format_size(info.bytes) + " of voxels" +
            (info.in_order_only ? " decoded from " + format_size(info.disk_bytes) : "") + "\n";
  }
  std::string c_text;
  const auto kernels = [&](const runtime::Program& program, const std::vector<const Node*>& arguments) {
    for (const auto& item : program.order) {
      if (item.step < 0) continue;
      const auto& step = program.steps[static_cast<size_t>(item.step)];
      text += "    " + std::string(item.after_stream ? "after the last block: " : "") + step.name + "\n";
    }
    for (const std::string& note : program.notes) text += "    " + note + "\n";
    if (!options.kernels) return;
    std::vector<char> swapped;
    for (const Node* n : arguments) swapped.push_back(image_of(*n) && image_of(*n)->source->info().swapped ? 1 : 0);
    c_text += "\n" + kernels_text(program, swapped);
  };
  for (size_t k = 0; k < plan.passes.size(); ++k) {
    const StreamPass& p = plan.passes[k];
    text += "  pass " + std::to_string(k + 1) + ": blocks of " + std::to_string(p.block) + " of " + std::to_string(plan.axis->extent) +
            " along " + plan.axis->name + ", " + (p.blocks_in_parallel ? "one block per thread" : "all threads on one block") + ", " +
            format_size(p.bytes) + "\n";
    std::vector<const Node*> arguments = p.leaves;
    arguments.insert(arguments.end(), p.arrays.begin(), p.arrays.end());
    kernels(*p.program, arguments);
  }
  if (plan.passes.empty()) {
    std::vector<const Node*> outputs, used;
    for (const Expr& e : plan.graph.outputs()) outputs.push_back(e.get());
    FunctionOptions function;
    function.optimise = false;
    const Graph graph = cut_graph(outputs, [](const Node* n) { return image_of(*n) != nullptr; }, used);
    text += "  all at once\n";
    kernels(*compile_graph(graph, function, build_options(function)).program, used);
  }
  text += "  predicted peak " + format_size(plan.peak()) + " (budget " + format_size(plan.budget) + "), " + std::to_string(threads) +
          (threads == 1 ? " thread\n" : " threads\n");
  return text + c_text;
}

}  // namespace voxloom::detail

// api/gradient.cpp: verify_grad over compiled functions; warnings of gradients go to the log.
#include <voxloom/api/function.h>
#include <voxloom/api/gradient.h>
#include <voxloom/runtime/log.h>

namespace voxloom {
namespace {

[[maybe_unused]] const bool warnings_are_logged = [] {
  set_gradient_warnings([](const std::string& message) { log(LogLevel::warning, message); });
  return true;
}();

std::vector<HostArray> compiled(const Graph& graph, std::span<const StridedView> inputs) {
  std::vector<Array> arguments;
  for (const StridedView& view : inputs) arguments.push_back(Array::view(view));
  std::vector<HostArray> results;
  for (const Array& a : compile(graph, {}).call(arguments)) results.push_back(HostArray::copy(a.view()));
  return results;
}

}  // namespace

void verify_grad(const std::function<Expr(const std::vector<Expr>&)>& fun, const std::vector<Array>& points, VerifyGradOptions options) {
  std::vector<HostArray> at;
  for (const Array& a : points) at.push_back(HostArray::copy(a.view()));
  if (!options.evaluate) options.evaluate = compiled;
  verify_grad(fun, at, options);
}

}  // namespace voxloom

// tests/fuzz/regress_test.cpp: the graphs of tests/regress, each once wrong when compiled, against the interpreter.
#include <voxloom/api/voxloom.h>
#include <voxloom/graph/parse.h>
#include <voxloom/ops/interpret.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

namespace vl = voxloom;
using vl::Array;

namespace {

/// Numbers of both signs with every special value among the first ones.
Array values(const vl::Type& type, const vl::Dims& shape) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  static const double first[] = {-1, 0.0, -0.0, nan, inf, -inf, 4, 1e-45, -3e38};
  Array a = Array::empty(shape, vl::f64);
  double next = -8.5;
  size_t k = 0;
  for (double& v : a.span<double>()) v = k < std::size(first) ? first[k++] : next += 1.25;
  return a.cast(type.dtype, type.order);
}

/// Arguments with the k-th symbol of the graph of size sizes[k mod count].
std::vector<Array> arguments_of(const vl::Graph& graph, const std::vector<int64_t>& sizes) {
  std::map<std::string, int64_t> dims;
  std::vector<Array> arguments;
  for (const vl::Expr& input : graph.inputs()) {
    vl::Dims shape;
    for (const vl::Dim& d : input.shape()) {
      if (d.is_constant()) shape.push_back(d.constant());
      else shape.push_back(dims.try_emplace(d.str(), sizes[dims.size() % sizes.size()]).first->second);
    }
    arguments.push_back(values(input.type(), shape));
  }
  return arguments;
}

/// The outputs, or nothing where the call is refused.
using Outcome = std::optional<std::vector<Array>>;

Outcome interpreted(const vl::Graph& graph, const std::vector<Array>& arguments) {
  std::vector<vl::StridedView> views;
  for (const Array& a : arguments) views.push_back(a.view());
  try {
    std::vector<Array> outputs;
    for (const vl::HostArray& h : vl::interpret(graph, views)) outputs.push_back(Array::view(h.view()).copy());
    return outputs;
  } catch (const vl::UserError&) { return {}; }
}

/// `over`: the first output goes into the memory of the first argument.
Outcome compiled(const vl::Graph& graph, std::vector<Array> arguments, const vl::FunctionOptions& options, bool over) {
  for (Array& a : arguments) a = a.copy();
  try {
    const vl::Function f = vl::compile(graph, options);
    if (!over) return f.call(arguments);
    std::vector<Array> out(graph.outputs().size());
    out[0] = arguments[0];
    f.call_into(arguments, out);
    return out;
  } catch (const vl::UserError&) { return {}; }
}

void check(const std::string& text) {
  const vl::Graph graph = vl::parse_graph(text, vl::find_op);
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{5}, {33}, {5, 33}, {0, 7}, {1}}) {
    const auto arguments = arguments_of(graph, sizes);
    const Outcome wanted = interpreted(graph, arguments);
    const bool may_lie_over =
        wanted && !wanted->empty() && (*wanted)[0].dtype() == arguments[0].dtype() && (*wanted)[0].shape() == arguments[0].shape();
    for (const bool optimise : {true, false}) {
      for (const char* target : {"native", "x86-64-v3"}) {
        for (const bool over : {false, true}) {
          if (over && !may_lie_over) continue;
          INFO("first size " << sizes[0] << " passes " << optimise << " target " << target << " over its argument " << over);
          vl::FunctionOptions options;
          options.optimise = optimise;
          options.target = target;
          const Outcome got = compiled(graph, arguments, options, over);
          REQUIRE(got.has_value() == wanted.has_value());
          for (size_t k = 0; got && k < got->size(); ++k) {
            INFO("output " << k << ": got " << (*got)[k].to_string() << ", expected " << (*wanted)[k].to_string());
            REQUIRE(vl::same_bits((*got)[k], (*wanted)[k]));
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("graphs that were once compiled wrong") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(VOXLOOM_SOURCE_DIR "/tests/regress")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 6);
  for (const auto& path : files) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    DYNAMIC_SECTION(path.filename().string()) { check(text.str()); }
  }
}

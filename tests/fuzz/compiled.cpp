// tests/fuzz/compiled.cpp: Compiled.
#include "compiled.h"

#include "graph_checks.h"

#include <voxloom/api/function.h>
#include <voxloom/codegen/program_builder.h>

#include <map>
#include <optional>

namespace voxloom::fuzz {

struct Compiled::State {
  std::map<std::string, Function> functions;  // by the options that matter for compilation
};

namespace {

Function make(const Graph& graph, const RunOptions& o) {
  FunctionOptions options;
  options.name = "fuzz";
  options.optimise = o.passes;
  options.fuse = o.fuse;
  options.target = o.target;
  // Improving rules change bits on purpose; everything else must not.
  options.optimizer_excluding = {"stabilise"};
  return compile(o.text ? through_text(graph) : graph, options);
}

}  // namespace

Compiled::Compiled(const Case& c, const Built& built, const std::vector<Plain>& arguments, const Outcome& want, Statistics& statistics)
    : case_(c), built_(built), arguments_(arguments), want_(want), statistics_(statistics), state_(std::make_unique<State>()) {
  config().cache_dir = "off";
}

Compiled::~Compiled() = default;

Outcome Compiled::run(const RunOptions& options, LayoutKind kind, Rng& rng) {
  ++statistics_.runs;
  const Planted planted(options.bug);  // variants are compiled at calls
  try {
    return call(options, kind, rng);
  } catch (const Error& e) {
    Outcome out;
    out.failed = true;
    out.code = e.code();
    out.message = e.what();
    return out;
  }
}

namespace {

Outcome failure(const std::string& message) {
  Outcome out;
  out.failed = true;
  out.message = message;
  return out;
}

std::vector<Plain> plain_of_all(const std::vector<Array>& arrays) {
  std::vector<Plain> out;
  for (const Array& a : arrays) out.push_back(plain_of(a.view()));
  return out;
}

}  // namespace

bool Compiled::touches(const Bug& bug) {
  const Function f = make(built_.graph, {});
  for (codegen::Kernel& kernel : codegen::kernels_of(f.graph(), {})) {
    const std::string before = codegen::canonical_text(kernel);
    bug.damage(kernel);
    if (codegen::canonical_text(kernel) != before) return true;
  }
  return false;
}

Outcome Compiled::call(const RunOptions& o, LayoutKind kind, Rng& rng) {
  const std::string key = o.target + (o.passes ? "p" : "") + (o.fuse ? "f" : "") + (o.text ? "t" : "");
  auto it = state_->functions.find(key);
  if (it == state_->functions.end()) {
    ++statistics_.compiled;
    it = state_->functions.emplace(key, make(built_.graph, o)).first;
    if (it->second.toposort().size() > 1 && state_->functions.size() == 1) ++statistics_.multi_kernel;
  }
  std::vector<Placed> inputs;
  std::vector<Array> arrays;
  std::vector<uint64_t> hashes;
  layouts_.clear();
  for (size_t k = 0; k < arguments_.size(); ++k) {
    const Plain& p = arguments_[k];
    const uint32_t repeated = case_.inputs[static_cast<size_t>(built_.arguments[k])].repeated;
    inputs.push_back(place(p.bytes, p.dtype, p.shape, kind, repeated, rng));
    arrays.push_back(inputs.back().array);
    hashes.push_back(inputs.back().memory->hash());
    layouts_ += "  x" + std::to_string(built_.arguments[k]) + " " + layout_text(arrays.back()) + "\n";
  }
  std::vector<Placed> outputs;
  std::vector<Array> out;
  if (o.out && !want_.failed) {
    for (const Plain& p : want_.outputs) {
      outputs.push_back(place_output(p.dtype, p.shape, kind, rng));
      out.push_back(outputs.back().array);
      layouts_ += "  out " + layout_text(out.back()) + "\n";
    }
  }
  CallOptions options;
  options.threads = o.threads;
  options.memory = o.memory;
  options.out = out;
  Outcome result;
  for (int n = 0; n < o.calls; ++n) {
    std::vector<Plain> values = plain_of_all(it->second.call(arrays, options));
    for (size_t k = 0; n > 0 && k < values.size(); ++k) {
      const std::string d = difference(result.outputs[k], values[k]);
      if (!d.empty()) return failure("two calls differ, output " + std::to_string(k) + ": " + d);
    }
    result.outputs = std::move(values);
  }
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k].memory->hash() != hashes[k]) return failure("argument " + std::to_string(k) + " was written");
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (!gaps_untouched(outputs[k])) return failure("bytes beside the elements of output " + std::to_string(k) + " were written");
    // What the arrays in our hands hold counts, not what was returned.
    result.outputs[k] = plain_of(outputs[k].array.view());
  }
  return result;
}

}  // namespace voxloom::fuzz

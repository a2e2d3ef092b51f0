// tests/fuzz/compiled.cpp: Compiled.
#include "compiled.h"

#include "graph_checks.h"

#include <voxloom/api/function.h>
#include <voxloom/codegen/program_builder.h>
#include <voxloom/graph/print.h>

#include <exception>
#include <map>
#include <thread>

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
  if (o.bug != nullptr && o.bug->graph != nullptr) return compile(o.bug->graph(graph), options);
  return compile(o.text ? through_text(graph) : graph, options);
}

}  // namespace

Compiled::Compiled(const Case& c, const Built& built, const std::vector<Plain>& arguments, const Outcome& want, Statistics& statistics)
    : case_(c), built_(built), arguments_(&arguments), want_(&want), statistics_(statistics), state_(std::make_unique<State>()) {
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
  if (bug.graph != nullptr) return to_text(bug.graph(built_.graph)) != to_text(built_.graph);
  if (bug.program != nullptr) return true;
  const Function f = make(built_.graph, {});
  for (codegen::Kernel& kernel : codegen::kernels_of(f.graph(), {})) {
    const std::string before = codegen::canonical_text(kernel);
    bug.damage(kernel);
    if (codegen::canonical_text(kernel) != before) return true;
  }
  return false;
}

/// The arrays of one run.
struct Compiled::Memory {
  Function* function = nullptr;
  std::vector<Placed> inputs, outputs;
  std::vector<Array> arrays, out;
  std::vector<uint64_t> hashes;  // of the inputs' memory
  std::vector<bool> shared;      // inputs whose memory an output overlaps
};

void Compiled::place_arguments(LayoutKind kind, Rng& rng, Memory& m) {
  layouts_.clear();
  for (size_t k = 0; k < arguments_->size(); ++k) {
    const Plain& p = (*arguments_)[k];
    const uint32_t repeated = case_.inputs[static_cast<size_t>(built_.arguments[k])].repeated;
    m.inputs.push_back(place(p.bytes, p.dtype, p.shape, kind, repeated, rng));
    m.arrays.push_back(m.inputs.back().array);
    m.hashes.push_back(m.inputs.back().memory->hash());
    m.shared.push_back(false);
    layouts_ += "  x" + std::to_string(built_.arguments[k]) + " " + layout_text(m.arrays.back()) + "\n";
  }
}

void Compiled::place_results(const RunOptions& o, LayoutKind kind, Rng& rng, Memory& m) {
  if (want_->failed || (!o.out && !o.alias)) return;
  for (const Plain& p : want_->outputs) {
    Placed placed;
    for (size_t k = 0; o.alias && k < m.inputs.size() && !placed.memory; ++k) {
      if (m.shared[k] || rng.chance(0.3) || !overlay(m.inputs[k], p.dtype, p.shape, rng, placed)) continue;
      m.shared[k] = true;
      layouts_ += "  shares memory with argument " + std::to_string(k) + ":\n";
    }
    if (!placed.memory) placed = place_output(p.dtype, p.shape, kind, rng);
    m.outputs.push_back(placed);
    m.out.push_back(placed.array);
    layouts_ += "  out " + layout_text(placed.array) + "\n";
  }
}

Outcome Compiled::call(const RunOptions& o, LayoutKind kind, Rng& rng) {
  const std::string key = o.target + (o.passes ? "p" : "") + (o.fuse ? "f" : "") + (o.text ? "t" : "");
  auto it = state_->functions.find(key);
  if (it == state_->functions.end()) {
    ++statistics_.compiled;
    it = state_->functions.emplace(key, make(built_.graph, o)).first;
    if (it->second.toposort().size() > 1 && state_->functions.size() == 1) ++statistics_.multi_kernel;
  }
  Memory m;
  m.function = &it->second;
  place_arguments(kind, rng, m);
  place_results(o, kind, rng, m);
  Outcome result = compare_calls(o, m);
  for (size_t k = 0; k < m.inputs.size(); ++k) {
    if (!m.shared[k] && m.inputs[k].memory->hash() != m.hashes[k]) return failure("argument " + std::to_string(k) + " was written");
  }
  for (size_t k = 0; k < m.outputs.size(); ++k) {
    if (!gaps_untouched(m.outputs[k])) return failure("bytes beside the elements of output " + std::to_string(k) + " were written");
    // What the arrays in our hands hold counts, not what was returned.
    result.outputs[k] = plain_of(m.outputs[k].array.view());
  }
  return result;
}

/// The calls of one run; they must agree.
Outcome Compiled::compare_calls(const RunOptions& o, Memory& m) {
  CallOptions options;
  options.threads = o.threads;
  options.memory = o.memory;
  options.out = m.out;
  Outcome result;
  std::vector<Plain> beside;
  std::exception_ptr error;
  std::thread other;
  if (o.concurrent) {
    other = std::thread([&] {
      try {
        CallOptions own;
        own.threads = o.threads;
        beside = plain_of_all(m.function->call(m.arrays, own));
      } catch (...) { error = std::current_exception(); }
    });
  }
  const std::shared_ptr<void> joined(nullptr, [&](void*) {
    if (other.joinable()) other.join();
  });
  for (int n = 0; n < o.calls; ++n) {
    std::vector<Plain> values = plain_of_all(m.function->call(m.arrays, options));
    for (size_t k = 0; n > 0 && k < values.size(); ++k) {
      const std::string d = difference(result.outputs[k], values[k]);
      if (!d.empty()) return failure("two calls differ, output " + std::to_string(k) + ": " + d);
    }
    result.outputs = std::move(values);
  }
  if (other.joinable()) other.join();
  if (error) std::rethrow_exception(error);
  for (size_t k = 0; k < beside.size(); ++k) {
    const std::string d = difference(result.outputs[k], beside[k]);
    if (!d.empty()) return failure("two threads differ, output " + std::to_string(k) + ": " + d);
  }
  return result;
}

}  // namespace voxloom::fuzz

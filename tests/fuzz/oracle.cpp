// tests/fuzz/oracle.cpp: check(): one case against the interpreter, in several ways of running it.
#include "oracle.h"

#include "compiled.h"
#include "graph_checks.h"
#include "numpy_case.h"
#include "streamed.h"

#include <voxloom/api/pipeline.h>
#include <voxloom/codegen/compiler.h>
#include <voxloom/ops/table.h>

namespace voxloom::fuzz {

namespace {

/// Empty when both outcomes are the same result or the same kind of error.
std::string compare(const Outcome& want, const Outcome& got) {
  if (want.failed && got.failed) {
    // Where several things are wrong, either may be named.
    const auto sizes = [](ErrorCode code) { return code == ErrorCode::shape || code == ErrorCode::index; };
    if (want.code == got.code || (sizes(want.code) && sizes(got.code))) return {};
    return "another error: want \"" + want.message + "\", got \"" + got.message + "\"";
  }
  if (got.failed) return "the compiled function failed: " + got.message;
  if (want.failed) return "no error where the interpreter says: " + want.message;
  if (want.outputs.size() != got.outputs.size()) return "another number of outputs";
  for (size_t k = 0; k < want.outputs.size(); ++k) {
    const std::string d = difference(want.outputs[k], got.outputs[k]);
    if (!d.empty()) return "output " + std::to_string(k) + ": " + d;
  }
  return {};
}

void count(const Case& c, const Built& built, const Outcome& want, Statistics& s) {
  ++s.graphs;
  s.nodes += static_cast<int64_t>(c.nodes.size());
  s.failed_both += want.failed ? 1 : 0;
  bool nonempty = false;
  for (const Plain& p : want.outputs) nonempty = nonempty || p.bytes.size() > 0;
  s.nonempty += nonempty ? 1 : 0;
  bool reduces = false;
  for (const Expr& e : built.graph.nodes()) {
    reduces = reduces || e->op().kind == OpKind::reduction;
    ++s.ops[e->op().name];
  }
  s.with_reduction += reduces ? 1 : 0;
}

/// The first run keeps the layouts it draws simple half of the time; what needs no new compilation is varied most.
RunOptions first_way(Rng& rng) {
  RunOptions o;
  o.threads = rng.pick(std::vector<int>{1, 1, 2, 3, 8});
  o.out = rng.chance(0.3);
  return o;
}
/// The target with the widest vectors that this machine runs, by its own name: "native" would add the processor's tuning.
const std::string& widest_target() {
  static const std::string name = codegen::target_from_name("native").name;
  return name;
}
RunOptions another_way(Rng& rng, const RunOptions& first) {
  RunOptions o = first;
  switch (rng.below(6)) {
    case 0: o.passes = false; break;
    case 1: o.fuse = false; break;
    case 2: o.target = rng.chance(0.5) ? "x86-64-v3" : widest_target(); break;
    case 3: o.text = true; break;
    case 4: o.passes = false, o.fuse = false; break;
    default: o.calls = 2; break;
  }
  return o;
}

/// An index that lies outside is found where it is used; what passes drop, as the bounds of a clipped gradient, uses none.
Outcome without_dropped(const Graph& graph, const std::vector<Plain>& arguments) {
  FunctionOptions options;
  options.optimizer_excluding = {"stabilise"};
  return interpreted(detail::optimised(graph, options, nullptr), arguments);
}

/// Other sizes for the symbols of the graph.
std::vector<Plain> resized_arguments(const Case& c, const Built& built, Rng& rng) {
  static const std::vector<int64_t> sizes{0, 1, 2, 3, 4, 7, 8, 13, 16, 17, 31, 40, 64, 100};
  std::map<std::string, int64_t> symbols;
  std::vector<Plain> out;
  for (size_t k = 0; k < built.arguments.size(); ++k) {
    CaseInput in = c.inputs[static_cast<size_t>(built.arguments[k])];
    const Type& type = built.graph.inputs()[k].type();
    int64_t size = 1;
    for (size_t axis = 0; axis < in.shape.size(); ++axis) {
      const Dim& d = type.shape[axis];
      if (!d.is_constant()) {
        const int64_t drawn = rng.chance(0.5) ? std::min<int64_t>(in.shape[axis], 100) : rng.pick(sizes);
        in.shape[axis] = symbols.try_emplace(d.str(), size * drawn > 100000 ? 1 : drawn).first->second;
      }
      size *= in.shape[axis];
    }
    if (size > 1000000) return {};
    out.push_back({in.dtype, in.shape, values_of(in)});
  }
  return symbols.empty() ? std::vector<Plain>{} : out;
}

}  // namespace

std::string RunOptions::str() const {
  std::string s = "target " + target + ", threads " + std::to_string(threads);
  if (!passes) s += ", no passes";
  if (!fuse) s += ", no fusion";
  if (calls > 1) s += ", " + std::to_string(calls) + " calls";
  if (out) s += ", out=";
  if (text) s += ", through text";
  if (alias) s += ", results over arguments";
  if (concurrent) s += ", two threads at once";
  if (memory > 0) s += ", memory " + std::to_string(memory);
  if (bug != nullptr) s += ", bug " + std::string(bug->name);
  return s;
}

std::string Statistics::str() const {
  std::string s = std::to_string(graphs) + " graphs, " + std::to_string(nodes) + " nodes, " + std::to_string(runs) + " runs, " +
                  std::to_string(streamed) + " streamed, " + std::to_string(resized) + " with other sizes, " + std::to_string(compiled) +
                  " compilations; " + std::to_string(nonempty) + " with elements, " + std::to_string(with_reduction) +
                  " with reductions, " + std::to_string(multi_kernel) + " of several kernels, " + std::to_string(refused) +
                  " illegal ones refused, " + std::to_string(failed_both) + " refused at the call, " + std::to_string(numpy) +
                  " written for NumPy";
  return s;
}

std::string check(const Case& c, const CheckOptions& options, Statistics& statistics) {
  const Built built = build(c);
  if (const std::string problem = check_graph(built.graph); !problem.empty()) return problem;
  std::vector<Plain> arguments;
  for (int k : built.arguments) {
    const CaseInput& in = c.inputs[static_cast<size_t>(k)];
    arguments.push_back({in.dtype, in.shape, values_of(in)});
  }
  const Outcome want = interpreted(built.graph, arguments);
  if (want.failed && want.code == ErrorCode::internal) return "the interpreter: " + want.message;
  count(c, built, want, statistics);
  Rng rng(c.seed * 0x9e3779b97f4a7c15u + 1);
  if (!options.numpy_folder.empty() && !want.failed && rng.chance(0.05))
    statistics.numpy += write_numpy_case(options.numpy_folder, c.seed, built.graph, arguments);
  Compiled compiled(c, built, arguments, want, statistics);
  if (options.bug != nullptr && options.skip_untouched && !options.bug->in_layouts && !compiled.touches(*options.bug)) return {};
  RunOptions way = first_way(rng);
  way.bug = options.bug;
  const auto run = [&](const RunOptions& o, LayoutKind kind) {
    const std::string d = compare(want, compiled.run(o, kind, rng));
    return d.empty() ? d : d + "\n  [" + o.str() + "]\n" + compiled.last_layouts();
  };
  std::string d = run(way, rng.chance(0.4) ? LayoutKind::dense : LayoutKind::any);
  if (!d.empty() || !options.variations) return d;
  // Without a new compilation: other threads, other layouts, results over arguments, other sizes.
  RunOptions again = way;
  again.threads = rng.pick(std::vector<int>{1, 2, 3, 8});
  again.out = !way.out;
  again.alias = rng.chance(0.3);
  again.concurrent = !again.alias && rng.chance(0.2);
  if (d = run(again, rng.chance(0.5) ? LayoutKind::any : LayoutKind::fortran); !d.empty()) return d;
  if (rng.chance(0.4)) {
    const std::vector<Plain> other = resized_arguments(c, built, rng);
    const Outcome other_want = other.empty() ? Outcome() : interpreted(built.graph, other);
    if (!other.empty()) {
      ++statistics.resized;
      compiled.use(other, other_want);
      const Outcome got = compiled.run(way, rng.chance(0.5) ? LayoutKind::dense : LayoutKind::any, rng);
      d = compare(other_want, got);
      if (!got.failed && other_want.failed && other_want.code == ErrorCode::index) d = compare(without_dropped(built.graph, other), got);
      compiled.use(arguments, want);
      if (!d.empty()) return d + "\n  [with other sizes, " + way.str() + "]\n" + compiled.last_layouts();
    }
  }
  if (can_stream(c) && !want.failed && (options.images || rng.chance(0.7))) {
    std::string how;
    ++statistics.streamed;
    if (d = compare(want, streamed(c, built, arguments, options.bug, rng, how)); !d.empty()) return d + "\n  [" + how + "]\n";
  }
  if (rng.chance(0.25)) d = run(another_way(rng, way), rng.chance(0.5) ? LayoutKind::dense : LayoutKind::any);
  return d;
}

}  // namespace voxloom::fuzz

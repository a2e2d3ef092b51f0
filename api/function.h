// api/function.h: compiled functions.
#pragma once

#include <voxloom/api/config.h>
#include <voxloom/api/explain.h>
#include <voxloom/api/shared.h>
#include <voxloom/graph/graph.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/cancel.h>
#include <voxloom/runtime/profile.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace voxloom {

/// An input of a function: a variable made by matrix(), vector(), ...
struct InOptions {
  /// The function may overwrite the argument: a borrowed output of the same dtype and shape is then written over it, where every kernel
  /// only maps.
  bool mutable_ = false;
};
struct In {
  In(Expr variable, InOptions options = {}) : variable(std::move(variable)), options(options) {}  // NOLINT: a variable is an input
  Expr variable;
  InOptions options;
};

/// An output of a function.
struct OutOptions {
  bool borrow = false;  ///< the function may reuse the buffer at its next call, unless somebody still holds it
};
struct Out {
  Out(Expr value, OutOptions options = {}) : value(std::move(value)), options(options) {}  // NOLINT: an expression is an output
  Expr value;
  OutOptions options;
};

struct FunctionOptions {
  Updates updates = {};  ///< new values of shared variables
  std::string name = "function";
  bool optimise = true;                               ///< run the graph passes
  bool fuse = true;                                   ///< false: one kernel per operation
  std::vector<std::string> optimizer_excluding = {};  ///< names of passes to leave out
  std::string target = {};                            ///< empty: config().target
  bool profile = false;
};

/// What the caller wants of one call.
struct CallOptions {
  const CancelToken* cancel = nullptr;
  std::function<void(double fraction)> progress = {};
  int threads = 0;            ///< 0: config().threads
  int64_t memory = 0;         ///< a limit for outputs and temporaries; 0: none
  std::span<Array> out = {};  ///< write the results into these arrays; empty: fresh ones
};

/// Bytes a call will need, known before it runs.
struct MemoryReport {
  int64_t outputs = 0, temporaries = 0, scratch = 0;
  int64_t peak() const { return outputs + temporaries + scratch; }
};

/// The steps of a function and the slots between them, as text.
struct VOXLOOM_API Plan {
  std::string text;
  /// Writes the text to standard output.
  void print() const;
};

/// Results of a call; converts to the one Array when there is one.
class Results {
 public:
  explicit Results(std::vector<Array> arrays) : arrays_(std::move(arrays)) {}
  operator Array() const { return arrays_.at(0); }         // NOLINT: one-output functions read as functions
  operator std::vector<Array>() const { return arrays_; }  // NOLINT
  const Array& operator[](size_t k) const { return arrays_.at(k); }
  size_t size() const { return arrays_.size(); }
  auto begin() const { return arrays_.begin(); }
  auto end() const { return arrays_.end(); }

 private:
  std::vector<Array> arrays_;
};

class Function;
struct FunctionOptions;

/// A compiled graph: immutable, callable from any thread.
///
///     auto x = vl::matrix("x");
///     auto f = vl::function({x}, {vl::exp(-x / 2)});
///     vl::Array y = f(X);
class VOXLOOM_API Function {
 public:
  struct Impl;
  explicit Function(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  /// Checks dtypes and shapes (UserError names the argument and both facts), runs, gives the outputs in order.
  std::vector<Array> call(std::span<const Array> arguments, const CallOptions& options = {}) const;
  std::vector<Array> call(std::initializer_list<Array> arguments, const CallOptions& options = {}) const {
    return call(std::span<const Array>(arguments.begin(), arguments.size()), options);
  }
  /// The fast path: results go into `outputs` (undefined arrays are allocated, borrowed ones reused), nothing else is allocated once sizes are known.
  void call_into(std::span<const Array> arguments, std::span<Array> outputs, const CallOptions& options = {}) const;
  template <class... A> Results operator()(const A&... arguments) const {
    const Array list[] = {arguments..., Array()};
    return Results(call(std::span<const Array>(list, sizeof...(A))));
  }

  /// Bytes needed for arguments like these, or for sizes of the named dims. Nothing is run.
  MemoryReport memory(std::span<const Array> arguments) const;
  MemoryReport memory(std::initializer_list<Array> arguments) const {
    return memory(std::span<const Array>(arguments.begin(), arguments.size()));
  }
  MemoryReport memory(const std::map<std::string, int64_t>& dims) const;

  /// The graph after the passes.
  const Graph& graph() const;
  const std::string& name() const;
  /// Kernel steps in order: "Fused{exp,mul}(x)".
  std::vector<std::string> toposort() const;
  /// Kernels in order, what they read and write.
  Plan plan(const ExplainOptions& options = {}) const;
  /// Optimised graph, plan, and why operations were not fused.
  std::string explain(const ExplainOptions& options = {}) const;
  /// Time per pass and per step, summed over the profiled calls.
  Profile profile() const;

 private:
  friend VOXLOOM_API Function function(std::vector<In> inputs, std::vector<Out> outputs, const FunctionOptions& options);
  void set_options(const std::vector<In>& inputs, const std::vector<Out>& outputs);
  std::shared_ptr<Impl> impl_;
};

/// Compiles expressions. Inputs are variables; every variable that the outputs use must be listed.
VOXLOOM_API Function function(std::vector<In> inputs, std::vector<Out> outputs, const FunctionOptions& options = {});
/// Compiles a graph (as read from a text form).
VOXLOOM_API Function compile(const Graph& graph, const FunctionOptions& options = {});

}  // namespace voxloom

// api/function.h: compiled functions.
#pragma once

#include <voxloom/api/explain.h>
#include <voxloom/api/function_options.h>
#include <voxloom/graph/graph.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/profile.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace voxloom {

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
class VOXLOOM_API Results {
 public:
  using Names = std::shared_ptr<const std::vector<std::string>>;
  explicit Results(std::vector<Array> arrays, Names names = {}) : arrays_(std::move(arrays)), names_(std::move(names)) {}
  operator Array() const { return arrays_.at(0); }         // NOLINT: one-output functions read as functions
  operator std::vector<Array>() const { return arrays_; }  // NOLINT
  const Array& operator[](size_t k) const { return arrays_.at(k); }
  /// An output by its name; UserError if none has it.
  const Array& operator[](std::string_view name) const;
  size_t size() const { return arrays_.size(); }
  auto begin() const { return arrays_.begin(); }
  auto end() const { return arrays_.end(); }

 private:
  std::vector<Array> arrays_;
  Names names_;
};

/// How a function is copied.
struct FunctionCopyOptions {
  bool share_memory = false;                         ///< the copies take turns on the same temporaries and borrowed buffers
  std::vector<std::pair<Shared, Shared>> swap = {};  ///< the copy reads and updates the second where the original has the first
  bool delete_updates = false;                       ///< the copy changes no shared variable
  std::string name = {};                             ///< empty: the original's
};

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
    return Results(call(std::span<const Array>(list, sizeof...(A))), output_names());
  }
  /// Arguments by position, then by the names of inputs. Inputs that get none take their default value.
  std::vector<Array> call_named(std::span<const Array> arguments, std::span<const NamedArray> named, const CallOptions& options = {}) const;
  Results call_named(std::initializer_list<Array> arguments, std::initializer_list<NamedArray> named,
                     const CallOptions& options = {}) const {
    return Results(call_named(std::span<const Array>(arguments.begin(), arguments.size()),
                              std::span<const NamedArray>(named.begin(), named.size()), options),
                   output_names());
  }
  /// n update steps inside one call; the outputs are those of the last step. The updates of each step are committed when it is done, so a
  /// cancelled call leaves the variables as they were after its last whole step. Other updates of these variables wait for the end.
  std::vector<Array> repeat(int64_t n, std::span<const Array> arguments, const CallOptions& options = {}) const;
  std::vector<Array> repeat(int64_t n, std::initializer_list<Array> arguments, const CallOptions& options = {}) const {
    return repeat(n, std::span<const Array>(arguments.begin(), arguments.size()), options);
  }
  template <class... A> Results repeat(int64_t n, const Array& first, const A&... arguments) const {
    const Array list[] = {first, arguments...};
    return Results(repeat(n, std::span<const Array>(list)), output_names());
  }
  Results repeat(int64_t n) const { return Results(repeat(n, std::span<const Array>()), output_names()); }

  /// A function of its own on the same compiled code, with temporaries and a profile of its own.
  Function copy(const FunctionCopyOptions& options = {}) const;

  /// Bytes needed for arguments like these, or for sizes of the named dims. Nothing is run.
  MemoryReport memory(std::span<const Array> arguments) const;
  MemoryReport memory(std::initializer_list<Array> arguments) const {
    return memory(std::span<const Array>(arguments.begin(), arguments.size()));
  }
  MemoryReport memory(const std::map<std::string, int64_t>& dims) const;

  /// The graph after the passes.
  const Graph& graph() const;
  /// The graph as it was given: inputs, then shared variables; outputs, then updates.
  const Graph& written() const;
  const std::string& name() const;
  /// Of the inputs, in order: names for call_named().
  std::vector<std::string> input_names() const;
  /// The inputs' options as the function holds them, in order: names, default values, and allow_downcast resolved.
  std::vector<InOptions> inputs() const;
  /// Empty pointer: outputs have no names.
  const Results::Names& output_names() const;
  size_t outputs() const;
  /// The shared variables that it reads or updates.
  std::vector<Shared> shared() const;
  /// Kernel steps in order: "Fused{exp,mul}(x)".
  std::vector<std::string> toposort() const;
  /// Kernels in order, what they read and write.
  Plan plan(const ExplainOptions& options = {}) const;
  /// Optimised graph, plan, and why operations were not fused.
  std::string explain(const ExplainOptions& options = {}) const;
  /// Time per pass and per step, summed over the profiled calls.
  Profile profile() const;

 private:
  friend struct FunctionAccess;
  std::shared_ptr<Impl> impl_;
};

/// Compiles expressions. Inputs are variables; every variable that the outputs use must be listed. Outputs may be none: updates are enough.
VOXLOOM_API Function function(std::vector<In> inputs, std::vector<Out> outputs, const FunctionOptions& options = {});
/// The value of an expression, given those of its variables: eval(x + 1, {{x, X}}). Variables that it does not use may be given too.
/// Compiles at every call; keep a function() for more.
VOXLOOM_API Array eval(const Expr& value, const std::vector<std::pair<Expr, Array>>& givens = {});
/// Compiles a graph (as read from a text form).
VOXLOOM_API Function compile(const Graph& graph, const FunctionOptions& options = {});

}  // namespace voxloom

// api/function_options.h: what function() and calls can be told.
#pragma once

#include <voxloom/api/config.h>
#include <voxloom/api/mode.h>
#include <voxloom/api/shared.h>
#include <voxloom/graph/node.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/cancel.h>

#include <concepts>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace voxloom {

/// An input of a function: a variable made by matrix(), vector(), ...
struct InOptions {
  /// Used where a call gives no argument; copied when the function is made unless `borrow`.
  Array value = {};
  /// The function may overwrite the argument: a borrowed output of the same dtype and shape is then written over it, where every kernel
  /// only maps and the argument shares no memory with another one.
  bool mutable_ = false;
  /// An output that is the input itself and borrowed too may be the argument itself, without a copy; the default value is held, not copied.
  bool borrow = false;
  /// Takes its own dtype only. Otherwise arguments that convert without loss are converted.
  bool strict = false;
  /// Converts arguments even if that loses precision; empty: FunctionOptions::allow_input_downcast. Complex numbers never become real.
  std::optional<bool> allow_downcast = {};
  /// For arguments by name; empty: the variable's.
  std::string name = {};
};
struct In {
  In(Expr variable, InOptions options = {})  // NOLINT(google-explicit-constructor): a variable is an input
      : variable(std::move(variable)), options(std::move(options)) {}
  Expr variable;
  InOptions options;
};

/// An output of a function.
struct OutOptions {
  bool borrow = false;  ///< the function may reuse the buffer at its next call, unless somebody still holds it
};
struct Out {
  Out(Expr value, OutOptions options = {})  // NOLINT(google-explicit-constructor): an expression is an output
      : value(std::move(value)), options(options) {}
  /// Anything that converts to an expression, such as a shared variable.
  template <class T>
    requires(!std::derived_from<T, Expr> && std::convertible_to<const T&, Expr>)
  Out(const T& value, OutOptions options = {})  // NOLINT(google-explicit-constructor)
      : Out(static_cast<Expr>(value), options) {}
  /// An output by name: function({x}, {{"cost", cost}, {"error", error}}).
  Out(std::string name, Expr value, OutOptions options = {}) : value(std::move(value)), options(options), name(std::move(name)) {}
  Expr value;
  OutOptions options;
  std::string name = {};
};

/// What variables, or any nodes, stand for in a function: all replaced at once, in outputs and updates.
using Givens = std::vector<std::pair<Expr, Expr>>;

/// Empty options take their value from config() when the function is made.
struct FunctionOptions {
  Updates updates = {};  ///< new values of shared variables
  Givens givens = {};
  std::optional<Mode> mode = {};
  std::string name = "function";
  bool optimise = true;                               ///< run the graph passes
  bool fuse = true;                                   ///< false: one kernel per operation
  std::vector<std::string> optimizer_excluding = {};  ///< names of passes to leave out, besides the configuration's
  std::string target = {};
  std::optional<bool> profile = {};
  std::optional<OnUnusedInput> on_unused_input = {};
  bool allow_input_downcast = false;  ///< of inputs that do not say
  std::string device = {};
  int64_t memory = 0;  ///< limit of a call for outputs and temporaries; 0: config().memory
  int threads = 0;     ///< 0: config().threads
  std::optional<bool> allow_gc = {};
  std::optional<bool> strict_borrow = {};
};

/// What the caller wants of one call.
struct CallOptions {
  const CancelToken* cancel = nullptr;
  std::function<void(double fraction)> progress = {};
  int threads = 0;            ///< 0: the function's
  int64_t memory = 0;         ///< a limit for outputs and temporaries; 0: the function's
  std::span<Array> out = {};  ///< write the results into these arrays; empty: fresh ones
};

/// An argument by name.
using NamedArray = std::pair<std::string, Array>;

}  // namespace voxloom

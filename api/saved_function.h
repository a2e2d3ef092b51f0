// api/saved_function.h: functions as bytes: the graph as it was given, the values of its shared variables, the options of its inputs and
// outputs. No code is inside: whoever loads it compiles it.
#pragma once

#include <voxloom/api/function.h>

#include <functional>
#include <string>
#include <string_view>

namespace voxloom {

/// The function, with the values that its shared variables have now. What belongs to a machine (target, threads, memory) is left out.
VOXLOOM_API std::string save_function_bytes(const Function& function);
/// Writes them to a file, which appears when it is complete.
VOXLOOM_API void save_function(const Function& function, const std::string& path);

struct LoadOptions {
  /// Ops of the graph may be functions of this program (HostOp), found by their names. Off: such a graph is refused, since whoever writes a file
  /// would choose what runs.
  bool allow_native_ops = false;
  /// Gives such an op by its name, or nullptr; empty: the last one of a name that this process has made.
  std::function<const OpInfo*(std::string_view name)> native_ops = {};
};

/// Compiles a function from bytes; its shared variables are new ones (Function::shared()). Bytes that save_function_bytes() has not written,
/// or that were changed since, are a UserError(bad_input) that says where; `source` names them. Bounds: 1 000 000 nodes, 8 axes, names of
/// 1 MiB; memory in proportion to the bytes.
VOXLOOM_API Function load_function_bytes(std::string_view bytes, const std::string& source = "load_function",
                                         const LoadOptions& options = {});
VOXLOOM_API Function load_function(const std::string& path, const LoadOptions& options = {});

}  // namespace voxloom

// graph/node_hook.h: being told of every node that is made, for test values. Internal to the library.
#pragma once

#include <voxloom/graph/node.h>

namespace voxloom {

/// Called with every node that make_node() has made, by the thread that makes it; what it throws, make_node() throws. Null: nothing.
using NodeHook = void (*)(const Expr& node);
VOXLOOM_API void set_node_hook(NodeHook hook);

/// Number of references to a node; exact only when it is 1, since others may copy theirs at any time.
VOXLOOM_API uint32_t use_count(const Expr& node);

}  // namespace voxloom

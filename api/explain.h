// api/explain.h: what explain() and plan() show on demand.
#pragma once

namespace voxloom {

struct ExplainOptions {
  bool kernels = false;  ///< every kernel as the C text that the back ends share
};

}  // namespace voxloom

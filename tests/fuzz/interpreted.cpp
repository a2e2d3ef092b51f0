// tests/fuzz/interpreted.cpp: the interpreter as oracle.
#include "oracle.h"

#include <voxloom/ops/interpret.h>

namespace voxloom::fuzz {

Outcome interpreted(const Graph& graph, const std::vector<Plain>& arguments) {
  Outcome out;
  std::vector<StridedView> views;
  for (const Plain& p : arguments) {
    views.push_back({const_cast<std::byte*>(p.bytes.data()), p.dtype, p.shape, dense_strides(p.shape, size_of(p.dtype), false), false});
  }
  try {
    for (const HostArray& a : interpret(graph, views)) out.outputs.push_back(plain_of(a.view()));
  } catch (const Error& e) {
    out.failed = true;
    out.code = e.code();
    out.message = e.what();
  }
  return out;
}

}  // namespace voxloom::fuzz

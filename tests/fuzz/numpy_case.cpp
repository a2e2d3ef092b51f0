// tests/fuzz/numpy_case.cpp: write_numpy_case().
#include "numpy_case.h"

#include <voxloom/graph/print.h>
#include <voxloom/io/npy.h>

#include <fstream>

namespace voxloom::fuzz {

int write_numpy_case(const std::string& folder, uint64_t seed, const Graph& graph, const std::vector<Plain>& arguments) {
  std::vector<io::NamedNpyArray> arrays;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Plain& p = arguments[k];
    arrays.push_back({graph.inputs()[k]->name(), {p.dtype, p.shape, false, p.bytes}});
  }
  const std::string stem = folder + "/" + std::to_string(seed);
  io::write_npz(stem + ".npz", arrays);
  std::ofstream(stem + ".vl") << to_text(graph);
  return 1;
}

}  // namespace voxloom::fuzz

// tests/fuzz/numpy_case.h: cases written to files, for numpy_oracle.py.
#pragma once

#include "placed.h"

#include <voxloom/graph/graph.h>

namespace voxloom::fuzz {

/// Writes FOLDER/SEED.vl and FOLDER/SEED.npz. Returns 1, the number of cases written.
int write_numpy_case(const std::string& folder, uint64_t seed, const Graph& graph, const std::vector<Plain>& arguments);

}  // namespace voxloom::fuzz

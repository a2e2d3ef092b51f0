// tests/fuzz/streamed.h: a case with its image arguments delivered block by block.
#pragma once

#include "oracle.h"

namespace voxloom::fuzz {

/// Whether some argument is an image, and none is empty.
bool can_stream(const Case& c);
/// Runs the case in small blocks: sources and sinks in memory, with the orders and layouts that files have.
Outcome streamed(const Case& c, const Built& built, const std::vector<Plain>& arguments, const Bug* bug, Rng& rng, std::string& how);

}  // namespace voxloom::fuzz

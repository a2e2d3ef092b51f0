// tests/fuzz/generator.h: random cases.
#pragma once

#include "case.h"

namespace voxloom::fuzz {

/// A case whose graph builds. The same seed gives the same case.
/// With `images` all inputs are images and nothing is empty.
Case generate(uint64_t seed, bool images = false);
/// Changes a case so that building its graph must be refused; says how. Some cases cannot be spoiled that way: then the text is empty.
std::string spoil(Case& c, uint64_t seed);

}  // namespace voxloom::fuzz

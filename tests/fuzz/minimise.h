// tests/fuzz/minimise.h: makes a failing case smaller.
#pragma once

#include "case.h"

#include <functional>

namespace voxloom::fuzz {

/// Greedy: drops outputs and nodes, replaces nodes by operands or fresh inputs, shrinks sizes, simplifies inputs, while `fails` stays true.
/// At most `most_tries` calls of `fails`.
Case minimise(Case c, const std::function<bool(const Case&)>& fails, int most_tries = 600);

}  // namespace voxloom::fuzz

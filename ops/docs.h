// ops/docs.h: the reference page of ops.
#pragma once

#include <voxloom/graph/export.h>

#include <string>

namespace voxloom {

/// The text of docs/ops.md, made from the op table. tests/ops/docs_test.cpp compares the two, and writes the file when VOXLOOM_WRITE_DOCS is
/// set in the environment.
VOXLOOM_API std::string ops_markdown();

}  // namespace voxloom

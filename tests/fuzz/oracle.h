// tests/fuzz/oracle.h: runs a case through the interpreter and through compiled code in many ways, and compares bits.
#pragma once

#include "bugs.h"
#include "case.h"
#include "placed.h"

#include <map>
#include <string>

namespace voxloom::fuzz {

/// What a run gave: outputs, or the error it ended with.
struct Outcome {
  bool failed = false;
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::vector<Plain> outputs;
};

/// One way to run a compiled graph.
struct RunOptions {
  std::string target = "native";
  bool passes = true;  ///< graph passes
  bool fuse = true;    ///< several operations in one kernel
  int threads = 1;
  int calls = 1;            ///< the last one's outputs count, and all must agree
  bool out = false;         ///< results go to buffers of ours
  bool text = false;        ///< the graph goes through its text form first
  bool alias = false;       ///< results go into the memory of arguments, or into memory that overlaps it
  bool concurrent = false;  ///< two threads call at once
  int64_t memory = 0;       ///< budget of the call in bytes; 0: none
  const Bug* bug = nullptr;
  std::string str() const;
};

/// The interpreter's answer.
Outcome interpreted(const Graph& graph, const std::vector<Plain>& arguments);

/// Counts of what was run, for the report.
struct Statistics {
  int64_t graphs = 0, resized = 0, refused = 0, failed_both = 0, nonempty = 0, with_reduction = 0, multi_kernel = 0, nodes = 0, runs = 0,
          compiled = 0;
  int64_t numpy = 0, streamed = 0;
  std::map<std::string, int64_t> ops;
  std::string str() const;
};

/// Where cases for NumPy are written; empty: nowhere.
struct CheckOptions {
  const Bug* bug = nullptr;
  bool skip_untouched = false;  ///< graphs that the bug leaves alone are not run
  bool variations = true;       ///< metamorphic runs too, not only one
  bool images = false;          ///< all graphs are over images and run streamed
  std::string numpy_folder = {};
};

/// Empty if everything agrees, else what does not.
std::string check(const Case& c, const CheckOptions& options, Statistics& statistics);

}  // namespace voxloom::fuzz

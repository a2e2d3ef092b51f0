// tests/fuzz/compiled.h: a case as compiled functions, one per way of compiling, called with arrays in guarded memory.
#pragma once

#include "oracle.h"

#include <memory>

namespace voxloom::fuzz {

class Compiled {
 public:
  /// The references must outlive the object.
  Compiled(const Case& c, const Built& built, const std::vector<Plain>& arguments, const Outcome& want, Statistics& statistics);
  ~Compiled();

  /// Lays the arguments out anew, calls, and looks at what must not change: inputs, gaps between output elements.
  Outcome run(const RunOptions& options, LayoutKind kind, Rng& rng);
  /// From now on these arguments, perhaps of other sizes, and this outcome.
  void use(const std::vector<Plain>& arguments, const Outcome& want) { arguments_ = &arguments, want_ = &want; }
  /// Whether the bug changes any kernel of the graph (in the layouts that are usual); needs no compilation.
  bool touches(const Bug& bug);
  /// Layouts of the arguments of the last run, for the report.
  std::string last_layouts() const { return layouts_; }

 private:
  struct State;
  struct Memory;
  Outcome call(const RunOptions& options, LayoutKind kind, Rng& rng);
  void place_arguments(LayoutKind kind, Rng& rng, Memory& memory);
  void place_results(const RunOptions& options, LayoutKind kind, Rng& rng, Memory& memory);
  Outcome compare_calls(const RunOptions& options, Memory& memory);
  const Case& case_;
  const Built& built_;
  const std::vector<Plain>* arguments_;
  const Outcome* want_;
  Statistics& statistics_;
  std::unique_ptr<State> state_;
  std::string layouts_;
};

}  // namespace voxloom::fuzz

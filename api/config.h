// api/config.h: defaults of the process: set by name, by VOXLOOM_FLAGS and by an INI file.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/export.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace voxloom {

/// What to do about an input that no output and no update uses.
enum class OnUnusedInput : uint8_t { raise, warn, ignore };

/// What to do with test values while an expression is built (api/test_value.h).
enum class ComputeTestValue : uint8_t {
  off,
  ignore,  ///< compute where all operands have one
  warn,    ///< ... and log where one lacks
  raise,   ///< ... and refuse where one lacks
};

/// Read when a function is compiled or called. Set before use; not synchronised. Arguments of function() and of a call win over it.
///
/// When the library is loaded, values come from the INI file ~/.voxloomrc (or $VOXLOOMRC), then from VOXLOOM_FLAGS="name=value,name=value".
/// What is wrong there is a UserError of the first config(). docs/functions.md lists the options.
struct VOXLOOM_API Config {
  std::string device = "auto";    ///< cpu, or auto: the best there is
  std::string mode = "FAST_RUN";  ///< see api/mode.h
  std::string target = "native";  ///< native, x86-64-v3 or x86-64-v4
  std::string cache_dir = {};     ///< of compiled kernels; empty: the user's cache folder; "off": none
  int64_t cache_size = int64_t{1} << 30;
  int threads = 0;             ///< 0: from affinity, cgroup, SLURM_CPUS_PER_TASK and OMP_NUM_THREADS
  int64_t memory = 0;          ///< bytes: budget of a streamed run (0: 80 % of what is available) and limit of a call (0: none)
  bool allow_gc = true;        ///< give temporaries back to the pool after each call; false keeps them in the function
  bool profile = false;        ///< functions measure themselves
  bool strict_borrow = false;  ///< refuse what borrowing cannot give, instead of taking another buffer
  bool debug = false;          ///< verify every graph after every pass
  /// The debug ladder: what goes to the log (runtime/log.h) at level debug. 1: each kernel made ready, 2: passes with their times too,
  /// 3: the graph after every pass that changed it, 4: LLVM IR of the kernels, 5: every rule that fires. 0: nothing.
  int debug_level = 0;
  std::vector<std::string> optimizer_excluding = {};  ///< names of passes; "fusion" too
  OnUnusedInput on_unused_input = OnUnusedInput::raise;
  ComputeTestValue compute_test_value = ComputeTestValue::off;

  /// By name, from text: every field, and floatX, cast_policy and warn_float64 (ops/policy.h). UserError: no such name (the nearest one
  /// is suggested), a value that is not allowed, or an option that this version cannot honour, with the reason.
  void set(std::string_view name, std::string_view value);
  /// Text that set() takes.
  std::string get(std::string_view name) const;
};

/// The process's configuration.
VOXLOOM_API Config& config();

/// One line of documentation.
struct ConfigOption {
  enum class Kind : uint8_t { text, flag, number };
  std::string name, values, doc;
  Kind kind = Kind::text;  ///< what get() writes: True or False, or a whole number
};
/// All names that Config::set knows, sorted.
VOXLOOM_API const std::vector<ConfigOption>& config_options();

/// Reads "name=value,name=value". `source` names the text in errors.
VOXLOOM_API void apply_flags(Config& config, std::string_view text, std::string_view source = "VOXLOOM_FLAGS");
/// Reads an INI text: `name = value` lines, before any section or in [global]; # and ; start comments.
VOXLOOM_API void apply_ini(Config& config, std::string_view text, std::string_view source);
/// $VOXLOOMRC (which must exist) or ~/.voxloomrc (if it does), then $VOXLOOM_FLAGS.
VOXLOOM_API void apply_environment(Config& config);

}  // namespace voxloom

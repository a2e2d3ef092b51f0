// runtime/profile.h: what a compiled function measured about itself, and its printed forms.
#pragma once

#include <voxloom/graph/export.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/roofline.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voxloom {

enum class StepKind : uint8_t { kernel, library, io_read, io_write, transfer, overhead };

/// The shares in which a report adds up time.
enum class CostClass : uint8_t { cpu, gpu, transfer, io, compile, overhead };
inline constexpr CostClass all_cost_classes[] = {CostClass::cpu, CostClass::gpu,     CostClass::transfer,
                                                 CostClass::io,  CostClass::compile, CostClass::overhead};

/// "kernel", "library", "io read", ...
VOXLOOM_API std::string_view name_of(StepKind kind);
/// "cpu op", "gpu op", "transfer", "I/O", "compile", "overhead".
VOXLOOM_API std::string_view name_of(CostClass kind);

/// One step of the plan, added up over all calls.
struct StepRecord {
  std::string name = {};  ///< "Fused{exp, add}(x, y)"
  StepKind kind = StepKind::kernel;
  DeviceId device = {};
  double seconds = 0;  ///< wall time
  int64_t calls = 0;   ///< runs; a streamed step runs once per block
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t flops = 0;        ///< counted from the kernel's instructions; a fused multiply-add counts two
  int64_t flops_f64 = 0;    ///< of these in float64, which the machine does half as fast
  std::string detail = {};  ///< anything a reader may want: shape of a block, reason of a transfer

  int64_t bytes() const { return bytes_read + bytes_written; }
  VOXLOOM_API CostClass cost_class() const;
};

/// One pass of the compiler, all its runs together.
struct PassRecord {
  std::string name = {};
  double seconds = 0;
  bool changed = false;
};

/// One kernel made ready to run.
struct KernelRecord {
  /// Where its code came from: LLVM made it now, or an earlier run or call had.
  enum class Origin : uint8_t { compiled, disk, memory } origin = Origin::compiled;
  std::string name = {};  ///< of its step
  double seconds = 0;     ///< lowering, compiling, linking, looking up
  int64_t code_bytes = 0;
  std::string why = {};  ///< why an entry of the disk cache was refused
};
/// "LLVM", "disk", "memory".
VOXLOOM_API std::string_view name_of(KernelRecord::Origin origin);

/// One run of a step: an index into Profile::steps, and seconds since the first call of the profile.
struct TraceEvent {
  int32_t step = 0;
  int32_t thread = 0;
  double start = 0;
  double seconds = 0;
};

/// Plain data; whoever runs a plan fills it.
struct VOXLOOM_API Profile {
  std::string function;
  int64_t calls = 0;
  double seconds = 0;  ///< wall time inside calls without compiling; what the steps leave over counts as overhead
  int threads = 1;
  std::vector<StepRecord> steps;
  double compile_seconds = 0;                             ///< passes and kernels together
  std::vector<PassRecord> passes;                         ///< of the graph, then partition and plan
  std::vector<KernelRecord> kernels;                      ///< in the order in which they were needed
  int64_t peak_planned = 0;                               ///< bytes foretold by the plan; 0 if unknown
  int64_t peak_measured = 0;                              ///< highest bytes during calls; 0 if not measured
  int64_t budget = 0;                                     ///< 0: none was set
  std::vector<std::pair<std::string, int64_t>> counters;  ///< e.g. {"outputs held by someone", 2}
  std::vector<TraceEvent> trace;
  Roofline roofline;  ///< all zero: shares of the machine are left out

  /// Wall time of calls and of compiling: what shares are shares of.
  double total_seconds() const { return seconds + compile_seconds; }
  /// Seconds of one class. Overhead is the calls' time that no step accounts for, besides steps of that kind.
  double seconds_of(CostClass cost_class) const;
  /// The larger of the step's shares of the machine's bandwidth and of its arithmetic throughput; 0 if unknown.
  double machine_share(const StepRecord& step) const;

  /// A table for a terminal.
  std::string text() const;
  /// Everything, as one JSON object.
  std::string json() const;
  /// For chrome://tracing and ui.perfetto.dev.
  std::string trace_json() const;
  /// One self-contained page: no script, no link to anywhere.
  std::string html() const;
};

/// "12.3 ms", "4.56 us", "1.23 s".
VOXLOOM_API std::string format_seconds(double seconds);

}  // namespace voxloom

// runtime/profile.cpp: sums over a profile, its table, JSON and trace.
#include <voxloom/runtime/profile.h>

#include <voxloom/runtime/limits.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace voxloom {
namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::string shortened(const std::string& text, size_t width) { return text.size() <= width ? text : text.substr(0, width - 3) + "..."; }

std::string dump(const nlohmann::json& value) { return value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace); }

/// Steps by time, the longest first; equal ones stay in plan order.
std::vector<const StepRecord*> by_time(const std::vector<StepRecord>& steps) {
  std::vector<const StepRecord*> order;
  for (const StepRecord& step : steps) order.push_back(&step);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->seconds > b->seconds; });
  return order;
}

void append_steps(std::string& out, const Profile& p) {
  if (p.steps.empty()) return;
  size_t width = 4;
  for (const StepRecord& step : p.steps) width = std::max(width, std::min<size_t>(step.name.size(), 44));
  out += fmt::format("\n  {:<{}}  {:<9} {:>8} {:>10} {:>6} {:>8} {:>8} {:>8}  {}\n", "step", width, "kind", "runs", "time", "%", "GB/s",
                     "GFLOP/s", "machine", "detail");
  for (const StepRecord* step : by_time(p.steps)) {
    const double t = step->seconds;
    const double machine = p.machine_share(*step);
    const std::string of_machine = machine > 0 ? fmt::format("{:.0f} %", machine * 100) : "-";
    out += fmt::format("  {:<{}}  {:<9} {:>8} {:>10} {:>6.1f} {:>8.2f} {:>8.2f} {:>8}  {}\n", shortened(step->name, width), width,
                       name_of(step->kind), step->calls, format_seconds(t), 100 * share(t, p.total_seconds()),
                       share(static_cast<double>(step->bytes()) * 1e-9, t), share(static_cast<double>(step->flops) * 1e-9, t), of_machine,
                       step->detail);
  }
}

void append_compile(std::string& out, const Profile& p) {
  if (p.compile_seconds <= 0 && p.passes.empty()) return;
  out += fmt::format("\n  compile {}", format_seconds(p.compile_seconds));
  for (size_t i = 0; i < p.passes.size(); ++i) {
    out += fmt::format("{}{} {}{}", i == 0 ? ": " : ", ", p.passes[i].name, format_seconds(p.passes[i].seconds),
                       p.passes[i].changed ? "*" : "");
  }
  const bool any_change = std::any_of(p.passes.begin(), p.passes.end(), [](const PassRecord& pass) { return pass.changed; });
  out += any_change ? "  (* changed the graph)\n" : "\n";
  for (const KernelRecord& kernel : p.kernels) {
    out += fmt::format("    {} from {} in {}, {} of code{}\n", shortened(kernel.name, 60), name_of(kernel.origin),
                       format_seconds(kernel.seconds), format_size(kernel.code_bytes), kernel.why.empty() ? "" : " (" + kernel.why + ")");
  }
}

void append_memory(std::string& out, const Profile& p) {
  std::vector<std::string> facts;
  if (p.peak_planned > 0) facts.push_back("planned " + format_size(p.peak_planned));
  if (p.peak_measured > 0) facts.push_back("measured " + format_size(p.peak_measured));
  if (p.budget > 0) facts.push_back("budget " + format_size(p.budget));
  if (!facts.empty()) out += fmt::format("\n  peak memory: {}\n", fmt::join(facts, ", "));
  for (const auto& [name, value] : p.counters) out += fmt::format("  {}: {}\n", name, value);
}

}  // namespace

std::string_view name_of(StepKind kind) {
  switch (kind) {
    case StepKind::kernel: return "kernel";
    case StepKind::library: return "library";
    case StepKind::io_read: return "io read";
    case StepKind::io_write: return "io write";
    case StepKind::transfer: return "transfer";
    case StepKind::overhead: return "overhead";
  }
  return "";
}

std::string_view name_of(CostClass kind) {
  switch (kind) {
    case CostClass::cpu: return "cpu op";
    case CostClass::gpu: return "gpu op";
    case CostClass::transfer: return "transfer";
    case CostClass::io: return "I/O";
    case CostClass::compile: return "compile";
    case CostClass::overhead: return "overhead";
  }
  return "";
}

std::string_view name_of(KernelRecord::Origin origin) {
  switch (origin) {
    case KernelRecord::Origin::compiled: return "LLVM";
    case KernelRecord::Origin::disk: return "disk";
    case KernelRecord::Origin::memory: return "memory";
  }
  return "";
}

std::string format_seconds(double seconds) {
  const double size = std::abs(seconds);
  if (size >= 1) return fmt::format("{:.3g} s", seconds);
  if (size >= 1e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (size >= 1e-6) return fmt::format("{:.3g} us", seconds * 1e6);
  return fmt::format("{:.3g} ns", seconds * 1e9);
}

CostClass StepRecord::cost_class() const {
  switch (kind) {
    case StepKind::kernel:
    case StepKind::library: return device.is_cpu() ? CostClass::cpu : CostClass::gpu;
    case StepKind::io_read:
    case StepKind::io_write: return CostClass::io;
    case StepKind::transfer: return CostClass::transfer;
    case StepKind::overhead: break;
  }
  return CostClass::overhead;
}

double Profile::seconds_of(CostClass cost_class) const {
  if (cost_class == CostClass::compile) return compile_seconds;
  double sum = 0, all = 0;
  for (const StepRecord& step : steps) {
    all += step.seconds;
    if (step.cost_class() == cost_class) sum += step.seconds;
  }
  return cost_class == CostClass::overhead ? sum + std::max(0.0, seconds - all) : sum;
}

double Profile::machine_share(const StepRecord& step) const {
  if (step.cost_class() != CostClass::cpu || step.seconds <= 0) return 0;
  const double moved = share(static_cast<double>(step.bytes()), step.seconds * roofline.bytes_per_second_all);
  const double computed = share(static_cast<double>(step.flops + step.flops_f64), step.seconds * roofline.flops_per_second_all);
  return std::max(moved, computed);
}

std::string Profile::text() const {
  std::string out = fmt::format("profile of {}: {} call{}, {}", function.empty() ? "function" : function, calls, calls == 1 ? "" : "s",
                                format_seconds(seconds));
  if (calls > 1) out += fmt::format(" ({} per call)", format_seconds(seconds / static_cast<double>(calls)));
  if (compile_seconds > 0) out += ", compiled in " + format_seconds(compile_seconds);
  out += fmt::format(", {} thread{}\n ", threads, threads == 1 ? "" : "s");
  for (const CostClass kind : all_cost_classes) {
    const double t = seconds_of(kind);
    if (t > 0) out += fmt::format(" {} {:.1f} %", name_of(kind), 100 * share(t, std::max(total_seconds(), t)));
  }
  out += '\n';
  append_steps(out, *this);
  append_compile(out, *this);
  append_memory(out, *this);
  if (roofline.bytes_per_second_all > 0) {
    out += fmt::format("\n  machine: {:.1f} GB/s and {:.0f} GFLOP/s (float32) with {} threads, {:.1f} GB/s and {:.0f} GFLOP/s with one\n",
                       roofline.bytes_per_second_all * 1e-9, roofline.flops_per_second_all * 1e-9, roofline.threads,
                       roofline.bytes_per_second_one * 1e-9, roofline.flops_per_second_one * 1e-9);
  }
  return out;
}

std::string Profile::json() const {
  nlohmann::json j{{"function", function}, {"calls", calls},   {"seconds", seconds},
                   {"threads", threads},   {"budget", budget}, {"compile_seconds", compile_seconds}};
  for (const CostClass kind : all_cost_classes) j["classes"][std::string(name_of(kind))] = seconds_of(kind);
  j["steps"] = nlohmann::json::array();
  for (const StepRecord& step : steps) {
    j["steps"].push_back({{"name", step.name},
                          {"kind", name_of(step.kind)},
                          {"class", name_of(step.cost_class())},
                          {"device", name_of(step.device)},
                          {"seconds", step.seconds},
                          {"calls", step.calls},
                          {"bytes_read", step.bytes_read},
                          {"bytes_written", step.bytes_written},
                          {"flops", step.flops},
                          {"flops_f64", step.flops_f64},
                          {"machine_share", machine_share(step)},
                          {"detail", step.detail}});
  }
  j["passes"] = nlohmann::json::array();
  for (const PassRecord& pass : passes) j["passes"].push_back({{"name", pass.name}, {"seconds", pass.seconds}, {"changed", pass.changed}});
  j["kernels"] = nlohmann::json::array();
  for (const KernelRecord& kernel : kernels) {
    j["kernels"].push_back({{"name", kernel.name},
                            {"origin", name_of(kernel.origin)},
                            {"seconds", kernel.seconds},
                            {"code_bytes", kernel.code_bytes},
                            {"why", kernel.why}});
  }
  j["memory"] = {{"peak_planned", peak_planned}, {"peak_measured", peak_measured}};
  j["counters"] = nlohmann::json::object();
  for (const auto& [name, value] : counters) j["counters"][name] = value;
  j["machine"] = {{"threads", roofline.threads},
                  {"bytes_per_second_one", roofline.bytes_per_second_one},
                  {"bytes_per_second_all", roofline.bytes_per_second_all},
                  {"flops_per_second_one", roofline.flops_per_second_one},
                  {"flops_per_second_all", roofline.flops_per_second_all}};
  return dump(j);
}

std::string Profile::trace_json() const {
  nlohmann::json events = nlohmann::json::array();
  events.push_back({{"ph", "M"}, {"pid", 1}, {"name", "process_name"}, {"args", {{"name", "voxloom " + function}}}});
  std::vector<int32_t> seen;
  for (const TraceEvent& event : trace) {
    if (event.step < 0 || static_cast<size_t>(event.step) >= steps.size()) continue;
    const StepRecord& step = steps[static_cast<size_t>(event.step)];
    if (std::find(seen.begin(), seen.end(), event.thread) == seen.end()) {
      seen.push_back(event.thread);
      const std::string name = event.thread == 0 ? "caller" : fmt::format("worker {}", event.thread);
      events.push_back({{"ph", "M"}, {"pid", 1}, {"tid", event.thread}, {"name", "thread_name"}, {"args", {{"name", name}}}});
    }
    events.push_back({{"ph", "X"},
                      {"pid", 1},
                      {"tid", event.thread},
                      {"name", step.name},
                      {"cat", name_of(step.cost_class())},
                      {"ts", event.start * 1e6},
                      {"dur", event.seconds * 1e6},
                      {"args", {{"step", event.step}, {"detail", step.detail}}}});
  }
  return dump({{"traceEvents", events}, {"displayTimeUnit", "ms"}});
}

}  // namespace voxloom

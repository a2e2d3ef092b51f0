// api/mode.cpp: names of modes and passes.
#include <voxloom/api/mode.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/graph/passes/optimise.h>

#include <algorithm>

namespace voxloom {
namespace {

const std::vector<std::string>& mode_names() {
  static const auto* const names = new std::vector<std::string>{"FAST_RUN", "FAST_COMPILE", "DebugMode", "NanGuardMode", "ProfileMode"};
  return *names;
}

std::string one_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void check_passes(const std::vector<std::string>& passes) {
  for (const std::string& pass : passes) check_pass_name(pass, "mode");
}

}  // namespace

void check_pass_name(std::string_view name, std::string_view function) {
  std::vector<std::string> known(pass_names().begin(), pass_names().end());
  known.emplace_back("fusion");
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  fail_user(ErrorCode::usage, function,
            "no pass is called " + std::string(name) + did_you_mean(name, known) + "; there are " + one_of(known));
}

Mode::Mode(std::string wanted) : name(std::move(wanted)) {
  if (std::find(mode_names().begin(), mode_names().end(), name) == mode_names().end()) {
    fail_user(ErrorCode::usage, "mode",
              "no mode is called " + name + did_you_mean(name, mode_names()) + "; there are " + one_of(mode_names()));
  }
  if (name == "FAST_COMPILE") excluded = {"simplify", "push_views"};
  if (name == "NanGuardMode") excluded = {"fusion"};
}

Mode Mode::excluding(const std::vector<std::string>& passes) const {
  check_passes(passes);
  Mode mode = *this;
  mode.excluded.insert(mode.excluded.end(), passes.begin(), passes.end());
  return mode;
}

Mode Mode::including(const std::vector<std::string>& passes) const {
  check_passes(passes);
  Mode mode = *this;
  std::erase_if(mode.excluded, [&](const std::string& name) { return std::find(passes.begin(), passes.end(), name) != passes.end(); });
  return mode;
}

Mode nan_guard_mode(const NanGuard& guard) {
  if (!(guard.big >= 0)) fail_user(ErrorCode::usage, "nan_guard_mode", "big must be 0 (off) or a positive number");
  Mode mode("NanGuardMode");
  mode.nan_guard = guard;
  return mode;
}

}  // namespace voxloom

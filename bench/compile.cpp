// bench/compile.cpp: time to compile a function, to start the command, to read the public headers.
#include "harness.h"
#include "image_file.h"
#include "process.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

namespace fs = std::filesystem;

void small_kernel(const Options& options, Report& report, const Wanted& wanted) {
  if (!wanted("compile_cold") && !wanted("compile_disk")) return;
  const std::string cache = options.scratch + "/kernels";
  const std::string count = options.quick ? "4" : "32";
  for (const char* name : {"compile_cold", "compile_disk"}) {  // the second process finds what the first one stored
    if (std::string(name) == "compile_cold") fs::remove_all(cache);
    const auto answer = run_child(options.self, {"compile", cache, count});
    if (!wanted(name)) continue;
    const auto seconds = answer.at("seconds").get<std::vector<double>>();
    report.figure(name, median_of(seconds) * 1e3, "ms", std::string(name) == "compile_cold" ? 12 : 0.5);
    report.detail("best, ms", *std::min_element(seconds.begin(), seconds.end()) * 1e3);
    report.detail("the first function with the compiler's own start, ms", answer.at("first").get<double>() * 1e3);
  }
  fs::remove_all(cache);
}

/// From exec to the end of the process, kernels compiled (cold) or found on disk (warm).
void start_of_command(const Options& options, Report& report, const Wanted& wanted) {
  for (const char* name : {"start_cold", "start_warm"}) {
    const bool cold = std::string(name) == "start_cold";
    if (!wanted(name)) continue;
    if (options.command.empty()) {
      report.skip(name, "there is no voxloom command beside this program");
      continue;
    }
    const std::string in = options.scratch + "/small.nii", out = options.scratch + "/small_out.nii";
    write_image(in, {10, 10, 10, 20});
    const auto median = [&](const std::string& expression) {
      std::vector<double> seconds;
      for (int round = cold ? 0 : -1; round < (options.repeat > 0 ? options.repeat : 11); ++round) {
        if (cold) fs::remove_all(options.cache());
        const Finished done = run_program({options.command, "math", expression, in, "-o", out, "--no-fsync", "--quiet"});
        if (done.status != 0) throw std::runtime_error("voxloom math ended with status " + std::to_string(done.status));
        if (round >= 0) seconds.push_back(done.seconds);
      }
      return Sample{expression, median_of(seconds), *std::min_element(seconds.begin(), seconds.end()), 0, seconds};
    };
    const Sample small = median("a/2"), large = median("(a - mean(a, \"t\")) / std(a, \"t\")");
    const double bare = seconds_of([&] { (void)run_program({options.command, "--version"}); });
    report.figure(name, small.median * 1e3, "ms", cold ? 70 : 30);
    report.detail("best, ms", small.best * 1e3);
    report.detail("z-score over time, ms", large.median * 1e3);
    report.detail("best z-score over time, ms", large.best * 1e3);
    report.detail("voxloom --version, ms", bare * 1e3);
    fs::remove(in);
    fs::remove(out);
  }
}

void headers(const Options& options, Report& report, const Wanted& wanted) {
  if (!wanted("parse_header")) return;
  const std::string source = options.scratch + "/headers.cpp", empty = options.scratch + "/empty.cpp";
  std::ofstream(source) << "#include <voxloom/voxloom.h>\n";
  std::ofstream(empty) << "\n";
  int status = 0;
  const auto parse = [&](const std::string& file) {
    return
        [&, file] { status |= run_program({VOXLOOM_BENCH_CXX, "-std=c++20", "-fsyntax-only", "-I" VOXLOOM_BENCH_INCLUDE, file}).status; };
  };
  const auto samples = alternate({{"voxloom.h", parse(source)}, {"empty file", parse(empty)}}, options.repeat > 0 ? options.repeat : 5);
  if (status != 0) report.skip("parse_header", "the compiler failed");
  else {
    report.figure("parse_header", samples[0].median, "s", 0);
    report.detail("best, s", samples[0].best);
    report.detail("an empty file, s", samples[1].median);
  }
  fs::remove(source);
  fs::remove(empty);
}

}  // namespace

void run_compile(const Options& options, Report& report, const Wanted& wanted) {
  small_kernel(options, report, wanted);
  start_of_command(options, report, wanted);
  headers(options, report, wanted);
}

}  // namespace bench

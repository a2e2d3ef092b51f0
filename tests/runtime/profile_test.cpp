// tests/runtime/profile_test.cpp: sums, table, JSON, trace, page, and the measured limits of the machine.
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/profile.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>

using namespace voxloom;

namespace {

Profile example() {
  Profile p;
  p.function = "train <&\"'>";
  p.calls = 10;
  p.seconds = 2.0;
  p.threads = 4;
  p.steps = {{.name = "Fused{exp}(x)",
              .seconds = 0.5,
              .calls = 10,
              .bytes_read = 4'000'000'000,
              .bytes_written = 1'000'000'000,
              .flops = 20'000'000'000,
              .detail = "a < b"},
             {.name = "Read(bold.nii.gz)", .kind = StepKind::io_read, .seconds = 1.0, .calls = 640, .bytes_read = MiB(100)},
             {.name = "Dot", .kind = StepKind::library, .device = {DeviceKind::cuda, 0}, .seconds = 0.25, .calls = 10},
             {.name = "HostToDevice(x)", .kind = StepKind::transfer, .seconds = 0.125, .calls = 1}};
  p.compile_seconds = 0.02;
  p.passes = {{"canonicalise", 0.001, true}, {"lower", 0.002, false}};
  p.kernels = {{.name = "Fused{exp}", .seconds = 0.015, .code_bytes = 3072, .why = "the entry was <cut>"},
               {.origin = KernelRecord::Origin::disk, .name = "Fused{exp}", .seconds = 0.002, .code_bytes = 3072}};
  p.peak_planned = MiB(64);
  p.peak_measured = MiB(60);
  p.budget = MiB(128);
  p.counters = {{"outputs held by someone", 2}};
  p.trace = {{0, 0, 0.0, 0.25}, {1, 1, 0.1, 0.5}, {99, 0, 0.0, 1.0}};
  p.roofline = {4, 5e9, 20e9, 50e9, 100e9};
  return p;
}

}  // namespace

TEST_CASE("profile: time adds up by class, the rest is overhead") {
  const Profile p = example();
  CHECK(p.seconds_of(CostClass::cpu) == 0.5);
  CHECK(p.seconds_of(CostClass::gpu) == 0.25);
  CHECK(p.seconds_of(CostClass::io) == 1.0);
  CHECK(p.seconds_of(CostClass::transfer) == 0.125);
  CHECK(p.seconds_of(CostClass::compile) == 0.02);
  CHECK(p.seconds_of(CostClass::overhead) == 0.125);  // of the calls: compiling is not part of them
  double sum = 0;
  for (const CostClass kind : all_cost_classes) sum += p.seconds_of(kind);
  CHECK(sum == Approx(p.total_seconds()));
}

TEST_CASE("profile: share of the machine is the larger of bytes and operations") {
  Profile p = example();
  CHECK(p.machine_share(p.steps[0]) == Approx(0.5));  // 10 of 20 GB/s, 40 of 100 GFLOP/s
  p.steps[0].flops *= 2;
  CHECK(p.machine_share(p.steps[0]) == Approx(0.8));
  p.steps[0].flops_f64 = p.steps[0].flops / 2;  // float64 costs twice as much
  CHECK(p.machine_share(p.steps[0]) == Approx(1.2));
  CHECK(p.machine_share(p.steps[1]) == 0);
  p.roofline = {};
  CHECK(p.machine_share(p.steps[0]) == 0);
}

TEST_CASE("profile: the table names every step, longest first") {
  const std::string text = example().text();
  CHECK(text.find("10 calls, 2 s (200 ms per call), compiled in 20 ms, 4 threads") != std::string::npos);
  CHECK(text.find("Read(bold.nii.gz)") < text.find("Fused{exp}(x)"));
  for (const char* part : {"cpu op 24.8 %", "I/O 49.5 %", "compile 1.0 %", "overhead 6.2 %", "planned 64.0 MiB", "measured 60.0 MiB",
                           "outputs held by someone: 2", "canonicalise 1 ms*", "50 %",
                           "Fused{exp} from LLVM in 15 ms, 3.0 KiB of code (the entry was <cut>)", "Fused{exp} from disk in 2 ms"}) {
    INFO(part << "\n" << text);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK_NOTHROW(Profile().text());
}

TEST_CASE("profile: JSON and trace can be read back") {
  const Profile p = example();
  const auto j = nlohmann::json::parse(p.json());
  CHECK(j["function"] == p.function);
  CHECK(j["steps"].size() == 4);
  CHECK(j["steps"][0]["bytes_read"] == 4'000'000'000);
  CHECK(j["steps"][2]["class"] == "gpu op");
  CHECK(j["classes"]["I/O"] == 1.0);
  CHECK(j["classes"]["compile"] == 0.02);
  CHECK(j["passes"][0]["name"] == "canonicalise");
  CHECK(j["kernels"][0]["origin"] == "LLVM");
  CHECK(j["kernels"][1]["seconds"] == 0.002);
  CHECK(j["memory"]["peak_planned"] == MiB(64));
  CHECK(j["counters"]["outputs held by someone"] == 2);
  const auto trace = nlohmann::json::parse(p.trace_json());
  int runs = 0;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    ++runs;
    if (event["tid"] == 1) CHECK((event["name"] == "Read(bold.nii.gz)" && event["ts"] == 1e5 && event["dur"] == 5e5));
  }
  CHECK(runs == 2);
  Profile odd;
  odd.function = "\xff not UTF-8";
  odd.seconds = std::nan("");
  CHECK_NOTHROW(nlohmann::json::parse(odd.json()));
  CHECK_NOTHROW(nlohmann::json::parse(Profile().trace_json()));
}

TEST_CASE("profile: the page is closed, escaped and needs nothing from outside") {
  const std::string html = example().html();
  CHECK(html.find("train &lt;&amp;&quot;&#39;&gt;") != std::string::npos);
  CHECK(html.find("train <") == std::string::npos);
  CHECK(html.find("a &lt; b") != std::string::npos);
  CHECK(html.find("the entry was &lt;cut&gt;") != std::string::npos);
  CHECK(html.find("compile 1.0 % (20 ms)") != std::string::npos);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("http") == std::string::npos);
  CHECK(html.ends_with("</html>\n"));
  for (const char* part : {"Where the time went", "Steps", "limits", "Timeline", "Peak memory", "Compilation", "Counters"}) {
    INFO(part);
    CHECK(html.find(part) != std::string::npos);
  }
  CHECK(html.find("nan") == std::string::npos);
  CHECK(Profile().html().ends_with("</html>\n"));
}

TEST_CASE("profile: times are printed with three digits and a unit") {
  CHECK(format_seconds(1.5) == "1.5 s");
  CHECK(format_seconds(0.0123) == "12.3 ms");
  CHECK(format_seconds(4.5e-6) == "4.5 us");
  CHECK(format_seconds(1e-8) == "10 ns");
  CHECK(format_seconds(0) == "0 ns");
}

TEST_CASE("roofline: rates are measured once and plausible") {
  const Roofline r = measure_roofline(2);
  CHECK(r.threads == 2);
  CHECK((r.bytes_per_second_one > 1e8 && r.bytes_per_second_one < 1e13));
  CHECK((r.bytes_per_second_all > 1e8 && r.flops_per_second_one > 1e8 && r.flops_per_second_all > 1e8));
  CHECK(measure_roofline(2).bytes_per_second_one == r.bytes_per_second_one);
}

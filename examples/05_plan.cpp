// examples/05_plan.cpp: lesson 5: memory before the run, the plan with its reasons, the profile after it.
#include <voxloom/voxloom.h>

#include <cstdio>
#include <vector>

namespace vl = voxloom;

int main() {
  const auto x = vl::matrix("x", {"n", "m"});
  const auto centred = x - vl::mean(x, 0);
  const auto f = vl::function({x}, {centred / vl::std(x, 0), vl::max(x)}, {.name = "standardise", .profile = true});

  // Bytes of a call are known from the sizes alone.
  const vl::MemoryReport report = f.memory({{"n", 100000}, {"m", 64}});
  std::printf("100000 x 64 needs %s: outputs %s, temporaries %s\n", vl::format_size(report.peak()).c_str(),
              vl::format_size(report.outputs).c_str(), vl::format_size(report.temporaries).c_str());
  if (report.outputs < 100000 * 64 * 4) return 1;

  // A call that would need more than it may is refused before it starts.
  const vl::Array data = vl::Array::zeros({1000, 64}, vl::f32);
  try {
    f.call({data}, {.memory = vl::KiB(64)});
    std::printf("a limit of 64 KiB was ignored\n");
    return 1;
  } catch (const vl::Error& error) {
    std::printf("refused, as it should be: %s\n", error.what());
    if (error.code() != vl::ErrorCode::limit) return 1;
  }

  // explain() shows the optimised graph, the kernels, and why operations were kept apart.
  std::printf("\n%s\n", f.explain().c_str());

  for (int64_t i = 0; i < 1000; ++i) {
    for (int64_t j = 0; j < 64; ++j) data.set(static_cast<float>(i * (j + 1)), i, j);
  }
  const std::vector<vl::Array> results = f(data);
  if (results[1].item<float>() != 999.0f * 64.0f) return 1;

  // The profile: time per step and pass, share of what this machine can do; also .json(), .html() and .trace_json().
  const vl::Profile profile = f.profile();
  std::printf("%s\n", profile.text().c_str());
  return profile.calls >= 1 && !profile.steps.empty() ? 0 : 1;
}

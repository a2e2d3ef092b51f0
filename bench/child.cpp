// bench/child.cpp: the tasks that need a fresh process, because they measure its memory or its empty caches.
#include "process.h"

#include "harness.h"

#include <voxloom/api/voxloom.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace vl = voxloom;

namespace bench {
namespace {

using nlohmann::json;
using Task = std::vector<std::string>;

/// A small function that no other number gives: x and y joined by four operations, which the digits of the number choose.
vl::Function small_function(int number) {
  auto x = vl::fvector("x", {"n"}), y = vl::fvector("y", {"n"});
  vl::Expr value = x * y;
  for (int digit = 0; digit < 4; ++digit, number /= 4) {
    const vl::Expr& other = digit % 2 == 0 ? x : y;
    switch (number % 4) {
      case 0: value = value + vl::sqrt(other); break;
      case 1: value = vl::abs(value - other); break;
      case 2: value = value * other + 1; break;
      default: value = vl::maximum(value, other); break;
    }
  }
  return vl::function({x, y}, {value});
}

/// compile CACHE COUNT: seconds from the expression to the first result of each of COUNT functions, after one that brings the compiler up.
json compile(const Task& task) {
  vl::config().cache_dir = task.at(1);
  json seconds = json::array();
  const vl::Array a = vl::Array::from({1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f});
  const double first = seconds_of([&] {
    auto x = vl::fvector("x");
    const vl::Array result = vl::function({x}, {vl::log(x)})(a);
  });
  for (int k = 0; k < std::stoi(task.at(2)); ++k) {
    seconds.push_back(seconds_of([&] { const vl::Array result = small_function(k)(a, a); }));
  }
  return {{"first", first}, {"seconds", seconds}};
}

/// save EXPRESSION SMALL IN OUT MEMORY THREADS FSYNC: a/2 or mean over t through the C++ interface. A small image of the same kind comes first,
/// so that the kernels are compiled before the rise of memory is looked at.
json save(const Task& task) {
  const std::string out = task.at(4);
  vl::Profile profile;
  vl::io::SaveOptions options;
  options.memory = std::stoll(task.at(5));
  options.threads = std::stoi(task.at(6));
  options.no_fsync = task.at(7) == "no_fsync";
  const auto run = [&](const std::string& in) {
    const vl::Expr image = vl::io::open(in);
    vl::io::save(task.at(1) == "half" ? image / 2 : vl::mean(image, "t"), out, options);
    std::remove(out.c_str());
  };
  run(task.at(2));
  const int64_t compiling = vl::peak_rss();
  const bool reset = vl::reset_peak_rss();
  const int64_t before = vl::current_rss();
  run(task.at(3));
  const int64_t peak = vl::peak_rss();
  options.profile = &profile;  // measures the machine, so it comes last
  run(task.at(3));
  return {{"peak", std::max(compiling, peak)}, {"rise", reset ? peak - before : 0}, {"predicted", profile.peak_planned}};
}

json spawn(const Task& task) {
  const Finished done = run_program({task.begin() + 1, task.end()});
  return {{"status", done.status}, {"seconds", done.seconds}, {"peak_kib", done.peak_kib}, {"output", done.output}};
}

}  // namespace

int child_main(const Task& task) {
  const std::string& name = task.at(0);
  json answer;
  if (name == "compile") answer = compile(task);
  else if (name == "save") answer = save(task);
  else if (name == "spawn") answer = spawn(task);
  else return 2;
  std::puts(answer.dump().c_str());
  return 0;
}

}  // namespace bench

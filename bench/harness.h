// bench/harness.h: cases, alternating measurements, results as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Options {
  std::string scratch;  ///< folder of files; made when missing, emptied of what was made at the end
  std::string command;  ///< the voxloom command; empty: none was found
  std::string self;     ///< this program, for measurements in fresh processes
  int threads = 2;      ///< of voxloom and of every hand-written loop
  int repeat = 0;       ///< 0: each case's own number
  bool quick = false;   ///< small sizes, to see that everything runs
  bool keep = false;    ///< leave the large images where they are

  /// Where compiled kernels are kept during the run.
  std::string cache() const { return scratch + "/cache"; }
};

/// One way of doing a case's work.
struct Contender {
  std::string name;
  std::function<void()> run;
  std::function<void()> prepare = {};  ///< before each run, not timed
};

struct Sample {
  std::string name;
  double median = 0, best = 0, worst = 0;
  std::vector<double> all;
};

/// Runs every contender once untimed, then `repeat` times in turn, so that all see the same weather.
std::vector<Sample> alternate(std::vector<Contender> contenders, int repeat);
double seconds_of(const std::function<void()>& work);
double median_of(std::vector<double> values);

/// Collects what a case found out.
class Report {
 public:
  Report();
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  /// A case with times; the first contender is voxloom, the second (if any) the hand-written loop. `limit`: the ratio asked for, 0: none.
  void times(const std::string& name, const std::vector<Sample>& samples, double limit);
  /// A case with one figure; `limit` in the same unit, 0: none.
  void figure(const std::string& name, double value, const std::string& unit, double limit);
  /// More about the latest case.
  void detail(const std::string& key, double value);
  void detail(const std::string& key, const std::string& text);
  /// The case could not run here.
  void skip(const std::string& name, const std::string& reason);

  nlohmann::json& cases() { return *json_; }

 private:
  nlohmann::json& last();
  nlohmann::json* json_;
};

struct Family {
  std::string name;
  void (*run)(const Options& options, Report& report, const std::function<bool(const std::string&)>& wanted);
};

using Wanted = std::function<bool(const std::string& name)>;
void run_arrays(const Options& options, Report& report, const Wanted& wanted);
void run_products(const Options& options, Report& report, const Wanted& wanted);
void run_calls(const Options& options, Report& report, const Wanted& wanted);
void run_compile(const Options& options, Report& report, const Wanted& wanted);
void run_images(const Options& options, Report& report, const Wanted& wanted);
void run_bad_files(const Options& options, Report& report, const Wanted& wanted);

}  // namespace bench

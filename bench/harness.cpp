// bench/harness.cpp: see harness.h.
#include "harness.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace bench {

using nlohmann::json;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

std::vector<Sample> alternate(std::vector<Contender> contenders, int repeat) {
  std::vector<std::vector<double>> seconds(contenders.size());
  for (int round = -1; round < repeat; ++round) {  // round -1 warms up
    for (size_t i = 0; i < contenders.size(); ++i) {
      // Each goes first as often as any other: what runs after a write-heavy neighbour pays for its dirty caches.
      const size_t k = (i + static_cast<size_t>(round + 1)) % contenders.size();
      if (contenders[k].prepare) contenders[k].prepare();
      const double s = seconds_of(contenders[k].run);
      if (round >= 0) seconds[k].push_back(s);
    }
  }
  std::vector<Sample> samples;
  for (size_t k = 0; k < contenders.size(); ++k) {
    const auto [low, high] = std::minmax_element(seconds[k].begin(), seconds[k].end());
    samples.push_back({contenders[k].name, median_of(seconds[k]), *low, *high, seconds[k]});
  }
  return samples;
}

Report::Report() : json_(new nlohmann::json(nlohmann::json::array())) {}
Report::~Report() { delete json_; }

json& Report::last() { return json_->back(); }

void Report::times(const std::string& name, const std::vector<Sample>& samples, double limit) {
  json entry = {{"name", name}, {"unit", "s"}};
  for (const Sample& s : samples) entry["seconds"][s.name] = {{"median", s.median}, {"best", s.best}, {"worst", s.worst}, {"all", s.all}};
  std::fprintf(stderr, "%-28s", name.c_str());
  for (const Sample& s : samples) std::fprintf(stderr, " %s %.6g (%.6g)", s.name.c_str(), s.median, s.best);
  if (samples.size() > 1 && samples[1].median > 0) {
    entry["ratio"] = samples[0].median / samples[1].median;
    entry["ratio_of_best"] = samples[0].best / samples[1].best;
    std::fprintf(stderr, "  ratio %.2f (%.2f)", samples[0].median / samples[1].median, samples[0].best / samples[1].best);
  }
  if (limit > 0) {
    entry["limit"] = limit;
    std::fprintf(stderr, " limit %.2f", limit);
  }
  std::fprintf(stderr, "\n");
  json_->push_back(std::move(entry));
}

void Report::figure(const std::string& name, double value, const std::string& unit, double limit) {
  json entry = {{"name", name}, {"unit", unit}, {"value", value}};
  std::fprintf(stderr, "%-28s %.6g %s", name.c_str(), value, unit.c_str());
  if (limit > 0) {
    entry["limit"] = limit;
    std::fprintf(stderr, "  limit %.6g", limit);
  }
  std::fprintf(stderr, "\n");
  json_->push_back(std::move(entry));
}

void Report::detail(const std::string& key, double value) {
  last()["details"][key] = value;
  std::fprintf(stderr, "    %s: %.6g\n", key.c_str(), value);
}

void Report::detail(const std::string& key, const std::string& text) {
  last()["details"][key] = text;
  std::fprintf(stderr, "    %s: %s\n", key.c_str(), text.c_str());
}

void Report::skip(const std::string& name, const std::string& reason) {
  json_->push_back({{"name", name}, {"skipped", reason}});
  std::fprintf(stderr, "%-28s SKIP %s\n", name.c_str(), reason.c_str());
}

}  // namespace bench

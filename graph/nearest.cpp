// graph/nearest.cpp: edit distance over short names.
#include <voxloom/graph/nearest.h>

#include <algorithm>
#include <vector>

namespace voxloom {
namespace {

constexpr size_t longest = 64;

size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > longest) return {};
  size_t allowed = 1 + name.size() / 4;
  std::string best;
  for (const std::string& candidate : candidates) {
    // Between names of one or two letters everything is close: nothing is suggested.
    if (candidate.size() > longest || std::max(candidate.size(), name.size()) < 3) continue;
    const size_t edits = distance(name, candidate);
    if (edits > allowed || edits >= std::min(name.size(), candidate.size()) || (!best.empty() && edits == allowed)) continue;
    allowed = edits;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::string best = nearest(name, candidates);
  return best.empty() ? std::string() : " (did you mean " + best + "?)";
}

}  // namespace voxloom

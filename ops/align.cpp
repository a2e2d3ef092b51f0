// ops/align.cpp: brings operands to one rank with explicit dimshuffles: NumPy's rule, or axis names where operands carry them.
#include <voxloom/ops/infer.h>
#include <voxloom/ops/operand.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <string>

namespace voxloom {
namespace {

using Names = std::vector<std::string>;

/// Axis names with unnamed axes numbered, so that the first unnamed axis of one image meets the first of another.
Names keys_of(const Type& type) {
  Names keys = type.names;
  int unnamed = 0;
  for (std::string& key : keys)
    if (key.empty()) key = "#" + std::to_string(unnamed++);
  return keys;
}

/// Keys of the result's axes: those of the named operand of highest rank, then those only others have; as many unnamed ones in front as a
/// longer operand without names needs.
Names result_keys(std::span<const Expr> operands, size_t rank) {
  const Expr* longest = nullptr;
  for (const Expr& x : operands)
    if (x.type().is_image() && (longest == nullptr || x.rank() > longest->rank())) longest = &x;
  if (longest == nullptr) return Names(rank);
  Names keys = keys_of(longest->type());
  for (const Expr& x : operands)
    for (const std::string& key : keys_of(x.type()))
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  if (keys.size() < rank) keys.insert(keys.begin(), rank - keys.size(), std::string());
  return keys;
}

/// For each axis of the result the operand's axis, or -1.
std::vector<int64_t> pattern_of(const Expr& x, const Names& keys) {
  std::vector<int64_t> pattern(keys.size(), -1);
  const Names own = keys_of(x.type());
  const auto rank = static_cast<size_t>(x.rank());
  for (size_t k = 0; k < rank; ++k) {
    const size_t at =
        own.empty() ? keys.size() - rank + k : static_cast<size_t>(std::find(keys.begin(), keys.end(), own[k]) - keys.begin());
    pattern[at] = static_cast<int64_t>(k);
  }
  return pattern;
}

bool is_identity(const std::vector<int64_t>& pattern, int rank) {
  if (pattern.size() != static_cast<size_t>(rank)) return false;
  for (size_t k = 0; k < pattern.size(); ++k)
    if (pattern[k] != static_cast<int64_t>(k)) return false;
  return true;
}

[[noreturn]] void fail_broadcast(const char* function, std::span<const Expr> operands, OriginId origin) {
  std::string text;
  for (size_t k = 0; k < operands.size(); ++k) {
    const Type& type = operands[k].type();
    text += (k == 0 ? "" : k + 1 == operands.size() ? " and " : ", ") + ops::shape_text(type.shape);
    for (size_t a = 0; a < type.names.size(); ++a) text += (a == 0 ? " (" : " ") + type.names[a] + (a + 1 == type.names.size() ? ")" : "");
  }
  fail_user(ErrorCode::shape, function, "shapes " + text + " do not broadcast", origin);
}

}  // namespace

std::vector<Expr> align(const char* function, std::vector<Expr> operands, OriginId origin) {
  size_t rank = 0;
  for (const Expr& x : operands) rank = std::max(rank, x.shape().size());
  const Names keys = result_keys(operands, rank);
  std::vector<Expr> aligned;
  aligned.reserve(operands.size());
  std::vector<Dim> shape(keys.size(), Dim(1));
  for (const Expr& x : operands) {
    const auto pattern = pattern_of(x, keys);
    for (size_t k = 0; k < pattern.size(); ++k) {
      const auto met = ops::meet(shape[k], pattern[k] < 0 ? Dim(1) : x.shape()[static_cast<size_t>(pattern[k])]);
      if (!met) fail_broadcast(function, operands, origin);
      shape[k] = *met;
    }
    aligned.push_back(is_identity(pattern, x.rank()) ? x : make_node(op("dimshuffle"), {x}, {{"pattern", pattern}}, origin));
  }
  return aligned;
}

}  // namespace voxloom

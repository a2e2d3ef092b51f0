// api/config.cpp: the table of options: how each is read, printed, and what it allows.
#include <voxloom/api/config.h>

#include <voxloom/api/mode.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/nearest.h>
#include <voxloom/graph/passes/optimise.h>
#include <voxloom/ops/policy.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/limits.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <span>

namespace voxloom {
namespace {

struct Row {
  const char* name;
  const char* values;
  const char* doc;
  std::function<void(Config&, std::string_view)> set;
  std::function<std::string(const Config&)> get;
  ConfigOption::Kind kind = ConfigOption::Kind::text;
};

[[noreturn]] void refuse(std::string_view name, std::string_view value, std::string_view allowed) {
  fail_user(ErrorCode::usage, "config", std::string(name) + " = " + std::string(value) + " (allowed: " + std::string(allowed) + ")");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// One of a few words; a wrong one gets the nearest.
size_t choice(std::string_view name, std::string_view value, std::span<const std::string> words) {
  for (size_t k = 0; k < words.size(); ++k) {
    if (words[k] == value) return k;
  }
  std::string allowed;
  for (const std::string& word : words) allowed += (allowed.empty() ? "" : ", ") + word;
  refuse(name, value, allowed + did_you_mean(value, words));
}

Row flag(const char* name, bool Config::* field, const char* doc) {
  return {name,
          "True, False",
          doc,
          [name, field](Config& c, std::string_view value) {
            const std::string v(value);
            if (v == "True" || v == "true" || v == "1") c.*field = true;
            else if (v == "False" || v == "false" || v == "0") c.*field = false;
            else refuse(name, value, "True, False, 1, 0");
          },
          [field](const Config& c) { return std::string(c.*field ? "True" : "False"); },
          ConfigOption::Kind::flag};
}

Row size(const char* name, int64_t Config::* field, const char* doc) {
  return {name,
          "bytes, 512M, 2GiB",
          doc,
          [field](Config& c, std::string_view value) { c.*field = parse_size(value); },
          [field](const Config& c) { return std::to_string(c.*field); },
          ConfigOption::Kind::number};
}

const std::vector<std::string>& unused_words() {
  static const std::vector<std::string> words = {"raise", "warn", "ignore"};
  return words;
}
const std::vector<std::string>& test_value_words() {
  static const std::vector<std::string> words = {"off", "ignore", "warn", "raise"};
  return words;
}
const std::vector<std::string>& policy_words() {
  static const std::vector<std::string> words = {"floatX", "numpy"};
  return words;
}
const std::vector<std::string>& float64_words() {
  static const std::vector<std::string> words = {"ignore", "warn", "raise"};
  return words;
}

void set_device(Config& c, std::string_view value) {
  device_from_name(value);  // throws for what this build cannot use
  c.device = value;
}

int integer(std::string_view name, std::string_view value, int most, std::string_view allowed) {
  int n = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (status != std::errc() || end != value.data() + value.size() || n < 0 || n > most) refuse(name, value, allowed);
  return n;
}

void set_excluding(Config& c, std::string_view value) {
  std::vector<std::string> names = split(value, ':');
  for (const std::string& name : names) check_pass_name(name, "config");
  c.optimizer_excluding = std::move(names);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ":") + name;
  return text;
}

void set_floatX(std::string_view value) {
  Policy policy = default_policy();
  if (value == "float32") policy.floatX = DType::f32;
  else if (value == "float64") policy.floatX = DType::f64;
  else if (value == "float16") refuse("floatX", value, "float32, float64; half precision is not computed in");
  else refuse("floatX", value, "float32, float64");
  set_default_policy(policy);
}

void set_cast_policy(std::string_view value) {
  if (value == "numpy+floatX" || value == "custom")
    refuse("cast_policy", value, "floatX, which is what Theano's custom policies are for, or numpy");
  Policy policy = default_policy();
  policy.cast_policy = choice("cast_policy", value, policy_words()) == 0 ? CastPolicy::floatX : CastPolicy::numpy;
  set_default_policy(policy);
}

void set_warn_float64(std::string_view value) {
  Policy policy = default_policy();
  policy.warn_float64 = static_cast<WarnFloat64>(choice("warn_float64", value, float64_words()));
  set_default_policy(policy);
}

/// An option that users of Theano or the manual know, which this version can only have one way.
Row fixed(const char* name, const char* value, const char* reason, ConfigOption::Kind kind = ConfigOption::Kind::text) {
  return {name,
          value,
          reason,
          [=](Config&, std::string_view wanted) {
            std::string lower(wanted);
            std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
            std::string only(value);
            std::transform(only.begin(), only.end(), only.begin(), [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
            if (lower != only && !(only == "false" && lower == "0")) {
              fail_user(ErrorCode::usage, "config", std::string(name) + " = " + std::string(wanted) + " is not possible: " + reason);
            }
          },
          [=](const Config&) { return std::string(value); },
          kind};
}

std::vector<Row> make_rows() {
  std::vector<Row> rows;
  rows.push_back(flag("allow_gc", &Config::allow_gc, "give temporaries back to the pool after each call"));
  rows.push_back({"cache_dir", "a folder, off", "compiled kernels on disk; empty: the user's cache folder",
                  [](Config& c, std::string_view v) { c.cache_dir = v; }, [](const Config& c) { return c.cache_dir; }});
  rows.push_back(size("cache_size", &Config::cache_size, "most bytes of compiled kernels on disk"));
  rows.push_back({"cast_policy", "floatX, numpy", "how dtypes of operands are brought together (docs/functions.md)",
                  [](Config&, std::string_view v) { set_cast_policy(v); },
                  [](const Config&) { return policy_words()[static_cast<size_t>(default_policy().cast_policy)]; }});
  rows.push_back({"compute_test_value", "off, ignore, warn, raise", "compute test values while an expression is built",
                  [](Config& c, std::string_view v) {
                    c.compute_test_value = static_cast<ComputeTestValue>(choice("compute_test_value", v, test_value_words()));
                  },
                  [](const Config& c) { return test_value_words()[static_cast<size_t>(c.compute_test_value)]; }});
  rows.push_back(flag("debug", &Config::debug, "verify every graph after every pass"));
  rows.push_back({"debug_level", "0 to 5", "what compiling tells the log: 1 kernels, 2 passes, 3 graphs, 4 LLVM IR, 5 rules",
                  [](Config& c, std::string_view v) { c.debug_level = integer("debug_level", v, 5, "0 to 5"); },
                  [](const Config& c) { return std::to_string(c.debug_level); }, ConfigOption::Kind::number});
  rows.push_back({"device", "cpu, auto", "where functions run; this build has no GPU back end: auto means cpu", set_device,
                  [](const Config& c) { return c.device; }});
  rows.push_back(fixed("fast_math", "False", "numbers follow IEEE 754 strictly, no relaxation is offered", ConfigOption::Kind::flag));
  rows.push_back({"floatX", "float32, float64", "dtype of matrix(), vector(), ... and of functions of integers",
                  [](Config&, std::string_view v) { set_floatX(v); },
                  [](const Config&) { return std::string(name_of(default_policy().floatX)); }});
  rows.push_back(size("memory", &Config::memory, "budget of a streamed run and limit of a call; 0: automatic and none"));
  rows.push_back({"mode", "FAST_RUN, FAST_COMPILE, DebugMode, NanGuardMode, ProfileMode", "how functions are compiled and checked",
                  [](Config& c, std::string_view v) { c.mode = Mode(std::string(v)).name; }, [](const Config& c) { return c.mode; }});
  rows.push_back(
      {"on_unused_input", "raise, warn, ignore", "an input that nothing uses",
       [](Config& c, std::string_view v) { c.on_unused_input = static_cast<OnUnusedInput>(choice("on_unused_input", v, unused_words())); },
       [](const Config& c) { return unused_words()[static_cast<size_t>(c.on_unused_input)]; }});
  rows.push_back({"optimizer_excluding", "names of passes with : between them", "passes that are not run; fusion is one", set_excluding,
                  [](const Config& c) { return joined(c.optimizer_excluding); }});
  rows.push_back(flag("profile", &Config::profile, "functions measure time, bytes and memory of each step"));
  rows.push_back(
      fixed("scratch", "", "nothing is put off to disk: a run that does not fit its memory budget is refused with the bytes it needs"));
  rows.push_back(flag("strict_borrow", &Config::strict_borrow, "refuse what borrowing cannot give instead of taking another buffer"));
  rows.push_back({"target", "native, x86-64-v3, x86-64-v4", "processor that code is made for",
                  [](Config& c, std::string_view v) {
                    static const std::vector<std::string> words = {"native", "x86-64-v3", "x86-64-v4"};
                    c.target = words[choice("target", v, words)];
                  },
                  [](const Config& c) { return c.target; }});
  rows.push_back({"threads", "0 to 4096", "0: from affinity, cgroup, SLURM_CPUS_PER_TASK and OMP_NUM_THREADS",
                  [](Config& c, std::string_view v) { c.threads = integer("threads", v, 4096, "0 (automatic) to 4096"); },
                  [](const Config& c) { return std::to_string(c.threads); }, ConfigOption::Kind::number});
  rows.push_back({"warn_float64", "ignore, warn, raise", "operations that bring in float64",
                  [](Config&, std::string_view v) { set_warn_float64(v); },
                  [](const Config&) { return float64_words()[static_cast<size_t>(default_policy().warn_float64)]; }});
  return rows;
}

const std::vector<Row>& rows() {
  static const std::vector<Row>* const table = new std::vector<Row>(make_rows());  // outlives every function
  return *table;
}

const Row& row_of(std::string_view name) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    if (row.name == name) return row;
    names.emplace_back(row.name);
  }
  std::string hint = did_you_mean(name, names);
  if (hint.empty()) {
    hint = " (there are ";
    for (const std::string& known : names) hint += (known == names.front() ? "" : ", ") + known;
    hint += ")";
  }
  fail_user(ErrorCode::usage, "config", "no option is called " + std::string(name) + hint);
}

/// Sets one option; errors start with the place of the text.
void set_from(Config& config, std::string_view item, std::string_view source) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos) {
    fail_user(ErrorCode::usage, source, "\"" + std::string(item) + "\" is not of the form name=value");
  }
  try {
    config.set(trimmed(item.substr(0, equals)), trimmed(item.substr(equals + 1)));
  } catch (const UserError& error) { fail_user(error.code(), source, error.what()); } catch (const RuntimeError& error) {
    fail_runtime(error.code(), source, error.what());
  }
}

}  // namespace

void Config::set(std::string_view name, std::string_view value) { row_of(name).set(*this, value); }
std::string Config::get(std::string_view name) const { return row_of(name).get(*this); }

const std::vector<ConfigOption>& config_options() {
  static const auto* const options = [] {
    auto* list = new std::vector<ConfigOption>;
    for (const Row& row : rows()) list->push_back({row.name, row.values, row.doc, row.kind});
    return list;
  }();
  return *options;
}

void apply_flags(Config& config, std::string_view text, std::string_view source) {
  for (const std::string& item : split(text, ',')) {
    if (!trimmed(item).empty()) set_from(config, trimmed(item), source);
  }
}

void apply_ini(Config& config, std::string_view text, std::string_view source) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const std::string where = std::string(source) + ":" + std::to_string(number);
    if (line[0] == '[') {
      if (line != "[global]") fail_user(ErrorCode::usage, where, "the section " + std::string(line) + " is not known (allowed: [global])");
      continue;
    }
    set_from(config, line, where);
  }
}

}  // namespace voxloom

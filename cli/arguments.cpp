// cli/arguments.cpp: the command line by CLI11. The expression of `math` is taken out first, so that it may start with a dash.
#include <voxloom/cli/options.h>
#include <voxloom/graph/nearest.h>

#include <voxloom/api/version.h>
#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/runtime/device.h>
#include <voxloom/runtime/limits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace voxloom::cli {
namespace {

[[noreturn]] void fail_usage(const std::string& message) { fail_user(ErrorCode::usage, "", message); }

const std::vector<std::string>& commands() {
  static const std::vector<std::string> names = {"info",    "math", "mean",   "std",   "min",    "max",     "png",
                                                 "explain", "ops",  "doctor", "cache", "config", "devices", "run"};
  return names;
}

bool plans(const std::string& command) {
  return command == "math" || command == "mean" || command == "std" || command == "min" || command == "max";
}

/// Options that finish() reads, so that its words say what is wrong with them.
struct Texts {
  std::string memory, dtype, threads, gzip_level, ddof, volume, debug;
};

void add_common(CLI::App& app, Options& o, Texts& texts) {
  const std::string group = "Options of every command";
  const auto option = [&](const std::string& name, auto& value, const std::string& type, const std::string& what) {
    app.add_option(name, value, what)->type_name(type)->group(group);
  };
  const auto flag = [&](const std::string& name, bool& value, const std::string& what) { app.add_flag(name, value, what)->group(group); };
  app.set_version_flag("-V,--version", "voxloom " VOXLOOM_VERSION, "Print the version and exit")->group(group);
  option("--memory", texts.memory, "SIZE", "Limit for a streamed run: 512M, 64MiB, 2G (default: 80 % of what is available)");
  option("--threads", texts.threads, "N", "Threads (default: affinity, cgroup, SLURM_CPUS_PER_TASK, OMP_NUM_THREADS)");
  option(
      "--dtype", texts.dtype, "T",
      "dtype of the output: float32, int16, ... or input (default: the computed one; sums of integers in the narrowest that holds them). "
      "Narrower integers round to nearest (half to even, NaN gives 0) and saturate at their ends");
  option("--device", o.device, "D", "cpu or auto");
  option("--target", o.target, "CPU", "native, x86-64-v3 or x86-64-v4");
  option("--header-from", o.header_from, "NAME", "Image whose header the output gets (default: the first)");
  option("--ddof", texts.ddof, "N", "std and var divide by n - ddof (default 0)");
  option("--gzip-level", texts.gzip_level, "N", "0 stores, 1 is fast (default), 9 is small");
  flag("--no-fsync", o.no_fsync, "Do not wait for the disk");
  flag("--no-clobber", o.no_clobber, "Refuse to replace a file");
  option("--profile", o.profile, "", "Time, bytes and memory of each step on standard error; --profile=FILE.html, .json, .txt");
  flag("--kernels", o.kernels, "With explain: every kernel as C too");
  option("--debug", texts.debug, "LEVEL", "Tell on standard error: 1 kernels, 2 passes, 3 graphs, 4 LLVM IR, 5 rules too");
  flag("--progress", o.progress, "Show the bar even when standard error is no terminal");
  flag("--quiet", o.quiet, "No bar and no warnings");
  flag("--strict", o.strict, "Warnings are errors");
}

void add_reduction(CLI::App& app, Options& o, const std::string& name, const std::string& what) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->add_option("IMAGE", o.images, "Images")->required();
  sub->add_option("--axis", o.axis, "Axes to reduce, by name or number: t, -1 or x,y,z (default: all)");
  sub->add_option("-o,--output", o.output, "Output image");
  sub->add_option("--outdir", o.outdir, "Folder for one output per image");
  sub->add_option("--suffix", o.suffix, "Put before the extension of outputs in --outdir (default _" + name + ")");
}

void add_commands(CLI::App& app, Options& o, Texts& texts) {
  CLI::App* sub = app.add_subcommand("info", "Header, dtype, scaling, orientation and size; reads no voxel");
  sub->add_option("IMAGE", o.images, "Images")->required();
  sub->add_flag("--json", o.json, "As JSON");

  sub = app.add_subcommand(
      "math", "Compute an expression over images: voxloom math '(a - mean(a, \"t\")) / std(a, \"t\")' a=bold.nii.gz -o z.nii.gz");
  sub->add_option("EXPR_AND_IMAGES", o.images, "The expression, then [NAME=]IMAGE ...; images without a name are a, b, ...");
  sub->add_option("-o,--output", o.output, "Output image; a scalar result is printed without it");

  add_reduction(app, o, "mean", "Mean over axes");
  add_reduction(app, o, "std", "Standard deviation over axes");
  add_reduction(app, o, "min", "Minimum over axes");
  add_reduction(app, o, "max", "Maximum over axes");

  sub = app.add_subcommand("png", "Picture of the three middle slices");
  sub->add_option("IMAGE", o.images, "Image")->required()->expected(1);
  sub->add_option("-o,--output", o.output, "Output, .png")->required();
  sub->add_option("--volume", texts.volume, "Which volume of a series (default 0; negative ones count from the end)");

  app.add_subcommand("explain", "explain COMMAND ...: the plan of math, mean, std, min or max; nothing is run");

  sub = app.add_subcommand("ops", "Operations of the expression language");
  sub->add_option("NAME", o.subject, "One operation");
  sub->add_flag("--markdown", o.markdown, "The whole reference page");

  sub = app.add_subcommand("doctor", "What this machine offers, and whether compiled code works on it");
  sub->add_flag("--json", o.json, "As JSON");

  sub = app.add_subcommand("cache", "The kernels kept on disk");
  sub->add_option("ACTION", o.subject, "list or clear")->required();

  sub = app.add_subcommand("config", "Defaults in effect");
  sub->add_flag("--json", o.json, "As JSON");
  app.add_subcommand("devices", "Devices this build can use");

  sub = app.add_subcommand("run", "Run a graph in text form over arrays")->group("");
  sub->add_option("GRAPH", o.subject, "Graph")->required();
  sub->add_option("ARRAYS", o.images, "Arrays by input name, .npz")->required()->expected(1);
  sub->add_option("-o,--output", o.output, "Results, .npz")->required();
}

/// Options that `app` (and `sub`, if any) know: whether `argument` is one, and whether the next argument is its value.
struct Known {
  bool option = false, takes_next = false;
};
Known known_option(const CLI::App& app, const CLI::App* sub, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  for (const CLI::App* place : {&app, sub}) {
    if (!place) continue;
    const CLI::Option* option = place->get_option_no_throw(name);
    if (!option || name.empty() || name[0] != '-') continue;
    return {true, option->get_items_expected_max() > 0 && option->get_type_size() > 0 && name.size() == argument.size()};
  }
  return {};
}

/// Position of the command: the first argument that is neither an option nor the value of one; arguments.size() if there is none.
size_t command_position(const CLI::App& app, const std::vector<std::string>& arguments) {
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Known known = known_option(app, nullptr, arguments[k]);
    if (known.takes_next) ++k;
    if (!known.option && (arguments[k].empty() || arguments[k][0] != '-')) return k;
  }
  return arguments.size();
}

/// Takes the expression out: the first argument that is no option. One dash does not make an option unless the option exists.
std::string take_expression(const CLI::App& app, std::vector<std::string>& arguments, size_t after) {
  const CLI::App* math = app.get_subcommand("math");
  for (size_t k = after; k < arguments.size(); ++k) {
    const std::string& argument = arguments[k];
    const Known known = known_option(app, math, argument);
    if (known.takes_next) ++k;
    if (known.option || argument.starts_with("--")) continue;
    const std::string expression = argument;
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(k));
    return expression;
  }
  fail_usage("math: the expression is missing, such as voxloom math 'a / 2' a=bold.nii -o half.nii");
}

std::vector<std::string> option_names(const CLI::App& app, const CLI::App* sub) {
  std::vector<std::string> names;
  for (const CLI::App* place : {&app, sub}) {
    if (!place) continue;
    for (const CLI::Option* option : place->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

/// Refuses the first option that neither the command nor the program has, before anything else is complained about.
void check_options(const CLI::App& app, const CLI::App* sub, const std::vector<std::string>& arguments) {
  for (size_t k = 0; k < arguments.size(); ++k) {
    const std::string& argument = arguments[k];
    const Known known = known_option(app, sub, argument);
    if (known.takes_next && ++k == arguments.size()) fail_usage(argument + " needs a value");
    if (known.option || argument.size() < 2 || argument[0] != '-') continue;
    const std::string name = argument.substr(0, argument.find('='));
    fail_usage("unknown option " + io::escape_text(name) + did_you_mean(name, option_names(app, sub)));
  }
}

/// A whole number within bounds; the default where the text is empty.
int64_t whole_number(const char* name, const std::string& text, int64_t standard, int64_t low, int64_t high) {
  if (text.empty()) return standard;
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc::invalid_argument || end != text.data() + text.size())
    fail_usage(std::string(name) + " " + io::escape_text(text) + ": is not a whole number");
  if (failed != std::errc() || value < low || value > high)
    fail_usage(std::string(name) + " " + io::escape_text(text) + " (allowed " + std::to_string(low) + " ... " + std::to_string(high) + ")");
  return value;
}

void finish(Options& o, const Texts& texts) {
  o.threads = static_cast<int>(whole_number("--threads", texts.threads, o.threads, 1, 1024));
  o.debug_level = static_cast<int>(whole_number("--debug", texts.debug, o.debug_level, 0, 5));
  o.gzip_level = static_cast<int>(whole_number("--gzip-level", texts.gzip_level, o.gzip_level, 0, 9));
  o.ddof = static_cast<int>(whole_number("--ddof", texts.ddof, o.ddof, 0, 1 << 30));
  o.volume = whole_number("--volume", texts.volume, o.volume, INT32_MIN, INT32_MAX);
  if (o.command == "cache" && o.subject != "list" && o.subject != "clear")
    fail_usage("cache " + io::escape_text(o.subject) + ": is neither list nor clear");
  if (!texts.memory.empty()) o.memory = parse_size(texts.memory);
  if (o.memory < 0 || (!texts.memory.empty() && o.memory == 0)) fail_usage("--memory " + texts.memory + ": must be more than 0");
  if (texts.dtype == "input") o.dtype_of_input = true;
  else if (!texts.dtype.empty()) {
    o.dtype = dtype_from_name(texts.dtype);
    if (!o.dtype || o.dtype == DType::f16 || o.dtype == DType::bf16)
      fail_usage("--dtype " + io::escape_text(texts.dtype) +
                 ": unknown dtype (allowed: input, bool, int8 ... int64, uint8 ... uint64, float32, float64, complex64, complex128)");
  }
  (void)device_from_name(o.device);
  if (o.kernels && !o.explain) fail_usage("--kernels belongs to explain: voxloom explain --kernels math ...");
  const bool file = !o.profile.empty() && o.profile != "-";
  if (file && !o.profile.ends_with(".html") && !o.profile.ends_with(".json") && !o.profile.ends_with(".txt"))
    fail_usage("--profile=" + io::printable_path(o.profile) + ": must end in .html, .json or .txt");
}

}  // namespace

ParsedArguments parse_arguments(std::vector<std::string> arguments) {
  ParsedArguments parsed;
  Options& o = parsed.options;
  Texts texts;
  CLI::App app("voxloom: compiled expressions over scientific images", "voxloom");
  app.fallthrough();
  app.require_subcommand(0, 1);
  add_common(app, o, texts);
  add_commands(app, o, texts);

  // The file of --profile is optional and never the next argument.
  std::replace(arguments.begin(), arguments.end(), std::string("--profile"), std::string("--profile=-"));
  size_t at = command_position(app, arguments);
  // help COMMAND is COMMAND --help.
  if (at < arguments.size() && arguments[at] == "help") {
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
    arguments.emplace_back("--help");
    at = command_position(app, arguments);
  }
  const CLI::App* sub = nullptr;
  if (at < arguments.size()) {
    if (std::find(commands().begin(), commands().end(), arguments[at]) == commands().end()) {
      const std::string guess = did_you_mean(arguments[at], commands());
      fail_usage("unknown command '" + io::escape_text(arguments[at]) + "'" +
                 (guess.empty() ? " (voxloom --help lists the commands)" : guess));
    }
    const bool help = std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) { return a == "--help" || a == "-h"; });
    if (arguments[at] == "explain" && !help) {
      o.explain = true;
      arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
      at = command_position(app, arguments);
      if (at == arguments.size() || !plans(arguments[at])) fail_usage("explain: needs a command that computes (math, mean, std, min, max)");
    }
    if (arguments[at] == "math" && !help) o.expression = take_expression(app, arguments, at + 1);
    sub = app.get_subcommand(arguments[at]);
  }
  check_options(app, sub, arguments);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::Success&) {
    const auto chosen = app.get_subcommands();
    const bool version = app["--version"]->count() > 0;
    parsed.text = version          ? "voxloom " VOXLOOM_VERSION "\n"
                  : chosen.empty() ? app.help()
                                   : chosen[0]->help("voxloom") + "\nOptions of every command: voxloom --help\n";
    parsed.exit_code = 0;
    return parsed;
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> remaining = app.remaining(true);
    fail_usage("unexpected argument '" + io::escape_text(remaining.empty() ? std::string() : remaining.front()) + "'");
  } catch (const CLI::ParseError& error) { fail_usage((sub ? sub->get_name() + ": " : "") + io::escape_text(error.what())); }
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) {
    parsed.text = app.help();
    parsed.exit_code = 2;
    return parsed;
  }
  o.command = chosen[0]->get_name();
  finish(o, texts);
  return parsed;
}

}  // namespace voxloom::cli

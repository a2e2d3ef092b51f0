// bench/main.cpp: voxloom_bench: measures voxloom beside hand-written loops, in turn and in one run; JSON on standard output.
#include "hand.h"
#include "harness.h"
#include "process.h"

#include <voxloom/api/voxloom.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>

namespace {

namespace fs = std::filesystem;

constexpr const char* usage =
    "voxloom_bench [--only NAME]... [--repeat N] [--threads N] [--scratch DIR] [--voxloom COMMAND] [--out FILE] [--quick] [--keep]\n"
    "NAME is a case (add_owned add_borrowed exp_1000_calls expression add_and_sub matmul_256 matmul_1024 matmul_2048\n"
    "logistic_1000_steps call_8_floats compile_cold compile_disk start_cold\n"
    "start_warm parse_header half half_fsync half_peak mean_t mean_t_peak mean_t_gz bad_headers bad_files) or a family (arrays products "
    "calls "
    "compile images files).\n";

struct Arguments {
  bench::Options options;
  std::set<std::string> only;
  std::string out;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  bench::Options& o = a.options;
  o.self = fs::read_symlink("/proc/self/exe").string();
  const fs::path bin = fs::path(o.self).parent_path();
  if (fs::exists(bin / "voxloom")) o.command = (bin / "voxloom").string();
  o.scratch = (bin.parent_path() / "bench").string();
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == argc) throw std::invalid_argument(option + " wants a value");
      return argv[++i];
    };
    if (option == "--only") a.only.insert(value());
    else if (option == "--repeat") o.repeat = std::stoi(value());
    else if (option == "--threads") o.threads = std::stoi(value());
    else if (option == "--scratch") o.scratch = value();
    else if (option == "--voxloom") o.command = value();
    else if (option == "--out") a.out = value();
    else if (option == "--quick") o.quick = true;
    else if (option == "--keep") o.keep = true;
    else throw std::invalid_argument("unknown option " + option);
  }
  return a;
}

int run(const Arguments& a) {
  const bench::Options& options = a.options;
  voxloom::config().threads = options.threads;
  const bool made = fs::create_directories(options.scratch);
  ::setenv("XDG_CACHE_HOME", options.cache().c_str(), 1);  // for the command and the measuring processes too
  bench::Report report;
  const bench::Family families[] = {{"arrays", bench::run_arrays},   {"products", bench::run_products}, {"calls", bench::run_calls},
                                    {"compile", bench::run_compile}, {"images", bench::run_images},     {"files", bench::run_bad_files}};
  for (const bench::Family& family : families) {
    const bench::Wanted wanted = [&](const std::string& name) {
      return a.only.empty() || a.only.contains(family.name) || a.only.contains(name);
    };
    family.run(options, report, wanted);
  }
  fs::remove_all(options.cache());
  if (made) {
    std::error_code ignored;
    fs::remove(options.scratch, ignored);
  }
  const nlohmann::json result = {{"program", "voxloom_bench"},
                                 {"version", VOXLOOM_VERSION},
                                 {"threads", options.threads},
                                 {"hand_loops", bench::hand_loops().name},
                                 {"cases", report.cases()}};
  const std::string text = result.dump(1) + "\n";
  std::FILE* out = a.out.empty() ? stdout : std::fopen(a.out.c_str(), "w");
  if (out == nullptr || std::fputs(text.c_str(), out) < 0 || (out != stdout && std::fclose(out) != 0)) {
    std::fprintf(stderr, "voxloom_bench: cannot write %s\n", a.out.c_str());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 2 && std::string(argv[1]) == "--child") return bench::child_main({argv + 2, argv + argc});
    return run(parse(argc, argv));
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "voxloom_bench: %s\n%s", e.what(), usage);
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "voxloom_bench: %s\n", e.what());
    return 1;
  }
}

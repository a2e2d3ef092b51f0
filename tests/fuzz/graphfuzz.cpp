// tests/fuzz/graphfuzz.cpp: the fuzzer's command line: random graphs, one case by its seed, the planted bugs.
#include "generator.h"
#include "minimise.h"
#include "oracle.h"

#include <voxloom/codegen/print_c.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/print.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace voxloom::fuzz {

namespace {

struct Arguments {
  uint64_t seed = 1;
  int64_t count = 0;  ///< 0: until the time is over
  double seconds = 60;
  bool images = false, explain = false, one = false, minimize = false, check_bugs = false, list_bugs = false, variations = true,
       keep_going = false, verbose = false;
  std::string bug, numpy;
};

constexpr int found_code = 10;

volatile uint64_t running_seed = 0;

void crashed(int number) {
  char text[96];
  const int n = std::snprintf(text, sizeof text, "signal %d in seed %llu\n", number, static_cast<unsigned long long>(running_seed));
  if (n > 0 && ::write(2, text, static_cast<size_t>(n)) < 0) ::_exit(3);
  ::_exit(found_code);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Empty, or what is wrong with a case; one in twenty is spoiled first and must be refused.
std::string run_seed(uint64_t seed, const CheckOptions& options, Statistics& statistics) {
  running_seed = seed;
  try {
    Case c = generate(seed, options.images);
    if (seed % 20 != 0 || options.images) return check(c, options, statistics);
    const std::string what = spoil(c, seed);
    try {
      build(c);
    } catch (const UserError&) {
      ++statistics.refused;
      return {};
    }
    return "an illegal graph was built: " + what;
  } catch (const std::exception& e) { return std::string("exception: ") + e.what(); }
}

/// Runs f in a child process: true when it says so or crashes.
bool in_child(const std::function<bool()>& f) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(f() ? found_code : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

const Bug* bug_named(const std::string& name) {
  for (const Bug& b : all_bugs()) {
    if (b.name == name) return &b;
  }
  return nullptr;
}

void report(uint64_t seed, const std::string& problem) {
  std::printf("FAILED seed %llu: %s\n", static_cast<unsigned long long>(seed), problem.c_str());
  std::fflush(stdout);
}

void print_kernel(codegen::Kernel& kernel) { std::printf("%s\n", codegen::print_c(kernel, "kernel").c_str()); }
constexpr Bug printing{.name = "none, kernels are printed", .what = "", .damage = print_kernel};

int one_seed(const Arguments& a, CheckOptions options) {
  Statistics statistics;
  Case c = generate(a.seed, a.images);
  if (a.minimize) {
    c = minimise(c, [&](const Case& candidate) {
      return in_child([&] {
        try {
          Statistics s;
          return !check(candidate, options, s).empty();
        } catch (const Error&) {
          return false;  // it does not build
        }
      });
    });
  }
  std::printf("%s", describe(c).c_str());
  if (a.explain && options.bug == nullptr) options.bug = &printing;
  try {
    std::printf("%s", to_text(build(c).graph).c_str());
    std::fflush(stdout);
    const std::string problem = a.minimize ? check(c, options, statistics) : run_seed(a.seed, options, statistics);
    if (problem.empty()) {
      std::printf("right\n");
      return 0;
    }
    report(a.seed, problem);
  } catch (const std::exception& e) { report(a.seed, std::string("exception: ") + e.what()); }
  return 1;
}

int many_seeds(const Arguments& a, const CheckOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  Statistics statistics;
  int failures = 0;
  uint64_t seed = a.seed;
  for (; (a.count == 0 || static_cast<int64_t>(seed - a.seed) < a.count) && (a.count > 0 || seconds_since(start) < a.seconds); ++seed) {
    if (a.verbose) std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed));
    const std::string problem = run_seed(seed, options, statistics);
    if (problem.empty()) continue;
    report(seed, problem);
    ++failures;
    if (!a.keep_going) break;
  }
  std::printf("seeds %llu to %llu in %.1f s: %s\n%d differences\n", static_cast<unsigned long long>(a.seed),
              static_cast<unsigned long long>(seed) - 1, seconds_since(start), statistics.str().c_str(), failures);
  if (failures > 0) std::printf("again: graphfuzz --seed S --minimize\n");
  return failures > 0 ? 1 : 0;
}

/// Each bug in a process of its own; all must be found within the time.
int check_bugs(const Arguments& a) {
  const auto start = std::chrono::steady_clock::now();
  const double each = a.seconds / static_cast<double>(all_bugs().size());
  int missed = 0;
  for (const Bug& bug : all_bugs()) {
    const auto begin = std::chrono::steady_clock::now();
    // What earlier bugs did not use is there for the harder ones.
    const double allowed = a.seconds - seconds_since(start) - 0.3 * each * static_cast<double>(&all_bugs().back() - &bug);
    const bool found = in_child([&] {
      std::freopen("/dev/null", "w", stderr);
      ::alarm(0);
      const CheckOptions options{.bug = &bug, .skip_untouched = true, .variations = false};
      Statistics statistics;
      for (uint64_t seed = a.seed; seconds_since(begin) < allowed; ++seed) {
        if (!run_seed(seed, options, statistics).empty()) return true;
      }
      return false;
    });
    std::printf("%-24s %s after %.2f s (%s)\n", std::string(bug.name).c_str(), found ? "found" : "MISSED", seconds_since(begin),
                std::string(bug.what).c_str());
    std::fflush(stdout);
    missed += found ? 0 : 1;
  }
  std::printf("%d of %zu planted bugs missed, %.1f s\n", missed, all_bugs().size(), seconds_since(start));
  return missed > 0 ? 1 : 0;
}

int usage(const char* word) {
  std::fprintf(stderr,
               "graphfuzz: unknown argument %s\n"
               "  --seed S           begin with this seed\n"
               "  --count N          so many seeds instead of --seconds T (60)\n"
               "  --one              this seed alone, shown\n"
               "  --minimize         this seed alone, made as small as fails\n"
               "  --explain          with --one or --minimize: the kernels as C\n"
               "  --keep-going       do not stop at the first difference\n"
               "  --plain            one run per graph, no variations\n"
               "  --images           graphs over images only, each of them streamed too\n"
               "  --numpy FOLDER     write one graph in twenty there for numpy_oracle.py\n"
               "  --bug NAME         with a planted bug    --list-bugs    --check-bugs   all of them, within --seconds\n",
               word);
  return 2;
}

int run(int argc, char** argv) {
  Arguments a;
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    const char* value = k + 1 < argc ? argv[k + 1] : "";
    if (word == "--seed") a.seed = std::strtoull(value, nullptr, 10), ++k;
    else if (word == "--count") a.count = std::strtoll(value, nullptr, 10), ++k;
    else if (word == "--seconds") a.seconds = std::strtod(value, nullptr), ++k;
    else if (word == "--bug") a.bug = value, ++k;
    else if (word == "--numpy") a.numpy = value, ++k;
    else if (word == "--one") a.one = true;
    else if (word == "--minimize") a.one = a.minimize = true;
    else if (word == "--check-bugs") a.check_bugs = true;
    else if (word == "--list-bugs") a.list_bugs = true;
    else if (word == "--explain") a.explain = true;
    else if (word == "--images") a.images = true;
    else if (word == "--plain") a.variations = false;
    else if (word == "--keep-going") a.keep_going = true;
    else if (word == "--verbose") a.verbose = true;
    else return usage(argv[k]);
  }
  for (int s : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) std::signal(s, crashed);
  if (a.list_bugs) {
    for (const Bug& b : all_bugs()) std::printf("%-24s %s\n", std::string(b.name).c_str(), std::string(b.what).c_str());
    return 0;
  }
  if (a.check_bugs) return check_bugs(a);
  const CheckOptions options{.bug = bug_named(a.bug), .variations = a.variations, .images = a.images, .numpy_folder = a.numpy};
  if (!a.bug.empty() && options.bug == nullptr) return usage(a.bug.c_str());
  return a.one ? one_seed(a, options) : many_seeds(a, options);
}

}  // namespace

}  // namespace voxloom::fuzz

int main(int argc, char** argv) { return voxloom::fuzz::run(argc, argv); }

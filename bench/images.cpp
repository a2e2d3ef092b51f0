// bench/images.cpp: a 496 MB int16 image from disk to disk, beside hand-written loops; time and memory.
#include "harness.h"
#include "image_file.h"
#include "process.h"

#include <voxloom/api/voxloom.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace vl = voxloom;

namespace bench {
namespace {

namespace fs = std::filesystem;

/// The files of this family; removed at the end.
class Files {
 public:
  explicit Files(const Options& options) : options_(options), size_{50, 59, 50, static_cast<int16_t>(options.quick ? 40 : 1680)} {}
  ~Files() {
    for (const std::string name : {"/series.nii", "/series.nii.gz", "/small.nii", "/out.nii", "/hand.nii"}) {
      std::error_code ignored;
      if (options_.keep && name.starts_with("/series")) continue;
      fs::remove(options_.scratch + name, ignored);
    }
  }
  const ImageSize& size() const { return size_; }
  std::string raw() {
    const std::string path = options_.scratch + "/series.nii";
    if (!fs::exists(path)) write_image(path, size_);
    return path;
  }
  /// A few volumes of the same kind: what compiles the kernels without touching much memory.
  std::string small() {
    const std::string path = options_.scratch + "/small.nii";
    if (!fs::exists(path)) write_image(path, {size_.x, size_.y, size_.z, 4});
    return path;
  }
  std::string compressed() {
    const std::string path = options_.scratch + "/series.nii.gz";
    if (!fs::exists(path)) save_compressed(path);
    return path;
  }
  void save_compressed(const std::string& path) {
    vl::io::SaveOptions options;
    options.threads = options_.threads;
    options.no_fsync = true;
    options.input_dtype = true;
    vl::io::save(vl::io::open(raw()).expr(), path, options);
  }
  std::string out() const { return options_.scratch + "/out.nii"; }
  std::string hand() const { return options_.scratch + "/hand.nii"; }
  /// Before each run: no old file to throw away, which costs as much as writing, and no backlog.
  void clear() const {
    std::error_code ignored;
    fs::remove(out(), ignored);
    fs::remove(hand(), ignored);
    ::sync();  // what others left to be written would be waited for by whoever writes next
  }

 private:
  const Options& options_;
  ImageSize size_;
};

std::string compare_files(const std::string& a, const std::string& b) {
  std::ifstream x(a, std::ios::binary), y(b, std::ios::binary);
  x.seekg(352), y.seekg(352);
  std::vector<char> p(1 << 20), q(1 << 20);
  while (true) {
    x.read(p.data(), static_cast<std::streamsize>(p.size()));
    y.read(q.data(), static_cast<std::streamsize>(q.size()));
    if (x.gcount() != y.gcount() || std::memcmp(p.data(), q.data(), static_cast<size_t>(x.gcount())) != 0)
      return "other voxels than the hand-written loop";
    if (x.gcount() == 0) return "the hand-written loop's voxels";
  }
}

vl::io::SaveOptions save_options(const Options& options, bool fsync) {
  vl::io::SaveOptions s;
  s.threads = options.threads;
  s.memory = vl::MiB(64);
  s.no_fsync = !fsync;
  return s;
}

/// The interface in this process, the command as a process of its own (its start included), and the loop.
std::vector<Contender> contenders(const Options& options, const Files& files, const std::string& in, const std::string& expression,
                                  std::function<vl::Expr()> value, std::function<void()> by_hand, bool fsync) {
  const auto clear = [&files] { files.clear(); };
  std::vector<Contender> list = {
      {"voxloom", [&options, &files, value, fsync] { vl::io::save(value(), files.out(), save_options(options, fsync)); }, clear},
      {"hand", std::move(by_hand), clear}};
  if (!options.command.empty()) {
    list.push_back({"command",
                    [&options, &files, in, expression, fsync] {
                      std::vector<std::string> arguments = {
                          options.command, "math",     expression, in,          "-o",
                          files.out(),     "--memory", "64M",      "--threads", std::to_string(options.threads),
                          "--quiet"};
                      if (!fsync) arguments.push_back("--no-fsync");
                      const Finished done = run_program(arguments);
                      if (done.status != 0) throw std::runtime_error("voxloom math ended with status " + std::to_string(done.status));
                    },
                    clear});
  }
  return list;
}

/// The highest resident memory of whole processes, and the plan's prediction, for two budgets.
void memory(const Options& options, Files& files, Report& report, const std::string& name, const std::string& what,
            const std::string& expression, const std::string& in) {
  for (const int64_t megabytes : {32, 64}) {
    const std::string budget = std::to_string(megabytes) + "M", threads = std::to_string(options.threads);
    files.clear();
    fs::remove_all(options.cache());
    const auto answer =
        run_child(options.self, {"save", what, files.small(), in, files.out(), std::to_string(vl::MiB(megabytes)), threads, "no_fsync"});
    const auto mib = [&](const char* key) { return answer.at(key).get<double>() / (1 << 20); };
    const auto command = [&] {
      files.clear();
      const Finished done = run_measured(options.self, {options.command, "math", expression, in, "-o", files.out(), "--no-fsync",
                                                        "--memory", budget, "--threads", threads, "--quiet"});
      if (done.status != 0) throw std::runtime_error("voxloom math ended with status " + std::to_string(done.status));
      return static_cast<double>(done.peak_kib) / 1024;
    };
    if (!options.command.empty()) {
      fs::remove_all(options.cache());
      report.figure(name + "_peak_" + budget, command(), "MiB", 80);
      report.detail("with kernels on disk, MiB", command());
      report.detail("through the shared library, MiB", mib("peak"));
    } else {
      report.figure(name + "_peak_" + budget, mib("peak"), "MiB", 80);
    }
    report.detail("predicted rise, MiB", mib("predicted"));
    report.detail("measured rise, MiB", mib("rise"));
    report.detail("allowed difference, MiB", 0.1 * mib("rise") + 16);
  }
}

void halve(const Options& options, Files& files, Report& report, const Wanted& wanted, HandThreads& threads) {
  const int repeat = options.repeat > 0 ? options.repeat : 7;
  for (const bool fsync : {false, true}) {
    const std::string name = fsync ? "half_fsync" : "half";
    if (!wanted(name)) continue;
    const std::string in = files.raw();
    const auto list = contenders(
        options, files, in, "a/2", [in] { return vl::io::open(in).expr() / 2; },
        [&files, &threads, in, fsync] { halve_by_hand(in, files.hand(), files.size(), threads, fsync); }, fsync);
    const auto samples = alternate(list, fsync ? std::min(repeat, 3) : repeat);
    report.times(name, samples, fsync ? 0 : 1.3);
    if (samples.size() > 2) report.detail("command / hand", samples[2].median / samples[1].median);
    files.clear();
    list[0].run(), list[1].run();
    report.detail("result", compare_files(files.out(), files.hand()));
  }
  if (wanted("half_peak")) memory(options, files, report, "half", "half", "a/2", files.raw());
  files.clear();
}

void mean(const Options& options, Files& files, Report& report, const Wanted& wanted, HandThreads& threads) {
  const int repeat = options.repeat > 0 ? options.repeat : 9;
  if (wanted("mean_t")) {
    const std::string in = files.raw();
    const auto list = contenders(
        options, files, in, "mean(a, \"t\")", [in] { return vl::mean(vl::io::open(in).expr(), "t"); },
        [&files, &threads, in] { mean_by_hand(in, files.hand(), files.size(), threads); }, false);
    const auto samples = alternate(list, repeat);
    report.times("mean_t", samples, 1.35);
    if (samples.size() > 2) report.detail("command / hand", samples[2].median / samples[1].median);
    files.clear();
    list[0].run(), list[1].run();
    report.detail("result", compare_files(files.out(), files.hand()));
  }
  if (wanted("mean_t_peak")) memory(options, files, report, "mean_t", "mean", "mean(a, \"t\")", files.raw());
  if (wanted("mean_t_gz")) {
    const std::string in = files.compressed();
    size_t bytes = 0;
    const auto list = contenders(
        options, files, in, "mean(a, \"t\")", [in] { return vl::mean(vl::io::open(in).expr(), "t"); },
        [&bytes, in] { bytes = inflate_by_hand(in); }, false);
    const auto samples = alternate(list, std::min(repeat, 5));
    report.times("mean_t_gz", samples, 1.15);
    if (samples.size() > 2) report.detail("command / hand", samples[2].median / samples[1].median);
    report.detail("hand", "ISA-L inflates and drops the bytes");
    report.detail("compressed to", static_cast<double>(fs::file_size(in)) / static_cast<double>(bytes));
  }
  files.clear();
}

}  // namespace

void run_images(const Options& options, Report& report, const Wanted& wanted) {
  Files files(options);
  HandThreads threads(options.threads);
  halve(options, files, report, wanted, threads);
  mean(options, files, report, wanted, threads);
}

}  // namespace bench

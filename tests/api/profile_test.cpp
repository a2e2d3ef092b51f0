// tests/api/profile_test.cpp: what functions and streamed runs measure about themselves, checked against counts by hand.
#include <voxloom/api/voxloom.h>
#include <voxloom/io/sink.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

/// Step records of one call on arrays of zeros.
std::vector<vl::StepRecord> steps_of(const std::vector<vl::In>& inputs, const std::vector<vl::Out>& outputs,
                                     const std::vector<vl::Dims>& shapes, int threads = 1) {
  const vl::Function f = vl::function(inputs, outputs, {.profile = true});
  std::vector<Array> arguments;
  for (const vl::Dims& shape : shapes) arguments.push_back(Array::zeros(shape, vl::f32));
  f.call(arguments, {.threads = threads});
  return f.profile().steps;
}

// Of exp in float32 (ops/vecmath/exp.h): 1 fma and 1 subtraction find k, 2 fma reduce, 6 fma are the polynomial, 1 product scales.
constexpr int64_t exp_flops = 2 + 1 + 2 * 2 + 6 * 2 + 1;

}  // namespace

TEST_CASE("profile: operations of an elementwise kernel are counted per point") {
  auto x = vl::fmatrix("x");
  for (int threads : {1, 3}) {
    for (const vl::Dims& shape : {vl::Dims{1, 1}, vl::Dims{37, 53}, vl::Dims{300, 1000}}) {
      const auto steps = steps_of({x}, {vl::exp(x) * 2 + x}, {shape}, threads);
      REQUIRE(steps.size() == 1);
      const int64_t n = shape.product();
      CHECK(steps[0].flops == n * (exp_flops + 2));
      CHECK(steps[0].flops_f64 == 0);
      CHECK(steps[0].bytes_read == 4 * n);
      CHECK(steps[0].bytes_written == 4 * n);
    }
  }
}

TEST_CASE("profile: what a row needs once is counted once per row") {
  auto x = vl::fmatrix("x"), v = vl::fvector("v");
  // dimshuffle(v) has one value per row; 40000 columns are several tiles.
  const Expr scaled = x * vl::dimshuffle(vl::exp(v), {0, -1});
  const auto steps = steps_of({x, v}, {scaled}, {{7, 100}, {7}});
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].flops == 7 * exp_flops + 7 * 100);
  CHECK(steps[0].bytes_read == 4 * (7 * 100 + 7));
}

TEST_CASE("profile: reductions count steps, folds of lanes and merges of leaves, in float64") {
  auto x = vl::fmatrix("x");
  SECTION("along the rows") {
    const auto steps = steps_of({x}, {vl::sum(x, 1)}, {{1000, 777}});
    REQUIRE(steps.size() == 1);
    // 777 positions are one leaf: it folds 32 lanes and joins its group, which joins the total.
    CHECK(steps[0].flops == 1000 * (777 + (31 + 1) + 1));
    CHECK(steps[0].flops_f64 == steps[0].flops);
  }
  SECTION("across the rows") {
    const auto steps = steps_of({x}, {vl::sum(x, 0)}, {{1000, 300}});
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].flops == 300 * (1000 + 32 + 1));  // 1000 positions are 32 leaves in one group
  }
  SECTION("of everything") {
    const auto steps = steps_of({x}, {vl::sum(x)}, {{1000, 300}}, 2);
    REQUIRE(steps.size() == 2);
    // 300000 positions are 74 leaves of 4096; the first kernel steps and folds lanes, the second joins leaves, groups and the total.
    CHECK(steps[0].flops == 300'000 + 74 * 31);
    CHECK(steps[1].flops == 74 + 1);
  }
}

TEST_CASE("profile: a slice counts the bytes it reads") {
  auto x = vl::fmatrix("x");
  const auto steps = steps_of({x}, {vl::index(x, {vl::Slice{0, 10, {}}}) + 1}, {{1000, 300}});
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].bytes_read == 4 * 10 * 300);
}

TEST_CASE("profile: compiling is told by pass and kernel, and where each kernel came from") {
  const std::string kept = vl::config().cache_dir;
  vl::config().cache_dir = "off";
  auto x = vl::fmatrix("x");
  const Expr odd = vl::sin(x) * 12345 + vl::cos(vl::cos(x));  // no other test has it
  const auto profile_of = [&] {
    const vl::Function f = vl::function({x}, {odd}, {.name = "odd", .profile = true});
    f.call({Array::zeros({8, 8}, vl::f32)});
    return f.profile();
  };
  const vl::Profile first = profile_of(), second = profile_of();
  vl::config().cache_dir = kept;
  REQUIRE(first.kernels.size() == 1);
  CHECK(first.kernels[0].origin == vl::KernelRecord::Origin::compiled);
  CHECK(first.kernels[0].name == first.steps[0].name);
  CHECK(first.kernels[0].code_bytes > 0);
  REQUIRE(second.kernels.size() == 1);
  CHECK(second.kernels[0].origin == vl::KernelRecord::Origin::memory);
  double sum = 0;
  for (const auto& kernel : first.kernels) sum += kernel.seconds;
  for (const auto& pass : first.passes) sum += pass.seconds;
  CHECK(first.compile_seconds == Approx(sum));
  CHECK(std::count_if(first.passes.begin(), first.passes.end(), [](const auto& p) { return p.name == "canonicalise"; }) == 1);
  CHECK(first.passes.back().name == "partition and plan");
}

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "voxloom-profile-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

void write_zeros(const std::string& path, const vl::Dims& shape) {
  vl::io::NiftiHeader header;
  header.dims = shape.vector();
  header.set_storage(vl::i16);
  vl::io::Warnings warnings;
  auto sink = vl::io::create_sink(path, header, {.no_fsync = true, .no_clobber = false, .gzip_level = 1, .threads = 1}, warnings);
  sink->write(vl::io::Box::whole(shape.vector()), Array::zeros(shape, vl::i16, vl::Order::F).raw());
  sink->commit();
}

}  // namespace

TEST_CASE("profile: a run over files has a name, compile times and a record per kernel") {
  const Folder folder;
  const vl::Dims shape{64, 64, 32, 40};  // streamed in blocks: more than 6 MiB
  const int64_t n = shape.product(), volume = n / 40;
  write_zeros(folder.file("a.nii"), shape);
  const Expr a = vl::io::open(folder.file("a.nii")).expr();
  const int threads = GENERATE(1, 2);
  vl::Profile p;
  vl::io::SaveOptions options;
  options.threads = threads;
  options.profile = &p;
  options.no_fsync = true;
  SECTION("mapped") {
    vl::io::save(vl::exp(a) * 2 + a, folder.file("o.nii"), options);
    CHECK(p.function == "save o.nii");
    const auto kernel = std::find_if(p.steps.begin(), p.steps.end(), [](const auto& s) { return s.kind == vl::StepKind::kernel; });
    REQUIRE(kernel != p.steps.end());
    CHECK(kernel->flops == n * (exp_flops + 2));
    CHECK(kernel->bytes_read == 2 * n);
    CHECK(kernel->bytes_written == 4 * n);
    CHECK(kernel->calls > 1);
  }
  SECTION("reduced") {
    options.name = "average";
    vl::io::save(vl::mean(a / 3, "t"), folder.file("m.nii"), options);
    CHECK(p.function == "average");
    std::vector<vl::StepRecord> kernels;
    for (const auto& s : p.steps) {
      if (s.kind == vl::StepKind::kernel) kernels.push_back(s);
    }
    REQUIRE(kernels.size() == 2);
    // 40 positions are leaves of 32 and 8: each position is a quotient and a step, each leaf joins its group; then the last group
    // and total, and the quotient per voxel.
    CHECK(kernels[0].flops >= volume * (40 * 2));
    CHECK(kernels[0].flops <= volume * (40 * 2 + 2 + 1));
    CHECK(kernels[1].calls == 1);
    CHECK(kernels[1].flops >= volume);
    CHECK(kernels[1].detail == "after the last block");
  }
  CHECK(p.compile_seconds > 0);
  CHECK(p.kernels.size() >= 1);
  for (const char* name : {"simplify", "partition and plan", "choose blocks"}) {
    CHECK(std::count_if(p.passes.begin(), p.passes.end(), [&](const auto& pass) { return pass.name == name; }) == 1);
  }
  CHECK(p.seconds > 0);
  CHECK(p.text().find(" compile ") != std::string::npos);
}

// tests/api/image_test.cpp: expressions over files: streamed results against the interpreter, for budgets, threads, containers and axes.
#include <voxloom/api/voxloom.h>
#include <voxloom/io/sink.h>
#include <voxloom/io/source.h>
#include <voxloom/ops/interpret.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "voxloom-image-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

Array random_voxels(vl::Dims shape, vl::DType dtype, uint32_t seed) {
  const Array a = Array::empty(shape, vl::f64, vl::Order::F);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-2000, 2000);
  for (double& v : a.span<double>(vl::Order::F)) v = uniform(rng);
  return a.cast(dtype, vl::Order::F);
}

void write_image(const std::string& path, const Array& voxels) {
  vl::io::NiftiHeader header;
  header.dims = voxels.shape().vector();
  header.set_storage(voxels.dtype());
  vl::io::Warnings warnings;
  auto sink = vl::io::create_sink(path, header, {.no_fsync = true, .no_clobber = false, .gzip_level = 1, .threads = 1}, warnings);
  sink->write(vl::io::Box::whole(voxels.shape().vector()), voxels.raw());
  sink->commit();
}

/// Turns the byte order of a NIfTI-1 file around.
void swap_file(const std::string& path, size_t voxel_bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto swap = [&](size_t at, size_t count, size_t size) {
    for (size_t k = 0; k < count; ++k) std::reverse(&bytes[at + k * size], &bytes[at + k * size] + size);
  };
  swap(0, 1, 4), swap(40, 8, 2), swap(56, 3, 4), swap(68, 4, 2), swap(76, 8, 4), swap(108, 3, 4), swap(120, 1, 2), swap(124, 4, 4);
  swap(252, 2, 2), swap(256, 18, 4), swap(352, (bytes.size() - 352) / voxel_bytes, voxel_bytes);
  file.clear();
  file.seekp(0);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Array read_image(const std::string& path) {
  vl::io::Warnings warnings;
  auto source = vl::io::open_source(path, {}, warnings);
  Array a = Array::empty(source->info().dims, source->info().dtype, vl::Order::F);
  source->read(vl::io::Box::whole(source->info().dims), a.raw());
  return a;
}

std::vector<vl::HostArray> expected_of(const std::vector<Expr>& values, const std::map<std::string, Array>& voxels) {
  return vl::interpret(vl::Graph::make({}, values), {}, [&](const vl::Node& leaf) {
    for (const auto& [name, array] : voxels) {
      if (leaf.name() == name) return vl::HostArray::copy(array.view(), vl::Order::F);
    }
    throw std::runtime_error("no voxels for " + leaf.name());
  });
}

}  // namespace

TEST_CASE("gradients over files stream") {
  const Folder folder;
  const Array voxels = random_voxels({7, 5, 4, 6}, vl::i16, 3);
  write_image(folder.file("a.nii"), voxels);
  const Expr a = vl::cast(vl::io::open(folder.file("a.nii")), vl::f32);
  const Expr cost = vl::sum(vl::sqr(a - vl::mean(a, "t")) * vl::sigmoid(a / 1000));
  const Expr g = vl::grad(cost, a);
  CHECK(g.type() == a.type());
  const auto expected = expected_of({g}, {{"a.nii", voxels}});
  vl::io::save(g, folder.file("g.nii"), {.memory = vl::MiB(16)});
  CHECK(vl::same_bits(read_image(folder.file("g.nii")), Array::view(expected[0].view())));
}

TEST_CASE("streamed results have the interpreter's bits for any budget, thread count and container") {
  const Folder folder;
  const vl::Dims shape{36, 36, 33, 100};
  const Array voxels = random_voxels(shape, vl::i16, 1);
  for (const std::string name : {"a.nii", "a.nii.gz"}) {
    write_image(folder.file(name), voxels);
    const vl::io::Image a = vl::io::open(folder.file(name));
    const Expr x = a.expr();
    const std::vector<Expr> values{
        x / 2,
        vl::mean(x, "t"),
        (x - vl::mean(x, "t")) / vl::std(x, "t"),
        vl::sub(vl::index(x, {vl::ellipsis, vl::Slice{1, {}, {}}}), vl::index(x, {vl::ellipsis, vl::Slice{{}, -1, {}}})),
        vl::index(x, {vl::ellipsis, 3}) - vl::mean(x),
        vl::max(x, "z")};
    const auto expected = expected_of(values, {{name, voxels}});
    for (int threads : {1, 2, 3}) {
      for (int64_t memory : {vl::MiB(25), vl::MiB(120)}) {
        for (size_t k = 0; k < values.size(); ++k) {
          INFO(name << " value " << k << " threads " << threads << " memory " << memory);
          const bool whole_needed = name == "a.nii.gz" && (k == 2 || k == 3) && memory < vl::MiB(30);
          if (whole_needed) continue;
          vl::io::SaveOptions options;
          options.threads = threads;
          options.memory = memory;
          options.no_fsync = true;
          const std::string out = folder.file(k % 2 == 0 ? "out.nii" : "out.nii.gz");
          INFO(vl::io::explain_save({{values[k], out}}, options));
          vl::io::save(values[k], out, options);
          const Array result = read_image(out);
          Array wanted = Array::view(expected[k].view());
          REQUIRE(result.bytes() == wanted.bytes());
          REQUIRE(std::memcmp(result.raw(), expected[k].bytes.data(), static_cast<size_t>(result.bytes())) == 0);
        }
      }
    }
  }
}

TEST_CASE("several outputs, scalars and images from one run") {
  const Folder folder;
  const Array voxels = random_voxels({64, 40, 30, 25}, vl::f32, 2);
  write_image(folder.file("a.nii"), voxels);
  const Expr x = vl::io::open(folder.file("a.nii")).expr();
  const std::vector<Expr> values{vl::sum(x), vl::mean(x, "t"), vl::var(x), vl::exp(x / 1000)};
  const auto expected = expected_of(values, {{"a.nii", voxels}});
  for (int threads : {1, 2}) {
    const auto results = vl::io::evaluate_many(values, {.memory = vl::MiB(24), .threads = threads});
    for (size_t k = 0; k < values.size(); ++k) {
      INFO("value " << k << " threads " << threads);
      REQUIRE(vl::same_bits(results[k], Array::view(expected[k].view())));
    }
  }
}

TEST_CASE("indices over files: streamed where that is right, and never wrong") {
  const Folder folder;
  const Array labels = random_voxels({40, 30, 20, 50}, vl::i16, 7);
  write_image(folder.file("a.nii"), labels);
  const Expr x = vl::io::open(folder.file("a.nii")).expr();
  std::vector<double> numbers(4001);
  for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = 0.5 * static_cast<double>(k);
  const Expr table = vl::constant(numbers, {4001}), frames = vl::constant(std::vector<int64_t>{3, 0, -1, 3}, {4});
  const auto mapped = vl::take(table, vl::cast(x + 2000, vl::i64), 0);
  const std::vector<Expr> values{mapped,
                                 vl::mean(mapped, "t"),
                                 vl::take(x, frames, "t"),
                                 vl::take(x, frames, "z") * 2,
                                 vl::set_subtensor(x, {vl::ellipsis, 5}, 0),
                                 vl::set_subtensor(x, {vl::ellipsis, vl::Slice{2, -3, 4}, vl::Slice{}}, -1),
                                 vl::sum(vl::inc_subtensor(x, {vl::Slice{1, 4}}, 3), "t"),
                                 vl::inc_subtensor(x, {vl::Slice{}, frames}, 1),
                                 vl::mean(vl::inc_subtensor(x, {vl::ellipsis, frames}, 1), "t")};
  const auto expected = expected_of(values, {{"a.nii", labels}});
  for (int threads : {1, 3}) {
    for (size_t k = 0; k < values.size(); ++k) {
      INFO("value " << k << " threads " << threads);
      REQUIRE(vl::same_bits(vl::io::evaluate_many({values[k]}, {.memory = vl::MiB(24), .threads = threads})[0],
                            Array::view(expected[k].view())));
    }
  }
  REQUIRE_THROWS_WITH(vl::io::evaluate_many({vl::take(table, vl::cast(x * 3, vl::i64), 0)}, {.threads = 3}),
                      Catch::Contains("is out of bounds for axis 0"));
  const auto plan = vl::io::explain_save({{mapped, folder.file("o.nii")}}, {});
  INFO(plan);
  CHECK(plan.find("blocks of") != std::string::npos);
}

TEST_CASE("a budget below the minimum is refused before anything is read or written") {
  const Folder folder;
  write_image(folder.file("a.nii"), random_voxels({64, 64, 32, 20}, vl::f32, 3));
  const Expr x = vl::io::open(folder.file("a.nii")).expr();
  try {
    vl::io::save(x / 2, folder.file("o.nii"), {.memory = 4096});
    FAIL("no error");
  } catch (const vl::RuntimeError& e) { REQUIRE(e.code() == vl::ErrorCode::limit); }
  REQUIRE(!std::filesystem::exists(folder.file("o.nii")));
}

TEST_CASE("the output may be the input") {
  const Folder folder;
  const Array voxels = random_voxels({20, 20, 20}, vl::i16, 4);
  write_image(folder.file("a.nii"), voxels);
  const Expr x = vl::io::open(folder.file("a.nii")).expr();
  vl::io::save(x + 1, folder.file("a.nii"));
  const Array result = read_image(folder.file("a.nii"));
  REQUIRE(result.dtype() == vl::f32);
  REQUIRE(result.at<float>(3, 4, 5) == static_cast<float>(voxels.at<int16_t>(3, 4, 5)) + 1);
}

TEST_CASE("a big-endian image that is an output itself, beside a streamed one, is written in this machine's order") {
  const Folder folder;
  const Array voxels = random_voxels({64, 64, 32}, vl::i16, 7);
  write_image(folder.file("big.nii"), voxels);
  swap_file(folder.file("big.nii"), 2);
  write_image(folder.file("a.nii"), random_voxels({64, 64, 32, 20}, vl::f32, 8));
  const Expr big = vl::io::open(folder.file("big.nii")).expr(), a = vl::io::open(folder.file("a.nii")).expr();
  REQUIRE_THAT(vl::io::explain_save({{big, folder.file("o.nii")}, {a + 1, folder.file("p.nii")}}), Catch::Contains("blocks along t"));
  vl::io::save_many({{big, folder.file("o.nii")}, {a + 1, folder.file("p.nii")}});
  REQUIRE(vl::same_bits(read_image(folder.file("o.nii")), voxels));
  const Array kept = vl::io::evaluate_many({big, a + 1}).at(0);
  REQUIRE_FALSE(kept.swapped());
  REQUIRE(vl::same_bits(kept, voxels));
}

TEST_CASE("what cannot be saved is a user error") {
  const Folder folder;
  write_image(folder.file("a.nii"), random_voxels({8, 8, 8}, vl::i16, 5));
  write_image(folder.file("b.nii"), random_voxels({8, 8, 9}, vl::i16, 6));
  const Expr a = vl::io::open(folder.file("a.nii")).expr(), b = vl::io::open(folder.file("b.nii")).expr();
  REQUIRE_THROWS_AS(vl::io::save(vl::sum(a), folder.file("o.nii")), vl::UserError);
  REQUIRE_THROWS_WITH(a + b, Catch::Contains("8") && Catch::Contains("9"));
  REQUIRE_THROWS_WITH(vl::io::save(a, folder.file("o.txt")), Catch::Contains(".nii"));
}

TEST_CASE("functions take arrays: an image in one is a user error, a variable in its place is not") {
  const Folder folder;
  write_image(folder.file("a.nii"), random_voxels({8, 8, 8}, vl::i16, 5));
  const Expr a = vl::io::open(folder.file("a.nii")).expr();
  REQUIRE_THROWS_WITH(vl::function({}, {a + 1}), Catch::Contains("reads the image \"a.nii\", but functions take arrays"));
  const Expr x = vl::image_input("x", vl::i16, {8, 8, 8}, {"x", "y", "z"});
  CHECK(vl::function({x}, {a + 1}, {.givens = {{a, x}}})(Array::zeros({8, 8, 8}, vl::i16))[0].rank() == 3);
}

TEST_CASE("an array as an image: any layout, a grid, in one expression with files") {
  const Folder folder;
  const vl::io::Matrix44 affine{{{2, 0, 0, -9}, {0, 2, 0, 4}, {0, 0, 3, 1}, {0, 0, 0, 1}}};
  const Array voxels = random_voxels({6, 5, 4, 3}, vl::i16, 71);
  for (const Array& layout : {voxels, voxels.copy(vl::Order::C), voxels.flip(1).copy().flip(1)}) {
    const vl::io::Image image = vl::io::from_array(layout, affine);
    REQUIRE(image.header().affine() == affine);
    REQUIRE(image.header().dims == std::vector<int64_t>{6, 5, 4, 3});
    vl::io::save(image.expr(), folder.file("a.nii"));
    REQUIRE(same_bits(read_image(folder.file("a.nii")), voxels));
    REQUIRE(vl::io::open(folder.file("a.nii")).header().affine() == affine);
    const auto both = vl::io::evaluate_many({image - vl::io::open(folder.file("a.nii"))});
    REQUIRE(same_bits(both[0], Array::zeros({6, 5, 4, 3}, vl::f32, vl::Order::F)));
  }
  REQUIRE_THROWS_AS(vl::io::from_array(Array::scalar(1.0f), affine), vl::UserError);
}

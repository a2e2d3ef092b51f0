// tests/api/array_file_test.cpp: expressions over .npy files: streamed results have the bits of the same expressions over arrays in memory.
#include <voxloom/api/voxloom.h>
#include <voxloom/io/npy.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

namespace vl = voxloom;
using vl::Array;
using vl::Expr;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "voxloom-npy-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

Array random_array(vl::Dims shape, vl::DType dtype, uint32_t seed, vl::Order order = vl::Order::C) {
  const Array a = Array::empty(shape, vl::f64, order);
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (double& v : a.span<double>(order)) v = uniform(rng);
  return a.cast(dtype, order);
}

std::string write_array(const std::string& path, const Array& a, vl::Order order = vl::Order::C) {
  const Array dense = a.copy(order);
  const auto* first = dense.raw();
  vl::io::write_npy(path, {a.dtype(), a.shape().vector(), order == vl::Order::F, {first, first + dense.bytes()}});
  return path;
}

[[maybe_unused]] Array read_array(const std::string& path) {
  const vl::io::NpyArray npy = vl::io::read_npy(path);
  const Array a = Array::empty(npy.shape, npy.dtype, npy.fortran ? vl::Order::F : vl::Order::C);
  std::memcpy(a.raw(), npy.data.data(), npy.data.size());
  return a;
}

/// The seed's logistic regression: cost, and its gradients by w and b.
std::vector<Expr> regression(const Expr& x, const Expr& y, const Expr& w, const Expr& b) {
  const Expr p = 1 / (1 + vl::exp(-vl::dot(x, w) - b));
  const Expr cost = vl::mean(-y * vl::log(p) - (1 - y) * vl::log(1 - p)) + 0.01f * vl::sum(w * w);
  std::vector<Expr> results{cost};
  for (const Expr& g : vl::grad(cost, {w, b})) results.push_back(g);
  return results;
}

}  // namespace

TEST_CASE("a logistic regression over a matrix in a file: one pass, the bits of the run in memory") {
  const Folder folder;
  const int64_t n = 20011, d = 100;
  const Array x = random_array({n, d}, vl::f32, 1), w0 = random_array({d}, vl::f32, 3);
  const Array y = (random_array({n}, vl::f32, 2)).cast(vl::f32);
  const vl::Shared w = vl::shared(w0, "w"), b = vl::shared(0.25f, "b"), labels = vl::shared(y, "y");
  const Expr xv = vl::matrix("X");
  const std::vector<Expr> in_memory = regression(xv, labels, w, b);
  const auto f = vl::function({xv}, {in_memory[0], in_memory[1], in_memory[2]});
  const std::vector<Array> expected = f.call({x});

  const vl::io::Image file = vl::io::open(write_array(folder.file("X.npy"), x));
  const vl::io::Image y_file = vl::io::open(write_array(folder.file("y.npy"), y));
  for (const Expr& target : {labels.expr(), y_file.expr()}) {
    const std::vector<Expr> values = regression(file, target, w, b);
    const std::string plan =
        vl::io::explain_save({{values[0], ""}, {values[1], ""}, {values[2], ""}}, {.memory = vl::MiB(1), .threads = 2});
    CHECK(plan.find("X.npy: read once in blocks along axis 0 of X.npy") != std::string::npos);
    CHECK(plan.find("pass 2") == std::string::npos);
    for (const int threads : {1, 2, 3, 8}) {
      for (const int64_t memory : {vl::MiB(1), vl::MiB(4), vl::MiB(64)}) {
        INFO("threads " << threads << ", memory " << memory);
        const auto results = vl::io::evaluate_many(values, {.memory = memory, .threads = threads});
        for (size_t k = 0; k < results.size(); ++k) CHECK(vl::same_bits(results[k], expected[k]));
      }
    }
  }
}

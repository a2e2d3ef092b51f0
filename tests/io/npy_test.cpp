// tests/io/npy_test.cpp: .npy and .npz: round trips, NumPy's own bytes, and damaged files.
#include "corpus.h"

#include <voxloom/io/npy.h>

#include <catch2/catch.hpp>

using namespace io_test;

namespace {

NpyArray make_array(DType dtype, std::vector<int64_t> shape, bool fortran) {
  NpyArray a;
  a.dtype = dtype;
  a.shape = std::move(shape);
  a.fortran = fortran;
  size_t n = size_of(dtype);
  for (const int64_t d : a.shape) n *= static_cast<size_t>(d);
  a.data = random_bytes(n, n);
  return a;
}

bool equal(const NpyArray& a, const NpyArray& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.fortran == b.fortran && a.data == b.data;
}

Bytes npy(const std::string& dict, const Bytes& data) {
  Bytes head = text_bytes(std::string_view("\x93NUMPY\x01\x00\x00\x00", 10));
  put<uint16_t>(head, 8, static_cast<uint16_t>(dict.size()));
  return head + text_bytes(dict) + data;
}

}  // namespace

TEST_CASE("npy: every dtype and shape comes back") {
  const TempDir dir;
  for (const DType dtype : {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, c64, c128}) {
    for (const auto& shape : std::vector<std::vector<int64_t>>{{}, {5}, {0, 3}, {2, 3, 4}}) {
      const NpyArray a = make_array(dtype, shape, shape.size() == 3);
      write_npy(dir / "a.npy", a);
      CHECK(equal(read_npy(dir / "a.npy"), a));
    }
  }
  const Bytes bytes = serialise_npy(make_array(f32, {3}, false));
  CHECK((bytes.size() - 12) % 64 == 0);  // NumPy aligns the data
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 10, 118);
  CHECK(text.rfind("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 0) == 0);
}

TEST_CASE("npy: what NumPy writes is read") {
  const Bytes two{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  const NpyArray big = parse_npy(npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }     \n", two), "a");
  CHECK(big.dtype == i16);
  CHECK(get<int16_t>(big.data, 0) == 0x0102);
  CHECK(parse_npy(npy("{\"shape\":(2L, 1L),\"fortran_order\":True,\"descr\":\"<u2\"}", two), "a").shape == std::vector<int64_t>{2, 1});
}

TEST_CASE("npy: damaged files are errors") {
  const Bytes data(16);
  const auto fails = [](const Bytes& bytes, const std::string& text) {
    const Outcome outcome = outcome_of([&] { parse_npy(bytes, "a.npy"); });
    INFO("said: " << outcome.text);
    CHECK(outcome.failed);
    CHECK(outcome.code == ErrorCode::bad_input);
    CHECK(contains(outcome.text, text));
  };
  fails(Bytes(5), "npy magic");
  fails(cut(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", data), 30), "truncated npy header");
  fails(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", data), "npy data = 16 bytes (allowed at least 24)");
  fails(npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", data), "descr = '|O'");
  fails(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 16)}", data), "shape = ");
  fails(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", data), "npy header");
  fails(npy("{'descr': '<f8', 'fortran_order': False}", data), "npy header");
  fails(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': __import__('os')}", data), "npy header");
  std::mt19937_64 random(1);
  const Bytes good = serialise_npy(make_array(f64, {3, 4}, true));
  for (int trial = 0; trial < 5000; ++trial) {
    Bytes bytes = good;
    bytes[random() % 140] = static_cast<std::byte>(random() & 0xff);
    try {
      parse_npy(bytes, "a.npy");
    } catch (const UserError&) {}
  }
}

TEST_CASE("npz: names and arrays come back; unzip finds no fault") {
  const TempDir dir;
  std::vector<NamedNpyArray> arrays{
      {"x", make_array(f32, {2, 3}, false)}, {"weights_1", make_array(i64, {}, false)}, {"e", make_array(u8, {0}, false)}};
  write_npz(dir / "a.npz", arrays);
  const auto got = read_npz(dir / "a.npz");
  REQUIRE(got.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(got[i].name == arrays[i].name);
    CHECK(equal(got[i].array, arrays[i].array));
  }
  if (std::system("python3 -c pass 2>/dev/null") == 0) {
    CHECK(std::system(("python3 -m zipfile -t '" + (dir / "a.npz") + "' > /dev/null").c_str()) == 0);
    const std::string script =
        "import sys, zipfile; src = zipfile.ZipFile(sys.argv[1]); "
        "dst = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED); "
        "[dst.writestr(n, src.read(n)) for n in src.namelist()]; dst.close()";
    REQUIRE(std::system(("python3 -c \"" + script + "\" '" + (dir / "a.npz") + "' '" + (dir / "b.npz") + "'").c_str()) == 0);
    const auto deflated = read_npz(dir / "b.npz");
    REQUIRE(deflated.size() == 3);
    CHECK(equal(deflated[0].array, arrays[0].array));
  }
}

TEST_CASE("npz: damaged archives are errors") {
  const TempDir dir;
  write_npz(dir / "a.npz", {{"x", make_array(f32, {20, 3}, false)}});
  const Bytes good = read_file(dir / "a.npz");
  std::mt19937_64 random(5);
  int refused = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    Bytes bytes = good;
    if (trial % 10 == 0) bytes.resize(random() % bytes.size());
    else bytes[random() % bytes.size()] ^= static_cast<std::byte>(1 + random() % 255);
    write_file(dir / "b.npz", bytes);
    const Outcome outcome = outcome_of([&] { read_npz(dir / "b.npz"); });
    if (outcome.failed) CHECK(outcome.code == ErrorCode::bad_input);
    refused += outcome.failed;
  }
  CHECK(refused > 500);
  write_file(dir / "b.npz", text_bytes("no archive at all, but long enough for one"));
  CHECK(contains(outcome_of([&] { read_npz(dir / "b.npz"); }).text, "format = no zip archive"));
}

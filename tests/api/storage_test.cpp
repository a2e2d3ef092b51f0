// tests/api/storage_test.cpp: what a save does beyond computing: the dtype in the file, warnings, refusals, one source per file.
#include <voxloom/voxloom.h>

#include <voxloom/api/storage.h>
#include <voxloom/io/source.h>
#include <voxloom/ops/variables.h>

#include <zlib.h>

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

namespace vl = voxloom;
using Catch::Matchers::Contains;
using vl::Array;
using vl::DType;
using vl::Expr;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("voxloom_storage_" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator()(const std::string& name) const { return path / name; }
};

template <class T> std::string write_image(const std::string& path, const std::vector<T>& values, DType dtype) {
  vl::io::NiftiHeader header;
  header.dims = {static_cast<int64_t>(values.size()), 1, 1};
  header.set_storage(dtype);
  vl::io::Warnings warnings;
  std::vector<std::byte> bytes = vl::io::serialise_nifti_header(header, path, warnings);
  const size_t start = bytes.size();
  bytes.resize(start + values.size() * sizeof(T));
  std::memcpy(bytes.data() + start, values.data(), values.size() * sizeof(T));
  if (path.ends_with(".gz")) {
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
  } else {
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  return path;
}

template <class T> std::vector<T> read_image(const std::string& path) {
  vl::io::Warnings warnings;
  const auto source = vl::io::open_source(path, {}, warnings);
  REQUIRE(vl::size_of(source->info().dtype) == sizeof(T));
  const auto box = vl::io::Box::whole(source->info().dims);
  std::vector<T> values(static_cast<size_t>(box.count()));
  source->read(box, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

/// What every integer dtype makes of values of type From.
template <class To, class From> void check_saturation(const Folder& folder, DType to, DType from, const std::vector<From>& values) {
  INFO(vl::name_of(from) << " to " << vl::name_of(to));
  write_image(folder("in.nii"), values, from);
  vl::io::save(vl::io::open(folder("in.nii")), folder("out.nii"), {.no_fsync = true, .dtype = to});
  std::vector<To> wanted;
  for (const From v : values) {
    if constexpr (std::is_integral_v<From>) {
      const __int128 wide = v;
      const __int128 low = std::numeric_limits<To>::min(), high = std::numeric_limits<To>::max();
      wanted.push_back(static_cast<To>(wide < low ? low : wide > high ? high : wide));
    } else {
      const double rounded = std::nearbyint(static_cast<double>(v));
      wanted.push_back(std::isnan(v)                                                    ? To{0}
                       : rounded <= static_cast<double>(std::numeric_limits<To>::min()) ? std::numeric_limits<To>::min()
                       : rounded >= static_cast<double>(std::numeric_limits<To>::max()) ? std::numeric_limits<To>::max()
                                                                                        : static_cast<To>(rounded));
    }
  }
  CHECK(read_image<To>(folder("out.nii")) == wanted);
}

template <class From> void check_all(const Folder& folder, DType from, const std::vector<From>& values) {
  if (from != vl::u8) check_saturation<uint8_t>(folder, vl::u8, from, values);
  if (from != vl::i8) check_saturation<int8_t>(folder, vl::i8, from, values);
  if (from != vl::i16) check_saturation<int16_t>(folder, vl::i16, from, values);
  if (from != vl::u16) check_saturation<uint16_t>(folder, vl::u16, from, values);
  if (from != vl::i32) check_saturation<int32_t>(folder, vl::i32, from, values);
  if (from != vl::u32) check_saturation<uint32_t>(folder, vl::u32, from, values);
  if (from != vl::i64) check_saturation<int64_t>(folder, vl::i64, from, values);
  if (from != vl::u64) check_saturation<uint64_t>(folder, vl::u64, from, values);
}

template <class T> std::vector<T> extremes() {
  using L = std::numeric_limits<T>;
  return {L::min(), static_cast<T>(L::min() + 1), T{0}, T{1}, T{100}, T{127}, static_cast<T>(128), static_cast<T>(L::max() - 1), L::max()};
}

}  // namespace

TEST_CASE("a narrower integer dtype of a file rounds to nearest and saturates", "[storage]") {
  const Folder folder;
  check_all<uint8_t>(folder, vl::u8, extremes<uint8_t>());
  check_all<int8_t>(folder, vl::i8, extremes<int8_t>());
  check_all<int16_t>(folder, vl::i16, extremes<int16_t>());
  check_all<uint16_t>(folder, vl::u16, extremes<uint16_t>());
  check_all<int32_t>(folder, vl::i32, extremes<int32_t>());
  check_all<uint32_t>(folder, vl::u32, extremes<uint32_t>());
  check_all<int64_t>(folder, vl::i64, extremes<int64_t>());
  check_all<uint64_t>(folder, vl::u64, extremes<uint64_t>());
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  check_all<float>(folder, vl::f32, {nan, inf, -inf, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 126.5F, 127.5F, 254.5F, 255.5F, 1e10F, -1e10F, 1e30F});
  check_all<double>(folder, vl::f64, {nan, inf, -inf, 0.5, 1.5, -2.5, 32767.5, -32768.5, 65535.5, 2147483647.5, 1e18, -1e18, 1e300});
}

TEST_CASE("a stored dtype is part of the kernel that computes", "[storage]") {
  const Folder folder;
  write_image(folder("a.nii"), extremes<int16_t>(), vl::i16);
  const auto a = vl::io::open(folder("a.nii"));
  const std::string text = vl::io::explain_save({{a / 2, folder("o.nii")}}, {.dtype = vl::u8});
  INFO(text);
  CHECK(text.find("Fused{") == text.rfind("Fused{"));
  const auto scalar = vl::io::evaluate_many({vl::max(a)}, {.dtype = vl::i8}).at(0);
  CHECK(scalar.dtype() == vl::i8);
  CHECK(scalar.item<int8_t>() == 127);
}

TEST_CASE("sums of integers are stored in the narrowest dtype that holds every result", "[storage]") {
  const auto storage = [](DType dtype, int64_t n) {
    const Expr x = vl::image_input("x", dtype, {n, 2, 2}, {"x", "y", "z"});
    return vl::detail::default_storage(vl::sum(x, "x"));
  };
  CHECK(storage(vl::boolean, 32767) == vl::i16);
  CHECK(storage(vl::boolean, 32768) == vl::i32);
  CHECK(storage(vl::u8, 128) == vl::i16);
  CHECK(storage(vl::u8, 129) == vl::i32);
  CHECK(storage(vl::i16, 1) == vl::i16);
  CHECK(storage(vl::i16, 65536) == vl::i32);
  CHECK(storage(vl::i16, 65537) == vl::i64);
  CHECK(storage(vl::i32, 2) == vl::i64);
  CHECK(storage(vl::i64, 2) == vl::i64);
  CHECK(storage(vl::u64, 2) == vl::u64);
  CHECK(storage(vl::f32, 2) == vl::f32);
  const Expr x = vl::image_input("x", vl::i16, {4, 2, 2}, {"x", "y", "z"});
  CHECK(vl::detail::default_storage(vl::flip(vl::sum(x, "x"), "y")) == vl::i32);
  CHECK(vl::detail::default_storage(vl::prod(x, "x")) == vl::i64);
}

TEST_CASE("what decoding finds reaches the log, the list, or is an error under strict", "[storage]") {
  const Folder folder;
  const std::string path = write_image(folder("a.nii.gz"), extremes<int16_t>(), vl::i16);
  std::ofstream(path, std::ios::binary | std::ios::app) << "garbage";
  const auto a = vl::io::open(path);
  std::vector<std::string> logged, listed;
  vl::set_log([&](vl::LogLevel level, std::string_view text) {
    if (level == vl::LogLevel::warning) logged.emplace_back(text);
  });
  vl::io::save(a + 1, folder("o.nii"), {.no_fsync = true});
  vl::set_log({});
  REQUIRE(logged.size() == 1);
  CHECK_THAT(logged[0], Contains("behind the gzip data"));
  const auto again = vl::io::open(path);
  vl::io::evaluate_many({vl::mean(again)}, {.warnings = &listed});
  REQUIRE(listed.size() == 1);
  CHECK(listed[0] == logged[0]);
  const auto lenient = vl::io::open(path);
  std::filesystem::remove(folder("o.nii"));
  CHECK_THROWS_WITH(vl::io::save(lenient + 1, folder("o.nii"), {.no_fsync = true, .strict = true}), Contains("strict"));
  CHECK(!std::filesystem::exists(folder("o.nii")));
}

TEST_CASE("one file under several names is read once", "[storage]") {
  const Folder folder;
  write_image(folder("a.nii.gz"), extremes<int16_t>(), vl::i16);
  std::filesystem::create_hard_link(folder("a.nii.gz"), folder("hard.nii.gz"));
  std::filesystem::create_symlink("a.nii.gz", folder("soft.nii.gz"));
  const auto a = vl::io::open(folder("a.nii.gz")), b = vl::io::open(folder("hard.nii.gz")), c = vl::io::open(folder("soft.nii.gz"));
  const Expr value = (a + b) * c;
  CHECK(vl::Graph::make({}, {value}).nodes().size() == vl::Graph::make({}, {(a + a) * a}).nodes().size());
  std::filesystem::copy_file(folder("a.nii.gz"), folder("copy.nii.gz"));
  const auto d = vl::io::open(folder("copy.nii.gz"));
  CHECK(vl::Graph::make({}, {a + d}).nodes().size() > vl::Graph::make({}, {a + a}).nodes().size());
  // A file written to in between is another file.
  write_image(folder("b.nii"), extremes<int16_t>(), vl::i16);
  const auto before = vl::io::open(folder("b.nii"));
  write_image(folder("b.nii"), std::vector<int16_t>(9, 1), vl::i16);
  std::filesystem::last_write_time(folder("b.nii"), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  const auto after = vl::io::open(folder("b.nii"));
  CHECK(vl::Graph::make({}, {before + after}).nodes().size() > vl::Graph::make({}, {before + before}).nodes().size());
}

TEST_CASE("an image with an empty axis is refused before anything is written", "[storage]") {
  const Folder folder;
  write_image(folder("a.nii"), extremes<int16_t>(), vl::i16);
  const auto a = vl::io::open(folder("a.nii"));
  const Expr nothing = vl::index(a.expr(), {vl::Slice{5, 2, {}}});
  CHECK_THROWS_WITH(vl::io::save(nothing, folder("o.nii")), Contains("no position along axis x"));
  CHECK(!std::filesystem::exists(folder("o.nii")));
}

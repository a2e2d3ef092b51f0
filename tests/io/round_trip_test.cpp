// tests/io/round_trip_test.cpp: every dtype, version, container and byte order comes back bit for bit.
#include "support.h"

#include <catch2/catch.hpp>

using namespace io_test;

namespace {

constexpr DType all_types[] = {u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, c64, c128};

// Turns a native single file into one of the other byte order by hand.
Bytes byte_swapped(Bytes file, int version, DType dtype, int64_t voxels) {
  const auto swap_fields = [&](size_t at, size_t count, size_t size) { swap_elements(file.data() + at, count, size); };
  swap_fields(0, 1, 4);
  size_t offset = 0;
  if (version == 1) {
    offset = static_cast<size_t>(get<float>(file, 108));
    swap_fields(32, 1, 4);
    swap_fields(36, 1, 2);
    swap_fields(40, 8, 2);
    swap_fields(56, 3, 4);
    swap_fields(68, 4, 2);
    swap_fields(76, 11, 4);
    swap_fields(120, 1, 2);
    swap_fields(124, 6, 4);
    swap_fields(252, 2, 2);
    swap_fields(256, 18, 4);
  } else {
    offset = static_cast<size_t>(get<int64_t>(file, 168));
    swap_fields(12, 2, 2);
    swap_fields(16, 28, 8);
    swap_fields(344, 2, 4);
    swap_fields(352, 18, 8);
    swap_fields(496, 3, 4);
  }
  const size_t parts = is_complex(dtype) ? 2 : 1;
  swap_elements(file.data() + offset, static_cast<size_t>(voxels) * parts, size_of(dtype) / parts);
  return file;
}

}  // namespace

TEST_CASE("every dtype, version and container round-trips bit for bit") {
  const TempDir dir;
  uint64_t seed = 1;
  for (const DType dtype : all_types) {
    for (const int version : {1, 2}) {
      for (const char* suffix : {".nii", ".nii.gz", ".hdr", ".img.gz"}) {
        const NiftiHeader header = make_header({5, 4, 3, 2}, dtype, version);
        const Bytes voxels = random_bytes(120 * size_of(dtype), ++seed);  // random bits hold every kind of NaN sooner or later
        const std::string path = dir / ("image" + std::string(suffix));
        INFO(name_of(dtype) << " NIfTI-" << version << " " << suffix);
        save(path, header, voxels);
        Warnings warnings;
        auto source = open_source(path, {}, warnings);
        CHECK(warnings.empty());
        CHECK(source->header()->version == version);
        CHECK(source->info().dtype == dtype);
        CHECK_FALSE(source->info().swapped);
        CHECK(source->info().dims == header.dims);
        CHECK(load(*source) == voxels);
      }
    }
  }
}

TEST_CASE("files of the other byte order deliver their bytes and say that they are swapped") {
  const TempDir dir;
  uint64_t seed = 1000;
  for (const DType dtype : all_types) {
    for (const int version : {1, 2}) {
      NiftiHeader header = make_header({5, 4, 3, 2}, dtype, version);
      header.srow = {{{-2, 0, 0.25, 10}, {0, 3, 0, -20}, {0, 0.5, 4, 30}}};
      header.sform_code = 2;
      header.descrip = "words";
      Bytes voxels = random_bytes(120 * size_of(dtype), ++seed);
      save(dir / "native.nii", header, voxels);
      write_file(dir / "swapped.nii", byte_swapped(read_file(dir / "native.nii"), version, dtype, 120));
      INFO(name_of(dtype) << " NIfTI-" << version);
      Warnings warnings;
      auto source = open_source(dir / "swapped.nii", {}, warnings);
      CHECK(warnings.empty());
      CHECK(source->header()->swapped);
      CHECK(source->info().swapped == (size_of(dtype) > 1));
      CHECK(source->header()->affine() == header.affine());
      CHECK(source->header()->pixdim == header.pixdim);
      CHECK(source->header()->descrip == "words");
      const size_t parts = is_complex(dtype) ? 2 : 1;
      swap_elements(voxels.data(), 120 * parts, size_of(dtype) / parts);
      CHECK(load(*source) == voxels);
    }
  }
}

TEST_CASE("boxes are cut and put together in any order") {
  const TempDir dir;
  const std::vector<int64_t> dims{7, 6, 5, 4};
  const Bytes voxels = random_bytes(7 * 6 * 5 * 4 * 2, 5);
  Warnings warnings;
  auto sink = create_sink(dir / "a.nii", make_header(dims, i16), {}, warnings);
  std::mt19937 random(3);
  for (int64_t t = 3; t >= 0; --t) {  // backwards, in slabs of z
    for (const auto& [z0, z1] : {std::pair<int64_t, int64_t>{2, 5}, {0, 2}}) {
      const Box box{{0, 0, z0, t}, {7, 6, z1 - z0, 1}};
      sink->write(box, voxels.data() + ((t * 5 + z0) * 42) * 2);
    }
  }
  sink->commit();
  CHECK(load(dir / "a.nii") == voxels);
  save(dir / "b.nii.gz", make_header(dims, i16), voxels);
  for (const char* name : {"a.nii", "b.nii.gz"}) {
    auto source = open_source(dir / name, {}, warnings);
    for (int trial = 0; trial < 60; ++trial) {
      Box box;
      for (const int64_t d : dims) {
        const auto start = static_cast<int64_t>(random() % static_cast<uint64_t>(d));
        box.start.push_back(start);
        box.extent.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(d - start + 1)));
      }
      Bytes got(static_cast<size_t>(box.count()) * 2), want;
      source->read(box, got.data());
      for (int64_t t = 0; t < box.extent[3]; ++t)
        for (int64_t z = 0; z < box.extent[2]; ++z)
          for (int64_t y = 0; y < box.extent[1]; ++y)
            for (int64_t x = 0; x < box.extent[0]; ++x) {
              const auto at =
                  static_cast<size_t>((((t + box.start[3]) * 5 + z + box.start[2]) * 6 + y + box.start[1]) * 7 + x + box.start[0]);
              want.push_back(voxels[2 * at]);
              want.push_back(voxels[2 * at + 1]);
            }
      REQUIRE(got == want);
    }
  }
}

TEST_CASE("a compressed source counts its passes and skips forward within one") {
  const TempDir dir;
  const Bytes voxels = random_bytes(64 * 64 * 8 * 10, 9);
  save(dir / "a.nii.gz", make_header({64, 64, 8, 10}, u8), voxels);
  Warnings warnings;
  auto source = open_source(dir / "a.nii.gz", {}, warnings);
  CHECK(source->info().in_order_only);
  CHECK(source->info().stream_axis == 3);
  CHECK(source->passes() == 0);
  Bytes volume(64 * 64 * 8);
  for (const int64_t t : {0, 1, 5, 9}) {
    source->read({{0, 0, 0, t}, {64, 64, 8, 1}}, volume.data());
    REQUIRE(std::equal(volume.begin(), volume.end(), voxels.begin() + t * 64 * 64 * 8));
  }
  CHECK(source->passes() == 1);
  CHECK(source->bytes_read() == static_cast<uint64_t>(source->info().disk_bytes));
  source->read({{0, 0, 0, 3}, {64, 64, 8, 1}}, volume.data());
  CHECK(source->passes() == 2);
  source->rewind();
  source->read({{0, 0, 0, 0}, {64, 64, 8, 1}}, volume.data());
  CHECK(source->passes() == 3);
  CHECK(std::equal(volume.begin(), volume.end(), voxels.begin()));
}

TEST_CASE("compressed bytes do not depend on the threads, and every level comes back") {
  const TempDir dir;
  Bytes voxels = random_bytes(5'300'000, 77);
  for (size_t i = 0; i < voxels.size(); i += 3) voxels[i] = std::byte{0};
  const NiftiHeader header = make_header({100, 100, 530}, u8);
  for (const int level : {0, 1, 2, 3, 4, 6, 9}) {
    SinkOptions options;
    options.gzip_level = level;
    options.no_fsync = true;
    Bytes first;
    for (const int threads : {0, 1, 3}) {
      options.threads = threads;
      save(dir / "a.nii.gz", header, voxels, options);
      const Bytes file = read_file(dir / "a.nii.gz");
      if (threads == 0) first = file;
      else CHECK(file == first);
    }
    INFO("level " << level);
    CHECK(load(dir / "a.nii.gz") == voxels);
    CHECK(std::system(("gzip -t " + (dir / "a.nii.gz")).c_str()) == 0);
  }
}

TEST_CASE("RGB is a trailing axis and 128-bit floats become 64-bit ones") {
  const TempDir dir;
  NiftiHeader rgb = make_header({3, 2, 2}, u8);
  rgb.datatype = 128;
  rgb.form = VoxelForm::channels;
  rgb.channels = 3;
  Bytes planes = random_bytes(36, 4);
  for (const char* name : {"rgb.nii", "rgb.nii.gz"}) {
    save(dir / name, rgb, planes);
    Warnings warnings;
    auto source = open_source(dir / name, {}, warnings);
    CHECK(source->info().dims == std::vector<int64_t>{3, 2, 2, 3});
    CHECK(source->info().stream_axis == 2);
    CHECK(load(*source) == planes);
    Bytes green(12);
    source->read({{0, 0, 0, 1}, {3, 2, 2, 1}}, green.data());
    CHECK(std::equal(green.begin(), green.end(), planes.begin() + 12));
  }
  const Bytes file = read_file(dir / "rgb.nii");
  CHECK(file[352 + 0] == planes[0]);
  CHECK(file[352 + 1] == planes[12]);
  CHECK(file[352 + 2] == planes[24]);

  Bytes wide = read_file(dir / "rgb.nii");
  wide.resize(352 + 4 * 16);
  put<int16_t>(wide, 40, 1);
  put<int16_t>(wide, 42, 4);
  put<int16_t>(wide, 70, 1536);
  put<int16_t>(wide, 72, 128);
  const long double values[4] = {1.5L, -0.1L, 1e300L * 1e300L, 0x1p-1074L};
  for (size_t i = 0; i < 4; ++i) {
    std::memset(wide.data() + 352 + 16 * i, 0, 16);
    std::memcpy(wide.data() + 352 + 16 * i, &values[i], 10);
  }
  write_file(dir / "wide.nii", wide);
  Warnings warnings;
  const Bytes got = load(dir / "wide.nii", &warnings);
  CHECK(warnings.size() == 1);
  for (size_t i = 0; i < 4; ++i) CHECK(get<double>(got, 8 * i) == static_cast<double>(values[i]));
  // IEEE binary128: 1 + 2^-112 rounds to 1, the pattern of pi to pi.
  const uint64_t quads[8] = {1, 0x3fff000000000000, 0x8469898cc51701b8, 0x4000921fb54442d1, 0, 0x7fff000000000000, 0, 0xbffe000000000000};
  std::memcpy(wide.data() + 352, quads, sizeof quads);
  write_file(dir / "wide.nii", wide);
  const Bytes quad = load(dir / "wide.nii");
  CHECK(get<double>(quad, 0) == 1.0);
  CHECK(get<double>(quad, 8) == 3.141592653589793);
  CHECK(get<double>(quad, 16) == HUGE_VAL);
  CHECK(get<double>(quad, 24) == -0.5);
  // Halfway cases go to the even neighbour; the smallest subnormal and what is below its half.
  const uint64_t ties[8] = {uint64_t{1} << 59, 0x3fff000000000000, uint64_t{3} << 59, 0x3fff000000000000, 0, 0x3bcd000000000000, 0,
                            0x3bcc000000000000};
  std::memcpy(wide.data() + 352, ties, sizeof ties);
  write_file(dir / "wide.nii", wide);
  const Bytes tie = load(dir / "wide.nii");
  CHECK(get<double>(tie, 0) == 1.0);
  CHECK(get<double>(tie, 8) == 1.0 + 0x1p-51);
  CHECK(get<double>(tie, 16) == 0x1p-1074);
  CHECK(get<double>(tie, 24) == 0.0);
}

TEST_CASE("one to seven axes, and NIfTI-2 where a dim needs it") {
  const TempDir dir;
  for (size_t rank = 1; rank <= 7; ++rank) {
    const std::vector<int64_t> dims(rank, 2);
    const Bytes voxels = random_bytes((size_t{1} << rank) * 2, rank);
    save(dir / "r.nii", make_header(dims, i16), voxels);
    CHECK(load(dir / "r.nii") == voxels);
    Warnings warnings;
    CHECK(read_nifti_header(dir / "r.nii", {}, warnings).dims == dims);
  }
  Warnings warnings;
  auto sink = create_sink(dir / "long.nii", make_header({32768}, u8), {}, warnings);
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0], "dim[1] = 32768 does not fit NIfTI-1"));
  CHECK(sink->header()->version == 2);
  const Bytes voxels = random_bytes(32768, 2);
  sink->write(Box::whole({32768}), voxels.data());
  sink->commit();
  CHECK(load(dir / "long.nii") == voxels);
}

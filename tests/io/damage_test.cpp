// tests/io/damage_test.cpp: random damage: flipped bytes of compressed files are never accepted silently, flipped headers never crash.
#include "corpus.h"

#include <catch2/catch.hpp>

using namespace io_test;

TEST_CASE("500 flipped bits in compressed files: right voxels or an error") {
  const TempDir dir;
  Bytes voxels = random_bytes(40 * 40 * 20 * 2, 8);
  for (size_t i = 0; i < voxels.size(); ++i) {
    if (i % 5 != 0) voxels[i] = std::byte{7};
  }
  const Bytes image = header_bytes(1, {40, 40, 20}, 4, 16) + voxels;
  const Bytes other = gzipped(image, 9);
  SinkOptions options;
  options.no_fsync = true;
  save(dir / "own.nii.gz", make_header({40, 40, 20}, i16), voxels, options);
  const Bytes own = read_file(dir / "own.nii.gz");
  std::mt19937_64 random(12345);
  int refused = 0;
  for (int trial = 0; trial < 500; ++trial) {
    Bytes bytes = trial % 2 == 0 ? own : other;
    const auto bit = random() % (bytes.size() * 8);
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    write_file(dir / "flip.nii.gz", bytes);
    const Outcome outcome = outcome_of([&] {
      Warnings warnings;
      if (load(dir / "flip.nii.gz", &warnings) != voxels) throw std::runtime_error("accepted");
    });
    INFO("bit " << bit << " of file " << trial % 2 << ": " << outcome.text);
    if (outcome.failed) {
      ++refused;
      CHECK((outcome.code == ErrorCode::bad_input || outcome.code == ErrorCode::limit));
    }
  }
  CHECK(refused > 480);
}

TEST_CASE("20 000 damaged headers end in a header or a UserError") {
  Bytes base[2] = {sample_image(1), sample_image(2)};
  for (int v = 0; v < 2; ++v) {
    Bytes area(4 + 64);
    area[0] = std::byte{1};
    put<int32_t>(area, 4, 32);
    put<int32_t>(area, 36, 32);
    const size_t fixed = v == 0 ? 348 : 540;
    base[v] = cut(base[v], fixed) + area + sample_voxels();
    if (v == 0) put<float>(base[v], nifti1.vox_offset, static_cast<float>(fixed + area.size()));
    else put<int64_t>(base[v], nifti2.vox_offset, static_cast<int64_t>(fixed + area.size()));
  }
  std::mt19937_64 random(99);
  int accepted = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    Bytes bytes = base[trial % 2];
    const size_t changes = 1 + random() % 4;
    for (size_t i = 0; i < changes; ++i) {
      const uint64_t interesting[] = {0, 0xff, 0x7f, 0x80, random() & 0xff};
      bytes[random() % bytes.size()] = static_cast<std::byte>(interesting[random() % 5]);
    }
    if (random() % 20 == 0) bytes.resize(random() % bytes.size());
    Warnings warnings;
    const HeaderContext context{"fuzz.nii", static_cast<int64_t>(bytes.size()), false, false};
    try {
      NiftiHeader header =
          parse_nifti_header(std::span<const std::byte>(bytes).first(std::min(bytes.size(), largest_fixed_header)), context, warnings);
      size_t at = header.version == 1 ? 348 : 540;
      read_extensions(header, context, warnings, [&](std::byte* dst, size_t n) {
        n = std::min(n, bytes.size() - at);
        std::memcpy(dst, bytes.data() + at, n);
        at += n;
        return n;
      });
      if (!header.pair) REQUIRE(header.vox_offset + header.data_bytes() <= static_cast<int64_t>(bytes.size()));
      header.affine();
      orientation_of(header.affine());
      ++accepted;
    } catch (const UserError& e) { REQUIRE(e.code() == ErrorCode::bad_input); }
  }
  CHECK(accepted > 1000);
}

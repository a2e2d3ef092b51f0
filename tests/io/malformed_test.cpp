// tests/io/malformed_test.cpp: damaged and hostile files: each must fail with the right class and name the field, or be read rightly with
// a warning.
#include "corpus.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <limits>

using namespace io_test;

namespace {

constexpr float nan_f = std::numeric_limits<float>::quiet_NaN();
constexpr float inf_f = std::numeric_limits<float>::infinity();

struct Bad {
  const char* name;
  Bytes bytes;
  ErrorCode code;
  std::string text;  // part of the message
};

// The message must be "PATH: ...", one line, no control bytes.
void check_bad(const TempDir& dir, const Bad& bad, const std::string& file_name) {
  INFO(bad.name);
  const std::string path = dir / file_name;
  write_file(path, bad.bytes);
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = outcome_of([&] { load(path); });
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  INFO("said: " << outcome.text);
  REQUIRE(outcome.failed);
  CHECK(outcome.code == bad.code);
  CHECK(contains(outcome.text, bad.text));
  CHECK(outcome.text.rfind(path + ": ", 0) == 0);
  CHECK(std::none_of(outcome.text.begin(), outcome.text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
  CHECK(elapsed.count() < 5);  // a bound on hanging, not a figure
}

void check_bad(const TempDir& dir, const Bad& bad) { check_bad(dir, bad, "bad.nii"); }

// Read rightly, one warning that contains `text`; with strict the warning is an error.
void check_warned(const TempDir& dir, const char* name, const Bytes& bytes, const std::string& text, const Bytes& voxels = sample_voxels(),
                  const std::string& file_name = "odd.nii") {
  INFO(name);
  const std::string path = dir / file_name;
  write_file(path, bytes);
  Warnings warnings;
  Bytes got;
  REQUIRE_NOTHROW(got = load(path, &warnings));
  CHECK(got == voxels);
  REQUIRE(warnings.size() == 1);
  INFO("said: " << warnings[0]);
  CHECK(contains(warnings[0], text));
  CHECK(warnings[0].rfind(path + ": ", 0) == 0);
  const Outcome strict = outcome_of([&] { load(path, nullptr, true); });
  CHECK(strict.failed);
  CHECK(strict.code == ErrorCode::bad_input);
}

void check_right(const TempDir& dir, const char* name, const Bytes& bytes, const std::string& file_name = "right.nii") {
  INFO(name);
  write_file(dir / file_name, bytes);
  Warnings warnings;
  CHECK(load(dir / file_name, &warnings) == sample_voxels());
  CHECK(warnings.empty());
}

Bytes image_with_extensions(const std::vector<std::pair<int32_t, size_t>>& declared_and_real) {
  Bytes area(4);
  area[0] = std::byte{1};
  for (const auto& [declared, real] : declared_and_real) {
    Bytes extension(real);
    put<int32_t>(extension, 0, declared);
    put<int32_t>(extension, 4, 6);
    area.insert(area.end(), extension.begin(), extension.end());
  }
  while ((348 + area.size()) % 16 != 0) area.push_back(std::byte{0});
  Bytes image = cut(sample_image(), 348) + area + sample_voxels();
  put<float>(image, nifti1.vox_offset, static_cast<float>(348 + area.size()));
  return image;
}

int64_t peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("rows 1-6: truncated files say how much there is and how much is needed") {
  const TempDir dir;
  for (const size_t n : {0, 1, 100, 347}) {
    check_bad(dir,
              {"cut header", cut(sample_image(), n), ErrorCode::bad_input, "truncated header: " + std::to_string(n) + " of 348 bytes"});
  }
  check_bad(dir, {"cut NIfTI-2 header", cut(sample_image(2), 539), ErrorCode::bad_input, "truncated header: 539 of 540 bytes"});
  check_bad(dir, {"data cut by 1", cut(sample_image(), 399), ErrorCode::bad_input, "file size = 399 (allowed at least 400"});
  check_bad(dir, {"data cut by half", cut(sample_image(2), 568), ErrorCode::bad_input, "file size = 568 (allowed at least 592"});
  check_bad(dir,
            {"offset beyond the end", with<float>(sample_image(), nifti1.vox_offset, 100000), ErrorCode::bad_input, "file size = 400"});
}

TEST_CASE("rows 7-15: dims") {
  const TempDir dir;
  for (const int rank : {0, 8, -50, 200}) {
    const std::string text = "dim[0] = " + std::to_string(rank) + " (allowed 1 to 7";
    check_bad(dir, {"rank 1", with<int16_t>(sample_image(), nifti1.dim, static_cast<int16_t>(rank)), ErrorCode::bad_input, text});
    check_bad(dir, {"rank 2", with<int64_t>(sample_image(2), nifti2.dim, rank), ErrorCode::bad_input, text});
  }
  for (const int d : {-4, 0}) {
    const std::string text = "dim[2] = " + std::to_string(d) + " (allowed 1 or more)";
    check_bad(dir, {"dim 1", with<int16_t>(sample_image(), nifti1.dim + 4, static_cast<int16_t>(d)), ErrorCode::bad_input, text});
    check_bad(dir, {"dim 2", with<int64_t>(sample_image(2), nifti2.dim + 16, d), ErrorCode::bad_input, text});
  }
  const int64_t before = peak_kib();
  check_bad(dir,
            {"overflow", header_bytes(2, {int64_t{1} << 40, int64_t{1} << 40}, 4, 16), ErrorCode::bad_input, "a product below 2^63 bytes"});
  check_bad(dir, {"wraps to 16", header_bytes(2, {(int64_t{1} << 62) + 4, 4}, 2, 8), ErrorCode::bad_input,
                  "dim[1..2] = 4611686018427387908 x 4"});
  check_bad(dir, {"17 GB in 608 bytes", cut(header_bytes(2, {1 << 16, 1 << 16, 4}, 2, 8), 608), ErrorCode::bad_input, "file size = 608"});
  check_bad(dir, {"17 GB, compressed", gzipped(header_bytes(2, {1 << 16, 1 << 16, 4}, 2, 8)), ErrorCode::bad_input, "compressed"},
            "bad.nii.gz");
  CHECK(peak_kib() - before < 8 * 1024);
}

TEST_CASE("rows 16-17: datatype and bitpix") {
  const TempDir dir;
  check_warned(dir, "bitpix", with<int16_t>(sample_image(), nifti1.bitpix, 8), "bitpix = 8");
  for (const int code : {0, 1, 255, 9999}) {
    check_bad(dir, {"datatype", with<int16_t>(sample_image(), nifti1.datatype, static_cast<int16_t>(code)), ErrorCode::bad_input,
                    "datatype = " + std::to_string(code) + " (allowed 2 4 8"});
  }
}

TEST_CASE("rows 18-24: vox_offset") {
  const TempDir dir;
  const auto offset = [](float value) { return with<float>(sample_image(), nifti1.vox_offset, value); };
  check_bad(dir, {"NaN", offset(nan_f), ErrorCode::bad_input, "vox_offset = nan (allowed"});
  check_bad(dir, {"Inf", offset(inf_f), ErrorCode::bad_input, "vox_offset = inf (allowed"});
  check_bad(dir, {"1e30", offset(1e30F), ErrorCode::bad_input, "vox_offset = "});
  check_bad(dir, {"-5", offset(-5), ErrorCode::bad_input, "vox_offset = -5 (allowed 352 or more)"});
  check_bad(dir, {"10", offset(10), ErrorCode::bad_input, "vox_offset = 10 (allowed 352 or more)"});
  check_bad(dir, {"352.7", offset(352.7F), ErrorCode::bad_input, "vox_offset = 352.7"});
  check_bad(dir, {"NIfTI-2 negative", with<int64_t>(sample_image(2), nifti2.vox_offset, -1), ErrorCode::bad_input,
                  "vox_offset = -1 (allowed 544 or more)"});
  check_bad(dir, {"NIfTI-2 huge", with<int64_t>(sample_image(2), nifti2.vox_offset, INT64_MAX), ErrorCode::bad_input, "file size"});
  check_warned(dir, "0", offset(0), "vox_offset = 0");
  check_warned(dir, "NIfTI-2 0", with<int64_t>(sample_image(2), nifti2.vox_offset, 0), "544 is used");
}

TEST_CASE("rows 25-28: scaling") {
  const TempDir dir;
  const auto scaling = [&](float slope, float inter) {
    return with<float>(with<float>(sample_image(), nifti1.slope, slope), nifti1.inter, inter);
  };
  const auto info = [&](const Bytes& bytes) {
    write_file(dir / "s.nii", bytes);
    Warnings warnings;
    return open_source(dir / "s.nii", {}, warnings)->info();
  };
  check_warned(dir, "slope NaN", scaling(nan_f, 0), "scl_slope = nan");
  check_warned(dir, "slope Inf", scaling(inf_f, 0), "scl_slope = inf");
  check_warned(dir, "inter NaN", scaling(2, nan_f), "scl_inter = nan");
  check_right(dir, "slope 0", scaling(0, 5));
  CHECK_FALSE(info(scaling(nan_f, 3)).scaled);
  CHECK_FALSE(info(scaling(0, 5)).scaled);
  CHECK_FALSE(info(scaling(1, 0)).scaled);
  const SourceInfo scaled = info(scaling(0.5F, -2));
  CHECK(scaled.scaled);
  CHECK(scaled.slope == 0.5);
  CHECK(scaled.inter == -2);
  CHECK(info(scaling(2, nan_f)).inter == 0);
}

TEST_CASE("rows 29-33: magic, size and byte order of the header") {
  const TempDir dir;
  Bytes bytes = sample_image();
  std::memcpy(bytes.data() + nifti1.magic, "XYZ", 4);
  check_bad(dir, {"magic", bytes, ErrorCode::bad_input, "magic = \"XYZ\\x00\" (allowed \"n+1\""});
  std::memcpy(bytes.data() + nifti1.magic, "n+3", 4);
  check_bad(dir, {"n+3", bytes, ErrorCode::bad_input, "magic = \"n+3"});
  bytes = sample_image(2);
  bytes[nifti2.magic + 5] = std::byte{'\r'};  // newlines converted by a text-mode transfer
  check_bad(dir, {"damaged newline", bytes, ErrorCode::bad_input, "magic = \"n+2"});
  check_bad(dir, {"sizeof_hdr", with<int32_t>(sample_image(), 0, 0), ErrorCode::bad_input, "sizeof_hdr = 0 (allowed 348 or 540"});
  check_bad(dir, {"mixed byte order", with<int32_t>(sample_image(), 0, __builtin_bswap32(348)), ErrorCode::bad_input, "dim[0] = "});
  check_bad(dir,
            {"mixed byte order", with<int32_t>(sample_image(2), 0, __builtin_bswap32(540)), ErrorCode::bad_input, "byte order differs"});
  bytes = sample_image();
  std::memcpy(bytes.data() + nifti1.magic, "ni1", 4);
  check_bad(dir, {"pair in a single file", bytes, ErrorCode::bad_input, "magic = "});
}

TEST_CASE("rows 34-37: damaged extensions are dropped, the voxels are right") {
  const TempDir dir;
  check_warned(dir, "-16", image_with_extensions({{-16, 16}}), "esize = -16");
  check_warned(dir, "17", image_with_extensions({{17, 32}}), "esize = 17");
  check_warned(dir, "huge", image_with_extensions({{0x70000000, 32}}), "esize = 1879048192");
  check_warned(dir, "too long by 16", image_with_extensions({{32, 16}}), "esize = 32");
  check_right(dir, "two good ones", image_with_extensions({{16, 16}, {48, 48}}));
  Warnings warnings;
  const NiftiHeader header = read_nifti_header(dir / "right.nii", {}, warnings);
  REQUIRE(header.extensions.size() == 2);
  CHECK(header.extensions[0].code == 6);
  CHECK(header.extensions[0].data.size() == 8);
  CHECK(header.extensions[1].data.size() == 40);

  const Bytes many = image_with_extensions(std::vector<std::pair<int32_t, size_t>>(80'000, {16, 16}));
  check_warned(dir, "80 000", many, "beyond number 4096");
  check_warned(dir, "80 000 compressed", gzipped(many), "beyond number 4096", sample_voxels(), "many.nii.gz");
  CHECK(read_nifti_header(dir / "many.nii.gz", {}, warnings).extensions.size() == 4096);
}

TEST_CASE("row 38: other formats are named, not guessed at") {
  const TempDir dir;
  check_bad(dir, {"ASCII", text_bytes("<nifti_image\n  image_filename = '/etc/passwd'\n/>") + Bytes(400), ErrorCode::bad_input,
                  "format = NIfTI ASCII"});
  Bytes dicom(400);
  std::memcpy(dicom.data() + 128, "DICM", 4);
  check_bad(dir, {"DICOM", dicom, ErrorCode::bad_input, "format = DICOM; convert it with dcm2niix (allowed NIfTI-1 or NIfTI-2"});
  check_bad(dir, {"NRRD", text_bytes("NRRD0004\n") + Bytes(400), ErrorCode::bad_input, "format = NRRD"});
  check_bad(dir, {"zstd", text_bytes("\x28\xb5\x2f\xfd") + Bytes(400), ErrorCode::bad_input, "zstd -d"});
}

TEST_CASE("rows 39-46: damaged and unusual gzip data") {
  const TempDir dir;
  const Bytes image = header_bytes(1, {50, 50, 10}, 4, 16) + random_bytes(50'000, 1);
  const Bytes good = gzipped(image);
  for (const size_t n : {size_t{5}, size_t{30}, good.size() / 2, good.size() - 9, good.size() - 8, good.size() - 4, good.size() - 1}) {
    check_bad(dir, {"cut", cut(good, n), ErrorCode::bad_input, "gzip data = "}, "bad.nii.gz");
  }
  Bytes bytes = good;
  bytes[good.size() - 8] ^= std::byte{1};
  check_bad(dir, {"CRC", bytes, ErrorCode::bad_input, "a wrong CRC or length of the data near byte"}, "bad.nii.gz");
  bytes = good;
  bytes[good.size() - 1] ^= std::byte{1};
  check_bad(dir, {"ISIZE", bytes, ErrorCode::bad_input, "a wrong CRC or length of the data near byte"}, "bad.nii.gz");
  bytes = good;
  for (size_t i = 0; i < 64; ++i) bytes[good.size() / 2 + i] ^= std::byte{0x55};
  check_bad(dir, {"64 bytes", bytes, ErrorCode::bad_input, "gzip data = "}, "bad.nii.gz");
  check_bad(dir, {"stream shorter than declared", gzipped(cut(image, 1000)), ErrorCode::bad_input, "decompressed size = 1000"},
            "bad.nii.gz");

  const Bytes sample = sample_image();
  const Bytes head(sample.begin(), sample.begin() + 370), tail(sample.begin() + 370, sample.end());
  check_right(dir, "two members", gzipped(head) + gzipped(tail), "right.nii.gz");
  check_right(dir, "zero padding", gzipped(sample) + Bytes(1000), "right.nii.gz");
  check_warned(dir, "garbage", gzipped(sample) + text_bytes("garbage"), "bytes behind the gzip data", sample_voxels(), "odd.nii.gz");
  check_warned(dir, "surplus", gzipped(sample + Bytes(1000)), "1000 decompressed bytes", sample_voxels(), "odd.nii.gz");
  check_warned(dir, "plain named .gz", sample, "not gzip data in spite of its name", sample_voxels(), "odd.nii.gz");
  check_warned(dir, "gzip named .nii", gzipped(sample), "gzip data without .gz", sample_voxels(), "odd.nii");
}

TEST_CASE("row 47-48: bombs stop early") {
  const TempDir dir;
  const Bytes bomb = gzipped(sample_image() + Bytes(64 << 20), 9);
  check_bad(dir, {"behind the voxels", bomb, ErrorCode::limit, "decompressed size = more than"}, "bad.nii.gz");
  // A compressed file whose extension area claims, and delivers, far more than the file's own size.
  Bytes header = cut(sample_image(), 348) + Bytes(4);
  header[348] = std::byte{1};
  Bytes extension(48 << 20);
  put<int32_t>(extension, 0, static_cast<int32_t>(extension.size()));
  put<float>(header, nifti1.vox_offset, static_cast<float>(352 + extension.size()));
  const int64_t before = peak_kib();
  write_file(dir / "ext.nii.gz", gzipped(header + extension + sample_voxels(), 9));
  Warnings warnings;
  const int64_t made = peak_kib();
  CHECK(load(dir / "ext.nii.gz", &warnings) == sample_voxels());
  REQUIRE(warnings.size() == 2);
  CHECK(contains(warnings[0], "beyond 2^24"));
  CHECK(contains(warnings[1], "bytes of extensions"));
  CHECK(peak_kib() - made < 16 * 1024);
  CHECK(made >= before);
}

TEST_CASE("rows 52-55: pairs") {
  const TempDir dir;
  const Bytes header = header_bytes(1, {4, 3, 2}, 4, 16, true);
  const auto fails = [&](const std::string& path, ErrorCode code, const std::string& text) {
    const Outcome outcome = outcome_of([&] { load(path); });
    INFO("said: " << outcome.text);
    CHECK(outcome.failed);
    CHECK(outcome.code == code);
    CHECK(contains(outcome.text, text));
  };
  write_file(dir / "a.hdr", header);
  fails(dir / "a.hdr", ErrorCode::bad_input, "voxel file = " + (dir / "a.img") + ", which does not exist");
  write_file(dir / "a.img", cut(sample_voxels(), 47));
  fails(dir / "a.hdr", ErrorCode::bad_input, (dir / "a.img") + ": file size = 47 (allowed at least 48");
  write_file(dir / "a.img", sample_voxels());
  Warnings warnings;
  CHECK(load(dir / "a.hdr", &warnings) == sample_voxels());
  CHECK(load(dir / "a.img", &warnings) == sample_voxels());
  write_file(dir / "b.hdr.gz", gzipped(header));
  write_file(dir / "b.img", sample_voxels());
  CHECK(load(dir / "b.hdr.gz", &warnings) == sample_voxels());
  CHECK(load(dir / "b.img", &warnings) == sample_voxels());
  write_file(dir / "c.hdr", cut(header, 348));
  write_file(dir / "c.img.gz", gzipped(sample_voxels()));
  CHECK(load(dir / "c.hdr", &warnings) == sample_voxels());
  CHECK(warnings.empty());
  write_file(dir / "d.img", sample_voxels());
  fails(dir / "d.img", ErrorCode::bad_input, "header file = " + (dir / "d.hdr"));
}

TEST_CASE("rows 56-62: paths that are no images") {
  const TempDir dir;
  const auto fails = [&](const std::string& path, ErrorCode code, const std::string& text) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = outcome_of([&] { load(path); });
    INFO("said: " << outcome.text);
    CHECK(outcome.failed);
    CHECK(outcome.code == code);
    CHECK(contains(outcome.text, text));
    CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 2);
  };
  fs::create_directory(dir / "folder.nii");
  fails(dir / "folder.nii", ErrorCode::bad_input, "not a regular file but a directory");
  REQUIRE(mkfifo((dir / "fifo.nii").c_str(), 0600) == 0);
  fails(dir / "fifo.nii", ErrorCode::bad_input, "not a regular file but a FIFO");
  fails("/dev/zero", ErrorCode::bad_input, "not a regular file but a device");
  fs::create_symlink("nowhere.nii", dir / "dangling.nii");
  fails(dir / "dangling.nii", ErrorCode::file, "No such file or directory (errno 2)");
  fails(dir / "missing.nii", ErrorCode::file, "No such file or directory");
  write_file(dir / "good.nii", sample_image());
  fs::create_symlink("good.nii", dir / "link.nii");
  CHECK(load(dir / "link.nii") == sample_voxels());
  fails(dir / "line\nbreak\x1b[31m.nii", ErrorCode::file, "line\\nbreak\\x1b[31m.nii: cannot open");
  fails(std::string(5000, 'x') + ".nii", ErrorCode::file, "File name too long");
  fails(std::string("a\0b.nii", 7), ErrorCode::bad_input, "a\\x00b.nii");
  if (geteuid() != 0) {
    fs::permissions(dir / "good.nii", fs::perms::none);
    fails(dir / "good.nii", ErrorCode::file, "Permission denied");
  }
}

TEST_CASE("texts of a header cannot speak to the terminal") {
  const TempDir dir;
  Bytes bytes = sample_image();
  std::memcpy(bytes.data() + nifti1.descrip, "\x1b]0;title\x07 caf\xc3\xa9 \xff", 18);
  std::memset(bytes.data() + nifti1.descrip + 18, 'x', 62);  // not NUL-ended
  write_file(dir / "t.nii", bytes);
  Warnings warnings;
  const NiftiHeader header = read_nifti_header(dir / "t.nii", {}, warnings);
  CHECK(header.descrip.size() == 80);
  CHECK(escape_text(header.descrip).rfind("\\x1b]0;title\\x07 caf\xc3\xa9 \\xff", 0) == 0);
}

TEST_CASE("odd geometry is warned about and replaced") {
  const TempDir dir;
  check_warned(dir, "negative pixdim", with<float>(sample_image(), nifti1.pixdim + 4, -2), "pixdim[1] = -2");
  check_warned(dir, "NaN pixdim", with<float>(sample_image(), nifti1.pixdim + 8, nan_f), "pixdim[2] = nan");
  check_warned(dir, "singular sform", with<int16_t>(sample_image(), nifti1.sform_code, 1), "sform");
  Bytes bytes = with<int16_t>(sample_image(), nifti1.sform_code, 1);
  for (size_t i = 0; i < 3; ++i) put<float>(bytes, nifti1.srow + 20 * i, 2);
  check_right(dir, "good sform", bytes);
  put<float>(bytes, nifti1.srow + 12, inf_f);
  check_warned(dir, "infinite shift", bytes, "sform");
}

TEST_CASE("a file that shrinks while it is read is an error, not a crash") {
  const TempDir dir;
  write_file(dir / "a.nii", header_bytes(1, {100, 100, 10}, 4, 16) + random_bytes(200'000, 3));
  write_file(dir / "b.nii.gz", gzipped(header_bytes(1, {1000, 1000, 3}, 4, 16) + random_bytes(6'000'000, 3)));
  for (const char* name : {"a.nii", "b.nii.gz"}) {
    Warnings warnings;
    auto source = open_source(dir / name, {}, warnings);
    fs::resize_file(dir / name, 1000);
    const Outcome outcome = outcome_of([&] { load(*source); });
    CHECK(outcome.failed);
    CHECK(outcome.code == ErrorCode::file);
    CHECK(contains(outcome.text, "changed while reading"));
  }
}

// tests/io/npy_source_test.cpp: arrays in .npy files as sources and sinks of blocks: every dtype, both orders, byte orders, versions; bad files.
#include "corpus.h"

#include <voxloom/io/npy.h>
#include <voxloom/runtime/array.h>

#include <fcntl.h>
#include <unistd.h>
#include <catch2/catch.hpp>

using namespace io_test;

namespace {

Bytes npy(int version, const std::string& dict, const Bytes& data) {
  Bytes head = text_bytes(std::string_view("\x93NUMPY", 6));
  head.resize(version == 1 ? 10 : 12);
  head[6] = static_cast<std::byte>(version);
  if (version == 1) put<uint16_t>(head, 8, static_cast<uint16_t>(dict.size()));
  else put<uint32_t>(head, 8, static_cast<uint32_t>(dict.size()));
  return head + text_bytes(dict) + data;
}

std::string dict(const std::string& descr, bool fortran, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

std::shared_ptr<BlockSource> opened(const std::string& path) {
  Warnings warnings;
  auto source = open_source(path, {}, warnings);
  CHECK(warnings.empty());
  return source;
}

/// The box of a dense array, element by element.
Bytes box_of(const Bytes& data, const SourceInfo& info, const Box& box) {
  const auto item = static_cast<int64_t>(size_of(info.dtype));
  const auto from = dense_strides(info.dims, size_of(info.dtype), info.order == Order::F);
  const auto to = dense_strides(box.extent, size_of(info.dtype), info.order == Order::F);
  Bytes out(static_cast<size_t>(box.count() * item));
  for (int64_t n = 0; n < box.count(); ++n) {
    int64_t rest = n, source = 0, target = 0;
    for (size_t k = 0; k < box.extent.size(); ++k) {
      const int64_t index = rest % box.extent[k];
      rest /= box.extent[k];
      source += (box.start[k] + index) * from[k];
      target += index * to[k];
    }
    std::memcpy(out.data() + target, data.data() + source, static_cast<size_t>(item));
  }
  return out;
}

}  // namespace

TEST_CASE("npy source: boxes of every dtype and both orders") {
  const TempDir dir;
  std::mt19937_64 random(7);
  for (const DType dtype : {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, c64, c128}) {
    for (const bool fortran : {false, true}) {
      for (const auto& shape : std::vector<std::vector<int64_t>>{{}, {5}, {0, 3}, {7, 6}, {4, 1, 5, 3}}) {
        size_t n = size_of(dtype);
        for (const int64_t d : shape) n *= static_cast<size_t>(d);
        const Bytes data = random_bytes(n, n + 1);
        write_npy(dir / "a.npy", {dtype, shape, fortran, data});
        const auto source = opened(dir / "a.npy");
        const SourceInfo& info = source->info();
        CHECK((info.dtype == dtype && info.dims == shape && !info.swapped && !info.scaled && !info.in_order_only));
        CHECK(info.order == (fortran ? Order::F : Order::C));
        if (shape.size() > 1) CHECK(info.stream_axis == (fortran ? static_cast<int>(shape.size()) - 1 : 0));
        CHECK(source->header() == nullptr);
        for (int trial = 0; trial < 5; ++trial) {
          Box box = Box::whole(shape);
          for (size_t k = 0; trial > 0 && k < shape.size(); ++k) {
            if (shape[k] == 0) continue;
            box.start[k] = static_cast<int64_t>(random() % static_cast<uint64_t>(shape[k]));
            box.extent[k] = 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(shape[k] - box.start[k]));
          }
          Bytes got(static_cast<size_t>(box.count()) * size_of(dtype));
          source->will_need(box);
          source->read(box, got.data());
          CHECK(got == box_of(data, info, box));
        }
      }
    }
  }
}

TEST_CASE("npy source: versions, byte order, elements at odd places, bytes read once") {
  const TempDir dir;
  const Bytes data = random_bytes(24, 3);
  for (const int version : {1, 2, 3}) {
    for (const std::string pad : {"", " ", "  ", "   \n"}) {
      write_file(dir / "a.npy", npy(version, dict(">i4", false, "(3, 2)") + pad, data + Bytes(5)));  // NumPy too ignores what follows
      const auto source = opened(dir / "a.npy");
      CHECK(source->info().swapped);
      Bytes got(24);
      for (int64_t row = 0; row < 3; ++row) source->read({{row, 0}, {1, 2}}, got.data() + row * 8);
      CHECK(got == data);
      CHECK(source->bytes_read() == 24);
      CHECK(source->passes() == 1);
    }
  }
  write_file(dir / "b.npy", npy(1, dict(">u1", false, "(3,)"), Bytes(3)));
  CHECK_FALSE(opened(dir / "b.npy")->info().swapped);
  write_file(dir / "c.npy", npy(1, dict(">c16", true, "(1, 1)"), Bytes(16)));
  CHECK(opened(dir / "c.npy")->info().swapped);
}

TEST_CASE("npy source: files beyond 4 GiB") {
  const TempDir dir;
  constexpr int64_t rows = 700'000'001, row_bytes = 8;
  const Bytes head = npy(1, dict("<f4", false, "(700000001, 2)"), {});
  write_file(dir / "big.npy", head);
  const Bytes last = random_bytes(16, 1);
  const int fd = ::open((dir / "big.npy").c_str(), O_WRONLY);
  const auto begin = static_cast<int64_t>(head.size());
  REQUIRE(::pwrite(fd, last.data(), 16, begin + (rows - 2) * row_bytes) == 16);  // the rest is a hole
  ::close(fd);
  const auto source = opened(dir / "big.npy");
  CHECK(source->info().bytes == rows * row_bytes);
  Bytes got(24);
  source->read({{rows - 3, 0}, {3, 2}}, got.data());
  CHECK(got == Bytes(8) + last);
}

TEST_CASE("npy source: bad files") {
  const TempDir dir;
  const auto fails = [&](const Bytes& bytes, const std::string& text) {
    write_file(dir / "a.npy", bytes);
    const Outcome outcome = outcome_of([&] { opened(dir / "a.npy"); });
    INFO("said: " << outcome.text);
    CHECK((outcome.failed && outcome.code == ErrorCode::bad_input));
    CHECK(contains(outcome.text, dir / "a.npy"));
    CHECK(contains(outcome.text, text));
    CHECK_FALSE(contains(outcome.text, "\n"));
  };
  const Bytes data(16);
  const Bytes good = npy(1, dict("<f8", false, "(2,)"), data);
  fails(cut(good, 6), "truncated npy header: 6 of 10 bytes");
  fails(cut(good, 30), "truncated npy header: 30 of " + std::to_string(good.size() - 16) + " bytes");
  fails(cut(npy(2, "", {}), 11), "truncated npy header: 11 of 12 bytes");
  fails(cut(good, good.size() - 1), "npy data = 15 bytes (allowed at least 16)");
  fails(cut(good, good.size() - 8), "npy data = 8 bytes (allowed at least 16)");
  fails(with<uint8_t>(good, 6, 4), "npy version = 4 (allowed 1 to 3)");
  fails(with<uint8_t>(good, 6, 0), "npy version = 0 (allowed 1 to 3)");
  fails(with<uint32_t>(npy(3, dict("<f8", false, "(2,)"), data), 8, 0xffffffffU), "npy header length = 4294967295 (allowed at most 65535)");
  fails(npy(1, dict("|O", false, "(2,)"), data), "descr = '|O'");
  fails(npy(1, dict("<f2", false, "(2,)"), data), "descr = '<f2'");
  fails(npy(1, dict("<U4", false, "(2,)"), data), "descr = '<U4'");
  fails(npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", data), "npy header");
  fails(npy(1, dict("<f8", false, "(-2,)"), data), "npy header");
  fails(npy(1, dict("<f8", false, "(9223372036854775807, 3)"), data), "shape = a product beyond 2^63 bytes");
  fails(npy(1, dict("<f8", false, "(9223372036854775807, 3, 0)"), data), "shape = a product beyond 2^63 bytes");
  fails(npy(1, dict("<f8", false, "(99999999999999999999,)"), data), "npy header");
  fails(npy(1, dict("<f8", false, "(1,1,1,1,1,1,1,1,1)"), data), "shape = 9 axes (allowed at most 8)");
  fails(npy(1, "\x1b[31m", data), "npy header");
  fails(npy(1, "", data), "npy header");
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 3000; ++trial) {
    Bytes bytes = good;
    bytes[random() % (good.size() - 16)] = static_cast<std::byte>(random() & 0xff);
    write_file(dir / "b.npy", bytes);
    try {
      const auto source = opened(dir / "b.npy");
      const Box box = Box::whole(source->info().dims);
      REQUIRE(box.count() * static_cast<int64_t>(size_of(source->info().dtype)) <= 16);
    } catch (const UserError&) {}
  }
}

TEST_CASE("npy source: a file that shrinks while it is read is an error") {
  const TempDir dir;
  write_npy(dir / "a.npy", {f32, {1000, 10}, false, Bytes(40000)});
  const auto source = opened(dir / "a.npy");
  fs::resize_file(dir / "a.npy", 20000);
  Bytes block(40000);
  const Outcome outcome = outcome_of([&] { source->read({{0, 0}, {1000, 10}}, block.data()); });
  CHECK((outcome.failed && outcome.code == ErrorCode::file));
  CHECK(contains(outcome.text, "changed while reading"));
}

TEST_CASE("npy source: an array is no image") {
  const TempDir dir;
  write_npy(dir / "a.npy", {f32, {3, 2}, false, Bytes(24)});
  Warnings warnings;
  const Outcome outcome = outcome_of([&] { read_nifti_header(dir / "a.npy", {}, warnings); });
  CHECK((outcome.failed && outcome.code == ErrorCode::bad_input));
  CHECK(contains(outcome.text, "is a NumPy array (.npy), not an image"));
}

TEST_CASE("npy sink: blocks in any order make the file that NumPy would write; without commit the old one stays") {
  const TempDir dir;
  for (const Order order : {Order::C, Order::F}) {
    const std::vector<int64_t> shape{7, 5, 3};
    const Bytes data = random_bytes(7 * 5 * 3 * 4, 9);
    SourceInfo info;
    info.dims = shape;
    info.order = order;
    write_file(dir / "a.npy", text_bytes("old"));
    auto sink = create_npy_sink(dir / "a.npy", f32, shape, order, {.no_fsync = true, .no_clobber = false, .gzip_level = 1, .threads = 1});
    CHECK((sink->header() == nullptr && !sink->in_order_only()));
    for (const int64_t start : {4, 0, 2}) {
      Box box = Box::whole(shape);
      box.start[0] = start;
      box.extent[0] = start == 4 ? 3 : 2;
      sink->write(box, box_of(data, info, box).data());
    }
    CHECK(read_file(dir / "a.npy") == text_bytes("old"));
    sink->commit();
    CHECK(read_file(dir / "a.npy") == serialise_npy({f32, shape, order == Order::F, data}));
    {
      const auto dropped = create_npy_sink(dir / "a.npy", f32, shape, order, {});
      dropped->write(Box::whole(shape), Bytes(data.size()).data());
    }
    CHECK(read_file(dir / "a.npy") == serialise_npy({f32, shape, order == Order::F, data}));
    CHECK(dir.names() == std::vector<std::string>{"a.npy"});
  }
  const Outcome exists = outcome_of([&] { create_npy_sink(dir / "a.npy", f32, {1}, Order::C, {.no_clobber = true}); });
  CHECK((exists.failed && exists.code == ErrorCode::file));
}

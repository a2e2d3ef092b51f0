// tests/runtime/array_test.cpp: layouts, views, element access, casts; strided copies against a naive loop.
#include <voxloom/graph/error.h>
#include <voxloom/runtime/array.h>
#include <voxloom/runtime/buffer_pool.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

using namespace voxloom;

namespace {

template <class F> ErrorCode code_of(F f) {
  try {
    f();
  } catch (const Error& e) { return e.code(); }
  return ErrorCode::internal;
}

Array counted(const Dims& shape) {
  std::vector<int32_t> values(static_cast<size_t>(shape.product()));
  std::iota(values.begin(), values.end(), 0);
  return Array::from(values, shape);
}

struct Layout {
  std::vector<std::byte> memory;
  Dims strides;
  int64_t origin = 0;
};

/// A layout without overlaps: axes in random order, random gaps, random signs, an odd offset at times.
Layout random_layout(std::mt19937& rng, const Dims& shape, size_t item, bool allow_zero_stride) {
  Layout layout{{}, Dims::filled(shape.rank(), 0), 0};
  std::vector<int> axes(static_cast<size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  std::shuffle(axes.begin(), axes.end(), rng);
  auto step = static_cast<int64_t>(item) + (rng() % 4 == 0 ? static_cast<int64_t>(rng() % 5) : 0);
  int64_t low = 0, high = static_cast<int64_t>(item);
  for (int axis : axes) {
    if (allow_zero_stride && rng() % 6 == 0) continue;
    layout.strides[axis] = rng() % 3 == 0 ? -step : step;
    const int64_t reach = (shape[axis] - 1) * layout.strides[axis];
    (reach < 0 ? low : high) += reach;
    step = step * shape[axis] + (rng() % 4 == 0 ? static_cast<int64_t>(rng() % 7) : 0);
  }
  layout.origin = -low + static_cast<int64_t>(rng() % 3);
  layout.memory.resize(static_cast<size_t>(layout.origin + high));
  for (auto& b : layout.memory) b = static_cast<std::byte>(rng());
  return layout;
}

void naive_copy(std::byte* dst, const Dims& ds, const std::byte* src, const Dims& ss, const Dims& shape, size_t item, bool swap,
                size_t part) {
  const int64_t total = shape.product();
  for (int64_t flat = 0; flat < total; ++flat) {
    int64_t rest = flat, to = 0, from = 0;
    for (int k = shape.rank() - 1; k >= 0; --k) {
      to += rest % shape[k] * ds[k], from += rest % shape[k] * ss[k];
      rest /= shape[k];
    }
    for (size_t b = 0; b < item; ++b)
      dst[to + static_cast<int64_t>(b)] = src[from + static_cast<int64_t>(swap ? b / part * part + part - 1 - b % part : b)];
  }
}

}  // namespace

TEST_CASE("copy: any layout to any layout agrees with a naive loop, byte for byte") {
  std::mt19937 rng(7);
  const DType types[] = {u8, i16, f32, f64, c64, c128};
  for (int round = 0; round < 3000; ++round) {
    const DType type = types[rng() % 6];
    const size_t item = size_of(type);
    Dims shape;
    const int rank = static_cast<int>(rng() % 5);
    for (int k = 0; k < rank; ++k) shape.push_back(rng() % 12 == 0 ? 1 : static_cast<int64_t>(rng() % (rank < 3 ? 70 : 9)));
    if (shape.product() == 0) continue;
    const bool swap = rng() % 3 == 0;
    const Layout src = random_layout(rng, shape, item, true);
    Layout dst = random_layout(rng, shape, item, false);
    Layout expected = dst;
    naive_copy(expected.memory.data() + dst.origin, dst.strides, src.memory.data() + src.origin, src.strides, shape, item, swap,
               size_of(real_part_of(type)));
    const StridedView from{const_cast<std::byte*>(src.memory.data()) + src.origin, type, shape.vector(), src.strides.vector(), swap};
    copy_strided({dst.memory.data() + dst.origin, type, shape.vector(), dst.strides.vector(), false}, from);
    REQUIRE(dst.memory == expected.memory);
  }
}

TEST_CASE("copy: clashing shapes and dtypes are refused") {
  const Array a = counted({2, 3}), b = counted({3, 2});
  CHECK(code_of([&] { copy_strided(a.view(), b.view()); }) == ErrorCode::shape);
  CHECK(code_of([&] { copy_strided(a.view(), a.cast(f32).view()); }) == ErrorCode::dtype);
}

TEST_CASE("array: making, reading, sharing") {
  Array a = Array::from({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, Dims{2, 3});
  CHECK((a.dtype() == f32 && a.rank() == 2 && a.size() == 6 && a.bytes() == 24));
  CHECK((a.shape() == Dims{2, 3} && a.shape(-1) == 3 && a.strides() == Dims{12, 4}));
  CHECK((a.at<float>(1, 0) == 4 && a.at<float>(-1, -1) == 6));
  CHECK(a.data<const float>()[5] == 6);
  const Array b = a;
  b.set(9.f, 0, 0);
  CHECK(a.at<float>(0, 0) == 9);
  CHECK(a.buffer().use_count() == 2);
  const Array c = a.copy();
  c.set(1.f, 0, 0);
  CHECK(a.at<float>(0, 0) == 9);
  CHECK(c.buffer().unique());
  CHECK_FALSE(Array().defined());
  CHECK(Array().size() == 0);
  const Array z = Array::zeros({3, 0, 2}, c128);
  CHECK((z.size() == 0 && z.is_c_contiguous() && z.is_f_contiguous()));
  CHECK(Array::zeros({4, 4}, i16, Order::F).strides() == Dims{2, 8});
  CHECK(Array::scalar(2.5).item<double>() == 2.5);
  CHECK(Array::scalar(2.5).rank() == 0);
}

TEST_CASE("array: what does not fit is refused with its code") {
  const Array a = counted({2, 3});
  CHECK(code_of([&] { a.data<float>(); }) == ErrorCode::dtype);
  CHECK(code_of([&] { a.transpose().data<int32_t>(); }) == ErrorCode::usage);
  CHECK(a.transpose().data<int32_t>(Order::F) == a.data<int32_t>());
  CHECK(code_of([&] { a.as_swapped().data<int32_t>(); }) == ErrorCode::usage);
  CHECK(code_of([&] { a.as_read_only().data<int32_t>(); }) == ErrorCode::usage);
  CHECK(a.as_read_only().data<const int32_t>()[1] == 1);
  CHECK(code_of([&] { a.as_read_only().set(1, 0, 0); }) == ErrorCode::usage);
  CHECK(code_of([&] { a.as_read_only().assign(a); }) == ErrorCode::usage);
  CHECK(code_of([&] { a.at<int32_t>(2, 0); }) == ErrorCode::index);
  CHECK(code_of([&] { a.at<int32_t>(0, -4); }) == ErrorCode::index);
  CHECK(code_of([&] { a.at<int32_t>(0); }) == ErrorCode::index);
  CHECK(code_of([&] { a.at<float>(0, 0); }) == ErrorCode::dtype);
  CHECK(code_of([&] { a.item<int>(); }) == ErrorCode::shape);
  CHECK(code_of([&] { Array::from({1, 2, 3}, Dims{2, 2}); }) == ErrorCode::shape);
  CHECK(code_of([&] { Array::zeros({-1}, f32); }) == ErrorCode::shape);
  CHECK(code_of([&] { Array::zeros({int64_t{1} << 40, int64_t{1} << 40}, f32); }) == ErrorCode::limit);
  CHECK(code_of([&] { Array::view(static_cast<void*>(nullptr), {3}, f32); }) == ErrorCode::usage);
  int x = 0;
  CHECK(code_of([&] { Array::view(static_cast<void*>(&x), {1}, i32, {4, 4}); }) == ErrorCode::shape);
  CHECK(code_of([&] { Array::view(static_cast<void*>(&x), {3, 3}, i32, {INT64_MAX, 4}); }) == ErrorCode::limit);
  CHECK(code_of([&] { Dims(std::vector<int64_t>(9, 1)); }) == ErrorCode::shape);
  CHECK(code_of([&] { a.reshape({7}); }) == ErrorCode::shape);
  CHECK(code_of([&] { a.reshape({-2, -3}); }) == ErrorCode::shape);
  CHECK(code_of([&] { a.transpose().reshape({6}); }) == ErrorCode::usage);
  CHECK(code_of([&] { a.transpose({0, 0}); }) == ErrorCode::index);
  CHECK(code_of([&] { a.slice(2, 0, 1); }) == ErrorCode::index);
  CHECK(code_of([&] { a.slice(0, 0, 1, 0); }) == ErrorCode::index);
  CHECK(code_of([&] { a.index(1, 3); }) == ErrorCode::index);
  CHECK(code_of([&] { Array::over(a.buffer(), a.raw(), {1000}, i32, {4}); }) == ErrorCode::index);
}

TEST_CASE("array: windows on foreign memory keep it alive and respect const") {
  int released = 0;
  {
    auto memory = std::shared_ptr<int16_t[]>(new int16_t[6]{0, 1, 2, 3, 4, 5}, [&](int16_t* p) {
      ++released;
      delete[] p;
    });
    const Array a = Array::view(static_cast<void*>(memory.get()), {3, 2}, i16, {2, 6}, memory);
    memory.reset();
    CHECK((a.at<int16_t>(1, 1) == 4 && a.is_f_contiguous() && !a.is_c_contiguous()));
    const Array row = a.index(0, 2);
    CHECK((row.at<int16_t>(0) == 2 && released == 0));
  }
  CHECK(released == 1);
  const double fixed[2] = {1, 2};
  CHECK(Array::view(fixed, {2}, f64).read_only());
  CHECK(Array::view(fixed, Dims{2}).read_only());
  size_t n = 2;
  CHECK(Array::view(fixed, {n}, f64).size() == 2);
}

TEST_CASE("array: slices follow Python") {
  const Array a = counted({10});
  for (int64_t step : {1, 2, 3, 7, -1, -2, -3, -20, 20}) {
    for (int start = -13; start <= 13; ++start) {
      for (int stop = -13; stop <= 13; ++stop) {
        const std::optional<int64_t> from = start == 13 ? std::nullopt : std::optional<int64_t>(start);
        const std::optional<int64_t> to = stop == 13 ? std::nullopt : std::optional<int64_t>(stop);
        // Python's own definition, element by element.
        const int64_t n = 10;
        int64_t first = step > 0 ? 0 : n - 1, last = step > 0 ? n : -1;
        const auto clip = [&](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + n : v, step > 0 ? 0 : -1, step > 0 ? n : n - 1); };
        if (from) first = clip(*from);
        if (to) last = clip(*to);
        std::vector<int32_t> expected;
        for (int64_t i = first; step > 0 ? i < last : i > last; i += step) expected.push_back(static_cast<int32_t>(i));
        const Array s = a.slice(0, from, to, step);
        REQUIRE(s.size() == static_cast<int64_t>(expected.size()));
        for (size_t i = 0; i < expected.size(); ++i) REQUIRE(s.at<int32_t>(static_cast<int64_t>(i)) == expected[i]);
      }
    }
  }
  CHECK(a.slice(0, std::nullopt, std::nullopt, std::numeric_limits<int64_t>::min()).item<int>() == 9);
  CHECK(a.slice(0, std::nullopt, std::nullopt, std::numeric_limits<int64_t>::max()).item<int>() == 0);
  CHECK(a.slice(0, INT64_MIN, INT64_MAX).size() == 10);
}

TEST_CASE("array: views compose and share") {
  const Array a = counted({2, 3, 4});
  const Array v = a.transpose({2, 0, 1}).flip(0).slice(2, 1, std::nullopt);
  CHECK(v.shape() == Dims{4, 2, 2});
  CHECK(v.at<int32_t>(0, 1, 1) == a.at<int32_t>(1, 2, 3));
  v.set(-5, 0, 1, 1);
  CHECK(a.at<int32_t>(1, 2, 3) == -5);
  CHECK(v.copy().is_c_contiguous());
  CHECK(v.copy(Order::F).is_f_contiguous());
  CHECK(same_bits(v, v.copy(Order::F)));
  CHECK(a.reshape({6, 4}).at<int32_t>(4, 1) == 17);
  CHECK(a.transpose().reshape({4, 6}, Order::F).at<int32_t>(1, 4) == 17);
  CHECK(a.slice(1, 3, 1).size() == 0);
  CHECK(a.flip(1).flip(1).strides() == a.strides());
}

TEST_CASE("array: assign copes with overlap") {
  const Array a = counted({6});
  a.slice(0, 1, std::nullopt).assign(a.slice(0, 0, 5));
  for (int i = 0; i < 6; ++i) CHECK(a.at<int32_t>(i) == std::max(0, i - 1));
  const Array b = counted({5});
  b.assign(b.flip(0));
  for (int i = 0; i < 5; ++i) CHECK(b.at<int32_t>(i) == 4 - i);
  CHECK(may_overlap(b, b.flip(0)));
  CHECK_FALSE(may_overlap(b.slice(0, 0, 2), b.slice(0, 2, 5)));
  CHECK_FALSE(may_overlap(b.slice(0, 0, 0), b));
}

TEST_CASE("array: the other byte order") {
  uint32_t raw[2] = {0x01020304u, 0xff000000u};
  const Array a = Array::view(raw, Dims{2}).as_swapped();
  CHECK(a.at<uint32_t>(0) == 0x04030201u);
  CHECK(a.at<uint32_t>(1) == 0xffu);
  CHECK(a.copy().data<uint32_t>()[0] == 0x04030201u);
  CHECK(a.cast(f64).at<double>(1) == 255.0);
  a.set(0x0a0b0c0du, 0);
  CHECK(raw[0] == 0x0d0c0b0au);
  CHECK(same_bits(a, a.copy()));
  CHECK_FALSE(Array::scalar<uint8_t>(1).as_swapped().swapped());
}

TEST_CASE("array: casts saturate, wrap and test as promised") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Array d = Array::from({nan, inf, -inf, 2.9, -2.9, 1e10, 300.0, -1.0});
  const Array i = d.cast(i32);
  const int32_t expected[] = {0, INT32_MAX, INT32_MIN, 2, -2, INT32_MAX, 300, -1};
  for (int k = 0; k < 8; ++k) CHECK(i.at<int32_t>(k) == expected[k]);
  CHECK(d.cast(u8).at<uint8_t>(6) == 255);
  CHECK(d.cast(u8).at<uint8_t>(7) == 0);
  CHECK(Array::scalar(9.3e18).cast(i64).item<int64_t>() == INT64_MAX);
  CHECK(Array::scalar(2e19f).cast(u64).item<uint64_t>() == UINT64_MAX);
  CHECK(Array::scalar(0x1p63f).cast(u64).item<uint64_t>() == uint64_t{1} << 63);
  CHECK(Array::scalar(-0x1p63).cast(i64).item<int64_t>() == INT64_MIN);
  CHECK(Array::scalar(300).cast(u8).item<uint8_t>() == 44);
  CHECK(Array::scalar(nan).cast(boolean).item<bool>());
  CHECK(Array::scalar(std::complex<float>(0, 2)).cast(boolean).item<bool>());
  CHECK(Array::scalar(2.f).cast(c128).item<std::complex<double>>() == std::complex<double>(2, 0));
  CHECK(code_of([&] { Array::scalar(std::complex<float>(0, 2)).cast(f32); }) == ErrorCode::dtype);
  CHECK(counted({3, 4}).transpose().cast(f32).at<float>(3, 1) == 7.f);
  CHECK(counted({3, 4}).cast(f32, Order::F).is_f_contiguous());
}

TEST_CASE("array: same_bits counts all NaNs as equal, and tells -0 from 0") {
  const Array a = Array::from({1.f, std::nanf("1"), 0.f}), b = Array::from({1.f, -std::nanf("2"), 0.f});
  CHECK(same_bits(a, b));
  b.set(-0.f, 2);
  CHECK_FALSE(same_bits(a, b));
  CHECK_FALSE(same_bits(a, a.cast(f64)));
  CHECK_FALSE(same_bits(a, a.reshape({3, 1})));
}

TEST_CASE("array: printed form") {
  CHECK(counted({2, 3}).to_string() == "int32 (2, 3) [[0, 1, 2], [3, 4, 5]]");
  CHECK(counted({9}).to_string() == "int32 (9,) [0, 1, 2, ..., 6, 7, 8]");
  CHECK(Array::scalar(0.5).to_string() == "float64 () 0.5");
  CHECK(Array::scalar(std::complex<float>(1, -2)).to_string() == "complex64 () 1-2j");
  CHECK(Array::from({true, false}).to_string() == "bool (2,) [True, False]");
}

TEST_CASE("array: memory comes from the pool and returns to it") {
  BufferPool pool;
  const std::byte* place = nullptr;
  {
    const Array a = Array::empty({100, 100}, f64, Order::C, &pool);
    place = a.raw();
    CHECK(pool.stats().live_bytes >= 80000);
  }
  CHECK(Array::empty({100, 100}, f64, Order::C, &pool).raw() == place);
  pool.fail_allocation(1);
  CHECK(code_of([&] { Array::empty({4}, f64, Order::C, &pool); }) == ErrorCode::limit);
}

// tests/fuzz/values.cpp: element values: small integers, uniform, wide, and the awkward ones of each dtype.
#include "case.h"
#include "rng.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace voxloom::fuzz {

namespace {

double special_number(Rng& rng) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  static const std::vector<double> list{0.0,
                                        -0.0,
                                        1,
                                        -1,
                                        0.5,
                                        -0.5,
                                        2,
                                        inf,
                                        -inf,
                                        std::nan(""),
                                        1e-45,
                                        -1e-40,
                                        3.4028234663852886e38,
                                        -3.4e38,
                                        1e300,
                                        5e-324,
                                        2147483647,
                                        -2147483648.0,
                                        4294967296.0,
                                        9.3e18,
                                        1e5,
                                        -1e5,
                                        127.5,
                                        -128.5,
                                        88.7,
                                        -103.9,
                                        709.8,
                                        6.25e6};
  return rng.pick(list);
}

double real_value(Rng& rng, Values mix) {
  switch (mix) {
    case Values::small: return static_cast<double>(rng.between(-4, 4)) * (rng.chance(0.3) ? 0.25 : 1.0);
    case Values::uniform: return 2 * rng.unit() - 1;
    case Values::wide: return std::ldexp(2 * rng.unit() - 1, static_cast<int>(rng.between(-20, 20)));
    case Values::special: return rng.chance(0.2) ? special_number(rng) : 8 * rng.unit() - 4;
  }
  return 0;
}

uint64_t integer_bits(Rng& rng, Values mix, bool is_signed) {
  switch (mix) {
    case Values::small: return static_cast<uint64_t>(is_signed ? rng.between(-4, 4) : rng.between(0, 8));
    case Values::uniform: return static_cast<uint64_t>(is_signed ? rng.between(-100, 100) : rng.between(0, 200));
    case Values::wide: return rng.bits();
    case Values::special: {
      static const std::vector<uint64_t> list{0,
                                              1,
                                              2,
                                              31,
                                              32,
                                              63,
                                              64,
                                              127,
                                              128,
                                              255,
                                              32767,
                                              65535,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              0x7fffffffffffffff,
                                              0x8000000000000000,
                                              ~uint64_t{0},
                                              ~uint64_t{0} - 1};
      return rng.chance(0.4) ? rng.pick(list) : static_cast<uint64_t>(rng.between(-9, 9));
    }
  }
  return 0;
}

void put_value(Rng& rng, DType t, Values mix, std::byte* to) {
  const auto put_float = [&](double x, std::byte* at, bool single) {
    if (single) {
      const auto f = static_cast<float>(x);
      std::memcpy(at, &f, sizeof f);
    } else {
      std::memcpy(at, &x, sizeof x);
    }
  };
  if (is_float(t)) return put_float(real_value(rng, mix), to, t == DType::f32);
  if (is_complex(t)) {
    put_float(real_value(rng, mix), to, t == DType::c64);
    return put_float(real_value(rng, mix), to + size_of(t) / 2, t == DType::c64);
  }
  const uint64_t bits = t == DType::boolean ? rng.bits() & 1 : integer_bits(rng, mix, is_signed_int(t));
  std::memcpy(to, &bits, size_of(t));
}

}  // namespace

std::vector<std::byte> values_of(const CaseInput& input) {
  int64_t size = 1;
  for (int64_t n : input.shape) size *= n;
  const size_t item = size_of(input.dtype);
  std::vector<std::byte> out(static_cast<size_t>(size) * item);
  std::vector<int64_t> index(input.shape.size(), 0);
  Rng rng(input.seed);
  const std::vector<int64_t> strides = dense_strides(input.shape, item, false);
  for (int64_t p = 0; p < size; ++p) {
    std::byte* to = out.data() + static_cast<size_t>(p) * item;
    int64_t back = 0;  // distance to the element that this one repeats
    for (size_t k = 0; k < index.size(); ++k) back += (input.repeated >> k & 1) != 0 ? index[k] * strides[k] : 0;
    if (back > 0) std::memcpy(to, to - back, item);
    else put_value(rng, input.dtype, input.values, to);
    for (size_t k = index.size(); k-- > 0;) {
      if (++index[k] < input.shape[k]) break;
      index[k] = 0;
    }
  }
  return out;
}

}  // namespace voxloom::fuzz

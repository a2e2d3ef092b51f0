// ops/rare.cpp: slow paths of vector math: sin, cos and tan of huge arguments by Payne and Hanek's reduction.
#include <voxloom/ops/rare.h>

#include <voxloom/ops/prim.h>
#include <voxloom/ops/vecmath/trig.h>

#include <bit>
#include <cmath>
#include <cstdint>

namespace voxloom::ops {
namespace {

using Wide = unsigned __int128;

/// 2/pi: 1280 bits behind the binary point, after one word of zeros.
constexpr uint64_t two_over_pi[] = {0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
                                    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
                                    0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
                                    0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
                                    0xf0cfbc209af4361d};

/// 64 bits of the table from bit position `at`.
uint64_t table_word(int at) {
  const int word = at / 64, shift = at % 64;
  const uint64_t high = two_over_pi[word] << shift;
  return shift == 0 ? high : high | two_over_pi[word + 1] >> (64 - shift);
}

struct Turns {
  double r, low;
  unsigned quadrant;
};

/// |x| = quadrant * pi/2 + r + low (quadrant mod 4), |r| <= pi/4, for finite |x| >= 1. x = m 2^e; the bits of 2/pi that weigh 4 or more
/// after the multiplication by x are left out, the next 192 are multiplied by m modulo 2^192, whose unit then weighs 2^-190.
Turns reduce(double x) {
  const uint64_t pattern = std::bit_cast<uint64_t>(x);
  const int e = static_cast<int>(pattern >> 52 & 0x7ff) - 1075;
  const uint64_t m = (pattern & 0xfffffffffffffULL) | 1ULL << 52;
  const int at = 64 + e - 2;
  const Wide p2 = static_cast<Wide>(table_word(at + 128)) * m;
  const Wide p1 = static_cast<Wide>(table_word(at + 64)) * m + (p2 >> 64);
  uint64_t high = table_word(at) * m + static_cast<uint64_t>(p1 >> 64);
  Wide rest = p1 << 64 | static_cast<uint64_t>(p2);
  unsigned quadrant = static_cast<unsigned>(high >> 62);
  // The fraction as a signed number: values from 1/2 on belong to the next quadrant.
  bool negative = (high >> 61 & 1) != 0;
  if (negative) {
    ++quadrant;
    rest = ~rest + 1;
    high = ~high + (rest == 0 ? 1 : 0);
  }
  high &= 0x3fffffffffffffffULL;
  // Normalise to 128 bits f with fraction = f * 2^-exponent.
  Wide f = static_cast<Wide>(high) << 64 | static_cast<uint64_t>(rest >> 64);
  uint64_t tail = static_cast<uint64_t>(rest);
  int exponent = 126;
  while (f >> 127 == 0 && exponent < 300) {
    f = f << 1 | tail >> 63;
    tail <<= 1;
    ++exponent;
  }
  const double hi = static_cast<double>(static_cast<uint64_t>(f >> 75)) * 0x1p75;
  const double lo = static_cast<double>(static_cast<uint64_t>(f >> 11 & 0xffffffffffffffffULL)) * 0x1p11;
  // Times pi/2 in two parts.
  const double scale = std::ldexp(negative ? -1.0 : 1.0, -exponent);
  const double a = hi * scale, a_lo = lo * scale;
  const double p = a * 0x1.921fb54442d18p+0;
  const double p_lo = std::fma(a, 0x1.921fb54442d18p+0, -p) + (a * 0x1.1a62633145c07p-54 + a_lo * 0x1.921fb54442d18p+0);
  const double r = p + p_lo;
  return {r, p_lo - (r - p), quadrant};
}

enum class Which { sin, cos, tan };

template <Which which> double huge_argument(double x) {
  if (!std::isfinite(x)) return std::numeric_limits<double>::quiet_NaN();
  const double size = std::fabs(x);
  const Turns turns = size < 1 ? Turns{size, 0, 0} : reduce(size);  // vector math asks for huge ones only, but every argument has a value
  ScalarBuilder b;
  const Scalar r = b.lit(DType::f64, turns.r), low = b.lit(DType::f64, turns.low);
  const double sign = std::signbit(x) ? -1.0 : 1.0;
  if constexpr (which == Which::tan) return sign * to_double(vm::tan_kernel(b, r, low, b.boolean((turns.quadrant & 1) != 0)));
  const unsigned q = which == Which::sin ? turns.quadrant : turns.quadrant + 1;
  const double value = to_double(vm::sin_or_cos(b, {r, low, {}, {}, {}}, b.boolean((q & 1) != 0)));
  return ((q & 2) != 0 ? -value : value) * (which == Which::sin ? sign : 1.0);
}

}  // namespace

const RareEntry rare_table[] = {
    {"sin", huge_argument<Which::sin>},
    {"cos", huge_argument<Which::cos>},
    {"tan", huge_argument<Which::tan>},
};
const int rare_count = 3;

}  // namespace voxloom::ops

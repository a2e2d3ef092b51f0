// io/voxel_form.cpp: RGB planes and 128-bit floats.
#include <voxloom/io/voxel_form.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace voxloom::io {
namespace {

// Rounds mantissa * 2^exponent once, to nearest even; ldexp of an exact 53-bit integer is exact unless the result is subnormal.
double scaled_to_double(unsigned __int128 mantissa, int exponent) {
  if (mantissa == 0) return 0;
  int bits = 0;
  for (unsigned __int128 m = mantissa; m != 0; m >>= 1) ++bits;
  const int top = exponent + bits;  // value < 2^top
  if (top > 1024) return HUGE_VAL;
  const int kept = std::min(53, top + 1074);  // subnormal results keep fewer bits
  if (kept < 0) return 0;
  const int dropped = bits - kept;
  if (dropped > 0) {
    const unsigned __int128 half = static_cast<unsigned __int128>(1) << (dropped - 1);
    const unsigned __int128 rest = mantissa & (half * 2 - 1);
    mantissa >>= dropped;
    if (rest > half || (rest == half && (mantissa & 1) != 0)) ++mantissa;
    exponent += dropped;
  }
  return std::ldexp(static_cast<double>(static_cast<uint64_t>(mantissa)), exponent);
}

double with_sign(double magnitude, bool negative) { return negative ? -magnitude : magnitude; }

double from_x87(uint64_t mantissa, uint32_t sign_exponent) {
  const int exponent = static_cast<int>(sign_exponent & 0x7fff);
  const bool negative = (sign_exponent & 0x8000) != 0;
  if (exponent == 0x7fff) return with_sign((mantissa << 1) == 0 ? HUGE_VAL : std::nan(""), negative);
  return with_sign(scaled_to_double(mantissa, std::max(exponent, 1) - 16383 - 63), negative);
}

double from_binary128(uint64_t low, uint64_t high) {
  const int exponent = static_cast<int>((high >> 48) & 0x7fff);
  const bool negative = (high >> 63) != 0;
  unsigned __int128 mantissa = (static_cast<unsigned __int128>(high & ((uint64_t{1} << 48) - 1)) << 64) | low;
  if (exponent == 0x7fff) return with_sign(mantissa == 0 ? HUGE_VAL : std::nan(""), negative);
  if (exponent != 0) mantissa |= static_cast<unsigned __int128>(1) << 112;
  return with_sign(scaled_to_double(mantissa, std::max(exponent, 1) - 16383 - 112), negative);
}

}  // namespace

double double_from_float128(const std::byte* bytes) {
  uint64_t low, high;
  std::memcpy(&low, bytes, 8);
  std::memcpy(&high, bytes + 8, 8);
  return (high >> 16) == 0 ? from_x87(low, static_cast<uint32_t>(high)) : from_binary128(low, high);
}

Box voxel_box(const NiftiHeader& header, const Box& box) {
  Box result = box;
  if (header.form == VoxelForm::channels) {
    result.start.pop_back();
    result.extent.pop_back();
  }
  return result;
}

void decode_voxels(const NiftiHeader& header, const Box& box, const std::byte* src, int64_t count, int64_t at, std::byte* dst) {
  if (header.form == VoxelForm::channels) {
    const int64_t plane = box.count() / box.extent.back();
    const std::byte* first = src + box.start.back();
    for (int64_t c = 0; c < box.extent.back(); ++c) {
      for (int64_t i = 0; i < count; ++i) dst[c * plane + at + i] = first[i * header.channels + c];
    }
    return;
  }
  const int64_t parts = header.form == VoxelForm::complex256 ? 2 : 1;
  for (int64_t i = 0; i < count * parts; ++i) {
    std::array<std::byte, 16> bytes;
    std::memcpy(bytes.data(), src + 16 * i, 16);
    if (header.swapped) std::reverse(bytes.begin(), bytes.end());
    const double value = double_from_float128(bytes.data());
    std::memcpy(dst + 8 * (at * parts + i), &value, 8);
  }
}

void interleave_channels(const NiftiHeader& header, const Box& box, const std::byte* src, int64_t count, int64_t at, std::byte* dst) {
  const int64_t plane = box.count() / box.extent.back();
  for (int64_t c = 0; c < header.channels; ++c) {
    for (int64_t i = 0; i < count; ++i) dst[i * header.channels + c] = src[c * plane + at + i];
  }
}

}  // namespace voxloom::io

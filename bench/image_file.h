// bench/image_file.h: the int16 images that the cases read, and what is done to them by hand.
#pragma once

#include "hand_threads.h"

#include <array>
#include <cstdint>
#include <string>

namespace bench {

/// Sizes of a series of volumes.
struct ImageSize {
  int16_t x, y, z, t;
  size_t volume() const { return static_cast<size_t>(x) * static_cast<size_t>(y) * static_cast<size_t>(z); }
  size_t voxels() const { return volume() * static_cast<size_t>(t); }
};

/// Writes a NIfTI-1 file: an ellipsoid of about 1000 in a dark surround, with 5 bits of noise. Throws std::runtime_error.
void write_image(const std::string& path, const ImageSize& size);

/// `a/2` as float32 .nii: pread, convert, pwrite.
void halve_by_hand(const std::string& in, const std::string& out, const ImageSize& size, HandThreads& threads, bool fsync);
/// Mean over t as float32 .nii: every thread sums its share of the voxels in int32.
void mean_by_hand(const std::string& in, const std::string& out, const ImageSize& size, HandThreads& threads);
/// Inflates a .gz with ISA-L, checksum included, and drops the bytes; their number.
size_t inflate_by_hand(const std::string& path);

}  // namespace bench

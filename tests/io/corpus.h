// tests/io/corpus.h: good NIfTI files built byte by byte (not by our writer), which the malformed corpus then damages.
#pragma once

#include "support.h"

#include <zlib.h>

namespace io_test {

/// Offsets of fields in NIfTI-1 and NIfTI-2.
struct Offsets {
  size_t dim, datatype, bitpix, pixdim, vox_offset, slope, inter, qform_code, sform_code, srow, descrip, magic;
};
inline constexpr Offsets nifti1{40, 70, 72, 76, 108, 112, 116, 252, 254, 280, 148, 344};
inline constexpr Offsets nifti2{16, 12, 14, 104, 168, 176, 184, 344, 348, 400, 240, 4};

/// A little-endian header of 352 (NIfTI-1) or 544 bytes.
inline Bytes header_bytes(int version, const std::vector<int64_t>& dims, int datatype, int bits, bool pair = false) {
  Bytes b(version == 1 ? 352 : 544);
  const Offsets& at = version == 1 ? nifti1 : nifti2;
  put<int32_t>(b, 0, version == 1 ? 348 : 540);
  std::vector<int64_t> dim(8, 1);
  dim[0] = static_cast<int64_t>(dims.size());
  std::copy(dims.begin(), dims.end(), dim.begin() + 1);
  for (size_t i = 0; i < 8; ++i) {
    if (version == 1) {
      put<int16_t>(b, at.dim + 2 * i, static_cast<int16_t>(dim[i]));
      put<float>(b, at.pixdim + 4 * i, 1);
    } else {
      put<int64_t>(b, at.dim + 8 * i, dim[i]);
      put<double>(b, at.pixdim + 8 * i, 1);
    }
  }
  put<int16_t>(b, at.datatype, static_cast<int16_t>(datatype));
  put<int16_t>(b, at.bitpix, static_cast<int16_t>(bits));
  if (version == 1) {
    put<float>(b, at.vox_offset, pair ? 0.0F : 352.0F);
    std::memcpy(b.data() + at.magic, pair ? "ni1" : "n+1", 4);
  } else {
    put<int64_t>(b, at.vox_offset, pair ? 0 : 544);
    std::memcpy(b.data() + at.magic, pair ? "ni2\0\r\n\x1a\n" : "n+2\0\r\n\x1a\n", 8);
  }
  return b;
}

/// 4 x 3 x 2 int16 voxels with the values 0, 1, 2, ...
inline Bytes sample_voxels() {
  Bytes voxels(48);
  for (size_t i = 0; i < 24; ++i) put<int16_t>(voxels, 2 * i, static_cast<int16_t>(i));
  return voxels;
}
inline Bytes sample_image(int version = 1) { return header_bytes(version, {4, 3, 2}, 4, 16) + sample_voxels(); }

/// One gzip member.
inline Bytes gzipped(const Bytes& bytes, int level = 6) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

template <class T> Bytes with(Bytes bytes, size_t offset, T value) {
  put(bytes, offset, value);
  return bytes;
}
inline Bytes cut(Bytes bytes, size_t n) {
  bytes.resize(n);
  return bytes;
}
inline Bytes text_bytes(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

}  // namespace io_test

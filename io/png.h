// io/png.h: writing pictures.
#pragma once

#include <voxloom/io/diagnostics.h>

#include <cstdint>
#include <span>
#include <string>

namespace voxloom::io {

/// Writes 8-bit pixels, row by row from the top: 1 channel grey, 3 RGB, 4 RGBA. The file is replaced atomically; equal pixels give equal
/// bytes.
VOXLOOM_API void write_png(const std::string& path, int width, int height, int channels, std::span<const uint8_t> pixels);

}  // namespace voxloom::io

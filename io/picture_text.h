// io/picture_text.h: a 5 x 7 pixel font for labels in pictures. Internal to io.
#pragma once

#include <voxloom/io/picture.h>

#include <string_view>

namespace voxloom::io {

inline constexpr int glyph_width = 6, glyph_height = 8;  // with the gap to the next

/// Draws `text` in white with its top left corner at (x, y), `scale` pixels per dot; what falls outside is cut off. Small letters are
/// drawn as capitals.
void draw_text(Picture& picture, int x, int y, int scale, std::string_view text);

}  // namespace voxloom::io

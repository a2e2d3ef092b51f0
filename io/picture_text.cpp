// io/picture_text.cpp: the font's dots: one text row per pixel row, five columns per glyph.
#include <voxloom/io/picture_text.h>

#include <array>
#include <cstddef>

namespace voxloom::io {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+:/_=() ";
// Each glyph is seven rows of five bits, highest bit left.
constexpr std::array<std::array<uint8_t, 7>, 46> dots = {{
    {14, 17, 17, 31, 17, 17, 17}, {30, 17, 17, 30, 17, 17, 30}, {14, 17, 16, 16, 16, 17, 14}, {30, 17, 17, 17, 17, 17, 30},
    {31, 16, 16, 30, 16, 16, 31}, {31, 16, 16, 30, 16, 16, 16}, {14, 17, 16, 23, 17, 17, 15}, {17, 17, 17, 31, 17, 17, 17},
    {14, 4, 4, 4, 4, 4, 14},      {7, 2, 2, 2, 2, 18, 12},      {17, 18, 20, 24, 20, 18, 17}, {16, 16, 16, 16, 16, 16, 31},
    {17, 27, 21, 21, 17, 17, 17}, {17, 25, 21, 19, 17, 17, 17}, {14, 17, 17, 17, 17, 17, 14}, {30, 17, 17, 30, 16, 16, 16},
    {14, 17, 17, 17, 21, 18, 13}, {30, 17, 17, 30, 20, 18, 17}, {15, 16, 16, 14, 1, 1, 30},   {31, 4, 4, 4, 4, 4, 4},
    {17, 17, 17, 17, 17, 17, 14}, {17, 17, 17, 17, 17, 10, 4},  {17, 17, 17, 21, 21, 27, 17}, {17, 17, 10, 4, 10, 17, 17},
    {17, 17, 10, 4, 4, 4, 4},     {31, 1, 2, 4, 8, 16, 31},     {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},
    {14, 17, 1, 6, 8, 16, 31},    {14, 17, 1, 6, 1, 17, 14},    {2, 6, 10, 18, 31, 2, 2},     {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},       {14, 17, 17, 14, 17, 17, 14}, {14, 17, 17, 15, 1, 2, 12},
    {0, 0, 0, 0, 0, 12, 12},      {0, 0, 0, 31, 0, 0, 0},       {0, 4, 4, 31, 4, 4, 0},       {0, 12, 12, 0, 12, 12, 0},
    {1, 1, 2, 4, 8, 16, 16},      {0, 0, 0, 0, 0, 0, 31},       {0, 0, 31, 0, 31, 0, 0},      {2, 4, 8, 8, 8, 4, 2},
    {8, 4, 2, 2, 2, 4, 8},        {0, 0, 0, 0, 0, 0, 0},
}};
static_assert(letters.size() == dots.size());

void fill(Picture& picture, int x, int y, int size) {
  for (int j = y; j < y + size; ++j) {
    for (int i = x; i < x + size; ++i) {
      if (i < 0 || j < 0 || i >= picture.width || j >= picture.height) continue;
      picture.grey[static_cast<size_t>(j) * static_cast<size_t>(picture.width) + static_cast<size_t>(i)] = 255;
    }
  }
}

}  // namespace

void draw_text(Picture& picture, int x, int y, int scale, std::string_view text) {
  for (const char c : text) {
    const char capital = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const size_t glyph = letters.find(capital);
    if (glyph != std::string_view::npos) {
      for (int row = 0; row < 7; ++row) {
        for (int column = 0; column < 5; ++column) {
          if ((dots[glyph][static_cast<size_t>(row)] >> (4 - column) & 1) != 0) fill(picture, x + column * scale, y + row * scale, scale);
        }
      }
    }
    x += glyph_width * scale;
  }
}

}  // namespace voxloom::io

// io/png.cpp: libpng into memory, then an atomic file.
#include <voxloom/io/atomic_file.h>
#include <voxloom/io/png.h>

#include <png.h>
#include <csetjmp>
#include <cstddef>
#include <vector>

namespace voxloom::io {
namespace {

void append(png_structp png, png_bytep data, size_t n) {
  auto& out = *static_cast<std::vector<std::byte>*>(png_get_io_ptr(png));
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  try {
    out.insert(out.end(), bytes, bytes + n);
  } catch (...) {
    png_error(png, "out of memory");  // leaves by longjmp: no exception may cross libpng's frames
  }
}
void flush_nothing(png_structp) {}
void ignore_warning(png_structp, png_const_charp) {}

struct Shape {
  int width, height, channels;
};

// No object with a destructor may live in this frame: libpng reports errors by longjmp to here.
bool encode(png_structp png, png_infop info, const Shape& shape, const uint8_t* pixels, std::vector<std::byte>* out) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_write_fn(png, out, append, flush_nothing);
  const int colour = shape.channels == 1 ? PNG_COLOR_TYPE_GRAY : shape.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_IHDR(png, info, static_cast<png_uint_32>(shape.width), static_cast<png_uint_32>(shape.height), 8, colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  const size_t row_bytes = static_cast<size_t>(shape.width) * static_cast<size_t>(shape.channels);
  for (int y = 0; y < shape.height; ++y) png_write_row(png, pixels + static_cast<size_t>(y) * row_bytes);
  png_write_end(png, nullptr);
  return true;
}

}  // namespace

void write_png(const std::string& path, int width, int height, int channels, std::span<const uint8_t> pixels) {
  internal_check(width > 0 && height > 0 && (channels == 1 || channels == 3 || channels == 4),
                 "a picture has pixels of 1, 3 or 4 channels");
  internal_check(pixels.size() == static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels),
                 "a picture's pixels fill it");
  if (width > 1'000'000 || height > 1'000'000)
    fail_field(path, "picture size", std::to_string(width) + " x " + std::to_string(height), "at most 1000000", ErrorCode::limit);
  std::vector<std::byte> bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, ignore_warning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  const bool complete = info != nullptr && encode(png, info, {width, height, channels}, pixels.data(), &bytes);
  png_destroy_write_struct(&png, &info);
  if (!complete) fail_runtime(ErrorCode::limit, printable_path(path), "libpng cannot encode the picture");
  AtomicFile file(path, {});
  file.write_at(bytes.data(), bytes.size(), 0);
  file.commit();
}

}  // namespace voxloom::io

// tests/io/picture_test.cpp: pictures: orientation, window, aspect, and the PNG file.
#include "support.h"

#include <voxloom/io/picture.h>
#include <voxloom/io/png.h>

#include <png.h>
#include <catch2/catch.hpp>
#include <cmath>

using namespace io_test;

namespace {

StridedView view_of(std::vector<float>& values, const std::vector<int64_t>& shape) {
  StridedView v;
  v.data = reinterpret_cast<std::byte*>(values.data());
  v.dtype = f32;
  v.shape = shape;
  v.strides = dense_strides(shape, 4, true);
  return v;
}

}  // namespace

TEST_CASE("a picture is large enough, keeps the aspect and shows the subject's right on the left") {
  const std::vector<int64_t> shape{20, 30, 10};
  std::vector<float> values(6000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 20 >= 10 ? 1.0F : 0.0F;  // bright where x is high
  values[7] = std::nanf("");
  for (const double direction : {1.0, -1.0}) {  // x grows to the right or to the left
    const Matrix44 affine{{{direction * 2, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 4, 0}, {0, 0, 0, 1}}};
    const Picture p = orthogonal_view(view_of(values, shape), affine);
    CHECK(p.width >= 300);
    CHECK(p.height >= 300);
    CHECK(p.grey.size() == static_cast<size_t>(p.width * p.height));
    // Panels: sagittal 60 x 40 mm, coronal 40 x 40, axial 40 x 60; 60 mm are 300 pixels.
    const int axial_x = 6 + 300 + 6 + 200 + 6, middle = 6 + 150;
    const auto at = [&](int x, int y) { return p.grey[static_cast<size_t>(y * p.width + x)]; };
    CHECK(at(axial_x + 50, middle) == (direction > 0 ? 255 : 0));
    CHECK(at(axial_x + 150, middle) == (direction > 0 ? 0 : 255));
  }
}

TEST_CASE("a constant or non-finite volume still gives a picture") {
  std::vector<float> values(8, std::nanf(""));
  const Matrix44 affine{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  CHECK(orthogonal_view(view_of(values, {2, 2, 2}), affine).width > 300);
  values.assign(8, 5.0F);
  PictureOptions options;
  options.title = "constant (5)";
  CHECK(orthogonal_view(view_of(values, {2, 2, 2}), affine, options).height > 300);
}

TEST_CASE("libpng reads what we wrote, and failures leave nothing") {
  const TempDir dir;
  for (const int channels : {1, 3, 4}) {
    std::vector<uint8_t> pixels(static_cast<size_t>(7 * 5 * channels));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
    write_png(dir / "a.png", 7, 5, channels, pixels);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_file(&image, (dir / "a.png").c_str()) != 0);
    CHECK(image.width == 7);
    CHECK(image.height == 5);
    image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
    std::vector<uint8_t> got(PNG_IMAGE_SIZE(image));
    REQUIRE(png_image_finish_read(&image, nullptr, got.data(), 0, nullptr) != 0);
    CHECK(got == pixels);
  }
  CHECK(dir.names() == std::vector<std::string>{"a.png"});
  const std::vector<uint8_t> one(1);
  CHECK_THROWS_AS(write_png(dir / "no/such.png", 1, 1, 1, one), RuntimeError);
}

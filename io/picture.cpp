// io/picture.cpp: window, slices in anatomical order, aspect, labels.
#include <voxloom/io/picture.h>
#include <voxloom/io/picture_text.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace voxloom::io {
namespace {

constexpr int margin = 6;

double value_at(const StridedView& v, const std::array<int64_t, 3>& index) {
  const std::byte* p = v.data;
  for (size_t i = 0; i < 3; ++i) p += index[i] * v.strides[i];
  if (v.dtype == DType::f32) {
    float value;
    std::memcpy(&value, p, sizeof value);
    return static_cast<double>(value);
  }
  double value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

struct Window {
  double black = 0, white = 1;
};

// Quantiles of at most about a million voxels spread evenly over the volume.
Window window_of(const StridedView& v, const PictureOptions& options) {
  std::vector<double> values;
  const int64_t total = v.size(), step = std::max<int64_t>(1, total / 1'000'000);
  for (int64_t at = 0; at < total; at += step) {
    const double value = value_at(v, {at % v.shape[0], at / v.shape[0] % v.shape[1], at / v.shape[0] / v.shape[1]});
    if (std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return {};
  const auto quantile = [&](double q) {
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<size_t>(at)];
  };
  Window w{quantile(options.low), quantile(options.high)};
  if (!(w.white > w.black)) w = {*std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end())};
  if (!(w.white > w.black)) w.white = w.black + 1;
  return w;
}

// For world axis w: the voxel axis along it, whether it runs backwards, and its voxel size.
struct WorldAxis {
  size_t axis = 0;
  bool backwards = false;
  double size = 1;
};

std::array<WorldAxis, 3> world_axes(const Matrix44& affine) {
  std::array<WorldAxis, 3> axes;
  const std::array<int, 3> closest = closest_world_axes(affine);
  for (size_t i = 0; i < 3; ++i) {
    const double size = std::hypot(affine[0][i], affine[1][i], affine[2][i]);
    axes[static_cast<size_t>(std::abs(closest[i]) - 1)] = {i, closest[i] < 0, std::isfinite(size) && size > 0 ? size : 1};
  }
  return axes;
}

struct Panel {
  size_t across, up;  // world axes
  const char* left;   // the direction the picture's left stands for: the high end of `across`
  int width = 0, height = 0, x = 0, y = 0;
};

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

class Painter {
 public:
  Painter(const StridedView& volume, const Matrix44& affine, const PictureOptions& options)
      : volume_(volume), options_(options), world_(world_axes(affine)), window_(window_of(volume, options)) {}

  Picture paint() {
    lay_out();
    for (const Panel& panel : panels_) paint_panel(panel);
    paint_labels();
    return std::move(picture_);
  }

 private:
  int64_t extent(size_t w) const { return volume_.shape[world_[w].axis]; }
  double length(size_t w) const { return static_cast<double>(extent(w)) * world_[w].size; }

  void lay_out() {
    double longest = 0;
    int64_t most = 1;
    for (size_t w = 0; w < 3; ++w) {
      longest = std::max(longest, length(w));
      most = std::max(most, extent(w));
    }
    const double side = std::max<double>(options_.smallest, static_cast<double>(std::min<int64_t>(most, 1024)));
    const double pixels_per_mm = side / longest;
    picture_.width = margin;
    int tallest = 1;
    for (Panel& panel : panels_) {
      panel.width = std::max(1, static_cast<int>(std::lround(length(panel.across) * pixels_per_mm)));
      panel.height = std::max(1, static_cast<int>(std::lround(length(panel.up) * pixels_per_mm)));
      panel.x = picture_.width;
      picture_.width += panel.width + margin;
      tallest = std::max(tallest, panel.height);
    }
    scale_ = side >= 280 ? 2 : 1;
    top_ = margin + (options_.title.empty() ? 0 : glyph_height * scale_ + margin);
    bar_x_ = picture_.width;
    picture_.width += 10 * glyph_width * scale_ / 2 + 16;
    picture_.height = top_ + tallest + margin;
    for (Panel& panel : panels_) panel.y = top_ + (tallest - panel.height) / 2;
    picture_.grey.assign(static_cast<size_t>(picture_.width) * static_cast<size_t>(picture_.height), 0);
  }

  uint8_t& pixel(int x, int y) {
    return picture_.grey[static_cast<size_t>(y) * static_cast<size_t>(picture_.width) + static_cast<size_t>(x)];
  }

  uint8_t grey_of(double value) const {
    if (!std::isfinite(value)) return 0;
    return static_cast<uint8_t>(std::lround(std::clamp((value - window_.black) / (window_.white - window_.black), 0.0, 1.0) * 255));
  }

  // Index along world axis w of pixel `at` of `pixels`, counted from the low end of the axis.
  int64_t index_along(size_t w, int at, int pixels) const {
    const int64_t n = extent(w);
    const int64_t i = std::min<int64_t>(n - 1, static_cast<int64_t>((at + 0.5) / pixels * static_cast<double>(n)));
    return world_[w].backwards ? n - 1 - i : i;
  }

  void paint_panel(const Panel& panel) {
    const size_t through = 3 - panel.across - panel.up;
    std::array<int64_t, 3> index{};
    index[world_[through].axis] = extent(through) / 2;
    for (int y = 0; y < panel.height; ++y) {
      index[world_[panel.up].axis] = index_along(panel.up, panel.height - 1 - y, panel.height);
      for (int x = 0; x < panel.width; ++x) {
        index[world_[panel.across].axis] = index_along(panel.across, panel.width - 1 - x, panel.width);
        pixel(panel.x + x, panel.y + y) = grey_of(value_at(volume_, index));
      }
    }
  }

  void paint_labels() {
    if (!options_.title.empty()) draw_text(picture_, margin, margin, scale_, options_.title);
    for (const Panel& panel : panels_) { draw_text(picture_, panel.x + 2, panel.y + 2, scale_, panel.left); }
    const int height = picture_.height - top_ - margin;
    const int text_rows = glyph_height * scale_;
    const int bar_top = top_ + text_rows, bar_height = std::max(1, height - 2 * text_rows);
    for (int y = 0; y < bar_height; ++y) {
      for (int x = 0; x < 12; ++x)
        pixel(bar_x_ + x, std::min(bar_top + y, picture_.height - 1)) = static_cast<uint8_t>(255 - 255 * y / bar_height);
    }
    draw_text(picture_, bar_x_, top_, std::max(1, scale_ / 2), short_number(window_.white));
    draw_text(picture_, bar_x_, top_ + height - text_rows / 2, std::max(1, scale_ / 2), short_number(window_.black));
  }

  const StridedView& volume_;
  const PictureOptions& options_;
  std::array<WorldAxis, 3> world_;
  Window window_;
  Picture picture_;
  // Sagittal with anterior on the left; coronal and axial with the subject's right on the left.
  std::array<Panel, 3> panels_{Panel{1, 2, "A"}, Panel{0, 2, "R"}, Panel{0, 1, "R"}};
  int scale_ = 1, top_ = margin, bar_x_ = 0;
};

}  // namespace

Picture orthogonal_view(const StridedView& volume, const Matrix44& affine, const PictureOptions& options) {
  internal_check(volume.rank() == 3 && volume.size() > 0 && is_float(volume.dtype) && !volume.swapped,
                 "a picture shows a 3-D volume of floats");
  return Painter(volume, affine, options).paint();
}

}  // namespace voxloom::io

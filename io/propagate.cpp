// io/propagate.cpp: header arithmetic for slices, reductions, permutations and grids.
#include <voxloom/io/propagate.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace voxloom::io {
namespace {

constexpr size_t time_axis = 3;

Matrix44 identity() { return {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}}; }

// dim_info: two bits each for the frequency, phase and slice axis, 1-based; 0 is unknown.
int slice_axis_of(const NiftiHeader& h) { return ((h.dim_info >> 4) & 3) - 1; }

void forget_slice_timing(NiftiHeader& h) {
  h.slice_code = 0;
  h.slice_start = h.slice_end = 0;
  h.slice_duration = 0;
}

bool close_to(const Matrix44& a, const Matrix44& b) {
  double size = 0, difference = 0;
  for (size_t r = 0; r < 3; ++r) {
    for (size_t c = 0; c < 4; ++c) {
      size = std::max(size, std::abs(a[r][c]));
      difference = std::max(difference, std::abs(a[r][c] - b[r][c]));
    }
  }
  return difference <= 1e-6 * size;
}

// New voxel index k stands for old index `change` * k; `sizes` are the new voxel sizes. dims are already the new ones.
void move_space(NiftiHeader& h, const NiftiHeader& old, const Matrix44& change, const std::array<double, 3>& sizes, bool turns) {
  const Matrix44 qform = multiply(old.qform(), change);
  if (turns) h.set_qform(qform);
  for (size_t i = 0; i < 3; ++i) {
    h.qoffset[i] = qform[i][3];
    h.pixdim[i + 1] = sizes[i];
  }
  h.set_sform(multiply(old.sform(), change));
  if (old.sform_code > 0 || old.qform_code > 0) return;
  const Matrix44 wanted = multiply(old.base_affine(), change);
  if (close_to(wanted, h.base_affine())) return;
  h.set_sform(wanted);
  h.sform_code = 2;
}

std::array<double, 3> sizes_of(const NiftiHeader& h) { return {h.pixdim[1], h.pixdim[2], h.pixdim[3]}; }

int64_t extent_of(const NiftiHeader& h, size_t axis) { return axis < h.dims.size() ? h.dims[axis] : 1; }

void check_axis(const NiftiHeader& h, size_t axis) {
  internal_check(axis < h.dims.size() && axis < 7, "a header operation names an axis of the image");
}

}  // namespace

NiftiHeader slice_axis(const NiftiHeader& header, size_t axis, int64_t start, int64_t step, int64_t count) {
  check_axis(header, axis);
  NiftiHeader h = header;
  const bool unchanged = start == 0 && step == 1;
  h.dims[axis] = count;
  if (axis < 3) {
    Matrix44 change = identity();
    change[axis][axis] = static_cast<double>(step);
    change[axis][3] = static_cast<double>(start);
    std::array<double, 3> sizes = sizes_of(header);
    sizes[axis] *= std::abs(static_cast<double>(step));
    move_space(h, header, change, sizes, step < 0);
    if (slice_axis_of(header) == static_cast<int>(axis) && !(unchanged && count == header.dims[axis])) forget_slice_timing(h);
  } else {
    if (axis == time_axis) h.toffset += static_cast<double>(start) * header.pixdim[axis + 1];
    h.pixdim[axis + 1] *= std::abs(static_cast<double>(step));
  }
  return h;
}

NiftiHeader remove_axis(const NiftiHeader& header, size_t axis) {
  check_axis(header, axis);
  NiftiHeader h = header;
  if (axis < 3) {
    h.dims[axis] = 1;
    if (slice_axis_of(header) == static_cast<int>(axis)) forget_slice_timing(h);
    return h;
  }
  h.dims.erase(h.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  for (size_t i = axis + 1; i < 7; ++i) h.pixdim[i] = h.pixdim[i + 1];
  h.pixdim[7] = 0;
  if (axis == time_axis) {
    h.toffset = 0;
    forget_slice_timing(h);
    if (h.dims.size() <= time_axis) h.pixdim[time_axis + 1] = 0;
  }
  return h;
}

NiftiHeader set_extent(const NiftiHeader& header, size_t axis, int64_t count) {
  internal_check(axis < 7, "an image has at most 7 axes");
  NiftiHeader h = header;
  for (size_t k = h.dims.size(); k <= axis; ++k) {
    h.dims.push_back(1);
    if (k >= time_axis && !(h.pixdim[k + 1] > 0)) h.pixdim[k + 1] = 1;  // a step of 0 is no step
  }
  if (h.dims[axis] == count) return h;
  h.dims[axis] = count;
  if (axis < 3 && slice_axis_of(h) == static_cast<int>(axis)) forget_slice_timing(h);
  return h;
}

NiftiHeader permute_space(const NiftiHeader& header, const std::array<size_t, 3>& order) {
  NiftiHeader h = header;
  if (h.dims.size() < 3) h.dims.resize(3, 1);
  Matrix44 change{};
  change[3][3] = 1;
  std::array<double, 3> sizes{};
  std::array<int, 4> new_of_old{};  // 1-based, for dim_info
  for (size_t k = 0; k < 3; ++k) {
    internal_check(order[k] < 3, "a permutation of the spatial axes");
    h.dims[k] = extent_of(header, order[k]);
    sizes[k] = header.pixdim[order[k] + 1];
    change[order[k]][k] = 1;
    new_of_old[order[k] + 1] = static_cast<int>(k) + 1;
  }
  internal_check(new_of_old[1] + new_of_old[2] + new_of_old[3] == 6, "a permutation of the spatial axes");
  move_space(h, header, change, sizes, order != std::array<size_t, 3>{0, 1, 2});
  int info = 0;
  for (const int shift : {0, 2, 4}) info |= new_of_old[static_cast<size_t>((header.dim_info >> shift) & 3)] << shift;
  h.dim_info = info;
  while (h.dims.size() > header.dims.size() && h.dims.back() == 1) h.dims.pop_back();
  return h;
}

NiftiHeader drop_trailing_ones(const NiftiHeader& header, size_t keep) {
  NiftiHeader h = header;
  while (h.dims.size() > std::max<size_t>(keep, 1) && h.dims.back() == 1) h = remove_axis(h, h.dims.size() - 1);
  return h;
}

NiftiHeader with_grid(const NiftiHeader& header, const NiftiHeader& grid) {
  NiftiHeader h = header;
  if (h.dims.size() < 3) h.dims.resize(3, 1);
  for (size_t i = 0; i < 3; ++i) {
    h.dims[i] = extent_of(grid, i);
    h.pixdim[i + 1] = grid.pixdim[i + 1];
  }
  h.pixdim[0] = grid.pixdim[0];
  h.quatern = grid.quatern;
  h.qoffset = grid.qoffset;
  h.srow = grid.srow;
  h.qform_code = grid.qform_code;
  h.sform_code = grid.sform_code;
  h.dim_info = 0;
  forget_slice_timing(h);
  return h;
}

std::string grid_difference(const NiftiHeader& a, const NiftiHeader& b, double tolerance) {
  const auto space = [](const NiftiHeader& h) { return std::array<int64_t, 3>{extent_of(h, 0), extent_of(h, 1), extent_of(h, 2)}; };
  const auto text_of = [](const std::array<int64_t, 3>& d) {
    return std::to_string(d[0]) + " x " + std::to_string(d[1]) + " x " + std::to_string(d[2]);
  };
  const std::array<int64_t, 3> dims = space(a);
  if (dims != space(b)) return "spatial dims " + text_of(dims) + " differ from " + text_of(space(b));
  Matrix44 inverse;
  if (!invert_affine(a.affine(), inverse)) return "the first affine is singular";
  const Matrix44 change = multiply(inverse, b.affine());  // voxel of b -> voxel of a
  double worst = 0;
  std::array<int64_t, 3> worst_corner{};
  for (unsigned mask = 0; mask < 8; ++mask) {
    std::array<int64_t, 3> corner{};
    for (size_t i = 0; i < 3; ++i) corner[i] = (mask >> i & 1) != 0 ? dims[i] - 1 : 0;
    for (size_t r = 0; r < 3; ++r) {
      double at = change[r][3];
      for (size_t c = 0; c < 3; ++c) at += change[r][c] * static_cast<double>(corner[c]);
      const double off = std::abs(at - static_cast<double>(corner[r]));
      if (!std::isfinite(off)) return "an affine is not finite";
      if (off <= worst) continue;
      worst = off;
      worst_corner = corner;
    }
  }
  if (worst <= tolerance) return {};
  return "the affines differ by " + number_text(worst) + " voxels at corner (" + std::to_string(worst_corner[0]) + ", " +
         std::to_string(worst_corner[1]) + ", " + std::to_string(worst_corner[2]) + "), allowed " + number_text(tolerance);
}

bool same_grid(const NiftiHeader& a, const NiftiHeader& b) { return grid_difference(a, b).empty(); }

}  // namespace voxloom::io

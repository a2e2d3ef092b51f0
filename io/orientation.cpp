// io/orientation.cpp: affines of a header: sform, qform (by nifticlib's quaternion routines), base, and anatomical directions.
#include <voxloom/io/nifti_header.h>

#include <nifti2_io.h>
#include <cmath>

namespace voxloom::io {
namespace {

nifti_dmat44 to_nifti(const Matrix44& a) {
  nifti_dmat44 m;
  for (size_t r = 0; r < 4; ++r) {
    for (size_t c = 0; c < 4; ++c) m.m[r][c] = a[r][c];
  }
  return m;
}

Matrix44 from_nifti(const nifti_dmat44& m) {
  Matrix44 a;
  for (size_t r = 0; r < 4; ++r) {
    for (size_t c = 0; c < 4; ++c) a[r][c] = m.m[r][c];
  }
  return a;
}

struct Silence {
  Silence() { nifti_set_debug_level(0); }
};
// nifticlib prints at its default level; its level is a process-wide variable, so it is set once.
void silence_nifticlib() { static const Silence once; }

int signed_axis(int code) {
  switch (code) {
    case NIFTI_L2R: return 1;
    case NIFTI_R2L: return -1;
    case NIFTI_P2A: return 2;
    case NIFTI_A2P: return -2;
    case NIFTI_I2S: return 3;
    case NIFTI_S2I: return -3;
    default: return 0;
  }
}

}  // namespace

Matrix44 NiftiHeader::sform() const { return {srow[0], srow[1], srow[2], {0, 0, 0, 1}}; }

Matrix44 NiftiHeader::qform() const {
  silence_nifticlib();
  return from_nifti(nifti_quatern_to_dmat44(quatern[0], quatern[1], quatern[2], qoffset[0], qoffset[1], qoffset[2], pixdim[1], pixdim[2],
                                            pixdim[3], pixdim[0]));
}

Matrix44 NiftiHeader::base_affine() const {
  Matrix44 m{};
  m[3][3] = 1;
  for (size_t i = 0; i < 3; ++i) {
    const bool present = i < dims.size();
    const double zoom = (present ? pixdim[i + 1] : 1.0) * (i == 0 ? -1 : 1);
    m[i][i] = zoom;
    m[i][3] = present && dims[i] > 1 ? -static_cast<double>(dims[i] - 1) / 2 * zoom : 0.0;
  }
  return m;
}

Matrix44 NiftiHeader::affine() const {
  if (sform_code > 0) return sform();
  if (qform_code > 0) return qform();
  return base_affine();
}

void NiftiHeader::set_qform(const Matrix44& m) {
  silence_nifticlib();
  nifti_dmat44_to_quatern(to_nifti(m), &quatern[0], &quatern[1], &quatern[2], &qoffset[0], &qoffset[1], &qoffset[2], &pixdim[1], &pixdim[2],
                          &pixdim[3], &pixdim[0]);
}

void NiftiHeader::set_sform(const Matrix44& m) { srow = {m[0], m[1], m[2]}; }

std::array<int, 3> closest_world_axes(const Matrix44& affine) {
  silence_nifticlib();
  Matrix44 inverse;
  std::array<int, 3> axes{1, 2, 3};
  if (!invert_affine(affine, inverse)) return axes;
  int codes[3] = {0, 0, 0};
  nifti_dmat44_to_orientation(to_nifti(affine), &codes[0], &codes[1], &codes[2]);
  for (size_t i = 0; i < 3; ++i) axes[i] = signed_axis(codes[i]);
  const bool permutation = std::abs(axes[0]) + std::abs(axes[1]) + std::abs(axes[2]) == 6 && axes[0] * axes[1] * axes[2] != 0 &&
                           std::abs(axes[0] * axes[1] * axes[2]) == 6;
  return permutation ? axes : std::array<int, 3>{1, 2, 3};
}

std::string orientation_of(const Matrix44& affine) {
  std::string text;
  for (const int axis : closest_world_axes(affine)) text += axis > 0 ? "RAS"[axis - 1] : "LPI"[-axis - 1];
  return text;
}

bool invert_affine(const Matrix44& m, Matrix44& inverse) {
  const auto minor = [&](size_t r, size_t c) {
    const size_t r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
  };
  const double det = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  double scale = 1;  // product of the column lengths: |det| <= scale, and the ratio does not depend on the unit
  for (size_t c = 0; c < 3; ++c) scale *= std::hypot(m[0][c], m[1][c], m[2][c]);
  for (size_t r = 0; r < 3; ++r) scale += 0 * m[r][3];  // a non-finite shift makes the comparison below fail
  if (!(std::isfinite(det) && std::abs(det) > 1e-12 * scale && std::isfinite(1 / det))) return false;
  inverse = {};
  inverse[3][3] = 1;
  for (size_t r = 0; r < 3; ++r) {
    for (size_t c = 0; c < 3; ++c) inverse[r][c] = minor(c, r) / det;
  }
  for (size_t r = 0; r < 3; ++r) { inverse[r][3] = -(inverse[r][0] * m[0][3] + inverse[r][1] * m[1][3] + inverse[r][2] * m[2][3]); }
  return true;
}

Matrix44 multiply(const Matrix44& a, const Matrix44& b) {
  Matrix44 c{};
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      for (size_t k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

}  // namespace voxloom::io

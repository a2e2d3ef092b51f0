// io/picture.h: the three middle slices of a volume as one grey picture.
#pragma once

#include <voxloom/graph/strided_view.h>
#include <voxloom/io/nifti_header.h>

#include <cstdint>
#include <string>
#include <vector>

namespace voxloom::io {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> grey;  ///< rows from the top
};

struct PictureOptions {
  int smallest = 300;              ///< each panel's longer side gets at least so many pixels
  double low = 0.02, high = 0.98;  ///< quantiles of the finite values that become black and white
  std::string title;               ///< one line above the panels
};

/// Sagittal, coronal and axial slice through the middle, turned to the closest anatomical axes, up is superior or anterior, in radiological
/// convention (the picture's left is the subject's right; R marks it), aspect from the voxel sizes of `affine`, with a bar that gives the
/// window.
/// `volume` is f32 or f64 of rank 3 (native order); non-finite voxels are black.
VOXLOOM_API Picture orthogonal_view(const StridedView& volume, const Matrix44& affine, const PictureOptions& options = {});

}  // namespace voxloom::io

// io/propagate.h: what operations on voxels do to the header: pure functions, extensions and texts are kept.
#pragma once

#include <voxloom/io/nifti_header.h>

#include <array>
#include <cstdint>
#include <string>

namespace voxloom::io {

/// Axis `axis` keeps the voxels start, start + step, ... (`count` of them; step may be negative). A spatial axis moves and flips the affine
/// and scales pixdim; the time axis scales pixdim[4] and moves toffset. Without any qform or sform code the result gets sform code 2
/// where the centred default would no longer place the voxels where they were.
VOXLOOM_API NiftiHeader slice_axis(const NiftiHeader& header, size_t axis, int64_t start, int64_t step, int64_t count);

/// The axis is gone (reduced, or indexed by a number after slice_axis). A spatial axis stays with extent 1 and its geometry, so that the
/// others keep their places; any other is erased, and what describes time goes with the time axis.
VOXLOOM_API NiftiHeader remove_axis(const NiftiHeader& header, size_t axis);

/// Axis `axis` has `count` voxels (concatenation, resampling along time); missing axes before it get extent 1,
/// and axes beyond space without a step the step 1.
VOXLOOM_API NiftiHeader set_extent(const NiftiHeader& header, size_t axis, int64_t count);

/// Spatial axis k of the result is spatial axis order[k] of `header`. The voxels stay where they were in the world.
VOXLOOM_API NiftiHeader permute_space(const NiftiHeader& header, const std::array<size_t, 3>& order);

/// Removes trailing extents of 1 beyond the first `keep` axes.
VOXLOOM_API NiftiHeader drop_trailing_ones(const NiftiHeader& header, size_t keep = 3);

/// Gives the result another grid: dims and affine of space (for resampling). Both forms are set, codes as in `grid`.
VOXLOOM_API NiftiHeader with_grid(const NiftiHeader& header, const NiftiHeader& grid);

/// Empty if both images have the same spatial grid: equal spatial dims, and no corner of the volume differs by more than `tolerance`
/// voxels. Otherwise a sentence with the two facts, e.g. the worst corner and its distance.
VOXLOOM_API std::string grid_difference(const NiftiHeader& a, const NiftiHeader& b, double tolerance = 1e-3);
VOXLOOM_API bool same_grid(const NiftiHeader& a, const NiftiHeader& b);

}  // namespace voxloom::io

// io/voxel_form.h: between the voxels of a file and the elements of a block, where the two differ. Internal to io.
#pragma once

#include <voxloom/io/box.h>
#include <voxloom/io/nifti_header.h>

#include <cstddef>

namespace voxloom::io {

/// The box of voxels (without the channel axis) that a box of the delivered shape needs.
Box voxel_box(const NiftiHeader& header, const Box& box);

/// Turns `count` voxels of the file into elements of the block, starting at voxel `at` of the block. `box` is the delivered box.
void decode_voxels(const NiftiHeader& header, const Box& box, const std::byte* src, int64_t count, int64_t at, std::byte* dst);

/// The same for channels, in the other direction: `count` voxels from `at` of the block to interleaved bytes.
void interleave_channels(const NiftiHeader& header, const Box& box, const std::byte* src, int64_t count, int64_t at, std::byte* dst);

/// The value of a 16-byte float in native order: x87 extended precision where the six padding bytes are zero, IEEE binary128 otherwise
/// (a binary128 number with these bytes zero is below the range of double).
double double_from_float128(const std::byte* bytes);

}  // namespace voxloom::io

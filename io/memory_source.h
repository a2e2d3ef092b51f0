// io/memory_source.h: an array in memory as a source of blocks, so that what is computed from files and arrays is planned alike.
#pragma once

#include <voxloom/io/source.h>
#include <voxloom/runtime/array.h>

#include <memory>

namespace voxloom::io {

/// `header.dims` must be the array's shape (axis 0 is x), and `header.dtype` its dtype; the elements are shared, not copied.
std::shared_ptr<BlockSource> memory_source(const Array& voxels, NiftiHeader header);

}  // namespace voxloom::io

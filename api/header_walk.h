// api/header_walk.h: the header of a result, from the axis relations on its way from the image it comes from. Internal.
#pragma once

#include <voxloom/graph/graph.h>
#include <voxloom/io/box.h>
#include <voxloom/io/nifti_header.h>

#include <string>

namespace voxloom::detail {

/// Header of the first image of the expression (or of the one with that path), changed by every slice, flip and dropped axis on the way.
/// UserError when the expression has no image, or none of that path.
io::NiftiHeader header_of(const Expr& value, const std::string& header_from);
/// The header for a value in file order: extents and dtype are the value's.
io::NiftiHeader output_header(io::NiftiHeader header, const Expr& value);
/// The value with its axes in the order x y z t u v w; an axis without a name is the next free one of t u v w. UserError for other names.
Expr in_file_order(const Expr& value);
/// A box of a value in file order as a box of a file with these extents: axes that only one of them has are of extent 1.
io::Box file_box(const Type& type, const io::Box& box, const std::vector<int64_t>& file_dims);
/// UserError naming two files if the images with spatial axes do not lie on one grid.
void check_grids(const Graph& graph);

}  // namespace voxloom::detail

// api/stream_analysis.h: along which axis can a graph over files run block by block? Decided by axis relations alone. Internal.
#pragma once

#include <voxloom/codegen/view_map.h>
#include <voxloom/graph/graph.h>
#include <voxloom/io/source.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace voxloom::detail {

/// What the leaf of an image or of an array in a file holds. Leaves over one file, under whatever names, are equal: a graph has one of them and the file is read once.
struct ImagePayload final : Payload {
  std::shared_ptr<io::BlockSource> source;
  bool equals(const Payload& other) const override;
  size_t hash() const override;
  uint64_t structural_hash() const override { return std::hash<std::string>()(source->info().path); }
  std::string text() const override { return source->info().path; }
};
const ImagePayload* image_of(const Node& node);

/// How a graph behaves along one axis of its files.
struct StreamAxis {
  std::string name;      ///< "t"; "axis 0 of X.npy" where axes have no names
  std::string refusal;   ///< not empty: why blocks along it are impossible
  int64_t extent = 0;    ///< positions of the computation along it
  int levels = 1;        ///< passes over the files: 1 + the longest chain of reductions over the axis whose results are mapped again
  bool windows = false;  ///< some file is read with a halo
  /// Axis of each node that carries it; absent for the others.
  std::unordered_map<const Node*, int> axis_of;
  std::unordered_map<const Node*, int> level;  ///< of every node: reductions over the axis below it
  struct Reach {
    int64_t low = 0, high = 0;  ///< smallest and largest offset at which a file is read
  };
  std::unordered_map<const Node*, Reach> reach;     ///< of leaves that carry the axis, in files or in memory
  std::unordered_map<const Node*, int64_t> offset;  ///< of views of such leaves: position of their first element along the axis
};

/// Every axis that files have, analysed, in the order of preference: axes with names from w to x, then those of arrays without names, of the
/// largest file and of each its slowest first, unless one is an axis before it. Types must have constant sizes. What is in memory and meets the axis (an argument,
/// a shared variable, a constant array) carries it too and is read where it lies.
std::vector<StreamAxis> stream_axes(const Graph& graph);
/// Whether the node reduces the streamed axis.
bool reduces_axis(const Node& node, const StreamAxis& axis);

/// The part of a file that a graph reads at all, as a box.
io::Box needed_box(const Graph& graph, const Node& leaf);

}  // namespace voxloom::detail

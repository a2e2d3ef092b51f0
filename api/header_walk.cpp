// api/header_walk.cpp: walks a graph operands first and carries headers along.
#include <voxloom/api/header_walk.h>

#include <voxloom/api/stream_analysis.h>
#include <voxloom/io/propagate.h>
#include <voxloom/ops/build.h>

#include <algorithm>
#include <optional>

namespace voxloom::detail {
namespace {

constexpr std::string_view axis_letters = "xyztuvw";

int file_axis(const std::string& name) {
  const size_t at = name.size() == 1 ? axis_letters.find(name[0]) : std::string_view::npos;
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// File axis of every axis of a type: the one of its letter; axes without a name get those of t u v w that are left, in order; -1 for others.
std::vector<int> file_axes(const Type& type) {
  std::vector<int> axes;
  size_t next = 3;
  for (const std::string& name : type.names) {
    if (!name.empty()) {
      axes.push_back(file_axis(name));
      continue;
    }
    while (next < axis_letters.size() && type.axis_named(axis_letters.substr(next, 1)) >= 0) ++next;
    axes.push_back(next < axis_letters.size() ? static_cast<int>(next++) : -1);
  }
  return axes;
}

// What a view or reduction does to the axes that have names.
io::NiftiHeader through(const Node& n, const io::NiftiHeader& header) {
  const Type& from = n.input(0).type();
  io::NiftiHeader result = header;
  std::vector<int> dropped;
  const auto maps = axis_maps(n, 0);
  for (size_t k = 0; k < maps.size() && from.is_image(); ++k) {
    const int axis = file_axis(from.names[k]);
    if (axis < 0 || static_cast<size_t>(axis) >= result.dims.size()) continue;
    const bool affine = maps[k].relation == AxisRelation::affine && maps[k].b.is_constant();
    if (affine && maps[k].out_axis >= 0) {
      const int64_t count = n.type().shape[static_cast<size_t>(maps[k].out_axis)].constant();
      if (count > 0) result = io::slice_axis(result, static_cast<size_t>(axis), maps[k].b.constant(), maps[k].a, count);
    } else if (affine) {
      result = io::slice_axis(result, static_cast<size_t>(axis), maps[k].b.constant(), 1, 1);
    }
    if (n.type().axis_named(from.names[k]) < 0) dropped.push_back(axis);
  }
  std::sort(dropped.rbegin(), dropped.rend());
  for (int axis : dropped) result = io::remove_axis(result, static_cast<size_t>(axis));
  return result;
}

struct Carried {
  io::NiftiHeader header;
  int axes = 0;
};

}  // namespace

io::NiftiHeader header_of(const Expr& value, const std::string& header_from) {
  const std::vector<Expr> outputs{value};
  std::unordered_map<const Node*, Carried> headers;
  std::string seen;
  for (const Expr& e : topological_order(outputs)) {
    if (const ImagePayload* image = image_of(*e)) {
      const io::NiftiHeader* const header = image->source->header();
      if (!header) continue;
      const std::string& path = image->source->info().path;
      seen += (seen.empty() ? "" : ", ") + path;
      if (header_from.empty() || path == header_from || e->name() == header_from) headers[e.get()] = {*header, e.rank()};
      continue;
    }
    const Carried* best = nullptr;
    const Node* from = nullptr;
    for (const Expr& in : e->inputs()) {
      const auto it = headers.find(in.get());
      if (it != headers.end() && (!best || it->second.axes > best->axes)) {
        best = &it->second;
        from = in.get();
      }
    }
    if (!best) continue;
    const bool changes = (e->op().kind == OpKind::view || e->op().kind == OpKind::reduction) && from == e->input(0).get();
    const Carried carried{changes ? through(*e, best->header) : best->header, e.type().is_image() ? e.rank() : 0};
    headers[e.get()] = carried;
  }
  const auto found = headers.find(value.get());
  if (found != headers.end()) return found->second.header;
  if (seen.empty()) fail_user(ErrorCode::usage, "save", "the expression has no image, so there is no header to write", value->origin());
  fail_user(ErrorCode::usage, "save", "no image " + header_from + " in the expression (its images are " + seen + ")", value->origin());
}

io::NiftiHeader output_header(io::NiftiHeader header, const Expr& value) {
  const Type& type = value.type();
  const std::vector<int> axes = file_axes(type);
  for (int k = 0; k < type.rank(); ++k) {
    const auto axis = static_cast<size_t>(axes[static_cast<size_t>(k)]);
    if (axis < header.dims.size() && header.dims[axis] == type.shape[static_cast<size_t>(k)].constant()) continue;
    header = io::set_extent(header, axis, type.shape[static_cast<size_t>(k)].constant());
  }
  // Axes the value does not have.
  for (size_t axis = header.dims.size(); axis-- > 0;) {
    if (std::count(axes.begin(), axes.end(), static_cast<int>(axis)) > 0 || header.dims[axis] == 1) continue;
    header = io::remove_axis(header, axis);
  }
  header.form = io::VoxelForm::plain;
  header.channels = 0;
  header.set_storage(type.dtype);
  return io::drop_trailing_ones(header);
}

Expr in_file_order(const Expr& value) {
  const Type& type = value.type();
  if (!type.is_image()) {
    fail_user(ErrorCode::usage, "save", "the result " + type.str() + " has no image axes, so it cannot be written as an image",
              value->origin());
  }
  std::vector<std::pair<int, int>> order;
  const std::vector<int> file = file_axes(type);
  for (int k = 0; k < type.rank(); ++k) {
    const std::string& name = type.names[static_cast<size_t>(k)];
    const int axis = file[static_cast<size_t>(k)];
    if (axis < 0) {
      fail_user(ErrorCode::usage, "save",
                name == "c" ? "colour channels cannot be written; take one with [..., 0]"
                            : "axis " + std::to_string(k) + " of " + type.str() +
                                  (name.empty() ? " is one more than x y z t u v w" : " has no name of x y z t u v w"),
                value->origin());
    }
    order.emplace_back(axis, k);
  }
  if (std::is_sorted(order.begin(), order.end())) return value;
  std::sort(order.begin(), order.end());
  std::vector<Axis> axes;
  for (const auto& [axis, k] : order) axes.emplace_back(k);
  return transpose(value, axes);
}

io::Box file_box(const Type& type, const io::Box& box, const std::vector<int64_t>& file_dims) {
  io::Box result = io::Box::whole(file_dims);
  const std::vector<int> axes = file_axes(type);
  for (int k = 0; k < type.rank(); ++k) {
    const auto axis = static_cast<size_t>(axes[static_cast<size_t>(k)]);
    if (axis >= file_dims.size()) continue;
    result.start[axis] = box.start[static_cast<size_t>(k)];
    result.extent[axis] = box.extent[static_cast<size_t>(k)];
  }
  return result;
}

void check_grids(const Graph& graph) {
  const io::NiftiHeader* first = nullptr;
  std::string first_path;
  for (const Expr& e : graph.nodes()) {
    const ImagePayload* image = image_of(*e);
    const io::NiftiHeader* const header = image ? image->source->header() : nullptr;
    if (!header) continue;
    if (!first) {
      first = header;
      first_path = image->source->info().path;
      continue;
    }
    if (const std::string difference = io::grid_difference(*first, *header); !difference.empty()) {
      fail_user(ErrorCode::shape, "save", first_path + " and " + image->source->info().path + " do not lie on one grid: " + difference);
    }
  }
}

}  // namespace voxloom::detail

// api/stream_analysis.cpp: marks the nodes that carry the streamed axis, operands first.
#include <voxloom/api/stream_analysis.h>

#include <algorithm>

namespace voxloom::detail {
namespace {

// A view of a leaf: its offset along the streamed axis is still open.
struct LeafView {
  const Node* leaf = nullptr;
  int64_t offset = 0;
};

using Carriers = std::unordered_map<const Node*, int>;

/// `carriers`: nodes below which nothing carries the axis, and their axis: leaves, and views that broadcast along it. Grows by those that are
/// found on the way; the analysis is whole when none is.
class Analysis {
 public:
  Analysis(const Graph& graph, StreamAxis& axis, Carriers& carriers) : graph_(graph), axis_(axis), carriers_(carriers) {}

  void run() {
    for (const Expr& e : graph_.nodes()) {
      visit(*e);
      if (!axis_.refusal.empty()) return;
    }
    for (const Expr& out : graph_.outputs()) use(out.get());
    for (const auto& [node, view] : views_) axis_.offset[node] = view.offset;
    for (const auto& [node, level] : axis_.level) {
      if (axis_.axis_of.count(node)) axis_.levels = std::max(axis_.levels, level + 1);
    }
    if (axis_.extent == 0) refuse("no operation uses it");
  }

 private:
  void refuse(const std::string& reason) {
    if (axis_.refusal.empty()) axis_.refusal = reason;
  }

  void visit(const Node& n) {
    axis_.level[&n] = 0;
    const auto carrier = carriers_.find(&n);
    if (n.op().kind == OpKind::leaf) {
      if (carrier == carriers_.end()) return;
      axis_.axis_of[&n] = carrier->second;
      views_[&n] = {&n, 0};
      return;
    }
    int out_axis = carrier == carriers_.end() ? -1 : carrier->second;
    bool reduces = false;
    for (size_t k = 0; k < n.inputs().size(); ++k) {
      const Node* m = n.input(k).get();
      const auto carried = axis_.axis_of.find(m);
      axis_.level[&n] = std::max(axis_.level[&n], axis_.level[m]);
      if (carried == axis_.axis_of.end()) continue;
      const std::string what = std::string(n.op().name);
      if (n.op().kind == OpKind::reshape || n.op().kind == OpKind::library || n.op().kind == OpKind::scatter)
        return refuse(what + " needs the whole axis");
      const AxisMap map = axis_maps(n, k)[static_cast<size_t>(carried->second)];
      if (n.op().kind != OpKind::view) use(m);
      if (map.relation == AxisRelation::reduce) {
        reduces = true;
        check_slowest(n, carried->second);
        continue;
      }
      if (map.relation != AxisRelation::map && map.relation != AxisRelation::affine) return refuse(what + " needs the whole axis");
      if (map.out_axis < 0 || map.a != 1)
        return refuse(what + (map.out_axis < 0 ? " picks single positions of the axis" : " steps along the axis"));
      if (n.op().kind == OpKind::join && n.attr_int("axis") == map.out_axis) return refuse("concatenate runs along the axis");
      if (out_axis >= 0 && out_axis != map.out_axis) return refuse("the axis meets itself in " + what);
      out_axis = map.out_axis;
      const auto reads_position = n.op().indexed.reads_position;
      if (reads_position && reads_position(n, out_axis)) return refuse(what + " does something else at each position of the axis");
      if (n.op().kind == OpKind::view) follow_view(n, m, map);
    }
    if (reduces) axis_.level[&n] += 1;
    if (out_axis < 0) return;
    axis_.axis_of[&n] = out_axis;
    if (n.op().kind != OpKind::view) check_operands(n, out_axis);
  }

  void follow_view(const Node& n, const Node* operand, const AxisMap& map) {
    const auto view = views_.find(operand);
    if (view != views_.end()) {
      views_[&n] = {view->second.leaf, view->second.offset + map.b.constant()};
    } else if (!(map.b == Dim(0)) || !(n.type().shape[static_cast<size_t>(map.out_axis)] ==
                                       operand->type().shape[static_cast<size_t>(axis_.axis_of.at(operand))])) {
      refuse(std::string(n.op().name) + " takes a part of a computed axis");
    }
  }

  // A node is used at full resolution along the axis: all such uses must have one extent.
  void use(const Node* m) {
    const auto carried = axis_.axis_of.find(m);
    if (carried == axis_.axis_of.end()) return;
    const int64_t extent = m->type().shape[static_cast<size_t>(carried->second)].constant();
    if (extent == 0) return refuse("an empty part of the axis is used");
    if (axis_.extent == 0) axis_.extent = extent;
    if (axis_.extent != extent)
      refuse("parts of different length along the axis are used (" + std::to_string(axis_.extent) + " and " + std::to_string(extent) + ")");
    if (const auto view = views_.find(m); view != views_.end()) {
      auto [it, is_new] = axis_.reach.try_emplace(view->second.leaf, StreamAxis::Reach{view->second.offset, view->second.offset});
      it->second.low = std::min(it->second.low, view->second.offset);
      it->second.high = std::max(it->second.high, view->second.offset);
      if (it->second.low != it->second.high) axis_.windows = true;
    }
  }

  // Partial sums of blocks are in the defined order only if the axis is the slowest one that is reduced.
  void check_slowest(const Node& n, int axis) {
    const auto maps = axis_maps(n, 0);
    const auto order = n.input(0).type().fastest_first();
    for (auto k = order.rbegin(); k != order.rend(); ++k) {
      const auto at = static_cast<size_t>(*k);
      if (maps[at].relation != AxisRelation::reduce || n.input(0).type().shape[at].is_one()) continue;
      if (*k != axis) refuse(std::string(n.op().name) + " reduces a slower axis too");
      return;
    }
  }

  // Operands that do not carry the axis broadcast along it, or are in memory and are made to carry it.
  void check_operands(const Node& n, int out_axis) {
    for (size_t k = 0; k < n.inputs().size(); ++k) {
      if (axis_.axis_of.count(n.input(k).get())) continue;
      const auto maps = axis_maps(n, k);
      for (size_t j = 0; j < maps.size(); ++j) {
        if (maps[j].out_axis == out_axis && maps[j].relation != AxisRelation::broadcast && !n.input(k).shape()[j].is_one()) {
          carry(n.input(k).get(), static_cast<int>(j));
        }
      }
    }
  }

  // The value has the axis: so have the leaves it is computed from.
  void carry(const Node* value, int value_axis) {
    std::vector<std::pair<const Node*, int>> work{{value, value_axis}};
    while (!work.empty()) {
      const auto [n, axis] = work.back();
      work.pop_back();
      bool ends = true;
      for (size_t k = 0; k < n->inputs().size(); ++k) {
        const auto maps = axis_maps(*n, k);
        for (size_t j = 0; j < maps.size(); ++j) {
          const bool follows = maps[j].relation == AxisRelation::map || maps[j].relation == AxisRelation::affine;
          if (maps[j].out_axis != axis || !follows || n->input(k).shape()[j].is_one()) continue;
          work.emplace_back(n->input(k).get(), static_cast<int>(j));
          ends = false;
        }
      }
      if (!ends) continue;
      if (n->op().kind != OpKind::leaf && n->op().kind != OpKind::view) return refuse(std::string(n->op().name) + " needs the whole axis");
      const auto [known, is_new] = carriers_.try_emplace(n, axis);
      if (known->second != axis) return refuse("the axis meets itself in what is computed from " + std::string(n->op().name));
    }
  }

  const Graph& graph_;
  StreamAxis& axis_;
  Carriers& carriers_;
  std::unordered_map<const Node*, LeafView> views_;
};

StreamAxis analysed(const Graph& graph, const std::string& name, Carriers carriers) {
  while (true) {
    StreamAxis axis;
    axis.name = name;
    const size_t known = carriers.size();
    Analysis(graph, axis, carriers).run();
    if (!axis.refusal.empty() || carriers.size() == known) return axis;
  }
}

void widen(io::Box& box, const codegen::ViewMap& map, const std::vector<Dim>& shape) {
  for (const Dim& d : shape) {
    if (d.constant() == 0) return;  // nothing is read
  }
  for (size_t j = 0; j < map.terms.size(); ++j) {
    const codegen::IndexTerm& t = map.terms[j];
    int64_t first = t.b.constant(), last = first;
    if (t.axis >= 0) last += t.a * (shape[static_cast<size_t>(t.axis)].constant() - 1);
    const int64_t low = std::min(first, last), high = std::max(first, last) + 1;
    if (box.extent[j] == 0) {
      box.start[j] = low;
      box.extent[j] = high - low;
    } else {
      const int64_t end = std::max(box.start[j] + box.extent[j], high);
      box.start[j] = std::min(box.start[j], low);
      box.extent[j] = end - box.start[j];
    }
  }
}

}  // namespace

bool ImagePayload::equals(const Payload& other) const {
  const auto* image = dynamic_cast<const ImagePayload*>(&other);
  if (!image) return false;
  const auto &mine = source->info().identity, &theirs = image->source->info().identity;
  return image->source == source || (mine && mine == theirs);
}

size_t ImagePayload::hash() const {
  const auto& identity = source->info().identity;
  return identity ? std::hash<uint64_t>()(identity->voxels.inode) : std::hash<const void*>()(source.get());
}

const ImagePayload* image_of(const Node& node) { return dynamic_cast<const ImagePayload*>(node.payload().get()); }

std::vector<StreamAxis> stream_axes(const Graph& graph) {
  std::vector<StreamAxis> axes;
  for (const char* name : {"w", "v", "u", "t", "z", "y", "x"}) {
    Carriers carriers;
    for (const Expr& e : graph.nodes()) {
      const int k = image_of(*e) ? e.type().axis_named(name) : -1;
      if (k >= 0 && !e.shape()[static_cast<size_t>(k)].is_one()) carriers[e.get()] = k;
    }
    if (!carriers.empty()) axes.push_back(analysed(graph, name, std::move(carriers)));
  }
  std::vector<Expr> arrays;
  for (const Expr& e : graph.nodes()) {
    if (image_of(*e) && !e.type().is_image()) arrays.push_back(e);
  }
  const auto bytes = [](const Expr& e) { return image_of(*e)->source->info().bytes; };
  std::stable_sort(arrays.begin(), arrays.end(), [&](const Expr& a, const Expr& b) { return bytes(a) > bytes(b); });
  for (const Expr& e : arrays) {
    const std::vector<int> order = e.type().fastest_first();
    for (auto k = order.rbegin(); k != order.rend(); ++k) {
      const bool known = std::any_of(axes.begin(), axes.end(), [&](const StreamAxis& axis) {
        const auto carried = axis.axis_of.find(e.get());
        return carried != axis.axis_of.end() && carried->second == *k;
      });
      if (known || e.shape()[static_cast<size_t>(*k)].is_one()) continue;
      axes.push_back(analysed(graph, "axis " + std::to_string(*k) + " of " + e->name(), {{e.get(), *k}}));
    }
  }
  return axes;
}

bool reduces_axis(const Node& node, const StreamAxis& axis) {
  if (node.op().kind != OpKind::reduction) return false;
  const auto carried = axis.axis_of.find(node.input(0).get());
  return carried != axis.axis_of.end() && axis_maps(node, 0)[static_cast<size_t>(carried->second)].relation == AxisRelation::reduce;
}

io::Box needed_box(const Graph& graph, const Node& leaf) {
  io::Box box;
  box.start.assign(static_cast<size_t>(leaf.type().rank()), 0);
  box.extent.assign(static_cast<size_t>(leaf.type().rank()), 0);
  const auto see = [&](const codegen::ViewMap& map, const std::vector<Dim>& shape) {
    if (map.base == &leaf) widen(box, map, shape);
  };
  for (const Expr& e : graph.nodes()) {
    if (e->op().kind == OpKind::leaf || e->op().kind == OpKind::view) continue;
    for (size_t k = 0; k < e->inputs().size(); ++k) see(codegen::resolve_views(e->input(k)), e->input(k).shape());
  }
  for (const Expr& out : graph.outputs()) see(codegen::resolve_views(out), out.shape());
  for (int64_t& n : box.extent) n = std::max<int64_t>(n, 1);
  return box;
}

}  // namespace voxloom::detail

// api/drawing_layout.cpp: places for the boxes of a drawing: layers, an order within each, coordinates.
//
// Sugiyama's scheme. A line that passes layers gets a bend in each of them, so that it is ordered and placed like a box and crosses none.
#include <voxloom/api/drawing.h>

#include <algorithm>

namespace voxloom::detail {
namespace {

constexpr double layer_distance = 62, gap = 14, margin = 16;
constexpr int sweeps = 8;

/// A box, or a bend of a line.
struct Item {
  int layer = 0;
  double width = 0;
  double x = 0, wish = 0;
  std::vector<size_t> above = {}, below = {};  // neighbours
};

class Layout {
 public:
  Layout(const Drawing& drawing, const std::vector<double>& widths) : drawing_(drawing) {
    for (const double width : widths) items_.push_back({.width = width});
    assign_layers();
    connect();
    for (size_t k = 0; k < items_.size(); ++k) {
      layers_.resize(std::max(layers_.size(), static_cast<size_t>(items_[k].layer) + 1));
      layers_[static_cast<size_t>(items_[k].layer)].push_back(k);
    }
    for (auto& layer : layers_) pack(layer);
    for (int sweep = 0; sweep < sweeps; ++sweep) sweep_once(sweep % 2 == 0, true);
    for (int sweep = 0; sweep < sweeps; ++sweep) sweep_once(sweep % 2 == 0, false);
  }

  DrawingLayout result() {
    DrawingLayout out;
    double left = 0, right = 0;
    for (const Item& item : items_) left = std::min(left, item.x - item.width / 2), right = std::max(right, item.x + item.width / 2);
    const auto at = [&](size_t k) {
      return Point{items_[k].x - left + margin, margin + box_height / 2 + layer_distance * items_[k].layer};
    };
    for (size_t k = 0; k < drawing_.boxes.size(); ++k) {
      out.boxes.push_back(at(k));
      out.widths.push_back(items_[k].width);
    }
    for (size_t k = 0; k < drawing_.lines.size(); ++k) {
      std::vector<Point> path;
      for (const size_t item : paths_[k]) path.push_back(at(item));
      path.front().y += box_height / 2;
      path.back().y -= box_height / 2;
      out.lines.push_back(std::move(path));
    }
    spread_ends(out);
    out.width = right - left + 2 * margin;
    out.height = 2 * margin + box_height + layer_distance * static_cast<double>(layers_.empty() ? 0 : layers_.size() - 1);
    return out;
  }

 private:
  // Lines enter a box beside each other, in the order in which they come, so that none crosses another there.
  void spread_ends(DrawingLayout& out) const {
    std::vector<std::vector<size_t>> entering(drawing_.boxes.size());
    for (size_t k = 0; k < drawing_.lines.size(); ++k) entering[drawing_.lines[k].to].push_back(k);
    for (size_t box = 0; box < entering.size(); ++box) {
      std::vector<size_t>& lines = entering[box];
      const auto before = [&](size_t line) { return out.lines[line][out.lines[line].size() - 2].x; };
      std::stable_sort(lines.begin(), lines.end(), [&](size_t a, size_t b) { return before(a) < before(b); });
      const double step = std::min(16.0, items_[box].width / static_cast<double>(lines.size() + 1));
      const double middle = (static_cast<double>(lines.size()) - 1) / 2;
      for (size_t k = 0; k < lines.size(); ++k) out.lines[lines[k]].back().x += (static_cast<double>(k) - middle) * step;
    }
  }

  // Below all operands, but operands without operands of their own just above their first user.
  void assign_layers() {
    std::vector<char> has_operands(items_.size(), 0);
    std::vector<std::vector<size_t>> users(items_.size());
    for (const auto& line : drawing_.lines) users[line.from].push_back(line.to), has_operands[line.to] = 1;
    for (size_t k = 0; k < items_.size(); ++k) {
      for (const size_t user : users[k]) items_[user].layer = std::max(items_[user].layer, items_[k].layer + 1);
    }
    for (size_t k = 0; k < items_.size(); ++k) {
      if (has_operands[k] || users[k].empty()) continue;
      int first = items_[users[k][0]].layer;
      for (const size_t user : users[k]) first = std::min(first, items_[user].layer);
      items_[k].layer = first - 1;
    }
  }

  void connect() {
    for (const auto& line : drawing_.lines) {
      std::vector<size_t> path = {line.from};
      for (int layer = items_[line.from].layer + 1; layer < items_[line.to].layer; ++layer) {
        path.push_back(items_.size());
        items_.push_back({.layer = layer, .width = 4});
      }
      path.push_back(line.to);
      for (size_t k = 1; k < path.size(); ++k) {
        items_[path[k - 1]].below.push_back(path[k]);
        items_[path[k]].above.push_back(path[k - 1]);
      }
      paths_.push_back(std::move(path));
    }
  }

  double distance(size_t left, size_t right) const { return (items_[left].width + items_[right].width) / 2 + gap; }

  void pack(const std::vector<size_t>& layer) {
    double x = 0;
    for (size_t k = 0; k < layer.size(); ++k) {
      if (k > 0) x += distance(layer[k - 1], layer[k]);
      items_[layer[k]].x = x;
    }
  }

  double mean_of_neighbours(const Item& item, bool down) const {
    const std::vector<size_t>& neighbours = down ? item.above : item.below;
    if (neighbours.empty()) return item.x;
    double sum = 0;
    for (const size_t k : neighbours) sum += items_[k].x;
    return sum / static_cast<double>(neighbours.size());
  }

  void sweep_once(bool down, bool reorder) {
    for (size_t n = 0; n < layers_.size(); ++n) {
      std::vector<size_t>& layer = layers_[down ? n : layers_.size() - 1 - n];
      for (const size_t k : layer) items_[k].wish = mean_of_neighbours(items_[k], down);
      if (reorder) std::stable_sort(layer.begin(), layer.end(), [&](size_t a, size_t b) { return items_[a].wish < items_[b].wish; });
      place(layer);
    }
  }

  // The places nearest to the wishes (least squares) that keep order and distances: without the distances it is a regression by a
  // monotone function, which neighbours that would pass each other solve by sharing their mean.
  void place(const std::vector<size_t>& layer) {
    struct Pool {
      double sum;
      size_t count;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offsets;
    std::vector<Pool> pools;
    for (size_t k = 0; k < layer.size(); ++k) {
      offsets.push_back(k == 0 ? 0 : offsets.back() + distance(layer[k - 1], layer[k]));
      pools.push_back({items_[layer[k]].wish - offsets.back(), 1});
      while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
        const Pool last = pools.back();
        pools.pop_back();
        pools.back().sum += last.sum;
        pools.back().count += last.count;
      }
    }
    size_t at = 0;
    for (const Pool& pool : pools) {
      for (size_t k = 0; k < pool.count; ++k, ++at) items_[layer[at]].x = pool.mean() + offsets[at];
    }
  }

  const Drawing& drawing_;
  std::vector<Item> items_;
  std::vector<std::vector<size_t>> layers_;
  std::vector<std::vector<size_t>> paths_;
};

}  // namespace

DrawingLayout layout_of(const Drawing& drawing, const std::vector<double>& widths) { return Layout(drawing, widths).result(); }

}  // namespace voxloom::detail

// runtime/binding.cpp: sizes, layouts, variants, parameters and arena offsets of a program.
#include <voxloom/runtime/binding.h>

#include <voxloom/graph/error.h>
#include <voxloom/graph/op_info.h>
#include <voxloom/runtime/limits.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace voxloom::runtime {
namespace {

// The reduction order of ops/reduce_order.h, which runtime may not include; a test holds the two together.
int64_t leaf_length(int64_t n, bool of_rows) {
  if (of_rows) return 4096;
  if (n < 512) return 32;
  return std::min<int64_t>(4096, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(n / 16))));
}
constexpr int64_t leaves_per_group = 256;
constexpr int64_t least_points = 32768;  // for threads: about 20 us of light work

int64_t ceil_div(int64_t a, int64_t b) { return b == 0 ? 0 : (a + b - 1) / b; }

std::string shape_text(const Type& type) { return type.str(); }

void check_argument(const Program& program, size_t k, const Type& type, const Layout& given) {
  const std::string what =
      "argument " + std::to_string(k) + (program.argument_names[k].empty() ? "" : " (" + program.argument_names[k] + ")");
  if (given.dtype != type.dtype) {
    fail_user(ErrorCode::dtype, program.name,
              what + " is " + std::string(name_of(given.dtype)) + ", but its type is " + shape_text(type) + "; convert it with cast(" +
                  std::string(name_of(type.dtype)) + "), or declare the input with that dtype");
  }
  if (given.shape.rank() != type.rank()) {
    fail_user(
        ErrorCode::shape, program.name,
        what + " has shape " + to_string(given.shape) + ", but its type " + shape_text(type) + " has rank " + std::to_string(type.rank()));
  }
}

void bind_symbol(const Program& program, size_t k, const Type& type, const Layout& given, int axis, DimBindings& dims) {
  const Dim& d = type.shape[static_cast<size_t>(axis)];
  const int64_t size = given.shape[axis];
  int64_t expected = size;
  std::string why;
  if (d.is_constant()) {
    expected = d.constant();
    why = "its type " + shape_text(type) + " says so";
  } else if (d.is_symbol()) {
    const auto [it, is_new] = dims.try_emplace(d.str(), size);
    expected = it->second;
    why = "another axis has given " + d.str() + " that size";
  }
  if (size != expected) {
    fail_user(ErrorCode::shape, program.name,
              "axis " + std::to_string(axis) + " of argument " + std::to_string(k) + " (" + program.argument_names[k] + ") is " +
                  std::to_string(size) + " where " + std::to_string(expected) + " is needed: " + why);
  }
}

void check_sizes(const Program& program, const DimBindings& dims) {
  for (const SizeCheck& c : program.size_checks) {
    const int64_t a = c.a.evaluate(dims), b = c.b.evaluate(dims);
    if (a == b) continue;
    std::string text = "sizes " + std::to_string(a) + " (" + c.a.str() + ") and " + std::to_string(b) + " (" + c.b.str() + ") do not fit";
    if (a == 1 || b == 1) text += "; an axis that should broadcast must have size 1 in its type, e.g. row(\"x\") or shape (1, None)";
    fail_user(ErrorCode::shape, c.op, text, c.origin);
  }
  for (const BoundsCheck& c : program.bounds_checks) {
    const int64_t count = c.count.evaluate(dims), size = c.size.evaluate(dims), first = c.first.evaluate(dims);
    const int64_t last = first + (count - 1) * c.step;
    if (count < 0 || (count > 0 && (std::min(first, last) < 0 || std::max(first, last) >= size))) {
      fail_user(ErrorCode::index, c.op,
                "elements " + std::to_string(first) + " to " + std::to_string(last) + " of an axis of size " + std::to_string(size) +
                    " are asked for",
                c.origin);
    }
  }
  for (const NonEmptyCheck& c : program.nonempty_checks) {
    if (c.count.evaluate(dims) == 0 && c.results.evaluate(dims) != 0) {
      fail_user(ErrorCode::shape, c.op, "has no value for an empty axis (size 0)", c.origin);
    }
  }
}

class Binder {
 public:
  Binder(Binding& binding, const BindOptions& options) : b_(binding), program_(*binding.program), options_(options) {}

  void run() {
    b_.dims = bind_dims(program_, b_.arguments, options_.block);
    global_ = b_.dims;
    if (!program_.stream_symbol.empty()) global_[program_.stream_symbol] = options_.block.total;
    check_sizes(program_, b_.dims);
    layouts();
    for (const KernelStep& step : program_.steps) b_.steps.push_back(bind_step(step));
    for (const BoundStep& s : b_.steps) b_.scratch_bytes = std::max(b_.scratch_bytes, s.scratch_bytes);
    place_temporaries();
  }

 private:
  Dims shape_of(const Slot& slot) const {
    Dims shape;
    for (const Dim& d : slot.type.shape) shape.push_back(d.evaluate(b_.dims));
    if (slot.has_leaves) {
      const int64_t n = slot.leaves_of.evaluate(global_);
      const bool used = slot.way_of_step < 0 || takes_leaf_way(program_.steps[static_cast<size_t>(slot.way_of_step)]);
      shape.push_back(!used ? 0 : ceil_div(n, leaf_length(n, slot.leaves_of_rows)));
    }
    return shape;
  }

  // Worth a second kernel where there is work for threads and the states, which go through memory twice, stay in a cache or are a small part of
  // what is read.
  bool takes_leaf_way(const KernelStep& step) const {
    if (!step.leaf_way || options_.threads <= 1) return false;
    const int64_t positions = step.outer_extent.evaluate(b_.dims), leaves = ceil_div(positions, leaf_length(positions, false));
    int64_t points = 1;
    for (const Dim& d : step.extents) points *= d.evaluate(b_.dims);
    if (points <= 4 * least_points || leaves < 2) return false;
    const int64_t columns = points / positions, states = leaves * columns * step.leaf_way->state_bytes;
    return states <= cache_sizes().l2 / 2 || states <= points / 8;
  }

  void layouts() {
    for (const Slot& slot : program_.slots) {
      Layout layout;
      switch (slot.kind) {
        case Slot::Kind::argument: layout = b_.arguments[static_cast<size_t>(slot.index)]; break;
        case Slot::Kind::constant: layout = layout_of(slot.constant); break;
        default: {
          const Dims shape = shape_of(slot);
          const Dims strides = dense_strides(shape.vector(), size_of(slot.type.dtype), slot.type.order == Order::F);
          layout = {slot.type.dtype, shape, strides, false};
          if (slot.kind == Slot::Kind::alias) layout.swapped = b_.slots[static_cast<size_t>(slot.index)].swapped;
        }
      }
      if (slot.kind == Slot::Kind::output && !options_.outputs.empty()) {
        const Layout& given = options_.outputs[static_cast<size_t>(slot.index)];
        check_output(slot, layout, given);
        layout = given;
      }
      if (slot.kind == Slot::Kind::output) b_.outputs.push_back(layout);
      b_.slots.push_back(layout);
    }
  }

  void check_output(const Slot& slot, const Layout& needed, const Layout& given) const {
    if (given.dtype == needed.dtype && given.shape == needed.shape && !given.swapped) return;
    fail_user(given.dtype == needed.dtype ? ErrorCode::shape : ErrorCode::dtype, program_.name,
              "out[" + std::to_string(slot.index) + "] is " + std::string(name_of(given.dtype)) + " " + to_string(given.shape) +
                  ", but the result is " + std::string(name_of(needed.dtype)) + " " + to_string(needed.shape));
  }

  // An array without elements, or a slice without any that indices choose from, is read only for values that are of no use; it is then
  // taken for zeros that have no extent.
  bool reads_nothing(const AccessRecipe& access, const Layout& layout) const {
    return !access.written && (layout.shape.product() == 0 || access.choices.evaluate(b_.dims) == 0);
  }

  // Byte stride of an access along each loop axis, then for each computed index.
  std::vector<std::vector<int64_t>> strides_of(const KernelStep& step) const {
    std::vector<std::vector<int64_t>> all;
    for (const AccessRecipe& access : step.accesses) {
      std::vector<int64_t> strides(step.extents.size() + max_rank, 0);
      const Layout& layout = b_.slots[static_cast<size_t>(access.slot)];
      if (reads_nothing(access, layout)) {
        all.push_back(std::move(strides));
        continue;
      }
      for (size_t k = 0; k < access.terms.size(); ++k) {
        const AxisTerm& t = access.terms[k];
        if (t.axis >= 0) strides[static_cast<size_t>(t.axis)] += t.a * layout.strides[static_cast<int>(k)];
        if (t.gathered >= 0) strides[step.extents.size() + static_cast<size_t>(t.gathered)] += t.a * layout.strides[static_cast<int>(k)];
      }
      all.push_back(std::move(strides));
    }
    return all;
  }

  BoundStep bind_step(const KernelStep& step) {
    const DimBindings& dims = step.global_positions ? global_ : b_.dims;
    std::vector<int64_t> extents;
    for (const Dim& d : step.extents) extents.push_back(d.evaluate(dims));
    const auto strides = strides_of(step);
    BoundStep bound;
    bound.leaf_parallel = step.leaf_parallel;
    count_work(step, extents, bound);
    if (step.library) {
      bind_library(step, extents, strides, bound);
      return bound;
    }
    if (takes_leaf_way(step)) {
      bound.way.push_back(bind_step(step.leaf_way->leaves));
      bound.way.push_back(bind_step(step.leaf_way->fold));
      bound.scratch_bytes = std::max(bound.way[0].scratch_bytes, bound.way[1].scratch_bytes);
      return bound;
    }
    const VariantKey key = choose_variant(step, extents, strides);
    bound.variant = step.variant(key);
    const int64_t inner = inner_extent(step, extents, key.collapsed);
    const int64_t rows = parallel_rows(step, extents, key.collapsed);
    const int64_t tile = choose_tile(step, key, strides, inner, rows, dims, bound);
    set_range(step, bound, inner, rows, tile, dims);
    set_params(step, bound, strides, tile, inner, dims);
    for (int index : bound.variant->pointers) bound.pointers.push_back(pointer_of(step, step.accesses[static_cast<size_t>(index)]));
    return bound;
  }

  // Points of the loop space and bytes of the arrays, of this block.
  void count_work(const KernelStep& step, std::vector<int64_t> extents, BoundStep& bound) const {
    bound.points = 1;
    for (size_t a = 0; a < extents.size(); ++a) {
      if (mentions_stream(step.extents[a])) extents[a] = step.extents[a].evaluate(b_.dims);
      bound.points *= extents[a];
    }
    for (const AccessRecipe& access : step.accesses) {
      const Layout& layout = b_.slots[static_cast<size_t>(access.slot)];
      int64_t elements = 1;
      for (size_t a = 0; a < extents.size(); ++a) {
        const bool uses =
            std::any_of(access.terms.begin(), access.terms.end(), [&](const AxisTerm& t) { return t.axis == static_cast<int>(a); });
        if (uses) elements *= extents[a];
      }
      // States of reductions have axes of their own.
      if (access.terms.size() < static_cast<size_t>(layout.shape.rank())) elements = layout.shape.product();
      (access.written ? bound.bytes_written : bound.bytes_read) += elements * static_cast<int64_t>(size_of(access.storage));
    }
  }

  void bind_library(const KernelStep& step, const std::vector<int64_t>& extents, const std::vector<std::vector<int64_t>>& strides,
                    BoundStep& bound) const {
    for (size_t k = 0; k < step.accesses.size(); ++k) {
      const Layout& layout = b_.slots[static_cast<size_t>(step.accesses[k].slot)];
      StridedView view{.data = nullptr, .dtype = step.accesses[k].storage, .shape = {}, .strides = {}, .swapped = layout.swapped};
      for (const int axis : step.library->axes[k]) {
        view.shape.push_back(extents[static_cast<size_t>(axis)]);
        view.strides.push_back(strides[k][static_cast<size_t>(axis)]);
      }
      bound.views.push_back(std::move(view));
      bound.pointers.push_back(pointer_of(step, step.accesses[k]));
    }
    const Node& node = *step.library->node;
    const LibraryFns& fns = node.op().library;
    const std::span<const StridedView> operands(bound.views.data(), bound.views.size() - 1);
    const int threads = std::max(1, options_.threads);
    if (fns.scratch)
      bound.scratch_bytes =
          static_cast<size_t>(ceil_div(ceil_div(fns.scratch(node, operands, bound.views.back(), threads), threads), 64) * 64);
    const auto flops = static_cast<int64_t>(fns.flops(node, operands));
    const bool wide = node.type().dtype == DType::f64 || node.type().dtype == DType::c128;
    if (is_float(node.type().dtype) || is_complex(node.type().dtype)) bound.library_flops = {wide ? 0 : flops, wide ? flops : 0};
  }

  bool mentions_stream(const Dim& d) const {
    if (program_.stream_symbol.empty() || d.is_constant()) return false;
    const auto symbols = d.symbols();
    return std::find(symbols.begin(), symbols.end(), program_.stream_symbol) != symbols.end();
  }

  VariantKey choose_variant(const KernelStep& step, const std::vector<int64_t>& extents,
                            const std::vector<std::vector<int64_t>>& strides) const {
    VariantKey key;
    key.unit = 0;
    for (size_t a = 0; a + 1 < extents.size(); ++a) {
      if (step.collapse_into[a] != step.collapse_into[a + 1]) continue;
      for (const auto& s : strides) {
        if (s[a] != s[a + 1] * extents[a + 1]) key.collapsed = false;
      }
    }
    bool all_unit = true;
    for (size_t k = 0; k < step.accesses.size(); ++k) {
      const Layout& layout = b_.slots[static_cast<size_t>(step.accesses[k].slot)];
      const auto item = static_cast<int64_t>(size_of(step.accesses[k].storage));
      const bool whole_element = size_of(layout.dtype) == static_cast<size_t>(item);
      const int64_t inner = extents.empty() ? 0 : strides[k][extents.size() - 1];
      const bool uses = !extents.empty() && std::any_of(step.accesses[k].terms.begin(), step.accesses[k].terms.end(),
                                                        [&](const AxisTerm& t) { return t.axis == static_cast<int>(extents.size()) - 1; });
      if (!uses || (whole_element && inner == item)) key.unit |= uint64_t{1} << k;
      else all_unit = false;
      if (!uses && whole_element && is_unit_row(step, k, strides[k])) key.unit_rows |= uint64_t{1} << k;
      if (layout.swapped && size_of(step.accesses[k].storage) > 1) key.swapped |= uint64_t{1} << k;
    }
    if (key.collapsed && all_unit) key.nontemporal = wants_nontemporal(step, extents);
    if (step.tiled && !all_unit) key.fastest = transposed_axis(step, key, extents, strides);
    return key;
  }

  static bool is_unit_row(const KernelStep& step, size_t access, const std::vector<int64_t>& strides) {
    const int row = row_axis(step);
    const AccessRecipe& a = step.accesses[access];
    return row >= 0 && std::any_of(a.terms.begin(), a.terms.end(), [&](const AxisTerm& t) { return t.axis == row; }) &&
           strides[static_cast<size_t>(row)] == static_cast<int64_t>(size_of(a.storage));
  }

  // The P axis along which an array runs that does not along the innermost one, or -1 where that is none or all fits the cache anyway.
  static int transposed_axis(const KernelStep& step, const VariantKey& key, const std::vector<int64_t>& extents,
                             const std::vector<std::vector<int64_t>>& strides) {
    int64_t points = 1;
    for (int64_t e : extents) points *= e;
    for (size_t k = 0; k < step.accesses.size(); ++k) {
      const auto item = static_cast<int64_t>(size_of(step.accesses[k].storage));
      if ((key.unit >> k & 1U) != 0 || points * item <= cache_sizes().l2 / 2) continue;
      for (size_t a = 0; a + 1 < extents.size(); ++a) {
        const bool in_run = key.collapsed && step.collapse_into[a] == step.collapse_into[a + 1];
        if (step.roles[a] == 'P' && !in_run && extents[a] > 1 && strides[k][a] == item) return static_cast<int>(a);
      }
    }
    return -1;
  }

  // Stores that bypass the caches pay when the result is far bigger than the last-level cache, and are only for whole dense outputs.
  bool wants_nontemporal(const KernelStep& step, const std::vector<int64_t>& extents) const {
    if (!step.tiled || step.collapse_into.back() != 0) return false;
    int64_t elements = 1;
    for (int64_t e : extents) elements *= e;
    int64_t written = 0;
    for (const AccessRecipe& access : step.accesses) {
      if (!access.written) continue;
      const Slot& slot = program_.slots[static_cast<size_t>(access.slot)];
      const Layout& layout = b_.slots[static_cast<size_t>(access.slot)];
      if (slot.kind != Slot::Kind::output || layout.shape.product() != elements) return false;
      if (!options_.output_aligned.empty() && !options_.output_aligned[static_cast<size_t>(slot.index)]) return false;
      written += elements * static_cast<int64_t>(size_of(access.storage));
    }
    return written > cache_sizes().l3 / 2;
  }

  static int64_t inner_extent(const KernelStep& step, const std::vector<int64_t>& extents, bool collapsed) {
    if (extents.empty()) return 1;
    int64_t inner = extents.back();
    for (size_t a = extents.size() - 1; collapsed && a-- > 0 && step.collapse_into[a] == step.collapse_into.back();) inner *= extents[a];
    return inner;
  }

  // Product of the axes that threads split, without tiles and leaves.
  static int64_t parallel_rows(const KernelStep& step, const std::vector<int64_t>& extents, bool collapsed) {
    int64_t rows = 1;
    for (size_t a = 0; a < extents.size(); ++a) {
      const bool in_inner = a + 1 == extents.size() || (collapsed && step.collapse_into[a] == step.collapse_into.back());
      const bool parallel = step.tiled ? step.roles[a] != 'O' && !in_inner : step.roles[a] == 'P';
      if (parallel) rows *= extents[a];
    }
    return rows;
  }

  // Each element of a tile lies in a cache line of its own, and all these lines must stay until the next rows have used them up. Lines
  // whose distance is a multiple of 1 KiB share so few sets of the cache that only 16 of them do.
  static int64_t transposed_tile(const VariantKey& key, const std::vector<std::vector<int64_t>>& strides, size_t inner_axis) {
    for (size_t k = 0; k < strides.size(); ++k) {
      if ((key.unit >> k & 1U) == 0 && strides[k][inner_axis] % KiB(1) == 0) return 16;
    }
    return 64;
  }

  // Elements of the innermost axis per piece of work. Bits never depend on it.
  int64_t choose_tile(const KernelStep& step, const VariantKey& key, const std::vector<std::vector<int64_t>>& strides, int64_t inner,
                      int64_t rows, const DimBindings& dims, const BoundStep& bound) const {
    if (!step.tiled) return inner;
    constexpr int64_t map_tile = 16384, least_tile = 256;
    if (key.fastest >= 0) return transposed_tile(key, strides, step.extents.size() - 1);
    const int64_t threads = std::max(1, options_.threads);
    int64_t tile = map_tile;
    if (rows == 1 && inner > map_tile) tile = ceil_div(inner, ceil_div(ceil_div(inner, map_tile), threads) * threads);  // a fair share each
    if (std::find(step.roles.begin(), step.roles.end(), 'O') != step.roles.end() || step.global_positions) {
      int64_t state = 8;
      for (const ScratchRecipe& s : bound.variant->scratch)
        state += s.count == ScratchRecipe::Count::tile ? static_cast<int64_t>(s.item_size) : 0;
      tile = std::clamp<int64_t>(cache_sizes().l2 / 4 / state, 256, map_tile);
      if (step.outer_passes > 1) {
        int64_t per_point = 0;
        for (const AccessRecipe& a : step.accesses) per_point += static_cast<int64_t>(size_of(a.storage));
        const int64_t depth = std::max<int64_t>(1, step.outer_extent.evaluate(dims));
        const int64_t fit = cache_sizes().l2 / 2 / (depth * per_point);
        if (fit >= least_tile) tile = std::min(tile, fit);  // else reading twice from memory beats short pieces of rows
      }
      const int64_t share = ceil_div(inner * rows, std::max(1, options_.threads) * rows);
      if (!step.leaf_parallel) tile = std::min(tile, std::max<int64_t>(64, share));
    }
    return ceil_div(std::max<int64_t>(tile, 1), 64) * 64;
  }

  /// At least one: an empty innermost axis may come with values that lack it and are stored all the same.
  static int64_t tile_count(int64_t inner, int64_t tile) { return std::max<int64_t>(1, ceil_div(inner, tile)); }

  void set_range(const KernelStep& step, BoundStep& bound, int64_t inner, int64_t rows, int64_t tile, const DimBindings& dims) const {
    bound.range = rows * (step.tiled ? tile_count(inner, tile) : 1);
    if (step.leaf_parallel) {
      const int64_t n = step.reduced.evaluate(dims);
      bound.leaf_length = leaf_length(n, step.leaves_of_rows);
      bound.range *= ceil_div(n, bound.leaf_length);
    }
    if (step.global_positions) {
      bound.leaf_length = leaf_length(step.reduced.evaluate(dims), step.leaves_of_rows);
      bound.per_position = options_.block.total > 0 ? step.reduced.evaluate(dims) / options_.block.total : 0;
    }
    if (bound.points <= least_points || options_.threads <= 1) {
      bound.chunk = 0;
    } else {
      const int64_t per_unit = std::max<int64_t>(1, bound.points / std::max<int64_t>(1, bound.range));
      bound.chunk = std::max<int64_t>(1, std::min(ceil_div(least_points / 2, per_unit), ceil_div(bound.range, 2 * options_.threads)));
    }
  }

  void set_params(const KernelStep& step, BoundStep& bound, const std::vector<std::vector<int64_t>>& strides, int64_t tile, int64_t inner,
                  const DimBindings& dims) const {
    std::vector<int64_t> offsets;
    for (const ScratchRecipe& s : bound.variant->scratch) {
      offsets.push_back(static_cast<int64_t>(bound.scratch_bytes));
      const int64_t elements = s.count == ScratchRecipe::Count::tile    ? (step.tiled ? tile : whole_inner(step, dims))
                               : s.count == ScratchRecipe::Count::lanes ? 32
                                                                        : 1;
      bound.scratch_bytes += static_cast<size_t>(ceil_div(elements * static_cast<int64_t>(s.item_size), 64) * 64);
    }
    for (const IndexCheck& check : bound.variant->checks)
      bound.checks.push_back({offsets[static_cast<size_t>(check.scratch)], check.size.evaluate(dims)});
    for (const ParamRecipe& p : bound.variant->params) {
      using Kind = ParamRecipe::Kind;
      int64_t value = 0;
      switch (p.kind) {
        case Kind::dim: value = p.dim.evaluate(dims); break;
        case Kind::leaf_length: value = leaf_length(p.dim.evaluate(dims), p.of_rows); break;
        case Kind::group_span: value = leaves_per_group * leaf_length(p.dim.evaluate(dims), p.of_rows); break;
        case Kind::leaf_count: {
          const int64_t n = p.dim.evaluate(dims);
          value = ceil_div(n, leaf_length(n, p.of_rows));
          break;
        }
        case Kind::block_leaf_count: {
          const int64_t n = p.dim.evaluate(dims);
          value = ceil_div(n, leaf_length(n, p.of_rows));
          bound.block_leaves = static_cast<int>(bound.params.size());
          break;
        }
        case Kind::tile: value = tile; break;
        case Kind::tile_count: value = tile_count(inner, tile); break;
        case Kind::stride: value = strides[static_cast<size_t>(p.access)][static_cast<size_t>(p.axis)]; break;
        case Kind::scratch_offset: value = offsets[static_cast<size_t>(p.access)]; break;
        case Kind::position_lo: bound.position_lo = static_cast<int>(bound.params.size()); break;
        case Kind::position_hi:
          bound.position_hi = static_cast<int>(bound.params.size());
          value = step.reduced.evaluate(dims);
          break;
        case Kind::block_parity: bound.block_parity = static_cast<int>(bound.params.size()); break;
        case Kind::bits: value = static_cast<int64_t>(p.bits); break;
      }
      bound.params.push_back(value);
    }
  }

  // Elements of all I axes when they are reduced: scratch rows hold them all.
  static int64_t whole_inner(const KernelStep& step, const DimBindings& dims) {
    int64_t n = 1;
    for (size_t a = 0; a < step.extents.size(); ++a) n *= step.roles[a] == 'I' ? step.extents[a].evaluate(dims) : 1;
    return n;
  }

  BoundStep::Pointer pointer_of(const KernelStep& step, const AccessRecipe& access) const {
    const Slot& slot = program_.slots[static_cast<size_t>(access.slot)];
    const Layout& layout = b_.slots[static_cast<size_t>(access.slot)];
    if (reads_nothing(access, layout)) return {-1, 0, 0};
    BoundStep::Pointer pointer{access.slot, access.part * static_cast<int64_t>(size_of(access.storage)), 0};
    for (size_t k = 0; k < access.terms.size(); ++k) {
      const int64_t stride = layout.strides[static_cast<int>(k)];
      pointer.offset += access.terms[k].b.evaluate(b_.dims) * stride;
      if (step.global_positions && k < slot.type.shape.size() && mentions_stream(slot.type.shape[k]))
        pointer.stream_stride += access.terms[k].a * stride;
    }
    return pointer;
  }

  bool needs_place(const Slot& slot) const {
    const bool copied_alias = slot.kind == Slot::Kind::alias && alias_needs_copy(slot);
    return (slot.kind == Slot::Kind::temporary || copied_alias) && slot.first_step >= 0;
  }
  int64_t slot_bytes(size_t k) const {
    return ceil_div(b_.slots[k].shape.product() * static_cast<int64_t>(size_of(program_.slots[k].type.dtype)), 64) * 64;
  }

  void place_temporaries() {
    b_.arena_offsets.assign(program_.slots.size(), -1);
    b_.state_offsets.assign(program_.slots.size(), -1);
    if (program_.stream_symbol.empty()) {
      place_by_lives();
      return;
    }
    // States of open reductions come first: their places must not depend on the length of the block.
    for (bool block_sized : {false, true}) {
      for (size_t k = 0; k < program_.slots.size(); ++k) {
        const Slot& slot = program_.slots[k];
        const bool depends = std::any_of(slot.type.shape.begin(), slot.type.shape.end(), [&](const Dim& d) { return mentions_stream(d); });
        if (!needs_place(slot) || depends != block_sized) continue;
        b_.state_offsets[k] = b_.state_bytes;
        b_.state_bytes += slot_bytes(k);
      }
    }
  }

  struct Placed {
    size_t slot;
    int64_t offset, bytes;
  };

  // Whether the memory [offset, offset + bytes) is free during the life of slot k, apart from `except`.
  bool is_free(const std::vector<Placed>& placed, size_t k, int64_t offset, int64_t bytes, const Placed* except, int64_t* next) const {
    const Slot& slot = program_.slots[k];
    for (const Placed& p : placed) {
      const Slot& other = program_.slots[p.slot];
      const bool alive_together = slot.first_step <= other.last_step && other.first_step <= slot.last_step;
      if (&p == except || !alive_together || offset >= p.offset + p.bytes || p.offset >= offset + bytes) continue;
      if (next) *next = p.offset + p.bytes;
      return false;
    }
    return true;
  }

  // A step that only maps may write a temporary over one that it reads for the last time, element by element. It must be the step's only
  // result: with two, the kernel may store the one before it loads what the other needs.
  bool may_write_over(size_t written, size_t read) const {
    const Slot& w = program_.slots[written];
    const Slot& r = program_.slots[read];
    if (r.kind != Slot::Kind::temporary || r.last_step != w.first_step || r.first_step == r.last_step) return false;
    const int number = program_.order[static_cast<size_t>(w.first_step)].step;
    if (number < 0 || size_of(w.type.dtype) != size_of(r.type.dtype)) return false;
    const KernelStep& step = program_.steps[static_cast<size_t>(number)];
    if (!step.tiled || std::find(step.roles.begin(), step.roles.end(), 'O') != step.roles.end()) return false;
    const std::vector<AxisTerm>* terms = nullptr;
    for (const AccessRecipe& access : step.accesses) {
      if (access.written && access.slot != static_cast<int>(written)) return false;
      if (access.slot != static_cast<int>(written) && access.slot != static_cast<int>(read)) continue;
      if (is_complex(w.type.dtype) || (terms && !(*terms == access.terms))) return false;
      terms = &access.terms;
    }
    return b_.slots[written].strides == b_.slots[read].strides && b_.slots[written].shape == b_.slots[read].shape;
  }

  // First fit among the temporaries that are alive at the same time.
  void place_by_lives() {
    std::vector<Placed> placed;
    for (size_t k = 0; k < program_.slots.size(); ++k) {
      if (!needs_place(program_.slots[k])) continue;
      const int64_t bytes = slot_bytes(k);
      int64_t offset = -1;
      for (const Placed& p : placed) {
        if (p.bytes == bytes && may_write_over(k, p.slot) && is_free(placed, k, p.offset, bytes, &p, nullptr)) {
          offset = p.offset;
          break;
        }
      }
      if (offset < 0) {
        offset = 0;
        while (!is_free(placed, k, offset, bytes, nullptr, &offset)) {}
      }
      placed.push_back({k, offset, bytes});
      b_.arena_offsets[k] = offset;
      b_.arena_bytes = std::max(b_.arena_bytes, offset + bytes);
    }
  }

  bool alias_needs_copy(const Slot& slot) const {
    const Layout& source = b_.slots[static_cast<size_t>(slot.index)];
    const Slot& from = program_.slots[static_cast<size_t>(slot.index)];
    return source.strides != Dims(dense_strides(source.shape.vector(), size_of(source.dtype), from.type.order == Order::F));
  }

  Binding& b_;
  const Program& program_;
  const BindOptions& options_;
  DimBindings global_;
};

}  // namespace

Layout layout_of(const Array& array) { return {array.dtype(), array.shape(), array.strides(), array.swapped()}; }

DimBindings bind_dims(const Program& program, const std::vector<Layout>& arguments, const Block& block) {
  if (arguments.size() != program.argument_slots.size()) {
    fail_user(
        ErrorCode::usage, program.name,
        "takes " + std::to_string(program.argument_slots.size()) + " arguments, but " + std::to_string(arguments.size()) + " were given");
  }
  DimBindings dims;
  if (!program.stream_symbol.empty()) dims[program.stream_symbol] = block.length;
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Type& type = program.slots[static_cast<size_t>(program.argument_slots[k])].type;
    check_argument(program, k, type, arguments[k]);
    for (int axis = 0; axis < type.rank(); ++axis) bind_symbol(program, k, type, arguments[k], axis, dims);
  }
  for (size_t k = 0; k < arguments.size(); ++k) {
    const Type& type = program.slots[static_cast<size_t>(program.argument_slots[k])].type;
    for (int axis = 0; axis < type.rank(); ++axis) {
      const Dim& d = type.shape[static_cast<size_t>(axis)];
      if (d.is_constant() || d.is_symbol()) continue;
      if (const int64_t expected = d.evaluate(dims); expected != arguments[k].shape[axis]) {
        fail_user(ErrorCode::shape, program.name,
                  "axis " + std::to_string(axis) + " of argument " + std::to_string(k) + " (" + program.argument_names[k] + ") is " +
                      std::to_string(arguments[k].shape[axis]) + " where " + d.str() + " = " + std::to_string(expected) + " is needed");
      }
    }
  }
  return dims;
}

Binding bind(std::shared_ptr<const Program> program, const std::vector<Layout>& arguments, const BindOptions& options) {
  Binding binding;
  binding.program = std::move(program);
  binding.arguments = arguments;
  Binder(binding, options).run();
  return binding;
}

}  // namespace voxloom::runtime

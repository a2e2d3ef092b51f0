// runtime/copy.cpp: axes are flipped, sorted and merged, then copied by runs, by strided rows, or by square tiles for transpositions.
#include <voxloom/runtime/copy.h>

#include <voxloom/graph/error.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace voxloom {
namespace {

struct Axis {
  int64_t n, dst, src;
};

/// A copy brought to its simplest form: axes from slowest to fastest in dst, none of size 1, dst strides positive.
struct Plan {
  std::byte* dst;
  const std::byte* src;
  Axis axes[max_rank];
  int rank = 0;
};

template <class U> U byte_swapped(U v) {
  if constexpr (sizeof(U) == 2) return __builtin_bswap16(v);
  if constexpr (sizeof(U) == 4) return __builtin_bswap32(v);
  if constexpr (sizeof(U) == 8) return __builtin_bswap64(v);
  return v;
}

struct Two64 {
  uint64_t a, b;
};

template <size_t size> struct Carrier;
template <> struct Carrier<1> {
  using type = uint8_t;
};
template <> struct Carrier<2> {
  using type = uint16_t;
};
template <> struct Carrier<4> {
  using type = uint32_t;
};
template <> struct Carrier<8> {
  using type = uint64_t;
};
template <> struct Carrier<16> {
  using type = Two64;
};

template <size_t item, size_t component> void move_one(std::byte* dst, const std::byte* src) {
  typename Carrier<item>::type v;
  std::memcpy(&v, src, item);
  if constexpr (component == item) {
    v = byte_swapped(v);
  } else if constexpr (item == 8 && component == 4) {
    v = __builtin_bswap64(v);
    v = (v << 32) | (v >> 32);
  } else if constexpr (item == 16 && component == 8) {
    v = {__builtin_bswap64(v.a), __builtin_bswap64(v.b)};
  }
  std::memcpy(dst, &v, item);
}

/// component == 0 means: no byte swap.
template <size_t item, size_t component>
void copy_row(std::byte* dst, int64_t dst_stride, const std::byte* src, int64_t src_stride, int64_t n) {
  constexpr auto unit = static_cast<int64_t>(item);
  if (dst_stride == unit && src_stride == unit) {
    if constexpr (component == 0) {
      std::memmove(dst, src, static_cast<size_t>(n) * item);
    } else {
      for (int64_t i = 0; i < n; ++i) move_one<item, component>(dst + i * unit, src + i * unit);
    }
  } else if (dst_stride == unit) {
    for (int64_t i = 0; i < n; ++i) move_one<item, component>(dst + i * unit, src + i * src_stride);
  } else {
    for (int64_t i = 0; i < n; ++i) move_one<item, component>(dst + i * dst_stride, src + i * src_stride);
  }
}

/// Two axes in tiles, each gathered along src's dense axis into a small block and written out along dst's: strides of a power of two
/// would otherwise throw the tile's own lines out of the cache.
template <size_t item, size_t component> void copy_tiles(std::byte* dst, const std::byte* src, const Axis& outer, const Axis& inner) {
  constexpr int64_t tile = item <= 4 ? 64 : 32;
  constexpr auto unit = static_cast<int64_t>(item);
  constexpr int64_t pitch = (tile + 1) * unit;
  std::byte block[static_cast<size_t>(tile * pitch)];
  for (int64_t i0 = 0; i0 < outer.n; i0 += tile) {
    const int64_t rows = std::min(tile, outer.n - i0);
    for (int64_t j0 = 0; j0 < inner.n; j0 += tile) {
      const int64_t columns = std::min(tile, inner.n - j0);
      const std::byte* const from = src + i0 * outer.src + j0 * inner.src;
      for (int64_t j = 0; j < columns; ++j) copy_row<item, component>(block + j * unit, pitch, from + j * inner.src, outer.src, rows);
      std::byte* const to = dst + i0 * outer.dst + j0 * inner.dst;
      for (int64_t i = 0; i < rows; ++i) copy_row<item, 0>(to + i * outer.dst, inner.dst, block + i * pitch, unit, columns);
    }
  }
}

template <size_t item, size_t component> void run(const Plan& plan) {
  if (plan.rank == 0) return move_one<item, component>(plan.dst, plan.src);
  const Axis inner = plan.axes[plan.rank - 1];
  if (plan.rank == 1) return copy_row<item, component>(plan.dst, inner.dst, plan.src, inner.src, inner.n);
  const Axis outer = plan.axes[plan.rank - 2];
  const bool transposes = std::abs(outer.src) < std::abs(inner.src);
  int64_t index[max_rank] = {};
  std::byte* dst = plan.dst;
  const std::byte* src = plan.src;
  for (;;) {
    if (transposes) {
      copy_tiles<item, component>(dst, src, outer, inner);
    } else {
      for (int64_t i = 0; i < outer.n; ++i) {
        copy_row<item, component>(dst + i * outer.dst, inner.dst, src + i * outer.src, inner.src, inner.n);
      }
    }
    int axis = plan.rank - 3;
    for (; axis >= 0; --axis) {
      const Axis& a = plan.axes[axis];
      dst += a.dst, src += a.src;
      if (++index[axis] < a.n) break;
      dst -= a.dst * a.n, src -= a.src * a.n;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

Plan simplify(std::byte* dst, const Dims& dst_strides, const std::byte* src, const Dims& src_strides, const Dims& shape) {
  Plan plan{dst, src, {}, 0};
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] == 1) continue;
    Axis a{shape[k], dst_strides[k], src_strides[k]};
    if (a.dst < 0) {
      plan.dst += a.dst * (a.n - 1), plan.src += a.src * (a.n - 1);
      a.dst = -a.dst, a.src = -a.src;
    }
    plan.axes[plan.rank++] = a;
  }
  std::stable_sort(plan.axes, plan.axes + plan.rank, [](const Axis& a, const Axis& b) { return a.dst > b.dst; });
  int merged = 0;
  for (int k = 1; k < plan.rank; ++k) {
    Axis& slow = plan.axes[merged];
    const Axis fast = plan.axes[k];
    if (slow.dst == fast.dst * fast.n && slow.src == fast.src * fast.n) {
      slow = {slow.n * fast.n, fast.dst, fast.src};
    } else {
      plan.axes[++merged] = fast;
    }
  }
  plan.rank = std::min(plan.rank, merged + 1);
  // Of the slower axes the one that is densest in src becomes the partner of the innermost axis.
  if (plan.rank > 2) {
    const int last = plan.rank - 2;
    int best = last;
    for (int k = 0; k < last; ++k) {
      if (std::abs(plan.axes[k].src) < std::abs(plan.axes[best].src)) best = k;
    }
    if (std::abs(plan.axes[best].src) < std::abs(plan.axes[plan.rank - 1].src)) {
      std::rotate(plan.axes + best, plan.axes + best + 1, plan.axes + plan.rank - 1);
    }
  }
  return plan;
}

}  // namespace

void copy_strided(std::byte* dst, const Dims& dst_strides, const std::byte* src, const Dims& src_strides, const Dims& shape,
                  size_t item_size, bool swap, size_t component_bytes) {
  for (int64_t n : shape) {
    if (n == 0) return;
  }
  const Plan plan = simplify(dst, dst_strides, src, src_strides, shape);
  const size_t component = swap && component_bytes > 1 ? component_bytes : 0;
  switch (item_size * 100 + component) {
    case 100: return run<1, 0>(plan);
    case 200: return run<2, 0>(plan);
    case 202: return run<2, 2>(plan);
    case 400: return run<4, 0>(plan);
    case 404: return run<4, 4>(plan);
    case 800: return run<8, 0>(plan);
    case 804: return run<8, 4>(plan);
    case 808: return run<8, 8>(plan);
    case 1600: return run<16, 0>(plan);
    case 1608: return run<16, 8>(plan);
    default: fail_internal("copy of items of " + std::to_string(item_size) + " bytes");
  }
}

void copy_strided(const StridedView& dst, const StridedView& src) {
  if (dst.dtype != src.dtype) {
    fail_user(ErrorCode::dtype, "copy",
              "cannot copy " + std::string(name_of(src.dtype)) + " to " + std::string(name_of(dst.dtype)) + " without a cast");
  }
  const Dims shape(dst.shape);
  if (shape != Dims(src.shape)) {
    fail_user(ErrorCode::shape, "copy", "cannot copy shape " + to_string(Dims(src.shape)) + " to shape " + to_string(shape));
  }
  copy_strided(dst.data, Dims(dst.strides), src.data, Dims(src.strides), shape, size_of(dst.dtype), dst.swapped != src.swapped,
               size_of(real_part_of(dst.dtype)));
}

ByteRange byte_range(const Dims& shape, const Dims& strides, size_t item_size) {
  ByteRange range{0, static_cast<int64_t>(item_size)};
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] == 0) return {};
    const int64_t reach = (shape[k] - 1) * strides[k];
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

Dims dense_strides(const Dims& shape, size_t item_size, bool fortran) {
  Dims strides = Dims::filled(shape.rank(), 0);
  auto step = static_cast<int64_t>(item_size);
  for (int k = 0; k < shape.rank(); ++k) {
    const int axis = fortran ? k : shape.rank() - 1 - k;
    strides[axis] = step;
    step *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

}  // namespace voxloom

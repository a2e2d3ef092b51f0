// ops/gemm/gemm.cpp: cuts a matrix product into packed panels and tiles, and shares the tiles out among threads.
#include <voxloom/graph/error.h>
#include <voxloom/ops/gemm/gemm.h>
#include <voxloom/ops/gemm/kernel.h>
#include <voxloom/ops/gemm/pack.h>
#include <voxloom/ops/gemm/store.h>

#include <algorithm>

namespace voxloom::ops::gemm {
namespace {

constexpr int64_t rows_per_task = 96;       // a block of A of that height stays in the second-level cache
constexpr int64_t panels_per_strip = 64;    // of B: what is packed at once stays in the last-level cache
constexpr int64_t serial_work = 64 * 1024;  // multiplications that are not worth a second thread

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

/// Hands out parts of the scratch memory; without memory it only counts.
class Scratch {
 public:
  explicit Scratch(std::byte* at) : at_(at) {}
  template <class T> T* take(int64_t count) {
    T* part = at_ == nullptr ? nullptr : reinterpret_cast<T*>(at_ + used_);
    used_ += round_up(count * static_cast<int64_t>(sizeof(T)), 64);
    return part;
  }
  int64_t used() const { return used_; }

 private:
  std::byte* at_;
  int64_t used_ = 0;
};

/// One product whose sums are kept in elements of T.
template <class T> class Multiplication {
 public:
  Multiplication(const Product& p, const Kernel<T>& kernel, std::byte* scratch, int threads)
      : p_(p), kernel_(kernel), rows_(p.a.shape[0]), depth_(p.a.shape[1]), columns_(p.b.shape[1]), parts_(is_complex(p.a.dtype) ? 2 : 1) {
    in_place_ = parts_ == 1 && !p.result.swapped && sizeof(T) == size_of(p.result.dtype) && p.result.dtype == p.acc &&
                (columns_ <= 1 || p.result.strides[1] == static_cast<int64_t>(sizeof(T))) &&
                p.result.strides[0] % static_cast<int64_t>(sizeof(T)) == 0;
    is_large_ = rows_ * depth_ * columns_ > serial_work;
    threads_ = is_large_ ? threads : 1;
    block_ = std::min(depth_, block_depth);
    strip_ = std::min(round_up(std::max<int64_t>(columns_, 1), kernel_.nr), panels_per_strip * kernel_.nr);
    row_blocks_ = std::max<int64_t>(1, ceil_div(rows_, rows_per_task));
    if (threads_ > 1) row_blocks_ = std::min(round_up(row_blocks_, threads_), std::max<int64_t>(1, ceil_div(rows_, kernel_.mr)));
    // B as it lies is as good as packed where few rows use it.
    packs_b_ = parts_ == 2 || p.b.swapped || real_part_of(p.b.dtype) != p.acc || sizeof(T) != size_of(p.b.dtype) ||
               p.b.strides[1] != static_cast<int64_t>(sizeof(T)) || p.b.strides[0] % static_cast<int64_t>(sizeof(T)) != 0 ||
               rows_ > 2 * kernel_.mr;
    Scratch parts(scratch);
    packed_b_ = parts.template take<T>(parts_ * (packs_b_ ? strip_ : kernel_.nr) * block_);
    sums_ = parts.template take<T>(in_place_ ? 0 : parts_ * rows_ * strip_);
    per_worker_ = round_up(parts_ * a_panels() * kernel_.mr * block_ * static_cast<int64_t>(sizeof(T)), 64) +
                  round_up(4 * tile_elements() * static_cast<int64_t>(sizeof(T)), 64);
    workers_ = parts.template take<std::byte>(per_worker_ * threads_);
    scratch_bytes_ = parts.used();
  }

  int64_t scratch_bytes() const { return scratch_bytes_; }

  void run(ParallelFor parallel_for) {
    for (int64_t column = 0; column < columns_; column += strip_) {
      const int64_t width = std::min(strip_, columns_ - column);
      int64_t k = 0;
      do {
        const int64_t depth = std::min(block_depth, depth_ - k);
        each(parallel_for, pack_tasks(width), [&](int64_t task, int) { pack_b(task, column, width, k, depth); });
        const int64_t parts = column_parts(width);
        each(parallel_for, row_blocks_ * parts,
             [&](int64_t task, int worker) { block(task / parts, task % parts, parts, column, width, k, depth, worker); });
        k += block_depth;
      } while (k < depth_);
    }
  }

 private:
  int64_t tile_elements() const { return int64_t{kernel_.mr} * kernel_.nr; }
  int64_t a_panels() const { return ceil_div(ceil_div(rows_, row_blocks_), kernel_.mr); }

  /// Large products go through parallel_for even for one thread: it looks whether the call was cancelled.
  template <class F> void each(ParallelFor parallel_for, int64_t count, const F& body) const {
    if (is_large_) {
      parallel_for(count, body);
    } else {
      for (int64_t k = 0; k < count; ++k) body(k, 0);
    }
  }

  /// Element (row, column) of part `part` of an operand.
  static const std::byte* at(const StridedView& view, int64_t row, int64_t column, int64_t part) {
    return view.data + row * view.strides[0] + column * view.strides[1] + part * static_cast<int64_t>(size_of(real_part_of(view.dtype)));
  }

  // ---- panels of B: packed once per strip and block, for all threads ----
  int64_t pack_tasks(int64_t width) const { return packs_b_ ? ceil_div(width, kernel_.nr) : width % kernel_.nr != 0 ? 1 : 0; }

  void pack_b(int64_t task, int64_t column, int64_t width, int64_t k, int64_t depth) const {
    const int64_t panel = packs_b_ ? task : width / kernel_.nr;  // unpacked: only what is left beside whole panels
    const int64_t first = panel * kernel_.nr;
    for (int64_t part = 0; part < parts_; ++part) {
      const Source from = {at(p_.b, k, column + first, part), p_.b.strides[1], p_.b.strides[0], real_part_of(p_.b.dtype), p_.b.swapped};
      pack(from, kernel_.nr, std::min<int64_t>(kernel_.nr, width - first), depth, b_panel(packs_b_ ? panel : 0, part));
    }
  }
  T* b_panel(int64_t panel, int64_t part) const { return packed_b_ + (panel * parts_ + part) * kernel_.nr * block_; }

  // ---- tiles ----
  int64_t column_parts(int64_t width) const {
    const int64_t panels = ceil_div(width, kernel_.nr);
    if (threads_ == 1) return 1;
    return std::clamp<int64_t>(ceil_div(2 * threads_, row_blocks_), 1, std::max<int64_t>(1, panels));
  }

  void block(int64_t row_block, int64_t part_of_strip, int64_t parts_of_strip, int64_t column, int64_t width, int64_t k, int64_t depth,
             int worker) const {
    const int64_t row = rows_ * row_block / row_blocks_, height = rows_ * (row_block + 1) / row_blocks_ - row;
    if (height == 0) return;
    const int64_t panels = ceil_div(height, kernel_.mr);
    auto* a = reinterpret_cast<T*>(workers_ + worker * per_worker_);
    for (int64_t i = 0; i < panels; ++i) {
      const int64_t first = height * i / panels, count = height * (i + 1) / panels - first;
      for (int64_t part = 0; part < parts_; ++part) {
        const Source from = {at(p_.a, row + first, k, part), p_.a.strides[0], p_.a.strides[1], real_part_of(p_.a.dtype), p_.a.swapped};
        pack(from, kernel_.mr, count, depth, a + (i * parts_ + part) * kernel_.mr * block_);
      }
    }
    T* tiles =
        a + round_up(parts_ * a_panels() * kernel_.mr * block_ * static_cast<int64_t>(sizeof(T)), 64) / static_cast<int64_t>(sizeof(T));
    const int64_t b_panels = ceil_div(width, kernel_.nr);
    const int64_t begin = b_panels * part_of_strip / parts_of_strip, end = b_panels * (part_of_strip + 1) / parts_of_strip;
    for (int64_t j = begin; j < end; ++j) {
      const int64_t left = j * kernel_.nr, count = std::min<int64_t>(kernel_.nr, width - left);
      for (int64_t i = 0; i < panels; ++i) {
        const int64_t first = height * i / panels;
        const auto tall = static_cast<int>(height * (i + 1) / panels - first);
        tile({a + i * parts_ * kernel_.mr * block_, tiles, row + first, column, left, tall, static_cast<int>(count), k, depth});
      }
    }
    if (k + block_depth >= depth_) finish(row, height, column, begin * kernel_.nr, std::min(end * kernel_.nr, width));
  }

  struct Tile {
    const T* a;
    T* room;  ///< four tiles
    int64_t row, strip, left;
    int rows, columns;
    int64_t k, depth;
  };

  void tile(const Tile& t) const {
    if (parts_ == 2) return complex_tile(t);
    const int64_t panel = t.left / kernel_.nr;
    const bool direct = !packs_b_ && t.columns == kernel_.nr;
    const T* b = direct ? reinterpret_cast<const T*>(at(p_.b, t.k, t.strip + t.left, 0)) : b_panel(packs_b_ ? panel : 0, 0);
    const int64_t ldb = direct ? p_.b.strides[0] / static_cast<int64_t>(sizeof(T)) : kernel_.nr;
    T* sums = sums_at(t.row, t.strip, t.left, 0);
    if (t.columns == kernel_.nr || !in_place_) {
      kernel_.run(t.depth, t.a, b, ldb, sums, sums_stride(), t.rows, t.k > 0);
      return;
    }
    kernel_.run(t.depth, t.a, b, ldb, t.room, kernel_.nr, t.rows, false);
    for (int r = 0; r < t.rows; ++r)
      for (int j = 0; j < t.columns; ++j) {
        T& sum = sums[r * sums_stride() + j];
        const T more = t.room[r * kernel_.nr + j];
        sum = t.k > 0 ? sum + more : more;
      }
  }

  void complex_tile(const Tile& t) const {
    const int64_t panel = t.left / kernel_.nr;
    const T* a[2] = {t.a, t.a + kernel_.mr * block_};
    const T* b[2] = {b_panel(panel, 0), b_panel(panel, 1)};
    T* room[2][2];
    for (int x = 0; x < 2; ++x)
      for (int y = 0; y < 2; ++y) {
        room[x][y] = t.room + (2 * x + y) * tile_elements();
        kernel_.run(t.depth, a[x], b[y], kernel_.nr, room[x][y], kernel_.nr, t.rows, false);
      }
    T* re = sums_at(t.row, t.strip, t.left, 0);
    T* im = sums_at(t.row, t.strip, t.left, 1);
    for (int r = 0; r < t.rows; ++r)
      for (int j = 0; j < kernel_.nr; ++j) {
        const int64_t from = r * kernel_.nr + j, to = r * sums_stride() + j;
        const T more_re = room[0][0][from] - room[1][1][from], more_im = room[0][1][from] + room[1][0][from];
        re[to] = t.k > 0 ? re[to] + more_re : more_re;
        im[to] = t.k > 0 ? im[to] + more_im : more_im;
      }
  }

  // ---- sums: in the result where it has their dtype and unit stride, else in scratch for one strip ----
  T* sums_at(int64_t row, int64_t strip, int64_t left, int64_t part) const {
    if (in_place_) return reinterpret_cast<T*>(p_.result.data + row * p_.result.strides[0]) + strip + left;
    return sums_ + (part * rows_ + row) * strip_ + left;
  }
  int64_t sums_stride() const { return in_place_ ? p_.result.strides[0] / static_cast<int64_t>(sizeof(T)) : strip_; }

  void finish(int64_t row, int64_t height, int64_t strip, int64_t begin, int64_t end) const {
    if (in_place_ && !p_.addend) return;
    for (int64_t r = row; r < row + height; ++r) {
      const T* sums[2] = {sums_at(r, strip, begin, 0), parts_ == 2 ? sums_at(r, strip, begin, 1) : nullptr};
      store_row<T>(p_, r, strip + begin, end - begin, sums);
    }
  }

  const Product& p_;
  const Kernel<T>& kernel_;
  int64_t rows_, depth_, columns_, parts_;
  int64_t block_ = 0, strip_ = 0, row_blocks_ = 0, per_worker_ = 0, scratch_bytes_ = 0;
  int threads_ = 1;
  bool in_place_ = false, packs_b_ = true, is_large_ = false;
  T *packed_b_ = nullptr, *sums_ = nullptr;
  std::byte* workers_ = nullptr;
};

template <class F> auto with_kernel(const Product& p, const F& f) {
  const Kernels& k = kernels();
  const DType acc = real_part_of(p.acc);
  if (acc == DType::f32) return f(k.f32);
  if (acc == DType::f64) return f(k.f64);
  return acc != DType::boolean && size_of(acc) <= 4 ? f(k.u32) : f(k.u64);
}

void transpose(StridedView& view) {
  std::swap(view.shape[0], view.shape[1]);
  std::swap(view.strides[0], view.strides[1]);
}

/// The transposed product where the result's columns are the ones without gaps: the same sums of the same terms.
Product with_unit_rows(Product p) {
  const auto item = static_cast<int64_t>(size_of(p.result.dtype));
  if (p.result.strides[1] == item || p.result.strides[0] != item) return p;
  std::swap(p.a, p.b);
  for (StridedView* view : {&p.a, &p.b, &p.result}) transpose(*view);
  if (p.addend) transpose(*p.addend);
  return p;
}

}  // namespace

int64_t scratch_bytes(const Product& product, int threads) {
  const Product p = with_unit_rows(product);
  return with_kernel(p, [&]<class T>(const Kernel<T>& kernel) { return Multiplication<T>(p, kernel, nullptr, threads).scratch_bytes(); });
}

void multiply(const Product& product, std::byte* scratch, int threads, ParallelFor parallel_for) {
  if (product.result.size() == 0) return;
  const Product p = with_unit_rows(product);
  with_kernel(p, [&]<class T>(const Kernel<T>& kernel) { Multiplication<T>(p, kernel, scratch, threads).run(parallel_for); });
}

}  // namespace voxloom::ops::gemm

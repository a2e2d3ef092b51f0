// tests/fuzz/placed.cpp: guarded memory, layouts, comparison of values.
#include "placed.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace voxloom::fuzz {

namespace {

constexpr auto canary = std::byte{0x5b};

/// Calls f with the byte offset of each element, last axis fastest.
void each_element(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, const std::function<void(int64_t)>& f) {
  int64_t size = 1;
  for (int64_t n : shape) size *= n;
  std::vector<int64_t> index(shape.size(), 0);
  int64_t offset = 0;
  for (int64_t p = 0; p < size; ++p) {
    f(offset);
    for (size_t k = shape.size(); k-- > 0;) {
      offset += strides[k];
      if (++index[k] < shape[k]) break;
      offset -= strides[k] * shape[k];
      index[k] = 0;
    }
  }
}

void copy_item(std::byte* to, const std::byte* from, DType t, bool swapped) {
  const size_t item = size_of(t), part = is_complex(t) ? item / 2 : item;
  for (size_t i = 0; i < item; ++i) to[i] = swapped ? from[i / part * part + part - 1 - i % part] : from[i];
}

struct Layout {
  std::vector<int64_t> strides;
  int64_t first = 0;  ///< offset of element (0, ..., 0)
  size_t bytes = 0;
  bool swapped = false;
};

Layout make_layout(DType t, const std::vector<int64_t>& shape, LayoutKind kind, uint32_t repeated, bool output, Rng& rng) {
  const auto item = static_cast<int64_t>(size_of(t));
  Layout l;
  if (kind != LayoutKind::any) {
    l.strides = dense_strides(shape, size_of(t), kind == LayoutKind::fortran);
    int64_t n = item;
    for (int64_t d : shape) n *= d;
    l.bytes = static_cast<size_t>(n);
    return l;
  }
  std::vector<size_t> order(shape.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (rng.chance(0.5)) std::reverse(order.begin(), order.end());
  for (size_t k = order.size(); rng.chance(0.4) && k > 1; --k)
    std::swap(order[k - 1], order[static_cast<size_t>(rng.below(static_cast<int64_t>(k)))]);
  l.strides.assign(shape.size(), 0);
  int64_t step = item;
  bool empty = false;
  for (size_t axis : order) {
    const int64_t n = shape[axis];
    empty = empty || n == 0;
    if (rng.chance(0.15)) step *= rng.between(2, 3);
    if (rng.chance(0.05)) step += 1;                                          // no multiple of the item size
    if (!output && (repeated >> axis & 1) != 0 && rng.chance(0.7)) continue;  // stride 0
    const bool negative = rng.chance(0.2);
    l.strides[axis] = negative ? -step : step;
    if (negative && n > 0) l.first += step * (n - 1);
    step *= std::max<int64_t>(n, 1);
  }
  const int64_t shift = rng.chance(0.2) ? rng.between(1, 9) : 0;
  l.first += shift;
  int64_t last = l.first;
  for (size_t k = 0; k < shape.size(); ++k) last += l.strides[k] > 0 ? l.strides[k] * (shape[k] - 1) : 0;
  l.bytes = empty ? 0 : static_cast<size_t>(last + item);
  if (empty) l.first = 0;
  l.swapped = !output && item > 1 && t != DType::boolean && rng.chance(0.12);
  return l;
}

Placed placed(const Layout& l, DType t, const std::vector<int64_t>& shape, bool read_only, Rng& rng) {
  auto memory = std::make_shared<GuardedMemory>(l.bytes, rng.chance(0.7));
  std::memset(memory->data(), static_cast<int>(canary), l.bytes);
  std::byte* first = memory->data() + l.first;
  Array a = read_only ? Array::view(static_cast<const void*>(first), Dims(shape), t, Dims(l.strides), memory)
                      : Array::view(static_cast<void*>(first), Dims(shape), t, Dims(l.strides), memory);
  if (l.swapped) a = a.as_swapped();
  return {std::move(a), std::move(memory)};
}

template <class T> bool same_float(const std::byte* a, const std::byte* b) {
  T x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return (x != x && y != y) || std::memcmp(a, b, sizeof x) == 0;
}
bool same_item(DType t, const std::byte* a, const std::byte* b) {
  switch (t) {
    case DType::f32: return same_float<float>(a, b);
    case DType::f64: return same_float<double>(a, b);
    case DType::c64: return same_float<float>(a, b) && same_float<float>(a + 4, b + 4);
    case DType::c128: return same_float<double>(a, b) && same_float<double>(a + 8, b + 8);
    default: return std::memcmp(a, b, size_of(t)) == 0;
  }
}
std::string hex(const std::byte* p, size_t n) {
  std::string out = "0x";
  for (size_t i = n; i-- > 0;) {
    out += "0123456789abcdef"[static_cast<unsigned>(p[i]) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned>(p[i]) & 15];
  }
  return out;
}
std::string item_text(DType t, const std::byte* p) {
  double x = 0;
  if (t == DType::f64) std::memcpy(&x, p, sizeof x);
  float f = 0;
  if (t == DType::f32) std::memcpy(&f, p, sizeof f);
  const std::string bits = hex(p, size_of(t));
  if (t == DType::f64) return std::to_string(x) + " (" + bits + ")";
  if (t == DType::f32) return std::to_string(f) + " (" + bits + ")";
  return bits;
}

}  // namespace

GuardedMemory::GuardedMemory(size_t bytes, bool at_end) : bytes_(bytes) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t inside = (bytes + page - 1) / page * page;
  mapped_ = inside + 2 * page;
  void* p = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::runtime_error("mmap failed");
  base_ = static_cast<std::byte*>(p);
  if (inside > 0 && ::mprotect(base_ + page, inside, PROT_READ | PROT_WRITE) != 0) throw std::runtime_error("mprotect failed");
  data_ = at_end ? base_ + page + inside - bytes : base_ + page;
}
GuardedMemory::~GuardedMemory() { ::munmap(base_, mapped_); }

uint64_t GuardedMemory::hash() const {
  uint64_t h = 1469598103934665603u;
  for (size_t i = 0; i < bytes_; ++i) h = (h ^ static_cast<uint64_t>(data_[i])) * 1099511628211u;
  return h;
}

Placed place(const std::vector<std::byte>& dense, DType t, const std::vector<int64_t>& shape, LayoutKind kind, uint32_t repeated,
             Rng& rng) {
  const Layout l = make_layout(t, shape, kind, repeated, false, rng);
  Placed p = placed(l, t, shape, true, rng);
  size_t at = 0;
  each_element(shape, l.strides, [&](int64_t offset) {
    copy_item(p.memory->data() + l.first + offset, dense.data() + at, t, l.swapped);
    at += size_of(t);
  });
  return p;
}

Placed place_output(DType t, const std::vector<int64_t>& shape, LayoutKind kind, Rng& rng) {
  Placed p = placed(make_layout(t, shape, kind, 0, true, rng), t, shape, false, rng);
  p.before.assign(p.memory->data(), p.memory->data() + p.memory->size());
  return p;
}

bool overlay(Placed& input, DType t, const std::vector<int64_t>& shape, Rng& rng, Placed& output) {
  const Array& a = input.array;
  const bool stretched = std::any_of(a.strides().begin(), a.strides().end(), [](int64_t s) { return s == 0; });
  std::byte* first = nullptr;
  Dims strides;
  if (a.dtype() == t && a.shape() == Dims(shape) && !a.swapped() && !stretched && rng.chance(0.7)) {
    first = a.raw();
    strides = a.strides();
  } else {
    int64_t bytes = static_cast<int64_t>(size_of(t));
    for (int64_t n : shape) bytes *= n;
    const int64_t room = static_cast<int64_t>(input.memory->size()) - bytes;
    if (room < 0 || bytes == 0) return false;
    first = input.memory->data() + rng.below(room + 1);
    strides = Dims(dense_strides(shape, size_of(t), rng.chance(0.5)));
  }
  output.array = Array::view(static_cast<void*>(first), Dims(shape), t, strides, input.memory);
  output.memory = input.memory;
  output.before.assign(input.memory->data(), input.memory->data() + input.memory->size());
  return true;
}

Plain plain_of(const StridedView& view) {
  Plain out{view.dtype, view.shape, {}};
  out.bytes.resize(static_cast<size_t>(view.size()) * size_of(view.dtype));
  size_t at = 0;
  each_element(view.shape, view.strides, [&](int64_t offset) {
    copy_item(out.bytes.data() + at, view.data + offset, view.dtype, view.swapped);
    at += size_of(view.dtype);
  });
  return out;
}

bool gaps_untouched(const Placed& output) {
  std::vector<bool> inside(output.memory->size(), false);
  const Array& a = output.array;
  const int64_t first = a.raw() - output.memory->data();
  each_element(a.shape().vector(), a.strides().vector(), [&](int64_t offset) {
    for (size_t i = 0; i < size_of(a.dtype()); ++i) inside[static_cast<size_t>(first + offset) + i] = true;
  });
  for (size_t i = 0; i < inside.size(); ++i) {
    if (!inside[i] && output.memory->data()[i] != output.before[i]) return false;
  }
  return true;
}

std::string difference(const Plain& want, const Plain& got) {
  if (want.dtype != got.dtype) return "dtype " + std::string(name_of(got.dtype)) + " instead of " + std::string(name_of(want.dtype));
  if (want.shape != got.shape) return "shape " + to_string(Dims(got.shape)) + " instead of " + to_string(Dims(want.shape));
  const size_t item = size_of(want.dtype);
  size_t bad = 0, first = 0;
  for (size_t i = 0; i < want.bytes.size(); i += item) {
    if (same_item(want.dtype, &want.bytes[i], &got.bytes[i])) continue;
    if (bad++ == 0) first = i;
  }
  if (bad == 0) return {};
  return std::to_string(bad) + " of " + std::to_string(want.bytes.size() / item) + " elements differ, the first at " +
         std::to_string(first / item) + " of " + to_string(Dims(want.shape)) + ": want " + item_text(want.dtype, &want.bytes[first]) +
         ", got " + item_text(want.dtype, &got.bytes[first]);
}

std::string layout_text(const Array& a) {
  return std::string(name_of(a.dtype())) + " " + to_string(a.shape()) + " strides " + to_string(a.strides()) + " at " +
         std::to_string(reinterpret_cast<uintptr_t>(a.raw()) % 64) + " mod 64" + (a.swapped() ? " swapped" : "");
}

}  // namespace voxloom::fuzz

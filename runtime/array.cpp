// runtime/array.cpp: making arrays, reading elements, copies.
#include <voxloom/runtime/array.h>

#include <voxloom/graph/error.h>
#include <voxloom/runtime/buffer_pool.h>

#include <cmath>
#include <cstring>

namespace voxloom {
namespace {

std::string text_of(DType dtype, const Dims& shape) { return std::string(name_of(dtype)) + " " + to_string(shape); }

/// Sizes must be >= 0 and the whole array must be countable in bytes.
int64_t checked_bytes(const Dims& shape, DType dtype, std::string_view op) {
  auto bytes = static_cast<int64_t>(size_of(dtype));
  bool empty = false, overflow = false;
  for (int64_t n : shape) {
    if (n < 0) fail_user(ErrorCode::shape, op, "shape " + to_string(shape) + " has a negative size");
    empty |= n == 0;
    overflow |= n > 0 && __builtin_mul_overflow(bytes, n, &bytes);
  }
  if (overflow)
    fail_user(ErrorCode::limit, op, "shape " + to_string(shape) + " of " + std::string(name_of(dtype)) + " has more than 2^63 bytes");
  return empty ? 0 : bytes;
}

/// Every offset inside the layout must be representable.
void check_reach(const Dims& shape, const Dims& strides, std::string_view op) {
  int64_t low = 0, high = 0;
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] == 0) return;
    int64_t reach = 0;
    int64_t& side = strides[k] < 0 ? low : high;
    if (__builtin_mul_overflow(shape[k] - 1, strides[k], &reach) || __builtin_add_overflow(side, reach, &side)) {
      fail_user(ErrorCode::limit, op, "strides " + to_string(strides) + " of shape " + to_string(shape) + " reach beyond 2^63 bytes");
    }
  }
}

/// Dense in one order; sizes of 1 may have any stride, and an array without elements is dense in both.
bool is_dense(const Dims& shape, const Dims& strides, DType dtype, bool fortran) {
  auto step = static_cast<int64_t>(size_of(dtype));
  bool dense = true;
  for (int k = 0; k < shape.rank(); ++k) {
    const int axis = fortran ? k : shape.rank() - 1 - k;
    if (shape[axis] == 0) return true;
    if (shape[axis] != 1 && strides[axis] != step) dense = false;
    step *= shape[axis];
  }
  return dense;
}

}  // namespace

Array Array::view(void* data, const Dims& shape, DType dtype, const Dims& byte_strides, std::shared_ptr<const void> keep_alive) {
  const int64_t bytes = checked_bytes(shape, dtype, "view");
  if (data == nullptr && bytes > 0) fail_user(ErrorCode::usage, "view", "a null pointer cannot hold " + text_of(dtype, shape));
  Array array;
  array.shape_ = shape;
  array.dtype_ = dtype;
  array.data_ = static_cast<std::byte*>(data);
  if (byte_strides.empty()) {
    array.strides_ = dense_strides(shape, size_of(dtype), false);
  } else {
    if (byte_strides.rank() != shape.rank()) {
      fail_user(ErrorCode::shape, "view", "strides " + voxloom::to_string(byte_strides) + " do not fit shape " + voxloom::to_string(shape));
    }
    check_reach(shape, byte_strides, "view");
    array.strides_ = byte_strides;
  }
  if (keep_alive) array.buffer_ = Buffer::wrap(data, bytes, std::move(keep_alive));
  return array;
}

Array Array::view(const void* data, const Dims& shape, DType dtype, const Dims& byte_strides, std::shared_ptr<const void> keep_alive) {
  Array array = view(const_cast<void*>(data), shape, dtype, byte_strides, std::move(keep_alive));
  array.read_only_ = true;
  return array;
}

Array Array::view(const StridedView& view, std::shared_ptr<const void> keep_alive) {
  Array array = Array::view(static_cast<void*>(view.data), Dims(view.shape), view.dtype, Dims(view.strides), std::move(keep_alive));
  array.swapped_ = view.swapped;
  return array;
}

Array Array::over(Buffer buffer, std::byte* data, const Dims& shape, DType dtype, const Dims& byte_strides) {
  Array array = view(static_cast<void*>(data), shape, dtype, byte_strides);
  const ByteRange range = byte_range(shape, array.strides_, size_of(dtype));
  const int64_t offset = data - buffer.data();
  if (range.end > range.begin && (offset + range.begin < 0 || offset + range.end > buffer.capacity())) {
    fail_user(ErrorCode::index, "array",
              text_of(dtype, shape) + " reaches outside its buffer of " + std::to_string(buffer.capacity()) + " bytes");
  }
  array.buffer_ = std::move(buffer);
  return array;
}

Array Array::empty(const Dims& shape, DType dtype, Order order, BufferPool* pool) {
  const int64_t bytes = checked_bytes(shape, dtype, "array");
  Array array;
  array.buffer_ = (pool != nullptr ? *pool : BufferPool::process()).allocate(bytes, "array");
  array.data_ = array.buffer_.data();
  array.shape_ = shape;
  array.strides_ = dense_strides(shape, size_of(dtype), order == Order::F);
  array.dtype_ = dtype;
  return array;
}

Array Array::zeros(const Dims& shape, DType dtype, Order order) {
  Array array = empty(shape, dtype, order);
  std::memset(array.data_, 0, static_cast<size_t>(array.bytes()));
  return array;
}

Array Array::from_bytes(const void* values, int64_t count, DType dtype, const std::optional<Dims>& shape) {
  Array array = empty(shape.value_or(Dims(count)), dtype);
  if (array.size() != count) {
    fail_user(ErrorCode::shape, "from", std::to_string(count) + " values do not fill shape " + voxloom::to_string(array.shape_));
  }
  if (count > 0) std::memcpy(array.data_, values, static_cast<size_t>(array.bytes()));
  return array;
}

bool Array::is_c_contiguous() const noexcept { return is_dense(shape_, strides_, dtype_, false); }
bool Array::is_f_contiguous() const noexcept { return is_dense(shape_, strides_, dtype_, true); }

bool Array::aligned() const noexcept {
  const auto unit = static_cast<int64_t>(size_of(real_part_of(dtype_)));
  if (static_cast<int64_t>(reinterpret_cast<uintptr_t>(data_)) % unit != 0) return false;
  for (int k = 0; k < rank(); ++k) {
    if (shape_[k] > 1 && strides_[k] % unit != 0) return false;
  }
  return true;
}

void Array::check_dense(DType asked, bool as_const, Order order) const {
  if (asked != dtype_)
    fail_user(ErrorCode::dtype, "data", "the array is " + text_of(dtype_, shape_) + ", asked for " + std::string(name_of(asked)));
  if (read_only_ && !as_const) fail_user(ErrorCode::usage, "data", "the array is read-only: ask for a pointer to const");
  if (swapped_) fail_user(ErrorCode::usage, "data", "the elements are in the other byte order: copy() brings them into this machine's");
  const bool dense = order == Order::C ? is_c_contiguous() : is_f_contiguous();
  if (dense) return;
  const bool other = order == Order::C ? is_f_contiguous() : is_c_contiguous();
  const char* const hint = other ? " but in the other one: pass Order::F (or Order::C), or copy()" : ": copy() makes it so";
  fail_user(ErrorCode::usage, "data",
            text_of(dtype_, shape_) + " with byte strides " + voxloom::to_string(strides_) + " is not dense in " +
                (order == Order::C ? "C" : "F") + " order" + hint);
}

std::byte* Array::locate(const Dims& indices, DType asked) const {
  if (asked != dtype_)
    fail_user(ErrorCode::dtype, "at", "the array is " + text_of(dtype_, shape_) + ", asked for " + std::string(name_of(asked)));
  if (indices.rank() != rank()) {
    fail_user(ErrorCode::index, "at", std::to_string(indices.rank()) + " indices for an array of shape " + voxloom::to_string(shape_));
  }
  std::byte* place = data_;
  for (int k = 0; k < rank(); ++k) {
    const int64_t i = indices[k] < 0 ? indices[k] + shape_[k] : indices[k];
    if (i < 0 || i >= shape_[k]) {
      fail_user(ErrorCode::index, "at",
                "index " + std::to_string(indices[k]) + " is out of range for axis " + std::to_string(k) + " of size " +
                    std::to_string(shape_[k]));
    }
    place += i * strides_[k];
  }
  return place;
}

void Array::load(const std::byte* from, void* value) const {
  copy_strided(static_cast<std::byte*>(value), {}, from, {}, {}, size_of(dtype_), swapped_, size_of(real_part_of(dtype_)));
}

void Array::store(std::byte* to, const void* value) const {
  if (read_only_) fail_user(ErrorCode::usage, "set", "the array is read-only");
  copy_strided(to, {}, static_cast<const std::byte*>(value), {}, {}, size_of(dtype_), swapped_, size_of(real_part_of(dtype_)));
}

void Array::load_item(DType asked, void* value) const {
  if (size() != 1)
    fail_user(ErrorCode::shape, "item", "shape " + voxloom::to_string(shape_) + " has " + std::to_string(size()) + " elements, not one");
  const Array converted = cast(asked);
  std::memcpy(value, converted.data_, size_of(asked));
}

StridedView Array::view() const { return {data_, dtype_, shape_.vector(), strides_.vector(), swapped_}; }

Array Array::copy(Order order) const {
  Array result = empty(shape_, dtype_, order);
  copy_strided(result.data_, result.strides_, data_, strides_, shape_, size_of(dtype_), swapped_, size_of(real_part_of(dtype_)));
  return result;
}

void Array::assign(const Array& source) const {
  if (read_only_) fail_user(ErrorCode::usage, "assign", "the array is read-only");
  if (source.dtype_ != dtype_ || source.shape_ != shape_) {
    fail_user(source.dtype_ != dtype_ ? ErrorCode::dtype : ErrorCode::shape, "assign",
              text_of(source.dtype_, source.shape_) + " cannot go into " + text_of(dtype_, shape_));
  }
  const bool same_place = source.data_ == data_ && source.strides_ == strides_ && source.swapped_ == swapped_;
  if (same_place) return;
  const Array from = may_overlap(*this, source) ? source.copy() : source;
  copy_strided(data_, strides_, from.data_, from.strides_, shape_, size_of(dtype_), swapped_ != from.swapped_,
               size_of(real_part_of(dtype_)));
}

bool may_overlap(const Array& a, const Array& b) {
  const ByteRange ra = byte_range(a.shape(), a.strides(), size_of(a.dtype()));
  const ByteRange rb = byte_range(b.shape(), b.strides(), size_of(b.dtype()));
  if (ra.begin == ra.end || rb.begin == rb.end || a.device() != b.device()) return false;
  const auto at = [](const Array& x, int64_t offset) { return reinterpret_cast<uintptr_t>(x.raw()) + static_cast<uintptr_t>(offset); };
  return at(a, ra.begin) < at(b, rb.end) && at(b, rb.begin) < at(a, ra.end);
}

namespace {

template <class T> bool same_reals(const Array& a, const Array& b, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    T x, y;
    std::memcpy(&x, a.raw() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
    std::memcpy(&y, b.raw() + static_cast<size_t>(i) * sizeof(T), sizeof(T));
    if (std::memcmp(&x, &y, sizeof(T)) != 0 && !(std::isnan(x) && std::isnan(y))) return false;
  }
  return true;
}

}  // namespace

bool same_bits(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const auto packed = [](const Array& x) { return x.is_c_contiguous() && !x.swapped() ? x : x.copy(); };
  const Array x = packed(a), y = packed(b);
  const int64_t reals = is_complex(x.dtype()) ? 2 * x.size() : x.size();
  switch (real_part_of(x.dtype())) {
    case DType::f32: return same_reals<float>(x, y, reals);
    case DType::f64: return same_reals<double>(x, y, reals);
    default: return x.size() == 0 || std::memcmp(x.raw(), y.raw(), static_cast<size_t>(x.bytes())) == 0;
  }
}

}  // namespace voxloom

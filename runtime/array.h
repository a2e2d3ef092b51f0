// runtime/array.h: an n-dimensional array: a shared buffer and a strided, typed window on it.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/graph/export.h>
#include <voxloom/graph/strided_view.h>
#include <voxloom/graph/type.h>
#include <voxloom/runtime/buffer.h>
#include <voxloom/runtime/copy.h>
#include <voxloom/runtime/dims.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace voxloom {

class BufferPool;

/// Copying an Array shares the elements, as in NumPy; copy() duplicates them. Strides are in bytes and may be negative, zero or unaligned;
/// elements may be stored in the other byte order. Rank is at most 8. A default-constructed Array holds nothing (size 0, not defined()).
class VOXLOOM_API Array {
 public:
  Array() noexcept : shape_(0), strides_(0) {}

  /// A window on memory of the caller, who keeps it alive longer than the Array or hands over `keep_alive`. Without strides it is dense,
  /// last axis fastest. A window on const memory is read-only.
  static Array view(void* data, const Dims& shape, DType dtype, const Dims& byte_strides = {}, std::shared_ptr<const void> keep_alive = {});
  static Array view(const void* data, const Dims& shape, DType dtype, const Dims& byte_strides = {},
                    std::shared_ptr<const void> keep_alive = {});
  /// A window on elements of a C++ type.
  template <class T>
    requires requires { DTypeOf<std::remove_const_t<T>>::value; }
  static Array view(T* data, const Dims& shape) {
    return view(data, shape, dtype_of<std::remove_const_t<T>>);
  }
  /// A window on what a StridedView describes.
  static Array view(const StridedView& view, std::shared_ptr<const void> keep_alive = {});
  /// A window on a buffer; the layout must lie inside it. `data` is the first element.
  static Array over(Buffer buffer, std::byte* data, const Dims& shape, DType dtype, const Dims& byte_strides);

  /// Fresh memory from a pool (the process's own by default), contents undefined.
  static Array empty(const Dims& shape, DType dtype, Order order = Order::C, BufferPool* pool = nullptr);
  static Array zeros(const Dims& shape, DType dtype, Order order = Order::C);
  /// A copy of `values`, taken in C order; without a shape it is a vector.
  template <class T> static Array from(std::span<const T> values, std::optional<Dims> shape = {}) {
    return from_bytes(values.data(), static_cast<int64_t>(values.size()), dtype_of<T>, shape);
  }
  template <class T> static Array from(const std::vector<T>& values, std::optional<Dims> shape = {}) {
    return from(std::span<const T>(values), shape);
  }
  template <class T> static Array from(std::initializer_list<T> values, std::optional<Dims> shape = {}) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }
  /// Rank 0.
  template <class T> static Array scalar(T value) { return from(std::span<const T>(&value, 1), Dims()); }

  bool defined() const noexcept { return data_ != nullptr; }
  DType dtype() const noexcept { return dtype_; }
  int rank() const noexcept { return shape_.rank(); }
  const Dims& shape() const noexcept { return shape_; }
  int64_t shape(int axis) const noexcept { return shape_[axis < 0 ? axis + rank() : axis]; }
  /// In bytes.
  const Dims& strides() const noexcept { return strides_; }
  /// Number of elements.
  int64_t size() const noexcept { return shape_.product(); }
  /// Bytes of all elements, packed.
  int64_t bytes() const noexcept { return size() * static_cast<int64_t>(size_of(dtype_)); }
  bool swapped() const noexcept { return swapped_; }
  bool read_only() const noexcept { return read_only_; }
  bool is_c_contiguous() const noexcept;
  bool is_f_contiguous() const noexcept;
  bool aligned() const noexcept;
  DeviceId device() const noexcept { return buffer_.device(); }
  /// Who owns the memory; empty for a window without keep_alive.
  const Buffer& buffer() const noexcept { return buffer_; }

  /// First element in index order, whatever the layout.
  std::byte* raw() const noexcept { return data_; }
  /// All elements, dense in `order` and in this machine's byte order; T must be the element type. UserError otherwise, and if T is not
  /// const while the array is read-only.
  template <class T> T* data(Order order = Order::C) const {
    check_dense(dtype_of<std::remove_const_t<T>>, std::is_const_v<T>, order);
    return reinterpret_cast<T*>(data_);
  }
  template <class T> std::span<T> span(Order order = Order::C) const { return {data<T>(order), static_cast<size_t>(size())}; }
  /// Element at the indices (negative ones count from the end), from any layout. T must be the element type.
  template <class T, std::integral... I> T at(I... indices) const {
    T value;
    load(locate(Dims(static_cast<int64_t>(indices)...), dtype_of<T>), &value);
    return value;
  }
  template <class T, std::integral... I> void set(T value, I... indices) const {
    store(locate(Dims(static_cast<int64_t>(indices)...), dtype_of<T>), &value);
  }
  /// The only element, converted to T; UserError if there are more or none, or if a complex number is asked for as a real one.
  template <class T> T item() const {
    T value;
    load_item(dtype_of<T>, &value);
    return value;
  }

  /// The layout alone.
  StridedView view() const;
  /// A dense array of its own.
  Array copy(Order order = Order::C) const;
  /// Elements converted: to bool by != 0, float to integer saturating with NaN -> 0, between integers modulo 2^n. Complex to real is
  /// a UserError.
  Array cast(DType dtype, Order order = Order::C) const;
  /// Writes the elements of `source` (same shape and dtype) into this array.
  void assign(const Array& source) const;

  /// Views on the same elements. Axes may be negative; start and stop follow Python's slices.
  Array slice(int axis, std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step = 1) const;
  /// Drops the axis.
  Array index(int axis, int64_t position) const;
  Array transpose() const;
  Array transpose(const Dims& permutation) const;
  Array flip(int axis) const;
  /// Only where no copy is needed: the array must be dense in `order`.
  Array reshape(const Dims& shape, Order order = Order::C) const;
  Array as_read_only() const;
  /// The same bytes taken to be in the other byte order.
  Array as_swapped() const;

  /// "float32 (2, 3) [[1, 2, 3], [4, 5, 6]]"; long axes are shortened.
  std::string to_string() const;

 private:
  static Array from_bytes(const void* values, int64_t count, DType dtype, const std::optional<Dims>& shape);
  void check_dense(DType asked, bool as_const, Order order) const;
  std::byte* locate(const Dims& indices, DType asked) const;
  void load(const std::byte* from, void* value) const;
  void store(std::byte* to, const void* value) const;
  void load_item(DType asked, void* value) const;
  int checked_axis(int axis, std::string_view op) const;

  Buffer buffer_;
  std::byte* data_ = nullptr;
  Dims shape_;
  Dims strides_;
  DType dtype_ = DType::f32;
  bool swapped_ = false;
  bool read_only_ = false;
};

/// Whether the byte ranges of two arrays meet (a call checks this before it promises anything about aliasing).
VOXLOOM_API bool may_overlap(const Array& a, const Array& b);
/// Same dtype, shape and element bits, where all NaNs count as equal; byte order and layout do not matter.
VOXLOOM_API bool same_bits(const Array& a, const Array& b);

}  // namespace voxloom

// graph/constant.cpp: constant payloads and leaves.
#include <voxloom/graph/constant.h>

#include <voxloom/graph/hash.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/op_info.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace voxloom {
namespace {

uint64_t hash_payload(DType dtype, const std::vector<int64_t>& shape, const std::vector<std::byte>& bytes) {
  uint64_t h = static_cast<uint64_t>(dtype);
  for (const int64_t d : shape) h = mix_hash(h, static_cast<uint64_t>(d));
  size_t k = 0;
  for (; k + 8 <= bytes.size(); k += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + k, 8);
    h = mix_hash(h, word);
  }
  for (; k < bytes.size(); ++k) h = mix_hash(h, static_cast<uint64_t>(bytes[k]));
  return h;
}

// Copies element after element in C order; `swapped` elements are turned round part by part.
std::vector<std::byte> dense_copy(const StridedView& view) {
  const size_t item = size_of(view.dtype);
  const size_t part = is_complex(view.dtype) ? item / 2 : item;
  std::vector<std::byte> bytes(static_cast<size_t>(view.size()) * item);
  std::vector<int64_t> index(view.shape.size(), 0);
  for (size_t at = 0; at < bytes.size(); at += item) {
    int64_t offset = 0;
    for (size_t k = 0; k < index.size(); ++k) offset += index[k] * view.strides[k];
    std::memcpy(bytes.data() + at, view.data + offset, item);
    if (view.swapped) {
      for (size_t p = at; p < at + item; p += part)
        std::reverse(bytes.begin() + static_cast<ptrdiff_t>(p), bytes.begin() + static_cast<ptrdiff_t>(p + part));
    }
    for (size_t k = index.size(); k-- > 0;) {
      if (++index[k] < view.shape[k]) break;
      index[k] = 0;
    }
  }
  return bytes;
}

}  // namespace

ConstantPayload::ConstantPayload(DType dtype, std::vector<int64_t> shape, std::vector<std::byte> bytes)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)), hash_(hash_payload(dtype_, shape_, bytes_)) {
  internal_check(bytes_.size() == static_cast<size_t>(size()) * size_of(dtype_), "ConstantPayload: the bytes do not fill the shape");
}

bool ConstantPayload::equals(const Payload& other) const {
  const auto* constant = dynamic_cast<const ConstantPayload*>(&other);
  return constant != nullptr && constant->hash_ == hash_ && constant->dtype_ == dtype_ && constant->shape_ == shape_ &&
         constant->bytes_ == bytes_;
}

int64_t ConstantPayload::size() const {
  int64_t n = 1;
  for (const int64_t d : shape_) n *= d;
  return n;
}

StridedView ConstantPayload::view() const {
  return {const_cast<std::byte*>(bytes_.data()), dtype_, shape_, dense_strides(shape_, size_of(dtype_), false), false};
}

uint64_t ConstantPayload::bits(int64_t k, int part) const {
  const size_t item = size_of(dtype_);
  const size_t width = is_complex(dtype_) ? item / 2 : item;
  internal_check(k >= 0 && k < size(), "ConstantPayload::bits: no such element");
  uint64_t result = 0;
  std::memcpy(&result, bytes_.data() + static_cast<size_t>(k) * item + static_cast<size_t>(part) * width, width);
  return result;
}

bool ConstantPayload::is_uniform() const {
  const size_t item = size_of(dtype_);
  if (bytes_.empty()) return false;
  return std::equal(bytes_.begin() + static_cast<ptrdiff_t>(item), bytes_.end(), bytes_.begin());
}

Expr make_constant(const OpInfo& row, const StridedView& data, Order order, std::vector<std::string> names, OriginId origin) {
  return make_constant(row, std::make_shared<const ConstantPayload>(data.dtype, data.shape, dense_copy(data)), order, std::move(names),
                       origin);
}

Expr make_constant(const OpInfo& row, std::shared_ptr<const ConstantPayload> payload, Order order, std::vector<std::string> names,
                   OriginId origin, Attrs attrs) {
  Type type{payload->dtype(), {payload->shape().begin(), payload->shape().end()}, order, std::move(names)};
  return make_leaf(row, std::move(type), "", std::move(payload), origin, std::move(attrs));
}

Expr make_scalar_bits(DType dtype, uint64_t bits, OriginId origin) {
  internal_check(!is_complex(dtype), "make_scalar_bits: not for complex dtypes");
  std::vector<std::byte> bytes(size_of(dtype));
  std::memcpy(bytes.data(), &bits, bytes.size());
  return make_constant(constant_op(), std::make_shared<const ConstantPayload>(dtype, std::vector<int64_t>{}, std::move(bytes)), Order::C,
                       {}, origin);
}

Expr make_scalar_int(DType dtype, int64_t value, OriginId origin) {
  if (is_float(dtype) || is_complex(dtype)) return make_scalar(dtype, static_cast<double>(value), origin);
  if (dtype == DType::boolean) return make_scalar_bits(dtype, value != 0 ? 1 : 0, origin);
  const auto width = static_cast<int>(size_of(dtype) * 8);
  if (width < 64) {
    const int64_t low = is_signed_int(dtype) ? -(int64_t{1} << (width - 1)) : 0;
    const int64_t high = is_signed_int(dtype) ? (int64_t{1} << (width - 1)) - 1 : (int64_t{1} << width) - 1;
    internal_check(value >= low && value <= high, "make_scalar_int: the value does not fit the dtype");
  }
  return make_scalar_bits(dtype, static_cast<uint64_t>(value), origin);
}

Expr make_scalar(DType dtype, double value, OriginId origin) {
  if (dtype == DType::f32) return make_scalar_bits(dtype, std::bit_cast<uint32_t>(static_cast<float>(value)), origin);
  if (dtype == DType::f64) return make_scalar_bits(dtype, std::bit_cast<uint64_t>(value), origin);
  if (is_complex(dtype)) {
    std::vector<std::byte> bytes(size_of(dtype));
    const auto narrow = static_cast<float>(value);
    if (dtype == DType::c64) std::memcpy(bytes.data(), &narrow, sizeof narrow);
    if (dtype == DType::c128) std::memcpy(bytes.data(), &value, sizeof value);
    return make_constant(constant_op(), std::make_shared<const ConstantPayload>(dtype, std::vector<int64_t>{}, std::move(bytes)), Order::C,
                         {}, origin);
  }
  internal_check(std::trunc(value) == value && std::fabs(value) < 0x1p63, "make_scalar: not an integer");
  return make_scalar_int(dtype, static_cast<int64_t>(value), origin);
}

const ConstantPayload* constant_of(const Node& node) { return dynamic_cast<const ConstantPayload*>(node.payload().get()); }

std::optional<double> uniform_value(const Node& node) {
  const ConstantPayload* constant = constant_of(node);
  if (constant == nullptr || is_complex(constant->dtype()) || !constant->is_uniform()) return std::nullopt;
  const uint64_t bits = constant->bits(0);
  switch (constant->dtype()) {
    case DType::boolean:
    case DType::u8:
    case DType::u16:
    case DType::u32: return static_cast<double>(bits);
    case DType::i8: return static_cast<int8_t>(bits);
    case DType::i16: return static_cast<int16_t>(bits);
    case DType::i32: return static_cast<int32_t>(bits);
    case DType::f32: return std::bit_cast<float>(static_cast<uint32_t>(bits));
    case DType::f64: return std::bit_cast<double>(bits);
    case DType::i64: {
      const auto value = static_cast<int64_t>(bits);
      if (value > (int64_t{1} << 53) || value < -(int64_t{1} << 53)) return std::nullopt;
      return static_cast<double>(value);
    }
    case DType::u64: return bits > (uint64_t{1} << 53) ? std::nullopt : std::optional<double>(static_cast<double>(bits));
    default: return std::nullopt;
  }
}

}  // namespace voxloom

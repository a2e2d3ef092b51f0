// api/byte_stream.cpp: numbers, texts and arrays as bytes, and back with every bound checked.
#include <voxloom/api/byte_stream.h>

namespace voxloom::detail {

void ByteWriter::array(const Array& value) {
  const Order order = value.is_f_contiguous() && !value.is_c_contiguous() ? Order::F : Order::C;
  const Array dense = value.copy(order);
  number(static_cast<uint8_t>(dense.dtype()));
  number(static_cast<uint8_t>(order));
  number(static_cast<uint8_t>(dense.rank()));
  for (const int64_t n : dense.shape()) number(n);
  bytes.append(reinterpret_cast<const char*>(dense.raw()), static_cast<size_t>(dense.bytes()));
}

bool ByteReader::flag(std::string_view field) {
  const auto value = number<uint8_t>(field);
  if (value > 1) fail(field, "is " + std::to_string(value) + " (allowed: 0, 1)");
  return value == 1;
}

uint32_t ByteReader::count(std::string_view field, uint32_t most) {
  const auto value = number<uint32_t>(field);
  if (value > most) fail(field, "is " + std::to_string(value) + " (at most " + std::to_string(most) + ")");
  return value;
}

std::string ByteReader::text(std::string_view field, size_t most) {
  const auto size = number<uint64_t>(field);
  if (size > most) fail(field, "has " + std::to_string(size) + " bytes (at most " + std::to_string(most) + ")");
  return std::string(raw(static_cast<size_t>(size), field));
}

Array ByteReader::array(std::string_view field) {
  const auto dtype = static_cast<DType>(number<uint8_t>(field));
  const auto order = number<uint8_t>(field), rank = number<uint8_t>(field);
  if (dtype > DType::c128 || dtype == DType::f16 || dtype == DType::bf16) fail(field, "has an unknown dtype");
  if (order > 1) fail(field, "has an unknown order");
  if (rank > max_rank) fail(field, "has " + std::to_string(rank) + " axes (at most 8)");
  Dims shape;
  auto bytes = static_cast<int64_t>(size_of(dtype));
  bool empty = false;
  for (int axis = 0; axis < rank; ++axis) {
    const auto n = number<int64_t>(field);
    if (n < 0) fail(field, "has a negative size");
    shape.push_back(n);
    empty = empty || n == 0;
    if (n > 0 && __builtin_mul_overflow(bytes, n, &bytes)) fail(field, "is too large");
  }
  const std::string_view data = raw(empty ? 0 : static_cast<size_t>(bytes), field);
  const Array value = Array::empty(shape, dtype, static_cast<Order>(order));
  if (!data.empty()) std::memcpy(value.raw(), data.data(), data.size());
  if (dtype == DType::boolean) {
    for (const char c : data) {
      if (c != 0 && c != 1) fail(field, "holds a boolean that is neither 0 nor 1");
    }
  }
  return value;
}

}  // namespace voxloom::detail

// graph/constant.h: leaves that hold their data.
#pragma once

#include <voxloom/graph/node.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace voxloom {

/// Immutable dense data in native byte order, last axis fastest (whatever the order tag of the leaf's type). Equal by dtype, shape and bytes.
class VOXLOOM_API ConstantPayload final : public Payload {
 public:
  /// `bytes` must hold exactly the elements of the shape.
  ConstantPayload(DType dtype, std::vector<int64_t> shape, std::vector<std::byte> bytes);
  bool equals(const Payload& other) const override;
  size_t hash() const override { return static_cast<size_t>(hash_); }
  uint64_t structural_hash() const override { return hash_; }

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  int64_t size() const;
  /// The view's data must not be written.
  StridedView view() const;
  /// Bits of the k-th element (of a complex element its real or, with part = 1, its imaginary half) in the low bytes.
  uint64_t bits(int64_t k, int part = 0) const;
  /// True when all elements have the same bits (and there is one).
  bool is_uniform() const;

 private:
  DType dtype_;
  std::vector<int64_t> shape_;
  std::vector<std::byte> bytes_;
  uint64_t hash_;
};

/// A constant leaf holding a copy of the view's elements; `row` is constant_op().
VOXLOOM_API Expr make_constant(const OpInfo& row, const StridedView& data, Order order = Order::C, std::vector<std::string> names = {},
                               OriginId origin = {});
/// A constant leaf sharing the payload; `names` and `order` complete the type.
VOXLOOM_API Expr make_constant(const OpInfo& row, std::shared_ptr<const ConstantPayload> payload, Order order = Order::C,
                               std::vector<std::string> names = {}, OriginId origin = {}, Attrs attrs = {});
/// A scalar of rank 0: the value converted to the dtype (floats rounded to nearest even; integers must fit, else InternalError).
VOXLOOM_API Expr make_scalar(DType dtype, double value, OriginId origin = {});
VOXLOOM_API Expr make_scalar_int(DType dtype, int64_t value, OriginId origin = {});
/// A scalar of rank 0 from its bits (real dtypes and booleans).
VOXLOOM_API Expr make_scalar_bits(DType dtype, uint64_t bits, OriginId origin = {});

/// The data of a constant leaf, or nullptr.
VOXLOOM_API const ConstantPayload* constant_of(const Node& node);
/// The one value of a uniform real constant as a double; nothing for other nodes, complex dtypes and 64-bit integers that a double cannot hold.
VOXLOOM_API std::optional<double> uniform_value(const Node& node);

}  // namespace voxloom

// graph/leaf_ops.h: the rows of leaves. The op table of ops/ lists them with the others.
#pragma once

#include <voxloom/graph/op_info.h>

#include <span>

namespace voxloom {

/// A variable the caller binds: no payload.
VOXLOOM_API const OpInfo& input_op();
/// Holds a ConstantPayload.
VOXLOOM_API const OpInfo& constant_op();
/// A shared variable: its payload is the slot.
VOXLOOM_API const OpInfo& shared_op();
/// An image file: its payload is the block source.
VOXLOOM_API const OpInfo& image_op();
/// A size of an axis as a value: its payload is a SizePayload.
VOXLOOM_API const OpInfo& size_op();
/// All of them.
VOXLOOM_API std::span<const OpInfo* const> leaf_ops();

class VOXLOOM_API SizePayload final : public Payload {
 public:
  explicit SizePayload(Dim size) : size_(size) {}
  bool equals(const Payload& other) const override;
  size_t hash() const override { return size_.hash(); }
  uint64_t structural_hash() const override { return size_.stable_hash(); }
  std::string text() const override { return size_.str(); }
  const Dim& size() const { return size_; }

 private:
  Dim size_;
};
/// A scalar (int64) with the value of the dim: a constant where the dim is one, otherwise known at each call.
VOXLOOM_API Expr make_size(const Dim& size, OriginId origin = {});
/// The dim of a size leaf, or nullptr.
VOXLOOM_API const Dim* size_of_leaf(const Node& node);

VOXLOOM_API Expr make_input(std::string name, Type type, OriginId origin = {});

}  // namespace voxloom

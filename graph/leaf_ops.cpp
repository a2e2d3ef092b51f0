// graph/leaf_ops.cpp: the rows of leaves.
#include <voxloom/graph/leaf_ops.h>

#include <voxloom/graph/constant.h>

#include <array>

namespace voxloom {
namespace {

OpInfo leaf_row(const char* name, const char* doc) {
  OpInfo row;
  row.name = name;
  row.kind = OpKind::leaf;
  row.min_arity = row.max_arity = 0;
  row.flags.cheap = true;
  row.doc = doc;
  row.domain = "any";
  row.family = "leaves";
  return row;
}

}  // namespace

const OpInfo& input_op() {
  static const OpInfo row = leaf_row("input", "a variable bound by the caller");
  return row;
}

const OpInfo& constant_op() {
  static const OpInfo row = leaf_row("constant", "data known when the graph is made");
  return row;
}

const OpInfo& shared_op() {
  static const OpInfo row = leaf_row("shared", "a variable that lives between calls and that updates write");
  return row;
}

const OpInfo& image_op() {
  static const OpInfo row = leaf_row("image", "the voxels of an image file, read block by block");
  return row;
}

const OpInfo& size_op() {
  static const OpInfo row = leaf_row("size", "the size of an axis, as a number");
  return row;
}

bool SizePayload::equals(const Payload& other) const {
  const auto* size = dynamic_cast<const SizePayload*>(&other);
  return size != nullptr && size->size_ == size_;
}

Expr make_size(const Dim& size, OriginId origin) {
  if (size.is_constant()) return make_scalar_int(DType::i64, size.constant(), origin);
  return make_leaf(size_op(), {DType::i64, {}, Order::C, {}}, "", std::make_shared<const SizePayload>(size), origin);
}

const Dim* size_of_leaf(const Node& node) {
  const auto* payload = dynamic_cast<const SizePayload*>(node.payload().get());
  return payload == nullptr ? nullptr : &payload->size();
}

std::span<const OpInfo* const> leaf_ops() {
  static const std::array<const OpInfo*, 5> rows = {&input_op(), &constant_op(), &shared_op(), &image_op(), &size_op()};
  return rows;
}

Expr make_input(std::string name, Type type, OriginId origin) {
  return make_leaf(input_op(), std::move(type), std::move(name), nullptr, origin);
}

}  // namespace voxloom

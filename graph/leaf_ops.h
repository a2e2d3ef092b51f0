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
/// All of them.
VOXLOOM_API std::span<const OpInfo* const> leaf_ops();

VOXLOOM_API Expr make_input(std::string name, Type type, OriginId origin = {});

}  // namespace voxloom

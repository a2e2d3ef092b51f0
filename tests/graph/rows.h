// tests/graph/rows.h: a few op rows for tests of graph/, which knows no op but the leaves.
#pragma once

#include <voxloom/graph/constant.h>
#include <voxloom/graph/graph.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/graph/op_info.h>

#include <map>
#include <string>
#include <thread>

#include <pthread.h>

namespace rows {

using namespace voxloom;

inline Type elementwise_type(const OpInfo& op, std::span<const Expr> in, const Attrs&, OriginId origin) {
  Type type = in[0].type();
  for (const Expr& x : in) {
    if (x.dtype() != type.dtype) fail_user(ErrorCode::dtype, op.name, "the dtypes differ", origin);
    if (x.rank() > type.rank() || (type.rank() == 1 && type.shape[0].is_one())) type.shape = x.shape();
  }
  return type;
}

inline Type sum_type(const OpInfo&, std::span<const Expr> in, const Attrs&, OriginId) {
  Type type = in[0].type();
  type.shape.clear();
  type.names.clear();
  return type;
}

inline Type loop_type(const OpInfo&, std::span<const Expr> in, const Attrs&, OriginId) { return in[0].type(); }

inline OpInfo make_row(const char* name, int arity, OpKind kind, decltype(OpInfo::infer) infer) {
  OpInfo row;
  row.name = name;
  row.kind = kind;
  row.min_arity = row.max_arity = arity;
  row.infer = infer;
  return row;
}

/// "first" and "shape": the elements from `first` on along the only axis.
inline Type part_type(const OpInfo& op, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  Type type = in[0].type();
  if (attrs.size() != 2 || type.rank() != 1) fail_user(ErrorCode::usage, op.name, "bad attributes", origin);
  type.shape = std::get<std::vector<Dim>>(attrs[1].value);
  return type;
}
inline std::vector<AxisMap> part_axes(const Node& node, size_t) {
  return {AxisMap{.relation = AxisRelation::affine, .out_axis = 0, .a = 1, .b = node.attr_dims("first")[0]}};
}

inline OpInfo make_commutative(const char* name) {
  OpInfo row = make_row(name, 2, OpKind::elementwise, elementwise_type);
  row.flags.commutative = row.flags.cheap = true;
  return row;
}
inline OpInfo make_view(const char* name) {
  OpInfo row = make_row(name, 1, OpKind::view, part_type);
  row.axes = part_axes;
  return row;
}

inline const OpInfo add = make_commutative("add");
inline const OpInfo mul = make_commutative("mul");
inline const OpInfo sub = make_row("sub", 2, OpKind::elementwise, elementwise_type);
inline const OpInfo exp = make_row("exp", 1, OpKind::elementwise, elementwise_type);
inline const OpInfo part = make_view("part");
inline const OpInfo neg = make_row("neg", 1, OpKind::elementwise, elementwise_type);
inline const OpInfo sum = make_row("sum", 1, OpKind::reduction, sum_type);
inline const OpInfo loop = make_row("loop", 1, OpKind::library, loop_type);

inline const OpInfo* lookup(std::string_view name) {
  for (const OpInfo* row : {&add, &mul, &sub, &neg, &exp, &part, &sum, &loop}) {
    if (name == row->name) return row;
  }
  for (const OpInfo* row : leaf_ops()) {
    if (name == row->name) return row;
  }
  return nullptr;
}

inline Expr vector(std::string name) { return make_input(std::move(name), Type{f32, {Dim::symbol("n")}}); }

inline Expr take(const Expr& x, Dim first, Dim count) {
  return make_node(part, {x}, {{"first", std::vector<Dim>{first}}, {"shape", std::vector<Dim>{count}}});
}
/// A constant of one axis of size 1, which broadcasts.
inline Expr number(double value) {
  const Expr scalar = make_scalar(f32, value);
  return make_constant(constant_op(), std::make_shared<const ConstantPayload>(f32, std::vector<int64_t>{1}, constant_of(*scalar)->bytes()));
}

/// Runs the body on a thread with a stack of 256 KiB; a recursion as deep as the graph would fault.
template <class Body> void on_small_stack(Body body) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, VOXLOOM_SMALL_STACK);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<Body*>(argument))();
    return nullptr;
  };
  pthread_create(&thread, &attr, run, &body);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attr);
}

}  // namespace rows

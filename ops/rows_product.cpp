// ops/rows_product.cpp: the matrix product as a library row: its type, its definition, its gradient, and the way to ops/gemm.
#include <voxloom/ops/gemm/gemm.h>
#include <voxloom/ops/gradient_terms.h>
#include <voxloom/ops/host_array.h>
#include <voxloom/ops/infer.h>
#include <voxloom/ops/row_templates.h>
#include <voxloom/ops/table.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace voxloom::ops {
namespace {

// ---- type and axes: [batch..., M, K] and [batch..., K, N] of one rank ----

[[noreturn]] void fail_shapes(const OpInfo& row, std::span<const Expr> in, const std::string& why, OriginId origin) {
  fail_user(ErrorCode::shape, row.name, "shapes " + shape_text(in[0].shape()) + " and " + shape_text(in[1].shape()) + " do not fit: " + why,
            origin);
}

Type infer_matmul(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  const DType dtype = common_dtype(row, in, 0, BIFC, origin);
  const DType acc = need_attr<DType>(row, attrs, "acc_dtype", origin);
  const bool wider = (is_float(dtype) && is_float(acc)) || (is_complex(dtype) && is_complex(acc));
  if (acc != dtype && (!wider || size_of(acc) < size_of(dtype)))
    fail_user(ErrorCode::dtype, row.name, "cannot add products of " + std::string(name_of(dtype)) + " in " + std::string(name_of(acc)),
              origin);
  const int rank = in[0].rank();
  if (rank < 2 || in[1].rank() != rank) fail_shapes(row, in, "one rank of at least 2 is needed", origin);
  const auto last = static_cast<size_t>(rank) - 1;
  Type result{dtype, in[0].shape(), result_order(in), {}};
  const Dim& columns = in[0].shape()[last];
  const Dim& rows = in[1].shape()[last - 1];
  if (!(columns == rows) && (columns - rows).is_constant())
    fail_shapes(row, in, "the first has " + columns.str() + " columns, the second " + rows.str() + " rows", origin);
  result.shape[last] = in[1].shape()[last];
  for (size_t k = 0; k + 1 < last; ++k) {
    const auto met = meet(result.shape[k], in[1].shape()[k]);
    if (!met) fail_shapes(row, in, "axis " + std::to_string(k) + " does not broadcast", origin);
    result.shape[k] = *met;
  }
  return result;
}

std::vector<AxisMap> matmul_axes(const Node& node, size_t operand) {
  const int rank = node.type().rank();
  std::vector<AxisMap> maps(static_cast<size_t>(rank));
  for (int k = 0; k < rank; ++k) {
    AxisMap& map = maps[static_cast<size_t>(k)];
    map.out_axis = k;
    const bool repeated =
        node.input(operand).shape()[static_cast<size_t>(k)].is_one() && !node.type().shape[static_cast<size_t>(k)].is_one();
    if (k == (operand == 0 ? rank - 1 : rank - 2)) map = {.relation = AxisRelation::reduce, .out_axis = -1};
    else if (k < rank - 2 && repeated) map.relation = AxisRelation::broadcast;
  }
  return maps;
}

/// alpha, beta: one number each; the addend repeats along axes of size 1.
Type infer_gemm(const OpInfo& row, std::span<const Expr> in, const Attrs& attrs, OriginId origin) {
  common_dtype(row, in, 0, F, origin);
  const Type result = infer_matmul(row, in.first(2), attrs, origin);
  for (const Expr& x : in.subspan(2))
    if (x.rank() != result.rank())
      fail_user(ErrorCode::shape, row.name,
                "an operand of rank " + std::to_string(x.rank()) + " for a result of rank " + std::to_string(result.rank()), origin);
  for (size_t k = 0; k < result.shape.size(); ++k) {
    const Dim& size = in[2].shape()[k];
    if (!size.is_one() && (result.shape[k].is_one() || !meet(result.shape[k], size)))
      fail_user(ErrorCode::shape, row.name,
                "an addend of shape " + shape_text(in[2].shape()) + " for a result of shape " + shape_text(result.shape), origin);
    for (const Expr& factor : in.subspan(3))
      if (!factor.shape()[k].is_one()) fail_user(ErrorCode::shape, row.name, "a factor of shape " + shape_text(factor.shape()), origin);
  }
  return result;
}

std::vector<AxisMap> gemm_axes(const Node& node, size_t operand) {
  if (operand < 2) return matmul_axes(node, operand);
  std::vector<AxisMap> maps;
  for (int k = 0; k < node.type().rank(); ++k) {
    const auto at = static_cast<size_t>(k);
    const bool repeated = node.input(operand).shape()[at].is_one() && !node.type().shape[at].is_one();
    maps.push_back({.relation = repeated ? AxisRelation::broadcast : AxisRelation::map, .out_axis = k});
  }
  return maps;
}

// ---- definition: ops/gemm/gemm.h says the order ----

uint64_t element_bits(const StridedView& view, int64_t offset, int part) {
  const Cx<Scalar> x = load_element(view.data + offset, view.dtype, view.swapped);
  return static_cast<uint64_t>(to_int(part == 0 ? x.re : x.im));
}

/// fma over one block of K, from +0; `a` and `b` are where the row and the column start.
template <class T> T block_sum(const StridedView& a, const StridedView& b, const int64_t* at, int64_t begin, int64_t end, int pa, int pb) {
  const size_t last = a.shape.size() - 1;
  const auto value = [&](const StridedView& view, int64_t offset, int part) {
    const Cx<Scalar> x = load_element(view.data + offset, view.dtype, view.swapped);
    return static_cast<T>(to_double(part == 0 ? x.re : x.im));
  };
  T sum = 0;
  for (int64_t k = begin; k < end; ++k)
    sum = std::fma(value(a, at[0] + k * a.strides[last], pa), value(b, at[1] + k * b.strides[last - 1], pb), sum);
  return sum;
}

template <class T> void define_float(const StridedView& a, const StridedView& b, const int64_t* at, Cx<double>& result) {
  const int64_t depth = a.shape.back();
  const bool two = is_complex(a.dtype);
  T re = 0, im = 0;
  for (int64_t k = 0; k == 0 || k < depth; k += gemm::block_depth) {
    const int64_t end = std::min(depth, k + gemm::block_depth);
    const auto sum = [&](int pa, int pb) { return block_sum<T>(a, b, at, k, end, pa, pb); };
    const T more_re = two ? sum(0, 0) - sum(1, 1) : sum(0, 0), more_im = two ? sum(0, 1) + sum(1, 0) : 0;
    re = k == 0 ? more_re : re + more_re;
    im = k == 0 ? more_im : im + more_im;
  }
  result = {static_cast<double>(re), static_cast<double>(im)};
}

uint64_t define_integer(const StridedView& a, const StridedView& b, const int64_t* at) {
  const size_t last = a.shape.size() - 1;
  uint64_t sum = 0;
  for (int64_t k = 0; k < a.shape[last]; ++k)
    sum += element_bits(a, at[0] + k * a.strides[last], 0) * element_bits(b, at[1] + k * b.strides[last - 1], 0);
  return sum;
}

/// Byte strides of an operand along the axes of the result: 0 along its reduced axis and where it repeats.
std::vector<int64_t> strides_in_result(const Node& node, size_t operand, const StridedView& view) {
  std::vector<int64_t> strides;
  const auto maps = axis_maps(node, operand);
  for (size_t k = 0; k < maps.size(); ++k) strides.push_back(maps[k].relation == AxisRelation::map ? view.strides[k] : 0);
  return strides;
}

void check_depth(const Node& node, const StridedView& a, const StridedView& b) {
  const int64_t columns = a.shape.back(), rows = b.shape[b.shape.size() - 2];
  if (columns != rows)
    fail_user(ErrorCode::shape, node.op().name,
              "the first operand has " + std::to_string(columns) + " columns, the second " + std::to_string(rows) + " rows", node.origin());
}

void define_matmul(const Node& node, std::span<const StridedView> in, const StridedView& out) {
  const StridedView &a = in[0], &b = in[1];
  check_depth(node, a, b);
  const DType acc = real_part_of(node.attr_dtype("acc_dtype"));
  for_each_index(out.shape, Order::C, {strides_in_result(node, 0, a), strides_in_result(node, 1, b), out.strides},
                 [&](const std::vector<int64_t>& at) {
                   Cx<Scalar> element{{real_part_of(out.dtype), 0}, {real_part_of(out.dtype), 0}};
                   if (is_float(acc)) {
                     Cx<double> sum;
                     if (acc == DType::f32) define_float<float>(a, b, at.data(), sum);
                     else define_float<double>(a, b, at.data(), sum);
                     element.re.bits = bits_of(element.re.dtype, sum.re);
                     element.im.bits = bits_of(element.im.dtype, sum.im);
                   } else {
                     const uint64_t sum = define_integer(a, b, at.data());
                     element.re.bits = out.dtype == DType::boolean ? sum != 0 : bits_of_int(out.dtype, static_cast<int64_t>(sum));
                   }
                   store_element(out.data + at[2], out.dtype, element);
                 });
}

double number_at(const StridedView& view, int64_t offset = 0) {
  return to_double(load_element(view.data + offset, view.dtype, view.swapped).re);
}

template <class T> T scaled_sum(double alpha, double sum, double beta, double addend) {
  const T product = static_cast<T>(alpha) * static_cast<T>(sum), scaled = static_cast<T>(beta) * static_cast<T>(addend);
  return product + scaled;
}

/// alpha * product + beta * addend, each step rounded.
void define_gemm(const Node& node, std::span<const StridedView> in, const StridedView& out) {
  define_matmul(node, in.first(2), out);
  const double alpha = number_at(in[3]), beta = number_at(in[4]);
  for_each_index(out.shape, Order::C, {out.strides, strides_in_result(node, 2, in[2])}, [&](const std::vector<int64_t>& at) {
    const double sum = number_at(out, at[0]), addend = number_at(in[2], at[1]);
    const double value = out.dtype == DType::f32 ? static_cast<double>(scaled_sum<float>(alpha, sum, beta, addend))
                                                 : scaled_sum<double>(alpha, sum, beta, addend);
    store_element(out.data + at[0], out.dtype, {{out.dtype, bits_of(out.dtype, value)}, {}});
  });
}

// ---- the fast way: one product per index of the batch axes ----

/// The products of a call: operands of rank 2, and where they start in each.
struct Batch {
  gemm::Product product;
  std::vector<int64_t> shape;
  std::vector<std::vector<int64_t>> strides;  ///< of a, b and the result
  std::vector<int64_t> addend_strides;
  int64_t count = 1;

  Batch(const Node& node, std::span<const StridedView> in, const StridedView& out) {
    const size_t batch_rank = out.shape.size() - 2;
    const auto matrix = [&](const StridedView& v) {
      return StridedView{v.data, v.dtype, {v.shape.end() - 2, v.shape.end()}, {v.strides.end() - 2, v.strides.end()}, v.swapped};
    };
    product = {matrix(in[0]), matrix(in[1]), matrix(out), node.attr_dtype("acc_dtype")};
    if (in.size() > 2) {
      product.addend = matrix(in[2]);
      const std::vector<int64_t> own = strides_in_result(node, 2, in[2]);
      product.addend->shape = product.result.shape;
      product.addend->strides.assign(own.end() - 2, own.end());
      addend_strides.assign(own.begin(), own.end() - 2);
      if (in[3].data != nullptr) product.alpha = number_at(in[3]), product.beta = number_at(in[4]);
    }
    shape.assign(out.shape.begin(), out.shape.end() - 2);
    strides = {strides_in_result(node, 0, in[0]), strides_in_result(node, 1, in[1]), out.strides};
    for (auto& s : strides) s.resize(batch_rank);
    for (const int64_t n : shape) count *= n;
  }

  double work() const { return static_cast<double>(product.result.size()) * static_cast<double>(product.a.shape[1]); }
  /// Small products are shared out among threads as wholes.
  bool across(int threads) const { return count >= threads && count > 1 && work() < 4e6; }
  gemm::Product at(int64_t index) const {
    gemm::Product p = product;
    for (size_t k = shape.size(); k-- > 0;) {
      const int64_t i = index % shape[k];
      index /= shape[k];
      p.a.data += i * strides[0][k];
      p.b.data += i * strides[1][k];
      p.result.data += i * strides[2][k];
      if (p.addend) p.addend->data += i * addend_strides[k];
    }
    return p;
  }
};

int64_t matmul_scratch(const Node& node, std::span<const StridedView> in, const StridedView& out, int threads) {
  const Batch batch(node, in, out);
  return batch.across(threads) ? threads * gemm::scratch_bytes(batch.product, 1) : gemm::scratch_bytes(batch.product, threads);
}

void run_matmul(const LibraryCall& call) {
  const Batch batch(call.node, call.operands, call.result);
  if (!batch.across(call.threads)) {
    for (int64_t k = 0; k < batch.count; ++k) gemm::multiply(batch.at(k), call.scratch, call.threads, call.parallel_for);
    return;
  }
  const int64_t room = gemm::scratch_bytes(batch.product, 1);
  const int64_t per_chunk = std::max<int64_t>(1, static_cast<int64_t>(1e6 / (batch.work() + 1)));
  const auto inline_for = [](int64_t chunks, FunctionRef<void(int64_t, int)> body) {
    for (int64_t k = 0; k < chunks; ++k) body(k, 0);
  };
  call.parallel_for((batch.count + per_chunk - 1) / per_chunk, [&](int64_t chunk, int worker) {
    for (int64_t k = chunk * per_chunk; k < std::min(batch.count, (chunk + 1) * per_chunk); ++k)
      gemm::multiply(batch.at(k), call.scratch + worker * room, 1, inline_for);
  });
}

double matmul_flops(const Node& node, std::span<const StridedView> in) {
  double n = is_complex(node.type().dtype) ? 8 : 2;
  for (const int64_t size : in[0].shape) n *= static_cast<double>(size);
  return n * static_cast<double>(in[1].shape.back());
}

// ---- gradient: dA = g B^H, dB = A^H g; what a batch axis repeats is summed by the walk of grad() ----

Expr adjoint(const Expr& x, OriginId origin) {
  std::vector<int64_t> pattern(static_cast<size_t>(x.rank()));
  std::iota(pattern.begin(), pattern.end(), int64_t{0});
  std::swap(pattern[pattern.size() - 1], pattern[pattern.size() - 2]);
  return make_node(op("dimshuffle"), {conjugate({x, origin}).expr()}, {{"pattern", pattern}}, origin);
}

std::vector<Expr> matmul_gradient(const Expr& node, const Expr& g) {
  const OriginId origin = node->origin();
  const auto product = [&](const Expr& a, const Expr& b) { return make_node(node->op(), {a, b}, node->attrs(), origin); };
  return {product(g, adjoint(node->input(1), origin)), product(adjoint(node->input(0), origin), g)};
}

std::vector<Expr> gemm_gradient(const Expr& node, const Expr& g) {
  const OriginId origin = node->origin();
  const auto term = [&](const Expr& e) { return Term(e, origin); };
  const auto product = [&](const Expr& a, const Expr& b) { return make_node(op("matmul"), {a, b}, node->attrs(), origin); };
  const Term scaled = term(g) * term(node->input(3));
  return {product(scaled.expr(), adjoint(node->input(1), origin)), product(adjoint(node->input(0), origin), scaled.expr()),
          (term(g) * term(node->input(4))).expr(), (term(g) * term(product(node->input(0), node->input(1)))).expr(),
          (term(g) * term(node->input(2))).expr()};
}

// clang-format off
const OpInfo rows[] = {
    {.name = "matmul", .kind = OpKind::library, .min_arity = 2, .max_arity = 2, .promotion = Promotion::arithmetic, .infer = infer_matmul,
     .axes = matmul_axes,
     .library = {.define = define_matmul, .run = run_matmul, .scratch = matmul_scratch, .flops = matmul_flops},
     .gradient = matmul_gradient,
     .doc = "matrix products over the last two axes, added in acc_dtype",
     .domain = "sums of 384 fused multiply-adds each, added left to right; integers wrap; booleans: some pair is true; 0 for no terms",
     .family = "products"},
    {.name = "gemm", .kind = OpKind::library, .min_arity = 5, .max_arity = 5, .promotion = Promotion::arithmetic, .infer = infer_gemm,
     .axes = gemm_axes,
     .library = {.define = define_gemm, .run = run_matmul, .scratch = matmul_scratch, .flops = matmul_flops},
     .gradient = gemm_gradient,
     .doc = "alpha * matmul(x, y) + beta * z for gemm(x, y, z, alpha, beta), each step rounded",
     .domain = "floats; made from sums of products and addends where nothing else uses the product", .family = "products"},
};
// clang-format on

}  // namespace

std::span<const OpInfo> product_rows() { return rows; }

}  // namespace voxloom::ops

// ops/build.h: the functions users build expressions with. NumPy's and Theano's names.
#pragma once

#include <voxloom/ops/operand.h>
#include <voxloom/ops/policy.h>
#include <voxloom/ops/table.h>

#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace voxloom {

// ---- operators; at least one operand is an expression ----
VOXLOOM_API Expr operator+(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator-(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator*(const Operand& x, const Operand& y);
/// True division.
VOXLOOM_API Expr operator/(const Operand& x, const Operand& y);
/// Remainder with the sign of y, as in Python.
VOXLOOM_API Expr operator%(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator-(const Operand& x);
VOXLOOM_API Expr operator<(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator<=(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator>(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator>=(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator&(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator|(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator^(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator~(const Operand& x);
VOXLOOM_API Expr operator<<(const Operand& x, const Operand& y);
VOXLOOM_API Expr operator>>(const Operand& x, const Operand& y);
// x == y asks nothing in C++; write eq(x, y). !x, && and || are not overloaded: use ~, &, | or logical_*.

// ---- elementwise functions: one per row of the op table ----
// clang-format off
#define VOXLOOM_UNARY_FUNCTIONS(F)                                                                                                        \
  F(neg) F(abs) F(sign) F(reciprocal) F(sqr) F(sqrt) F(cbrt) F(exp) F(exp2) F(expm1) F(log) F(log2) F(log10) F(log1p) F(log1mexp)         \
  F(sin) F(cos) F(tan) F(asin) F(acos) F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) F(deg2rad) F(rad2deg)                   \
  F(floor) F(ceil) F(trunc) F(rint) F(round_half_away) F(isnan) F(isinf) F(isfinite) F(logical_not) F(bit_not)                            \
  F(erf) F(erfc) F(sigmoid) F(softplus) F(real) F(imag) F(conj) F(angle) F(identity)
#define VOXLOOM_BINARY_FUNCTIONS(F)                                                                                                       \
  F(add) F(sub) F(mul) F(div) F(floordiv) F(mod) F(pow) F(hypot) F(atan2) F(minimum) F(maximum) F(fmin) F(fmax) F(copysign)               \
  F(logaddexp) F(xlogy) F(eq) F(ne) F(lt) F(le) F(gt) F(ge) F(logical_and) F(logical_or) F(logical_xor)                                   \
  F(bit_and) F(bit_or) F(bit_xor) F(shl) F(shr) F(second) F(complex)
// clang-format on
#define VOXLOOM_DECLARE(name) VOXLOOM_API Expr name(const Operand& x);
VOXLOOM_UNARY_FUNCTIONS(VOXLOOM_DECLARE)
#undef VOXLOOM_DECLARE
#define VOXLOOM_DECLARE(name) VOXLOOM_API Expr name(const Operand& x, const Operand& y);
VOXLOOM_BINARY_FUNCTIONS(VOXLOOM_DECLARE)
#undef VOXLOOM_DECLARE

/// x where the condition is not 0, y elsewhere.
VOXLOOM_API Expr where(const Operand& condition, const Operand& x, const Operand& y);
VOXLOOM_API Expr clip(const Operand& x, const Operand& low, const Operand& high);
/// Half to even, as NumPy; with decimals, rint(x * 10^d) / 10^d.
VOXLOOM_API Expr round(const Operand& x, int decimals = 0);
/// NaN replaced; infinities too where given (by default the dtype's largest finite numbers).
VOXLOOM_API Expr nan_to_num(const Operand& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});
/// The same values in another dtype; the operand itself where it has that dtype.
VOXLOOM_API Expr cast(const Operand& x, DType dtype);
inline Expr astype(const Operand& x, DType dtype) { return cast(x, dtype); }

// Names that NumPy and Theano have for the same.
#define VOXLOOM_ALIAS1(alias, name) \
  inline Expr alias(const Operand& x) { return name(x); }
#define VOXLOOM_ALIAS2(alias, name) \
  inline Expr alias(const Operand& x, const Operand& y) { return name(x, y); }
// clang-format off
VOXLOOM_ALIAS1(negative, neg) VOXLOOM_ALIAS1(absolute, abs) VOXLOOM_ALIAS1(sgn, sign) VOXLOOM_ALIAS1(square, sqr)
VOXLOOM_ALIAS1(arcsin, asin) VOXLOOM_ALIAS1(arccos, acos) VOXLOOM_ALIAS1(arctan, atan) VOXLOOM_ALIAS1(arcsinh, asinh)
VOXLOOM_ALIAS1(arccosh, acosh) VOXLOOM_ALIAS1(arctanh, atanh) VOXLOOM_ALIAS1(invert, bit_not) VOXLOOM_ALIAS1(radians, deg2rad)
VOXLOOM_ALIAS1(degrees, rad2deg) VOXLOOM_ALIAS1(tensor_copy, identity) VOXLOOM_ALIAS2(true_div, div) VOXLOOM_ALIAS2(true_divide, div)
VOXLOOM_ALIAS2(int_div, floordiv) VOXLOOM_ALIAS2(floor_divide, floordiv) VOXLOOM_ALIAS2(remainder, mod) VOXLOOM_ALIAS2(power, pow)
VOXLOOM_ALIAS2(arctan2, atan2) VOXLOOM_ALIAS2(equal, eq) VOXLOOM_ALIAS2(not_equal, ne) VOXLOOM_ALIAS2(less, lt)
VOXLOOM_ALIAS2(less_equal, le) VOXLOOM_ALIAS2(greater, gt) VOXLOOM_ALIAS2(greater_equal, ge) VOXLOOM_ALIAS2(bitwise_and, bit_and)
VOXLOOM_ALIAS2(bitwise_or, bit_or) VOXLOOM_ALIAS2(bitwise_xor, bit_xor) VOXLOOM_ALIAS2(left_shift, shl) VOXLOOM_ALIAS2(right_shift, shr)
VOXLOOM_ALIAS2(fill, second)
// clang-format on
#undef VOXLOOM_ALIAS1
#undef VOXLOOM_ALIAS2
                                    inline Expr switch_(const Operand& condition, const Operand& x, const Operand& y) {
  return where(condition, x, y);
}

// ---- reductions ----

/// An axis by position (negative from the end) or by name.
struct Axis {
  Axis(int position) : index(position) {}            // NOLINT(google-explicit-constructor)
  Axis(const char* axis) : name(axis) {}             // NOLINT(google-explicit-constructor)
  Axis(std::string axis) : name(std::move(axis)) {}  // NOLINT(google-explicit-constructor)
  int index = 0;
  std::string name;
};
/// All axes (the default), one, or a list of them.
struct Axes {
  Axes() = default;
  Axes(int position) : all(false), list{position} {}         // NOLINT(google-explicit-constructor)
  Axes(const char* axis) : all(false), list{axis} {}         // NOLINT(google-explicit-constructor)
  Axes(const std::string& axis) : all(false), list{axis} {}  // NOLINT(google-explicit-constructor)
  Axes(std::initializer_list<Axis> axes) : all(false), list(axes) {}
  Axes(std::vector<Axis> axes) : all(false), list(std::move(axes)) {}  // NOLINT(google-explicit-constructor)
  bool all = true;
  std::vector<Axis> list;
};
struct ReduceOptions {
  bool keepdims = false;
  /// dtype of the result (sum, prod, mean, var, std).
  std::optional<DType> dtype = {};
  /// dtype in which sum, prod and mean accumulate.
  std::optional<DType> acc_dtype = {};
  /// Divisor n - ddof of var and std.
  int ddof = 0;
};
VOXLOOM_API Expr sum(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr prod(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr mean(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr var(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr std(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr min(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr max(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr argmin(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr argmax(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr any(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
VOXLOOM_API Expr all(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
/// max - min.
VOXLOOM_API Expr ptp(const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
/// Any of the rows above, by row (for parsers and bindings).
VOXLOOM_API Expr reduce(const OpInfo& row, const Operand& x, const Axes& axes = {}, const ReduceOptions& options = {});
/// Positions, sorted; UserError names `function` for axes that do not exist or come twice.
VOXLOOM_API std::vector<int64_t> resolve_axes(const char* function, const Type& type, const Axes& axes, OriginId origin = {});

// ---- products ----
//
// Where one side of a product is vectors (dot of a matrix and a vector, vecdot, matvec, vecmat, and matrices whose rows, columns or summed axis
// have the constant size 1), the product is sum(x * y): elementwise and sum nodes, which fuse with what is around them. Products are
// rounded to their dtype and added in it, as all products are, in the order of a sum over the axes of the operand with more axes; a
// transposed operand is multiplied and summed as it lies, so that dot(transpose(X), g) runs through X as dot(X, w) does. Matrices times
// matrices are the row matmul, in the order of ops/gemm/gemm.h. Integers wrap in their dtype; booleans give "some pair is true".
struct ProductOptions {
  /// dtype in which products are added, f64 for float32 that must not lose a bit more than it has to.
  std::optional<DType> acc_dtype = {};
};
/// NumPy's dot: over the last axis of x and the last but one (or only) axis of y; a scalar multiplies.
VOXLOOM_API Expr dot(const Operand& x, const Operand& y, const ProductOptions& options = {});
/// NumPy's matmul: matrices in the last two axes, other axes broadcast; a vector is a row on the left and a column on the right.
VOXLOOM_API Expr matmul(const Operand& x, const Operand& y, const ProductOptions& options = {});
/// x[i] * y[j] of all elements.
VOXLOOM_API Expr outer(const Operand& x, const Operand& y);
/// Sums over the last `axes` axes of x and the first of y, or over the given ones.
VOXLOOM_API Expr tensordot(const Operand& x, const Operand& y, int axes = 2, const ProductOptions& options = {});
VOXLOOM_API Expr tensordot(const Operand& x, const Operand& y, const std::vector<Axis>& x_axes, const std::vector<Axis>& y_axes,
                           const ProductOptions& options = {});
/// Theano's: dot(x[i], y[i]) for each i of the first axis.
VOXLOOM_API Expr batched_dot(const Operand& x, const Operand& y, const ProductOptions& options = {});
/// NumPy's: sum(conj(x) * y) along an axis, other axes broadcast.
VOXLOOM_API Expr vecdot(const Operand& x, const Operand& y, const Axis& axis = -1, const ProductOptions& options = {});
/// NumPy's: matrices in the last two axes of x times vectors in the last axis of y.
VOXLOOM_API Expr matvec(const Operand& x, const Operand& y, const ProductOptions& options = {});
/// NumPy's: conjugated vectors in the last axis of x times matrices in the last two axes of y.
VOXLOOM_API Expr vecmat(const Operand& x, const Operand& y, const ProductOptions& options = {});
/// Einstein's summation: einsum("ij,jk->ik", {a, b}), with "..." for axes that broadcast. Operands are contracted from left to right. A label
/// twice in one operand is not supported.
VOXLOOM_API Expr einsum(std::string_view subscripts, const std::vector<Operand>& operands, const ProductOptions& options = {});

// ---- views and moves ----

/// A size: a number, a symbol, or a dim expression. -1 in reshape: what is left.
struct Size {
  Size(int n) : dim(n) {}                                 // NOLINT(google-explicit-constructor)
  Size(int64_t n) : dim(n) {}                             // NOLINT(google-explicit-constructor)
  Size(const char* symbol) : dim(Dim::symbol(symbol)) {}  // NOLINT(google-explicit-constructor)
  Size(const Dim& d) : dim(d) {}                          // NOLINT(google-explicit-constructor)
  Dim dim;
};
using Sizes = std::vector<Size>;

/// start:stop:step with Python's meaning of absent and negative values.
struct Slice {
  std::optional<int64_t> start = {}, stop = {}, step = {};
};
inline constexpr struct Ellipsis {
} ellipsis{};
inline constexpr struct NewAxis {
} newaxis{};
/// One entry of an index: a position (the axis disappears), a slice, ellipsis, newaxis, or an array of integers.
struct IndexItem {
  enum class Kind : uint8_t { position, slice, ellipsis, newaxis, array };
  IndexItem(int at) : kind(Kind::position), position(at) {}                // NOLINT(google-explicit-constructor)
  IndexItem(int64_t at) : kind(Kind::position), position(at) {}            // NOLINT(google-explicit-constructor)
  IndexItem(Slice s) : kind(Kind::slice), slice(s) {}                      // NOLINT(google-explicit-constructor)
  IndexItem(Ellipsis) : kind(Kind::ellipsis) {}                            // NOLINT(google-explicit-constructor)
  IndexItem(NewAxis) : kind(Kind::newaxis) {}                              // NOLINT(google-explicit-constructor)
  IndexItem(Expr values) : kind(Kind::array), array(std::move(values)) {}  // NOLINT(google-explicit-constructor)
  Kind kind;
  int64_t position = 0;
  Slice slice = {};
  Expr array = {};
};
/// NumPy's indexing: index(x, {ellipsis, 0, Slice{1}}), index(x, {rows, columns}) with arrays of integers, which broadcast against each other.
/// How many elements a mask chooses is known only at the call, so only set_subtensor and inc_subtensor take one, with values that broadcast.
/// Indices below 0 count from the end; a call with others outside of the axis is a UserError that names index, size and line.
VOXLOOM_API Expr index(const Operand& x, const std::vector<IndexItem>& items);
/// Elements along one axis (or of the flattened operand) at the given indices, whose axes take the place of that axis.
VOXLOOM_API Expr take(const Operand& x, const Operand& indices, const Axis& axis);
VOXLOOM_API Expr take(const Operand& x, const Operand& indices);
/// x with the chosen elements replaced by the values, which broadcast to them; of equal indices in arrays the last one counts. Values of a wider
/// dtype are refused.
VOXLOOM_API Expr set_subtensor(const Operand& x, const std::vector<IndexItem>& items, const Operand& values);
/// x with the values added to the chosen elements, for equal indices as often as they come, in their order.
VOXLOOM_API Expr inc_subtensor(const Operand& x, const std::vector<IndexItem>& items, const Operand& values);
/// The same for an expression that index, slice, flip or take has made of x.
VOXLOOM_API Expr set_subtensor(const Operand& chosen, const Operand& values);
VOXLOOM_API Expr inc_subtensor(const Operand& chosen, const Operand& values);
/// One slice along one axis.
VOXLOOM_API Expr slice(const Operand& x, const Axis& axis, const Slice& range);
VOXLOOM_API Expr flip(const Operand& x, const Axes& axes = {});

/// Axes in another order; -1 is a new axis. Only axes of size 1 can be left out.
VOXLOOM_API Expr dimshuffle(const Operand& x, const std::vector<int>& pattern);
/// Axes in the given order (names or positions); reversed by default.
VOXLOOM_API Expr transpose(const Operand& x, const Axes& order = {});
VOXLOOM_API Expr swapaxes(const Operand& x, const Axis& a, const Axis& b);
VOXLOOM_API Expr moveaxis(const Operand& x, const Axis& from, int to);
/// Without the given axes, or all that have size 1.
VOXLOOM_API Expr squeeze(const Operand& x, const Axes& axes = {});
/// With a new axis of size 1 at that position of the result.
VOXLOOM_API Expr expand_dims(const Operand& x, int position);
/// The elements in the order of the type (last axis fastest, images first axis) under another shape.
VOXLOOM_API Expr reshape(const Operand& x, const Sizes& shape);
/// One axis with all elements.
VOXLOOM_API Expr ravel(const Operand& x);
inline Expr flatten(const Operand& x) { return ravel(x); }
VOXLOOM_API Expr broadcast_to(const Operand& x, const Sizes& shape);
VOXLOOM_API Expr concatenate(const std::vector<Operand>& operands, const Axis& axis = 0);
/// Side by side along a new axis at that position of the result; of images it is the next of t u v w that they do not have.
VOXLOOM_API Expr stack(const std::vector<Operand>& operands, int position = 0);
/// Images side by side along a new, last axis of that name: stack({a, b}, "t").
VOXLOOM_API Expr stack(const std::vector<Operand>& operands, const Axis& axis);
/// Elements moved on by `shift`; those that leave at the end come in at the start.
VOXLOOM_API Expr roll(const Operand& x, int64_t shift, const Axis& axis);
/// Each element so many times.
VOXLOOM_API Expr repeat(const Operand& x, int64_t repeats, const Axis& axis);
/// The whole so many times along each of the last axes.
VOXLOOM_API Expr tile(const Operand& x, const std::vector<int64_t>& repeats);
/// With so many elements of that value before and after each axis.
VOXLOOM_API Expr pad(const Operand& x, const std::vector<std::pair<int64_t, int64_t>>& widths, const Operand& value = 0);

// ---- new arrays; without a dtype floatX, or that of the value ----
VOXLOOM_API Expr full(const Sizes& shape, const Operand& value, std::optional<DType> dtype = {});
VOXLOOM_API Expr zeros(const Sizes& shape, std::optional<DType> dtype = {});
VOXLOOM_API Expr ones(const Sizes& shape, std::optional<DType> dtype = {});
/// Of the shape, axis names and (unless given) dtype of x.
VOXLOOM_API Expr full_like(const Operand& x, const Operand& value, std::optional<DType> dtype = {});
VOXLOOM_API Expr zeros_like(const Operand& x, std::optional<DType> dtype = {});
VOXLOOM_API Expr ones_like(const Operand& x, std::optional<DType> dtype = {});
/// int64 numbers from start to before stop.
VOXLOOM_API Expr arange(const Size& stop, std::source_location where = std::source_location::current());
VOXLOOM_API Expr arange(const Size& start, const Size& stop, int64_t step = 1,
                        std::source_location where = std::source_location::current());
/// 1 where column = row + k, otherwise 0.
VOXLOOM_API Expr eye(const Size& rows, std::optional<Size> columns = {}, int64_t k = 0, std::optional<DType> dtype = {},
                     std::source_location where = std::source_location::current());
/// x with 0 above (below) diagonal k of the last two axes.
VOXLOOM_API Expr tril(const Operand& x, int64_t k = 0);
VOXLOOM_API Expr triu(const Operand& x, int64_t k = 0);

}  // namespace voxloom

// ops/build_product.h: what products of all kinds are built from: operands whose axes have labels.
#pragma once

#include <voxloom/ops/build.h>

#include <vector>

namespace voxloom::products {

/// An expression and a label per axis; axes of the same label run together.
struct Labelled {
  Expr value;
  std::vector<int> labels;
};

/// Brings operands to one dtype as the row matmul asks for.
std::vector<Expr> promoted(std::vector<Operand> operands);
/// Axes in the order of `labels` (new ones of size 1 for labels it lacks).
Expr arranged(const Labelled& x, const std::vector<int>& labels, OriginId origin);
/// The sum over labels that are not in `kept`, in that order of axes.
Expr summed(const Labelled& x, const std::vector<int>& kept, const ProductOptions& options, OriginId origin);
/// sum(x * y) over labels that are not in `kept`; see dot() in ops/build.h for the order of additions.
Expr sum_of_products(const Labelled& x, const Labelled& y, const std::vector<int>& kept, const ProductOptions& options, OriginId origin);
/// The same by a matrix product where both have axes of their own beside shared ones that are summed.
Expr contracted(const Labelled& x, const Labelled& y, const std::vector<int>& kept, const ProductOptions& options, OriginId origin);

/// UserError "function: shapes ... and ... do not fit: why".
[[noreturn]] void fail_shapes(const char* function, const Expr& x, const Expr& y, const std::string& why, OriginId origin);
/// Checks that two sizes can be equal; 1 does not repeat.
void check_equal(const char* function, const Expr& x, int x_axis, const Expr& y, int y_axis, OriginId origin);

}  // namespace voxloom::products

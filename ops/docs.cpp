// ops/docs.cpp: writes the op table as Markdown.
#include <voxloom/ops/docs.h>
#include <voxloom/ops/policy.h>
#include <voxloom/ops/table.h>

#include <string_view>

namespace voxloom {
namespace {

const char* promotion_text(Promotion rule) {
  switch (rule) {
    case Promotion::none: return "as they are";
    case Promotion::arithmetic: return "common dtype; integer voxels as floats";
    case Promotion::power: return "common dtype; integer voxels as floats; bool as int8";
    case Promotion::keep: return "common dtype";
    case Promotion::number: return "common dtype; bool as int8";
    case Promotion::floating: return "common float";
    case Promotion::division: return "common float";
    case Promotion::logical: return "bool";
    case Promotion::choice: return "bool; the others their common dtype";
  }
  return "";
}

/// The row's formula is shown with its operands; "|" would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string arity_text(const OpInfo& row) {
  if (row.min_arity == row.max_arity) return std::to_string(row.min_arity);
  return std::to_string(row.min_arity) + " or more";
}

std::string flags_text(const OpInfo& row) {
  std::string text;
  const auto add = [&](bool set, const char* name) {
    if (set) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(row.flags.commutative, "commutative");
  add(row.flags.associative, "associative");
  add(row.flags.idempotent, "idempotent");
  add(row.flags.order_free, "any order");
  add(row.identity[0] != '\0', "neutral ");
  if (row.identity[0] != '\0') text += row.identity;
  add(row.absorbing[0] != '\0', "absorbing ");
  if (row.absorbing[0] != '\0') text += row.absorbing;
  return text;
}

constexpr DType dtypes[] = {DType::boolean, DType::i8,  DType::i16, DType::i32, DType::i64, DType::u8,  DType::u16,
                            DType::u32,     DType::u64, DType::f32, DType::f64, DType::c64, DType::c128};

std::string promotion_table(const Policy& policy) {
  std::string text = "|  |", rule = "|---|";
  for (const DType t : dtypes) {
    text += " " + std::string(name_of(t)) + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const DType a : dtypes) {
    text += "| **" + std::string(name_of(a)) + "** |";
    for (const DType b : dtypes) text += " " + std::string(name_of(promote(a, b, policy))) + " |";
    text += "\n";
  }
  return text;
}

std::string products_section() {
  return "\n## dot and its relatives\n\n"
         "`dot`, `matmul`, `outer`, `tensordot`, `einsum`, `batched_dot`, `vecdot`, `matvec` and `vecmat` have NumPy's and Theano's names "
         "and\n"
         "meaning. Matrices times matrices become the row `matmul`. All other products are `sum(x * y)`: elementwise and sum nodes that "
         "fuse with\n"
         "what is around them, so products are rounded to their dtype and added in it, as matrix products are, along the axes of the\n"
         "operand with more axes as it lies: a transposition is looked through, so that `dot(transpose(X), g)` runs through X as `dot(X, "
         "w)` does.\n"
         "Sizes that are the constant 1 make a vector product of a matrix product. The result has the operands' common dtype: integers "
         "wrap in\n"
         "it, booleans give \"some pair is true\". `acc_dtype` adds in a wider dtype; the gradient adds in the same one.\n"
         "\n"
         "Compiled products have the bits of the interpreter, for any strides and number of threads: the order above is the definition.\n"
         "To first order the error of an element of `matmul` is at most (384 + K / 384) * eps * sum |x| |y|, eps being 2^-24 (float32) or "
         "2^-53 (float64).\n"
         "That of a sum of K products over the fastest axis is at most (K / 32 + 5) * eps * sum |x| |y| up to K = 4096 and grows slowly "
         "after "
         "that.\n";
}

std::string promotion_section() {
  return "\n## promotion\n\n"
         "The common dtype of two arrays under `cast_policy = floatX` with `floatX = float32` (the default):\n\n" +
         promotion_table({}) +
         "\nUnder `cast_policy = numpy`, or with `floatX = float64`, it is `numpy.result_type`. Functions of integers and booleans compute "
         "in\n"
         "floatX (NumPy's policy: float64 from 32-bit integers on, otherwise float32; true division always float64). Integer voxels of "
         "images\n"
         "compute in floatX, in float64 from 32-bit integers on, for + - * / ** and functions, and wherever they meet a fraction; // % sum "
         "prod,\n"
         "comparisons, where, minimum, maximum and moves keep integers.\n\n"
         "Sums and products of floats accumulate in float64 and give the operand's dtype; of booleans and integers in int64 (uint64 for "
         "uint64)\n"
         "and give that. Means of integers up to 32 bits are the exact int64 sum divided in float64, rounded to floatX; var and std "
         "compute in\n"
         "float64.\n";
}

}  // namespace

std::string ops_markdown() {
  std::string text =
      "# Ops\n\n"
      "Made from the op table (`ops/rows_*.cpp`); `tests/ops/docs_test.cpp` keeps it true. Names without code marks are NumPy's and "
      "Theano's\n"
      "for the same. Elementwise ops broadcast by NumPy's rule, images by axis names. \"Operands\" says how they are brought to one dtype "
      "first\n"
      "(the promotion table is at the end); host numbers are weak: they never widen a dtype. Reductions combine their elements in the "
      "order of\n"
      "`ops/reduce_order.h`, a function of shape and type alone. Measured error bounds of functions are in `docs/vecmath.md`. Operands of "
      "rows\n"
      "without a gradient are disconnected from a cost (`ops/gradient.h`), as are integers and booleans everywhere; steps have gradient "
      "0.\n";
  std::string_view family;
  for (const OpInfo* row : all_ops()) {
    if (family != row->family) {
      family = row->family;
      text += "\n## " + std::string(family) + "\n\n| op | operands | meaning | domain | gradient | algebra |\n|---|---|---|---|---|---|\n";
    }
    const std::string operands =
        row->promotion == Promotion::none ? arity_text(*row) : arity_text(*row) + ": " + promotion_text(row->promotion);
    std::string name = "`" + std::string(row->name) + "`";
    for (const std::string_view alias : aliases_of(*row)) name += " " + std::string(alias);
    text += "| " + name + " | " + operands + " | " + cell(row->doc) + " | " + cell(row->domain) + " | " +
            (row->no_gradient ? "no" : "yes") + " | " + flags_text(*row) + " |\n";
  }
  return text + products_section() + promotion_section();
}

}  // namespace voxloom

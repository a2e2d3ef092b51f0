// ops/rules/comparison.cpp: exact rules of comparisons, logic and choice.
//
// Comparisons with NaN are false except !=, so "not less" is "at least" for integers only.
#include <voxloom/ops/rules/rules.h>

namespace voxloom::rules {
namespace {

bool compares_integers(const Match& m) { return !is_float(m["x"].dtype()) && !is_complex(m["x"].dtype()); }

Expr truth(const Match& m) { return filled(m, 1); }
Expr falsehood(const Match& m) { return filled(m, 0); }

const Rule table[] = {
    {.name = "eq_self", .pattern = "eq(x, x)", .result = "1", .algebra = "x == x without NaN", .guard = compares_integers, .build = truth},
    {.name = "le_self", .pattern = "le(x, x)", .result = "1", .algebra = "x <= x without NaN", .guard = compares_integers, .build = truth},
    {.name = "ge_self", .pattern = "ge(x, x)", .result = "1", .algebra = "x >= x without NaN", .guard = compares_integers, .build = truth},
    {.name = "ne_self",
     .pattern = "ne(x, x)",
     .result = "0",
     .algebra = "not x != x without NaN",
     .guard = compares_integers,
     .build = falsehood},
    {.name = "lt_self", .pattern = "lt(x, x)", .result = "0", .algebra = "never x < x, nor NaN < NaN", .build = falsehood},
    {.name = "gt_self", .pattern = "gt(x, x)", .result = "0", .algebra = "never x > x, nor NaN > NaN", .build = falsehood},

    {.name = "not_not", .pattern = "logical_not(logical_not(x))", .result = "x", .algebra = "not not x = x for booleans"},
    {.name = "not_eq", .pattern = "logical_not(eq(x, y))", .result = "ne(x, y)", .algebra = "!= is the opposite of ==, for NaN too"},
    {.name = "not_ne", .pattern = "logical_not(ne(x, y))", .result = "eq(x, y)", .algebra = "== is the opposite of !=, for NaN too"},
    {.name = "not_lt",
     .pattern = "logical_not(lt(x, y))",
     .result = "ge(x, y)",
     .algebra = "not x < y = x >= y without NaN",
     .guard = compares_integers},
    {.name = "not_le",
     .pattern = "logical_not(le(x, y))",
     .result = "gt(x, y)",
     .algebra = "not x <= y = x > y without NaN",
     .guard = compares_integers},
    {.name = "not_gt",
     .pattern = "logical_not(gt(x, y))",
     .result = "le(x, y)",
     .algebra = "not x > y = x <= y without NaN",
     .guard = compares_integers},
    {.name = "not_ge",
     .pattern = "logical_not(ge(x, y))",
     .result = "lt(x, y)",
     .algebra = "not x >= y = x < y without NaN",
     .guard = compares_integers},
    {.name = "bit_not_eq", .pattern = "bit_not(eq(x, y))", .result = "ne(x, y)", .algebra = "~ of a boolean is not"},
    {.name = "bit_not_ne", .pattern = "bit_not(ne(x, y))", .result = "eq(x, y)", .algebra = "~ of a boolean is not"},
    {.name = "and_self", .pattern = "logical_and(x, x)", .result = "x", .algebra = "x and x = x for booleans"},
    {.name = "or_self", .pattern = "logical_or(x, x)", .result = "x", .algebra = "x or x = x for booleans"},

    {.name = "where_same", .pattern = "where(x, y, y)", .result = "y", .algebra = "either choice is y"},
    {.name = "where_true", .pattern = "where(1, x, y)", .result = "x", .algebra = "the condition always holds"},
    {.name = "where_false", .pattern = "where(0, x, y)", .result = "y", .algebra = "the condition never holds"},
    {.name = "where_not", .pattern = "where(logical_not(x), y, z)", .result = "where(x, z, y)", .algebra = "the choices change places"},
    {.name = "where_bit_not", .pattern = "where(bit_not(x), y, z)", .result = "where(x, z, y)", .algebra = "the choices change places"},
};

}  // namespace

std::span<const Rule> comparison() { return table; }

}  // namespace voxloom::rules

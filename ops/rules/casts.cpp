// ops/rules/casts.cpp: exact rules of casts, identities and parts of complex numbers.
#include <voxloom/ops/rules/rules.h>

namespace voxloom::rules {
namespace {

// Every value of `narrow` is a value of `wide`.
bool holds_all_of(DType wide, DType narrow) {
  if (wide == narrow || narrow == DType::boolean) return true;
  if (wide == DType::boolean) return false;
  const size_t bits = 8 * size_of(narrow);
  if (is_integer(narrow) && is_integer(wide)) {
    if (is_signed_int(narrow) && is_unsigned_int(wide)) return false;
    return is_signed_int(narrow) == is_signed_int(wide) ? size_of(wide) >= size_of(narrow) : size_of(wide) > size_of(narrow);
  }
  if (is_integer(narrow)) return wide == DType::f32 ? bits <= 16 : wide == DType::f64 && bits <= 32;
  return narrow == DType::f32 && wide == DType::f64;
}

// a -> b -> c gives the bits of a -> c when a -> b loses nothing, except that integers wrap on their way to a narrower integer where floats
// saturate. Integers of at least c's width on the way keep the low bits that c keeps.
bool middle_cast_is_idle(const Match& m) {
  const DType a = m["x"].dtype(), b = m.node(1).type().dtype, c = m.dtype();
  if (is_complex(a) || is_complex(b) || is_complex(c)) return false;
  if (is_integer(a) && is_integer(b) && is_integer(c) && size_of(b) >= size_of(c)) return true;
  if (!holds_all_of(b, a)) return false;
  return !(is_integer(a) && is_float(b) && is_integer(c)) || holds_all_of(c, a);
}

const Rule table[] = {
    {.name = "cast_same", .pattern = "cast(x)", .result = "x", .algebra = "a cast to the dtype it has"},
    {.name = "cast_cast",
     .pattern = "cast(cast(x))",
     .result = "cast(x)",
     .algebra = "the middle dtype keeps all that the last one sees",
     .guard = middle_cast_is_idle},
    {.name = "identity", .pattern = "identity(x)", .result = "x", .algebra = "the definition of identity"},
    {.name = "second", .pattern = "second(x, y)", .result = "y", .algebra = "y already has the shape of x"},
    {.name = "disconnected_grad", .pattern = "disconnected_grad(x)", .result = "x", .algebra = "only gradients tell them apart"},
    {.name = "zero_grad", .pattern = "zero_grad(x)", .result = "x", .algebra = "only gradients tell them apart"},
    {.name = "grad_clip", .pattern = "grad_clip(x, y, z)", .result = "x", .algebra = "only gradients tell them apart"},
    {.name = "grad_scale", .pattern = "grad_scale(x, y)", .result = "x", .algebra = "only gradients tell them apart"},
    {.name = "custom_gradient", .pattern = "custom_gradient(x, ...)", .result = "x", .algebra = "only gradients tell them apart"},
    {.name = "real_complex", .pattern = "real(complex(x, y))", .result = "x", .algebra = "the real part of x + iy"},
    {.name = "imag_complex", .pattern = "imag(complex(x, y))", .result = "y", .algebra = "the imaginary part of x + iy"},
    {.name = "conj_conj", .pattern = "conj(conj(x))", .result = "x", .algebra = "the sign of the imaginary part flips twice"},
};

}  // namespace

std::span<const Rule> casts() { return table; }

}  // namespace voxloom::rules

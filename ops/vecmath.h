// ops/vecmath.h: vector math: every function one branch-free template over a builder, for f32 and f64 (chosen by the argument's dtype).
//
// Contract of all: results for NaN, infinities, signed zeros and subnormals follow C99 Annex F; domain errors give NaN; arguments of a
// binary function have one dtype. f32 functions compute in f32 alone (pow in f64). Measured error bounds: docs/vecmath.md
// (core: 1 ulp in f32, 2 in f64).
#pragma once

#include <voxloom/ops/builder.h>

namespace voxloom::ops {

// Core functions.
template <class B> typename B::V exp_(B& b, typename B::V x);
template <class B> typename B::V exp2_(B& b, typename B::V x);
template <class B> typename B::V expm1_(B& b, typename B::V x);
template <class B> typename B::V log_(B& b, typename B::V x);
template <class B> typename B::V log2_(B& b, typename B::V x);
template <class B> typename B::V log10_(B& b, typename B::V x);
template <class B> typename B::V log1p_(B& b, typename B::V x);
template <class B> typename B::V sin_(B& b, typename B::V x);
template <class B> typename B::V cos_(B& b, typename B::V x);
template <class B> typename B::V tan_(B& b, typename B::V x);
template <class B> typename B::V atan_(B& b, typename B::V x);
template <class B> typename B::V tanh_(B& b, typename B::V x);
template <class B> typename B::V erf_(B& b, typename B::V x);
template <class B> typename B::V cbrt_(B& b, typename B::V x);
template <class B> typename B::V pow_(B& b, typename B::V x, typename B::V y);

// Others, with published bounds.
template <class B> typename B::V asin_(B& b, typename B::V x);
template <class B> typename B::V acos_(B& b, typename B::V x);
template <class B> typename B::V atan2_(B& b, typename B::V y, typename B::V x);
template <class B> typename B::V sinh_(B& b, typename B::V x);
template <class B> typename B::V cosh_(B& b, typename B::V x);
template <class B> typename B::V asinh_(B& b, typename B::V x);
template <class B> typename B::V acosh_(B& b, typename B::V x);
template <class B> typename B::V atanh_(B& b, typename B::V x);
template <class B> typename B::V erfc_(B& b, typename B::V x);
template <class B> typename B::V hypot_(B& b, typename B::V x, typename B::V y);
/// 1 / (1 + exp(-x)).
template <class B> typename B::V sigmoid_(B& b, typename B::V x);
/// log(1 + exp(x)), no overflow.
template <class B> typename B::V softplus_(B& b, typename B::V x);
/// log(exp(x) + exp(y)), no overflow; -inf with -inf gives -inf.
template <class B> typename B::V logaddexp_(B& b, typename B::V x, typename B::V y);
/// x * log(y); 0 where x is 0 and y is not NaN.
template <class B> typename B::V xlogy_(B& b, typename B::V x, typename B::V y);
/// log(1 - exp(x)) for x <= 0.
template <class B> typename B::V log1mexp_(B& b, typename B::V x);

// Integer powers.
/// x ** n for a constant n >= 0 and x of any numeric dtype, by repeated squaring (integers wrap; x ** 0 = 1).
template <class B> typename B::V ipow_const_(B& b, typename B::V x, uint64_t n);
/// x ** n for integers x and n of one dtype; wraps; a negative n gives 0 except for x = 1 (1) and x = -1 (+-1).
template <class B> typename B::V ipow_(B& b, typename B::V x, typename B::V n);

// Complex numbers. Arguments with `im` of the same dtype as `re`.
template <class B> Cx<typename B::V> cadd_(B& b, Cx<typename B::V> x, Cx<typename B::V> y);
template <class B> Cx<typename B::V> csub_(B& b, Cx<typename B::V> x, Cx<typename B::V> y);
template <class B> Cx<typename B::V> cmul_(B& b, Cx<typename B::V> x, Cx<typename B::V> y);
/// Scaled, so that no intermediate overflows or underflows where the quotient does not.
template <class B> Cx<typename B::V> cdiv_(B& b, Cx<typename B::V> x, Cx<typename B::V> y);
template <class B> Cx<typename B::V> cneg_(B& b, Cx<typename B::V> x);
template <class B> Cx<typename B::V> cconj_(B& b, Cx<typename B::V> x);
template <class B> typename B::V cabs_(B& b, Cx<typename B::V> x);
template <class B> typename B::V cangle_(B& b, Cx<typename B::V> x);
template <class B> Cx<typename B::V> cexp_(B& b, Cx<typename B::V> x);
template <class B> Cx<typename B::V> clog_(B& b, Cx<typename B::V> x);
template <class B> Cx<typename B::V> csqrt_(B& b, Cx<typename B::V> x);

}  // namespace voxloom::ops

#include <voxloom/ops/vecmath/cbrt.h>
#include <voxloom/ops/vecmath/complex.h>
#include <voxloom/ops/vecmath/composite.h>
#include <voxloom/ops/vecmath/erf.h>
#include <voxloom/ops/vecmath/exp.h>
#include <voxloom/ops/vecmath/hyperbolic.h>
#include <voxloom/ops/vecmath/inverse_trig.h>
#include <voxloom/ops/vecmath/log.h>
#include <voxloom/ops/vecmath/pow.h>
#include <voxloom/ops/vecmath/trig.h>

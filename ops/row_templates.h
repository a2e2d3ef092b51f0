// ops/row_templates.h: turns one template per op into the functions of a row, for the interpreter and for the kernel recorder.
#pragma once

#include <voxloom/graph/op_info.h>
#include <voxloom/ops/builder.h>

#include <span>

namespace voxloom::ops {

template <class V> void put(Cx<V>* out, const V& value) { out->re = value; }
template <class V> void put(Cx<V>* out, const Cx<V>& value) { *out = value; }

/// F(builder, V...) on the real parts of N operands.
template <int N, auto F> struct RealFn {
  template <class B> static void run(B& b, const Node&, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    if constexpr (N == 1) put(out, F(b, in[0].re));
    else if constexpr (N == 2) put(out, F(b, in[0].re, in[1].re));
    else put(out, F(b, in[0].re, in[1].re, in[2].re));
  }
};

/// F(builder, Cx<V>...) on N operands.
template <int N, auto F> struct ComplexFn {
  template <class B> static void run(B& b, const Node&, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    if constexpr (N == 1) put(out, F(b, in[0]));
    else if constexpr (N == 2) put(out, F(b, in[0], in[1]));
    else put(out, F(b, in[0], in[1], in[2]));
  }
};

/// G for complex operands (the last one decides), F for the others.
template <int N, auto F, auto G> struct EitherFn {
  template <class B> static void run(B& b, const Node& node, const Cx<typename B::V>* in, Cx<typename B::V>* out) {
    if (is_complex(node.input(N - 1).dtype())) ComplexFn<N, G>::run(b, node, in, out);
    else RealFn<N, F>::run(b, node, in, out);
  }
};

template <class Fn> constexpr ElementwiseFns elementwise_fns() {
  return {&Fn::template run<ScalarBuilder>, &Fn::template run<RecordBuilder>};
}
template <int N, auto F> constexpr ElementwiseFns real() { return elementwise_fns<RealFn<N, F>>(); }
template <int N, auto F> constexpr ElementwiseFns complex() { return elementwise_fns<ComplexFn<N, F>>(); }
template <int N, auto F, auto G> constexpr ElementwiseFns either() { return elementwise_fns<EitherFn<N, F, G>>(); }

template <class R, class B> constexpr ReductionTemplates<B, typename B::V> reduction_templates() {
  ReductionTemplates<B, typename B::V> fns{&R::template init<B>, &R::template step<B>, &R::template combine<B>, &R::template combine<B>,
                                           &R::template finish<B>};
  if constexpr (requires { &R::template fold<B>; }) fns.fold = &R::template fold<B>;
  return fns;
}
/// R has `state`, and the templates `init`, `step`, `combine`, perhaps `fold`, and `finish` over a builder.
template <class R> constexpr ReductionFns reduction_fns() {
  return {&R::state, reduction_templates<R, ScalarBuilder>(), reduction_templates<R, RecordBuilder>()};
}

// The families, in the order of docs/ops.md.
std::span<const OpInfo> arithmetic_rows();
std::span<const OpInfo> power_rows();
std::span<const OpInfo> exponential_rows();
std::span<const OpInfo> trigonometric_rows();
std::span<const OpInfo> rounding_rows();
std::span<const OpInfo> comparison_rows();
std::span<const OpInfo> bit_rows();
std::span<const OpInfo> special_rows();
std::span<const OpInfo> cast_rows();
std::span<const OpInfo> complex_rows();
std::span<const OpInfo> reduction_rows();
std::span<const OpInfo> variance_rows();
std::span<const OpInfo> view_rows();
std::span<const OpInfo> product_rows();
std::span<const OpInfo> gradient_rows();
std::span<const OpInfo> index_rows();

}  // namespace voxloom::ops

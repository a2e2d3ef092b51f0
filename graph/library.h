// graph/library.h: ops computed by a function over whole arrays (matrix products, decompositions, transforms): what their rows give.
#pragma once

#include <voxloom/graph/function_ref.h>
#include <voxloom/graph/strided_view.h>

#include <span>

namespace voxloom {

class Node;

/// Calls body(chunk, worker) once for each chunk of [0, chunks), on up to `threads` threads; workers are numbered from 0.
using ParallelFor = FunctionRef<void(int64_t chunks, FunctionRef<void(int64_t chunk, int worker)> body)>;

/// One call of a library function. Operands are read where they are, in any strides and byte order; the result overlaps none of them.
struct LibraryCall {
  const Node& node;
  std::span<const StridedView> operands;
  const StridedView& result;
  std::byte* scratch;  ///< as many bytes as the row's `scratch` asked for; 64-byte aligned
  int threads;
  ParallelFor parallel_for;
};

/// What a row of OpKind::library gives. Which elements of its operands an element of the result needs is said by the row's axis relations.
struct LibraryFns {
  /// The definition: clear loops over dense arrays.
  void (*define)(const Node&, std::span<const StridedView> operands, const StridedView& result) = nullptr;
  /// The fast way. Its bits depend on the operands' shapes and values alone: not on strides, threads or scratch.
  void (*run)(const LibraryCall&) = nullptr;
  /// Bytes that `run` needs for arrays of these layouts (their data is not read), the same for the same layouts.
  int64_t (*scratch)(const Node&, std::span<const StridedView> operands, const StridedView& result, int threads) = nullptr;
  /// Floating-point operations, for the profile.
  double (*flops)(const Node&, std::span<const StridedView> operands) = nullptr;
};

}  // namespace voxloom

// runtime/kernel_step.h: how one compiled kernel is bound to buffers and sizes. Filled by codegen/lower, read by runtime/bind.
#pragma once

#include <voxloom/graph/dim.h>
#include <voxloom/graph/dtype.h>
#include <voxloom/graph/error.h>
#include <voxloom/graph/node.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace voxloom::runtime {

using KernelEntry = void (*)(const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch);

/// One axis of a slot's array: slot index = a * (index of loop axis) + b; axis = -1: the constant b, or with gathered >= 0
/// a * (index number `gathered` that the kernel computes for this access) + b.
struct AxisTerm {
  int axis = -1;
  int64_t a = 1;
  Dim b = 0;
  int gathered = -1;
  friend bool operator==(const AxisTerm&, const AxisTerm&) = default;
};

/// An array the kernel reads or writes, in terms of the step's loop axes (slowest first).
struct AccessRecipe {
  int slot = 0;  ///< program slot
  int part = 0;  ///< 0 real, 1 imaginary part of a complex array
  bool written = false;
  DType storage = DType::f32;   ///< of one part
  std::vector<AxisTerm> terms;  ///< one per slot axis
  Dim choices = 1;              ///< elements that computed indices choose from; none may be an empty slice that begins behind the array
};

/// What a params slot of the kernel holds.
struct ParamRecipe {
  enum class Kind : uint8_t {
    dim,               ///< value of `dim`
    leaf_length,       ///< leaf_length(dim, of_rows)
    group_span,        ///< 256 * leaf_length(dim, of_rows)
    leaf_count,        ///< ceil(dim / leaf_length(dim, of_rows))
    block_leaf_count,  ///< leaves of a reduction of length dim that the positions [position_lo, position_hi) touch
    tile,              ///< elements of the innermost axis per piece of work, chosen at bind
    tile_count,        ///< ceil(innermost extent / tile)
    stride,            ///< byte stride of `access` along loop axis `axis`; from the number of loop axes on: per computed index
    scratch_offset,    ///< byte offset of scratch array `access`
    position_lo,       ///< first and one-past-last position of the streamed reduction in this block
    position_hi,
    block_parity,  ///< 0 and 1 in turn from block to block
    bits,          ///< `bits`
  } kind = Kind::dim;
  Dim dim = 0;
  int access = 0, axis = 0;
  uint64_t bits = 0;
  bool of_rows = false;  ///< the leaves are those of rows
};

/// Floating-point operations by dtype: additions, multiplications, divisions, square roots, minima and maxima; a fused multiply-add
/// counts two.
struct Flops {
  int64_t f32 = 0, f64 = 0;

  Flops& operator+=(const Flops& o) {
    f32 += o.f32, f64 += o.f64;
    return *this;
  }
  friend Flops operator+(Flops a, const Flops& b) { return a += b; }
  friend Flops operator*(const Flops& a, int64_t n) { return {a.f32 * n, a.f64 * n}; }
  friend bool operator==(const Flops&, const Flops&) = default;
};

/// Per-worker memory of a kernel: `count` elements.
struct ScratchRecipe {
  enum class Count : uint8_t { tile, lanes, one } count = Count::tile;
  size_t item_size = 8;
};

/// An index that must lie in an axis of `size`: the kernel writes one that does not to its scratch array number `scratch`.
struct IndexCheck {
  int scratch = 0;
  Dim size = 0;
  int axis = 0;
  std::string op;
  OriginId origin = {};
};

/// A kernel compiled for one choice of layouts.
struct KernelVariant {
  std::shared_ptr<const void> code;  ///< keeps the machine code alive
  KernelEntry entry = nullptr;
  std::vector<ParamRecipe> params;
  std::vector<int> pointers;  ///< access recipe of each pointer
  std::vector<ScratchRecipe> scratch;
  std::vector<IndexCheck> checks;
  /// Floating-point operations of a run over the parallel range [0, range).
  std::function<Flops(const int64_t* params, int64_t range)> flops;
};

/// What the layouts at a call decide.
struct VariantKey {
  bool collapsed = true;         ///< runs of axes that are dense in every array are one loop
  uint64_t unit = ~uint64_t{0};  ///< bit per access: consecutive along the innermost axis
  uint64_t unit_rows = 0;        ///< bit per access that does without the innermost axis: consecutive along row_axis()
  uint64_t swapped = 0;          ///< bit per access: stored in the other byte order
  bool nontemporal = false;      ///< written arrays bypass the caches
  /// The P axis that runs fastest in the parallel range, with the tiles slowest: some array is consecutive along it and not along the
  /// innermost axis, so that a small tile's cache lines are used whole. -1: the tiles run fastest, then the axes as they come.
  int fastest = -1;
  friend bool operator==(const VariantKey&, const VariantKey&) = default;
};

/// A step that is a function over whole arrays (OpKind::library) instead of a kernel. Axis i of the array of access k is loop axis
/// axes[k][i]; the accesses are the operands in order, then the result.
struct LibraryRecipe {
  Expr node;
  std::vector<std::vector<int>> axes;
};

struct LeafWay;

/// One kernel of a program, or one library call.
struct KernelStep {
  std::string name;                ///< "Fused{sub,mean,std,div}", "matmul"
  std::vector<Dim> extents;        ///< of the loop axes, slowest first
  std::vector<char> roles;         ///< per axis: 'P' parallel, 'O' reduced outside, 'I' innermost (codegen/group.h), 'L' of a library call
  std::vector<int> collapse_into;  ///< per axis: its run; a run of axes dense in every array becomes one axis in the collapsed variant
  /// The innermost axis is mapped and cut into tiles; tiles are the fastest part of the parallel range, then the other axes that are not 'O',
  /// fastest first. Otherwise the parallel range is that of the 'P' axes (of 1 if there are none).
  bool tiled = false;
  Dim outer_extent = 1;  ///< positions of the O axes: a tile of all of them should stay in cache when passes > 1
  int outer_passes = 1;
  bool leaf_parallel = false;  ///< the parallel range starts with the leaves of a reduction of length `reduced` that the block touches
  Dim reduced = 0;
  bool leaves_of_rows = false;  ///< and they are those of rows
  /// Streamed reductions: sizes are those of the whole array, and arrays that arrive in blocks are addressed by whole-array positions.
  bool global_positions = false;
  std::vector<AccessRecipe> accesses;
  std::shared_ptr<const LibraryRecipe> library;  ///< null for kernels
  std::shared_ptr<const LeafWay> leaf_way;       ///< another way to the same bits, chosen at bind; null: none
  /// Compiles (or finds) the variant; thread-safe and memoised by the provider.
  std::function<std::shared_ptr<const KernelVariant>(const VariantKey&)> variant;
  /// The variant as C text under a function name, for explain; compiles nothing.
  std::function<std::string(const VariantKey&, const std::string& function)> text;
};

/// The loop axis along which the values of rows lie: the fastest that is reduced outside; -1: none.
inline int row_axis(const KernelStep& step) {
  for (size_t a = step.roles.size(); a-- > 0;) {
    if (step.roles[a] == 'O') return static_cast<int>(a);
  }
  return -1;
}

/// A reduction of whole rows in two kernels instead of one, for many rows of few columns: threads split the leaves of the rows, each reading
/// whole rows one after the other, and then the columns of the leaves' states.
struct LeafWay {
  KernelStep leaves, fold;
  int64_t state_bytes = 0;  ///< of one column in one leaf
};

}  // namespace voxloom::runtime

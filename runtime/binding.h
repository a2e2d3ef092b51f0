// runtime/binding.h: a program with sizes: parameters of every kernel, offsets of every temporary, peak bytes. Built when a call brings new
// layouts, kept for the next call with the same ones.
#pragma once

#include <voxloom/graph/dim.h>
#include <voxloom/runtime/program.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace voxloom::runtime {

/// Shape, strides and byte order of an array, without its address.
struct Layout {
  DType dtype = DType::f32;
  Dims shape, strides;
  bool swapped = false;
  friend bool operator==(const Layout&, const Layout&) = default;
};
Layout layout_of(const Array& array);

struct BoundStep {
  std::shared_ptr<const KernelVariant> variant;  ///< null for a library call:
  std::vector<StridedView> views;                ///< its operands, then its result, without addresses
  std::vector<int64_t> params;
  struct Pointer {
    int slot = 0;  ///< -1: a place to read from for an array without elements
    int64_t offset = 0;
    int64_t stream_stride = 0;  ///< bytes per position of the streamed axis, for steps in whole-array positions
  };
  std::vector<Pointer> pointers;
  int64_t range = 0;                          ///< parallel range
  int64_t chunk = 0;                          ///< range units per piece of work; 0: all on the caller
  int64_t points = 0;                         ///< points of the loop space
  Flops library_flops;                        ///< of one library call
  int64_t bytes_read = 0, bytes_written = 0;  ///< elements that the accesses reach, each once
  size_t scratch_bytes = 0;                   ///< per worker
  /// Params that change from block to block: slot numbers, -1 if unused.
  int position_lo = -1, position_hi = -1, block_leaves = -1, block_parity = -1;
  int64_t leaf_length = 0, per_position = 1;  ///< positions of the reduction per index of the streamed axis
  bool leaf_parallel = false;
  /// Checks of the variant, bound: place in the scratch of each worker, and the size of the axis.
  struct Check {
    int64_t scratch_offset = 0, size = 0;
  };
  std::vector<Check> checks;
  std::vector<BoundStep> way;  ///< the two kernels of the step's LeafWay, if it takes that: they run instead, and there is no variant
};

/// Which part of the streamed axis a run covers.
struct Block {
  int64_t start = 0, length = 0, total = 0;
  int64_t number = 0;  ///< of blocks before this one
};

struct Binding {
  std::shared_ptr<const Program> program;
  std::vector<Layout> arguments, outputs;
  DimBindings dims;  ///< of this block
  std::vector<Layout> slots;
  std::vector<int64_t> arena_offsets;  ///< per slot; -1: not in the arena
  std::vector<int64_t> state_offsets;  ///< per slot: place among what lives between blocks; -1: none
  int64_t arena_bytes = 0, state_bytes = 0;
  std::vector<BoundStep> steps;
  size_t scratch_bytes = 0;  ///< largest of the steps
  int64_t flat_output_bytes = 0;
};

struct BindOptions {
  int threads = 1;
  Block block;                       ///< used when the program is streamed
  std::vector<Layout> outputs;       ///< given output layouts (out=); empty: dense
  std::vector<char> output_aligned;  ///< per output: its address is 64-byte aligned
};

/// Sizes of the symbols from the argument shapes; UserError names the argument and the two facts that clash.
DimBindings bind_dims(const Program& program, const std::vector<Layout>& arguments, const Block& block);
Binding bind(std::shared_ptr<const Program> program, const std::vector<Layout>& arguments, const BindOptions& options);

}  // namespace voxloom::runtime

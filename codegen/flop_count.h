// codegen/flop_count.h: how much floating-point arithmetic a kernel does, as a function of its parameters; for the profile.
#pragma once

#include <voxloom/codegen/kernel_ir.h>
#include <voxloom/runtime/kernel_step.h>

#include <vector>

namespace voxloom::codegen {

/// The loops of a kernel without their arithmetic: what is left decides how often each instruction runs.
///
/// Trip counts are followed exactly where all iterations of a loop but the first and the last are alike, which holds for tiles, leaves and
/// rows. A branch inside such a loop is taken as in its second iteration (the merge after every 256th leaf counts as never taken).
/// Uniform instructions inside vector loops count once per loop: back ends move them out.
class FlopCounter {
 public:
  explicit FlopCounter(const Kernel& kernel);
  /// Of a run over the parallel range [begin, end).
  runtime::Flops count(const int64_t* params, int64_t begin, int64_t end) const;

 private:
  struct Item {
    enum class Kind : uint8_t { inst, param, loop, branch } kind = Kind::inst;
    Id id = 0;  ///< inst, param: what is set; branch: the condition
    ops::Inst inst = {};
    DType argument = DType::i64;  ///< dtype of the instruction's operands
    int number = 0;               ///< param: slot; loop: of loops_; branch: of blocks_
  };
  struct Block {
    std::vector<Item> items;
    runtime::Flops own;  ///< per run of the block, without its loops and branches
  };
  struct Loop {
    Id lo = 0, hi = 0;
    std::vector<Id> extents, index;
    std::vector<char> matters;   ///< per index: something inside depends on it
    bool vector = false;         ///< then `body` holds what runs once, and has no items
    runtime::Flops per_element;  ///< of a vector loop
    int body = 0;                ///< of blocks_
  };
  class Builder;
  class Walk;
  std::vector<Block> blocks_;  ///< the last one is the kernel's
  std::vector<Loop> loops_;
  Id begin_ = 0, end_ = 0;
  size_t values_ = 0;
};

}  // namespace voxloom::codegen

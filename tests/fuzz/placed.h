// tests/fuzz/placed.h: arrays in guarded memory with awkward layouts, and values taken out of arrays.
#pragma once

#include "rng.h"

#include <voxloom/runtime/array.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace voxloom::fuzz {

/// Bytes between two pages that cannot be touched: at the end of the first one or the start of the other, so that reading or writing
/// one byte too far on that side faults. Zero bytes: any access faults.
class GuardedMemory {
 public:
  GuardedMemory(size_t bytes, bool at_end);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  std::byte* data() const { return data_; }
  size_t size() const { return bytes_; }
  uint64_t hash() const;

 private:
  std::byte* base_ = nullptr;
  std::byte* data_ = nullptr;
  size_t mapped_ = 0, bytes_ = 0;
};

/// How adventurous a layout is.
enum class LayoutKind : uint8_t { dense, fortran, any };

/// An array in guarded memory; the bytes between its elements hold a canary.
struct Placed {
  Array array;
  std::shared_ptr<GuardedMemory> memory;
  std::vector<std::byte> before = {};  ///< of an output: what its memory held
};
/// `repeated`: axes along which elements do not change and the stride may be 0.
Placed place(const std::vector<std::byte>& dense, DType dtype, const std::vector<int64_t>& shape, LayoutKind kind, uint32_t repeated,
             Rng& rng);
/// An array to be written, full of canaries; no zero strides, native byte order.
Placed place_output(DType dtype, const std::vector<int64_t>& shape, LayoutKind kind, Rng& rng);

/// A writable array in the memory of an input: its elements exactly, or a dense array that begins somewhere inside. False if it does not fit.
bool overlay(Placed& input, DType dtype, const std::vector<int64_t>& shape, Rng& rng, Placed& output);

/// A value apart from any layout: dense, last axis fastest, native byte order.
struct Plain {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};
Plain plain_of(const StridedView& view);
/// True when no byte of the memory outside the array's elements changed from what it was when it was placed.
bool gaps_untouched(const Placed& output);
/// Empty when dtype, shape and bits agree (all NaNs are equal), else the first difference in words.
std::string difference(const Plain& want, const Plain& got);
/// "f32 (3, 4) strides (4, 12) +1 swapped".
std::string layout_text(const Array& a);

}  // namespace voxloom::fuzz

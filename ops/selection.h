// ops/selection.h: what an index chooses from an operand: slices and positions first, then arrays of integers.
#pragma once

#include <voxloom/ops/build.h>

namespace voxloom {

/// take(dimshuffle(slice(x))): elements starts + i * steps of each axis of x (`shape` of them), its axes in the order `pattern` (-1 is a new
/// one; axes left out have one element), and of that `arrays` along `axes`, whose own axes stand at `place`, or the elements where `mask` holds,
/// which lies over the axes from `mask_axis` on and puts one axis at `place`.
struct Selection {
  std::vector<Dim> starts, shape;
  std::vector<int64_t> steps;
  std::vector<int> pattern;
  std::vector<Expr> arrays;
  std::vector<int64_t> axes;
  Expr mask;
  int mask_axis = 0;
  int64_t place = 0;

  void add_range(const Dim& start, int64_t step, const Dim& size) {
    starts.push_back(start);
    steps.push_back(step);
    shape.push_back(size);
  }
};

/// NumPy's meaning of the items; UserError names `function`. How many elements a mask chooses is known only at the call, so only what gives the
/// number to nobody allows one.
enum class Masks : uint8_t { refused, allowed };
Selection select(const char* function, const Expr& x, const std::vector<IndexItem>& items, OriginId origin, Masks masks = Masks::refused);
/// What slices and positions choose; x itself where they choose everything.
Expr basic_part(const Expr& x, const Selection& selection, OriginId origin);
/// The same with a slice node always, by which set_subtensor knows what was chosen from, whatever the sizes are.
Expr chosen_part(const Expr& x, const Selection& selection, OriginId origin);
/// A take node (or set_at, inc_at with the values as second operand); the arrays have one rank.
Expr indexed_node(const char* row, std::vector<Expr> operands, const Selection& selection, OriginId origin);
/// Integer arrays brought to one rank.
std::vector<Expr> aligned_indices(const char* function, std::vector<Expr> arrays, OriginId origin);

}  // namespace voxloom

// runtime/dims.cpp: the rank limit and the text of shapes.
#include <voxloom/runtime/dims.h>

#include <voxloom/graph/error.h>

namespace voxloom {

int Dims::checked_rank(size_t rank) {
  if (rank > static_cast<size_t>(max_rank)) {
    fail_user(ErrorCode::shape, "array", "rank " + std::to_string(rank) + " is too high (at most " + std::to_string(max_rank) + " axes)");
  }
  return static_cast<int>(rank);
}

std::string to_string(const Dims& dims) {
  std::string text = "(";
  for (int i = 0; i < dims.rank(); ++i) text += (i > 0 ? ", " : "") + std::to_string(dims[i]);
  return text + (dims.rank() == 1 ? ",)" : ")");
}

}  // namespace voxloom

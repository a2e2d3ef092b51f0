// io/box.cpp: the check every source and sink makes of a box.
#include <voxloom/io/box.h>

namespace voxloom::io {

void check_box(const Box& box, const std::vector<int64_t>& shape) {
  internal_check(box.start.size() == shape.size() && box.extent.size() == shape.size(), "a box has the rank of its image");
  for (size_t i = 0; i < shape.size(); ++i) {
    internal_check(box.start[i] >= 0 && box.extent[i] >= 0 && box.extent[i] <= shape[i] && box.start[i] <= shape[i] - box.extent[i],
                   "a box lies inside its image");
  }
}

}  // namespace voxloom::io

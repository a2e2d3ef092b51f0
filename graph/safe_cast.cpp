// graph/safe_cast.cpp: which conversions of dtypes lose nothing.
#include <voxloom/graph/safe_cast.h>

namespace voxloom {

bool is_safe_cast(DType from, DType to) {
  if (from == to || from == DType::boolean) return true;
  if (to == DType::boolean) return false;
  const auto bytes = [](DType t) { return size_of(real_part_of(t)); };
  if (is_integer(from) && is_integer(to)) {
    if (is_signed_int(from)) return is_signed_int(to) && bytes(from) <= bytes(to);
    return is_signed_int(to) ? bytes(from) < bytes(to) : bytes(from) <= bytes(to);
  }
  if (is_integer(to)) return false;
  if (is_integer(from)) return bytes(from) <= 2 || bytes(to) == 8;
  return (is_complex(to) || !is_complex(from)) && bytes(from) <= bytes(to);
}

}  // namespace voxloom

// graph/dtype.cpp: names of element types.
#include <voxloom/graph/dtype.h>

#include <array>
#include <utility>

namespace voxloom {
namespace {
struct Names {
  std::string_view numpy, brief;
};
constexpr std::array<Names, 15> names = {{{"bool", "b"},
                                          {"int8", "i8"},
                                          {"int16", "i16"},
                                          {"int32", "i32"},
                                          {"int64", "i64"},
                                          {"uint8", "u8"},
                                          {"uint16", "u16"},
                                          {"uint32", "u32"},
                                          {"uint64", "u64"},
                                          {"float16", "f16"},
                                          {"bfloat16", "bf16"},
                                          {"float32", "f32"},
                                          {"float64", "f64"},
                                          {"complex64", "c64"},
                                          {"complex128", "c128"}}};
}  // namespace

std::string_view name_of(DType t) { return names[static_cast<size_t>(t)].numpy; }

std::string_view short_name_of(DType t) { return t == DType::boolean ? names[0].numpy : names[static_cast<size_t>(t)].brief; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    const auto t = static_cast<DType>(i);
    if (t == DType::f16 || t == DType::bf16) continue;
    if (names[i].numpy == name || names[i].brief == name) return t;
  }
  if (name == "float") return DType::f32;
  if (name == "double") return DType::f64;
  if (name == "int") return DType::i64;
  return std::nullopt;
}

}  // namespace voxloom

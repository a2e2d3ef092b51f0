// runtime/array_text.cpp: the short printed form of arrays.
#include <voxloom/runtime/array.h>

#include <fmt/format.h>

namespace voxloom {
namespace {

constexpr int64_t shown_at_ends = 3;

template <class T> std::string number_text(T v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v ? "True" : "False";
  } else if constexpr (std::is_floating_point_v<T>) {
    return fmt::format("{:.6g}", v);
  } else if constexpr (std::is_integral_v<T>) {
    return fmt::format("{}", v);
  } else {
    return fmt::format("{:.6g}{:+.6g}j", v.real(), v.imag());
  }
}

std::string element_text(const Array& a) {
  switch (a.dtype()) {
    case DType::boolean: return number_text(a.at<bool>());
    case DType::i8: return number_text(static_cast<int>(a.at<int8_t>()));
    case DType::i16: return number_text(a.at<int16_t>());
    case DType::i32: return number_text(a.at<int32_t>());
    case DType::i64: return number_text(a.at<int64_t>());
    case DType::u8: return number_text(static_cast<int>(a.at<uint8_t>()));
    case DType::u16: return number_text(a.at<uint16_t>());
    case DType::u32: return number_text(a.at<uint32_t>());
    case DType::u64: return number_text(a.at<uint64_t>());
    case DType::f32: return number_text(a.at<float>());
    case DType::f64: return number_text(a.at<double>());
    case DType::c64: return number_text(a.at<std::complex<float>>());
    case DType::c128: return number_text(a.at<std::complex<double>>());
    case DType::f16:
    case DType::bf16: break;
  }
  return "?";
}

void append(std::string& text, const Array& a) {
  if (a.rank() == 0) {
    text += element_text(a);
    return;
  }
  const int64_t n = a.shape(0);
  const bool shortened = n > 2 * shown_at_ends;
  text += '[';
  for (int64_t i = 0; i < n; ++i) {
    if (i > 0) text += ", ";
    if (shortened && i == shown_at_ends) {
      text += "..., ";
      i = n - shown_at_ends;
    }
    append(text, a.index(0, i));
  }
  text += ']';
}

}  // namespace

std::string Array::to_string() const {
  std::string text = fmt::format("{} {} ", name_of(dtype_), voxloom::to_string(shape_));
  if (!defined()) return text + "(no data)";
  if (!device().is_cpu()) return text + "on " + name_of(device());
  append(text, *this);
  return text;
}

}  // namespace voxloom

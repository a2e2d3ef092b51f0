// cli/inputs.cpp: names of images, axes, output names, and scalars as text.
#include <voxloom/cli/inputs.h>

#include <voxloom/cli/terminal.h>
#include <voxloom/graph/error.h>
#include <voxloom/io/diagnostics.h>
#include <voxloom/ops/build.h>

#include <fmt/format.h>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <complex>
#include <filesystem>
#include <limits>

namespace voxloom::cli {
namespace {

bool is_name(std::string_view text) {
  if (text.empty() || (std::isdigit(static_cast<unsigned char>(text[0])) != 0)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

/// NaN has no sign worth showing.
template <class T> T shown(T value) { return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value; }

template <class T> std::string complex_text(const Array& value) {
  const auto z = value.item<std::complex<T>>();
  return fmt::format("({}{:+}j)", shown(z.real()), shown(z.imag()));
}

}  // namespace

std::vector<InputName> name_inputs(const std::vector<std::string>& arguments) {
  std::vector<InputName> inputs;
  size_t unnamed = 0;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    InputName input;
    if (equals != std::string::npos && is_name(std::string_view(argument).substr(0, equals))) {
      input = {argument.substr(0, equals), argument.substr(equals + 1)};
    } else {
      if (unnamed == 26) fail_user(ErrorCode::usage, "", "more than 26 images without a name; write NAME=" + io::printable_path(argument));
      input = {std::string(1, static_cast<char>('a' + unnamed++)), argument};
    }
    if (input.path.empty()) fail_user(ErrorCode::usage, "", "image " + input.name + " has no file");
    for (const InputName& other : inputs) {
      if (other.name == input.name)
        fail_user(ErrorCode::usage, "",
                  "two images are called " + input.name + ": " + io::printable_path(other.path) + " and " + io::printable_path(input.path));
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

io::Image open_image(const std::string& path, const Options& options) {
  io::Image image = io::open(path, {.strict = options.strict});
  print_warnings(image.warnings(), options);
  return image;
}

Axes parse_axes(std::string_view text) {
  if (text.empty()) return {};
  std::vector<Axis> list;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    int position = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), position);
    if (failed == std::errc() && end == part.data() + part.size()) list.emplace_back(position);
    else if (is_name(part)) list.emplace_back(std::string(part));
    else fail_user(ErrorCode::usage, "", "--axis: '" + io::escape_text(part) + "' is neither a name nor a number");
    if (comma == std::string_view::npos) return Axes(std::move(list));
    text.remove_prefix(comma + 1);
  }
}

std::string output_path(const std::string& image, const std::string& folder, const std::string& suffix) {
  std::string name = std::filesystem::path(image).filename().string();
  std::string extension;
  for (const std::string_view known : {".nii.gz", ".hdr.gz", ".img.gz", ".nii", ".hdr", ".img"}) {
    if (!name.ends_with(known)) continue;
    extension = known;
    name.resize(name.size() - known.size());
    break;
  }
  return (std::filesystem::path(folder) / (name + suffix + (extension.empty() ? ".nii" : extension))).string();
}

std::string scalar_text(const Array& value) {
  switch (value.dtype()) {
    case DType::boolean: return value.item<bool>() ? "True" : "False";
    case DType::f32: return fmt::format("{}", shown(value.item<float>()));
    case DType::f64: return fmt::format("{}", shown(value.item<double>()));
    case DType::c64: return complex_text<float>(value);
    case DType::c128: return complex_text<double>(value);
    case DType::u64: return fmt::format("{}", value.item<uint64_t>());
    default: return fmt::format("{}", value.item<int64_t>());
  }
}

}  // namespace voxloom::cli

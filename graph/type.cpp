// graph/type.cpp: queries and text of types.
#include <voxloom/graph/type.h>

#include <voxloom/graph/lexer.h>

namespace voxloom {

int Type::axis_named(std::string_view name) const {
  for (size_t k = 0; k < names.size(); ++k) {
    if (names[k] == name && !name.empty()) return static_cast<int>(k);
  }
  return -1;
}

std::vector<int> Type::fastest_first() const {
  std::vector<int> axes(shape.size());
  const int n = rank();
  for (int k = 0; k < n; ++k) axes[static_cast<size_t>(k)] = order == Order::F ? k : n - 1 - k;
  return axes;
}

std::string Type::str() const {
  std::string text(short_name_of(dtype));
  text += '[';
  for (size_t k = 0; k < shape.size(); ++k) {
    if (k > 0) text += ", ";
    if (!names.empty()) text += (names[k].empty() ? "" : identifier_or_quoted(names[k])) + ":";
    text += shape[k].str();
  }
  text += ']';
  if (order == Order::F) text += 'F';
  return text;
}

}  // namespace voxloom

// io/diagnostics.cpp: building the messages about files.
#include <voxloom/io/diagnostics.h>

#include <charconv>
#include <cstring>

namespace voxloom::io {
namespace {

void append_hex(std::string& out, unsigned char byte) {
  static constexpr char digits[] = "0123456789abcdef";
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

// Length of the valid, printable UTF-8 sequence at the start of `text`, 0 if there is none. C1 controls (U+0080..U+009F) do not count.
size_t printable_sequence(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead >= 0x20 && lead < 0x7f) return 1;
  const size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xc2 && at(1) < 0xa0) return 0;
  if ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) >= 0xa0)) return 0;
  if ((lead == 0xf0 && at(1) < 0x90) || (lead == 0xf4 && at(1) >= 0x90)) return 0;
  return length;
}

}  // namespace

std::string escape_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = printable_sequence(text);
    if (length > 0) {
      out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '\n') out += "\\n";
    else if (byte == '\t') out += "\\t";
    else append_hex(out, byte);
    text.remove_prefix(1);
  }
  return out;
}

std::string printable_path(std::string_view path) {
  constexpr size_t longest = 400;
  if (path.size() <= longest) return escape_text(path);
  return escape_text(path.substr(0, longest / 2)) + "..." + escape_text(path.substr(path.size() - longest / 2));
}

std::string number_text(double value) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, result.ptr};
}

void fail_field(std::string_view path, std::string_view field, std::string_view value, std::string_view allowed, ErrorCode code) {
  std::string text(field);
  text += " = ";
  text += value;
  if (!allowed.empty()) {
    text += " (allowed ";
    text += allowed;
    text += ")";
  }
  fail_user(code, printable_path(path), text);
}

void fail_input(std::string_view path, const std::string& text) { fail_user(ErrorCode::bad_input, printable_path(path), text); }

void fail_os(std::string_view path, std::string_view action, int error_number) {
  char buffer[256] = "";
  const char* meaning = strerror_r(error_number, buffer, sizeof buffer);
  fail_runtime(ErrorCode::file, printable_path(path),
               std::string(action) + ": " + meaning + " (errno " + std::to_string(error_number) + ")");
}

void Reporter::warn(const std::string& text) const {
  if (strict_) fail_input(path_, text + " (an error because of strict)");
  warnings_->push_back(printable_path(path_) + ": " + text);
}

}  // namespace voxloom::io

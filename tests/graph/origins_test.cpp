// tests/graph/origins_test.cpp: positions that a language binding names.
#include <voxloom/graph/origins.h>

#include <catch2/catch.hpp>

using namespace voxloom;

namespace {

int decoded = 0;
OriginId answer;

std::string line_of(const void* object, int position) {
  ++decoded;
  return std::string(static_cast<const char*>(object)) + ":" + std::to_string(position + 100);
}

}  // namespace

TEST_CASE("origins of objects are put into words when somebody asks") {
  static const char script[] = "script.py";
  const OriginId first = origin_of_object(script, 1, line_of);
  CHECK(first == origin_of_object(script, 1, line_of));
  CHECK_FALSE(first == origin_of_object(script, 2, line_of));
  CHECK(decoded == 0);
  CHECK(origin_text(first) == "script.py:101");
  CHECK(UserError(ErrorCode::usage, "f", "no", first).origin() == "script.py:101");
}

TEST_CASE("a binding's hook answers before the C++ position is taken") {
  static const char script[] = "hook.py";
  answer = origin_of_object(script, 7, line_of);
  set_origin_hook([] { return answer; });
  CHECK(origin_text(origin_of(std::source_location::current())) == "hook.py:107");
  answer = {};
  CHECK(origin_text(origin_of(std::source_location::current())).find("origins_test.cpp:") != std::string::npos);
  set_origin_hook(nullptr);
}

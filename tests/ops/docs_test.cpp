// tests/ops/docs_test.cpp: docs/ops.md is what the op table says. VOXLOOM_WRITE_DOCS=1 writes it.
#include <voxloom/ops/docs.h>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

TEST_CASE("docs/ops.md is up to date") {
  const std::string path = std::string(VOXLOOM_SOURCE_DIR) + "/docs/ops.md";
  if (std::getenv("VOXLOOM_WRITE_DOCS") != nullptr) std::ofstream(path) << voxloom::ops_markdown();
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  INFO("run tests/test_ops with VOXLOOM_WRITE_DOCS=1 to write it");
  CHECK((text == voxloom::ops_markdown()));  // not shown when it fails: the page is long
}

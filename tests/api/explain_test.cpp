// tests/api/explain_test.cpp: kernels as text, the debug ladder, and what an internal error shows.
#include <voxloom/api/pipeline.h>
#include <voxloom/api/voxloom.h>
#include <voxloom/runtime/log.h>

#include <catch2/catch.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace vl = voxloom;
using vl::Array;

namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Messages of level debug while it lives.
class DebugLog {
 public:
  explicit DebugLog(int level) {
    vl::config().debug_level = level;
    vl::set_log([this](vl::LogLevel, std::string_view text) { messages.emplace_back(text); }, vl::LogLevel::debug);
  }
  ~DebugLog() {
    vl::config().debug_level = 0;
    vl::set_log({});
  }
  size_t with(const std::string& start) const {
    size_t n = 0;
    for (const std::string& m : messages) n += m.starts_with(start) ? 1 : 0;
    return n;
  }
  std::vector<std::string> messages;
};

void run_once(const vl::Expr& x, const vl::Expr& value) {
  const vl::Function f = vl::function({x}, {value}, {.name = "told"});
  f.call({Array::zeros({4, 4}, vl::f32)});
}

std::string what_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const vl::InternalError& error) { return error.what(); }
  return "no InternalError";
}

struct Planted {
  ~Planted() { vl::codegen::test_hooks() = {}; }
};

}  // namespace

TEST_CASE("explain and plan show kernels as C on demand") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  const vl::Function f = vl::function({x, y}, {vl::sqrt(x) * y, vl::sum(x)});
  CHECK(count(f.explain(), "extern \"C\"") == 0);
  CHECK(count(f.plan().text, "extern \"C\"") == 0);
  for (const std::string& text : {f.explain({.kernels = true}), f.plan({.kernels = true}).text}) {
    INFO(text);
    CHECK(count(text, "extern \"C\" void kernel_") == f.toposort().size());
    CHECK(text.find("vl_sqrt(") != std::string::npos);
  }
}

TEST_CASE("the shown kernel is that for dense arrays") {
  auto x = vl::fmatrix("x"), y = vl::fmatrix("y");
  // Dense: one loop over all elements, and no strides are read.
  const std::string dense = vl::function({x, y}, {x * y}).plan({.kernels = true}).text;
  INFO(dense);
  CHECK(count(dense, "const i64 stride") == 0);
  // One operand across the order of the other: its stride is a parameter.
  const std::string across = vl::function({x, y}, {x * vl::transpose(y)}).plan({.kernels = true}).text;
  INFO(across);
  CHECK(count(across, "const i64 stride") > 0);
}

TEST_CASE("debug levels tell kernels, passes, graphs, LLVM IR and rules, each one more") {
  auto x = vl::fmatrix("x");
  const vl::Expr value = vl::exp(vl::log(x + 0.125f)) * 3 + (x - x * 1);
  for (int level = 0; level <= 5; ++level) {
    const DebugLog told(level);
    run_once(x, value);
    INFO("level " << level);
    CHECK(told.with("kernel Fused{") == (level >= 1 ? 1U : 0U));
    CHECK((told.with("pass canonicalise: ") > 0) == (level >= 2));
    CHECK((told.with("partition and plan: ") > 0) == (level >= 2));
    CHECK((told.with("after ") > 0) == (level >= 3));
    CHECK((told.with("; ModuleID") > 0) == (level >= 4));
    CHECK((told.with("rule ") > 0) == (level >= 5));
  }
}

TEST_CASE("an internal error shows the graph, when compiling and when calling") {
  const Planted planted;
  auto x = vl::fmatrix("secret_input");
  const auto check_text = [](const std::string& what) {
    INFO(what);
    CHECK(what.find("planted") < what.find('\n'));
    CHECK(what.find("report it") < what.find('\n'));
    CHECK(count(what, "graph {") == 1);
    CHECK(what.find("secret_input") != std::string::npos);
  };
  vl::codegen::test_hooks().program = [](vl::runtime::Program&) { vl::fail_internal("planted"); };
  check_text(what_of([&] { run_once(x, vl::tan(x)); }));
  vl::codegen::test_hooks() = {};
  vl::codegen::test_hooks().kernel = [](vl::codegen::Kernel&) { vl::fail_internal("planted"); };
  check_text(what_of([&] { run_once(x, vl::tan(x)); }));
}

// tests/api/config_test.cpp: options by name, by flags and from INI text; what they do; modes and passes by name; the promotion table.
#include <voxloom/api/voxloom.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

namespace vl = voxloom;
using Catch::Contains;
using vl::Array;

namespace {

/// What a test changes comes back at its end.
struct Restore {
  vl::Config before = vl::config();
  vl::Policy policy = vl::default_policy();
  ~Restore() {
    vl::config() = before;
    vl::set_default_policy(policy);
  }
};

}  // namespace

TEST_CASE("every option can be read and set to what it says") {
  const Restore restore;
  CHECK(vl::config_options().size() == 20);
  for (const vl::ConfigOption& option : vl::config_options()) {
    INFO(option.name);
    CHECK_FALSE(option.doc.empty());
    const std::string value = vl::config().get(option.name);
    CHECK_NOTHROW(vl::config().set(option.name, value));
    CHECK(vl::config().get(option.name) == value);
  }
}

TEST_CASE("wrong names and values are errors with what is nearest or allowed") {
  vl::Config c;
  const auto refused = [&](const char* name, const char* value, const std::vector<std::string>& parts) {
    try {
      c.set(name, value);
      FAIL(name << "=" << value << " was taken");
    } catch (const vl::Error& error) {
      for (const std::string& part : parts) CHECK_THAT(error.what(), Contains(part));
    }
  };
  refused("alow_gc", "True", {"no option is called alow_gc (did you mean allow_gc?)"});
  refused("nonsense", "1", {"no option is called nonsense", "there are allow_gc"});
  refused("allow_gc", "maybe", {"allow_gc = maybe (allowed: True, False, 1, 0)"});
  refused("on_unused_input", "rise", {"raise, warn, ignore (did you mean raise?)"});
  refused("mode", "FAST_RUM", {"no mode is called FAST_RUM (did you mean FAST_RUN?)"});
  refused("optimizer_excluding", "simplfy", {"no pass is called simplfy (did you mean simplify?)"});
  refused("floatX", "float16", {"half precision"});
  refused("cast_policy", "numpy+floatX", {"floatX", "numpy"});
  refused("threads", "-1", {"threads = -1"});
  refused("debug_level", "6", {"debug_level = 6 (allowed: 0 to 5)"});
  refused("memory", "12Q", {"12Q"});
  refused("target", "z80", {"native"});
  refused("device", "cuda", {"no CUDA support"});
  refused("device", "cuda0", {"no CUDA support"});
  refused("device", "tpu", {"allowed: cpu"});
  refused("fast_math", "True", {"fast_math = True is not possible: numbers follow IEEE 754"});
  refused("scratch", "/tmp", {"scratch = /tmp is not possible", "refused with the bytes it needs"});
  CHECK_NOTHROW(c.set("device", "auto"));
  CHECK_NOTHROW(c.set("fast_math", "false"));
  CHECK_NOTHROW(c.set("scratch", ""));
}

TEST_CASE("VOXLOOM_FLAGS and the INI file") {
  const Restore restore;
  vl::Config c;
  vl::apply_flags(c, " device=cpu, allow_gc=False ,memory=64M,,threads=3,optimizer_excluding=simplify:push_views");
  CHECK(c.device == "cpu");
  CHECK_FALSE(c.allow_gc);
  CHECK(c.memory == vl::MiB(64));
  CHECK(c.threads == 3);
  CHECK(c.optimizer_excluding == std::vector<std::string>{"simplify", "push_views"});
  CHECK_THROWS_WITH(vl::apply_flags(c, "threads"), Contains("VOXLOOM_FLAGS: \"threads\" is not of the form name=value"));
  CHECK_THROWS_WITH(vl::apply_flags(c, "a=1"), Contains("VOXLOOM_FLAGS: config: no option is called a"));
  vl::apply_ini(c, "# mine\n[global]\n  floatX = float64\r\n; more\nprofile=1\n\n", "rc");
  CHECK(c.profile);
  CHECK(vl::matrix("m").dtype() == vl::f64);
  CHECK_THROWS_WITH(vl::apply_ini(c, "[nvcc]\n", "rc"), Contains("rc:1: the section [nvcc]"));
  CHECK_THROWS_WITH(vl::apply_ini(c, "threads=1\nthread=2\n", "rc"),
                    Contains("rc:2: config: no option is called thread (did you mean threads?)"));

  const std::string path = "voxloom_config_test.rc";
  std::ofstream(path) << "threads = 5\nmemory = 1G\n";
  setenv("VOXLOOMRC", path.c_str(), 1);
  setenv("VOXLOOM_FLAGS", "threads=6", 1);
  vl::Config from_environment;
  vl::apply_environment(from_environment);
  CHECK(from_environment.threads == 6);  // flags win
  CHECK(from_environment.memory == vl::GiB(1));
  setenv("VOXLOOMRC", "no_such_file.rc", 1);
  CHECK_THROWS_WITH(vl::apply_environment(from_environment), Contains("no_such_file.rc"));
  unsetenv("VOXLOOMRC");
  unsetenv("VOXLOOM_FLAGS");
  std::remove(path.c_str());
}

TEST_CASE("options act on functions, and arguments of function() win") {
  const Restore restore;
  const auto x = vl::fvector("x"), y = vl::fvector("y");
  const Array a = Array::from({1.f, 2.f});
  vl::Config& c = vl::config();
  c.set("on_unused_input", "ignore");
  CHECK_NOTHROW(vl::function({x, y}, {x + 1}));
  CHECK_THROWS_AS(vl::function({x, y}, {x + 1}, {.on_unused_input = vl::OnUnusedInput::raise}), vl::UserError);
  c.set("profile", "True");
  const vl::Function measured = vl::function({x}, {x + 1});
  measured(a);
  CHECK(measured.profile().calls == 1);
  const vl::Function unmeasured = vl::function({x}, {x + 1}, {.profile = false});
  unmeasured(a);
  CHECK(unmeasured.profile().calls == 0);
  c.set("profile", "False");
  c.set("memory", "4");
  CHECK_THROWS_WITH(vl::function({x}, {x + 1})(a), Contains("the limit is 4 B"));
  CHECK_NOTHROW(vl::function({x}, {x + 1}, {.memory = 1000})(a));
  c.set("memory", "0");
  c.set("strict_borrow", "True");
  const vl::Function strict = vl::function({x}, {vl::Out(x + 1, {.borrow = true})});
  const Array held = strict(a);
  CHECK_THROWS_AS(strict(a), vl::UserError);
  c.set("optimizer_excluding", "fusion");
  CHECK(vl::function({x}, {vl::exp(x) + 1}).toposort().size() == 2);
  c.set("optimizer_excluding", "");
  c.set("mode", "NanGuardMode");
  CHECK_THROWS_WITH(vl::function({x}, {vl::log(x - 1)})(a), Contains("NanGuardMode"));
  CHECK_NOTHROW(vl::function({x}, {vl::log(x - 1)}, {.mode = "FAST_RUN"})(a));
  c.set("mode", "FAST_RUN");
  CHECK_THROWS_WITH(vl::function({x}, {x + 1}, {.device = "cuda"}), Contains("no CUDA support"));
  CHECK_NOTHROW(vl::function({x}, {x + 1}, {.device = "auto", .threads = 2})(a));
  c.set("warn_float64", "raise");
  CHECK_THROWS_WITH(vl::function({x}, {vl::cast(x, vl::f64)}), Contains("warn_float64 is raise"));
  c.set("warn_float64", "ignore");
  c.set("debug", "True");
  CHECK_NOTHROW(vl::function({x}, {x * 1 + 2})(a));
}

TEST_CASE("modes and passes by name") {
  const auto x = vl::fvector("x");
  const Array a = Array::from({1.f, 2.f});
  const auto e = -(-x) + vl::flip(vl::flip(x, 0) * 2, 0);
  const vl::Function run = vl::function({x}, {e}), quick = vl::function({x}, {e}, {.mode = "FAST_COMPILE"});
  CHECK(quick.graph().size() > run.graph().size());
  CHECK(vl::same_bits(run(a), quick(a)));
  const vl::Function again = vl::function({x}, {e}, {.mode = vl::Mode("FAST_COMPILE").including({"simplify", "push_views"})});
  CHECK(again.graph().size() == run.graph().size());
  CHECK(vl::function({x}, {vl::exp(x) + 1}, {.mode = vl::Mode().excluding({"fusion"})}).toposort().size() == 2);
  const vl::Function profiled = vl::function({x}, {e}, {.mode = "ProfileMode"});
  profiled(a);
  CHECK(profiled.profile().calls == 1);
  CHECK_THROWS_WITH(vl::Mode("FASTRUN"), Contains("did you mean FAST_RUN?"));
  CHECK_THROWS_WITH(vl::Mode().excluding({"stabilize"}), Contains("did you mean stabilise?"));
  CHECK_THROWS_WITH(vl::function({x}, {e}, {.optimizer_excluding = {"simplifi"}}), Contains("did you mean simplify?"));
}

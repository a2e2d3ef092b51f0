// python/src/bind_config.cpp: configuration by name, the machine's limits, where messages go.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/config.h>
#include <voxloom/api/version.h>
#include <voxloom/ops/policy.h>
#include <voxloom/runtime/limits.h>
#include <voxloom/runtime/log.h>

#include <array>

namespace voxloom::python {
namespace {

template <class E> struct Choice {
  const char* name;
  E value;
};
constexpr Choice<CastPolicy> cast_policies[] = {{"floatX", CastPolicy::floatX}, {"numpy", CastPolicy::numpy}};
constexpr Choice<WarnFloat64> float64_warnings[] = {
    {"ignore", WarnFloat64::ignore}, {"warn", WarnFloat64::warn}, {"raise", WarnFloat64::raise}};

template <class E, size_t N> nb::object text_of(const Choice<E> (&choices)[N], E value) {
  for (const auto& c : choices) {
    if (c.value == value) return nb::str(c.name);
  }
  return nb::none();
}

template <class E, size_t N> E value_of(const char* option, const Choice<E> (&choices)[N], nb::handle given) {
  const std::string text = PyUnicode_Check(given.ptr()) ? nb::cast<std::string>(given) : nb::str(given).c_str();
  std::string allowed;
  for (const auto& c : choices) {
    if (text == c.name) return c.value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(c.name);
  }
  fail_user(ErrorCode::usage, "config", std::string(option) + " = " + text + " (allowed " + allowed + ")", python_origin());
}

int64_t size_value(nb::handle given) {
  return PyUnicode_Check(given.ptr()) ? parse_size(nb::cast<std::string>(given)) : nb::cast<int64_t>(given);
}

void change_policy(const std::function<void(Policy&)>& change) {
  Policy policy = current_policy();
  change(policy);
  set_default_policy(policy);
}

DType float_value(nb::handle given) {
  const DType dtype = dtype_of_python(given);
  if (!is_float(dtype)) {
    fail_user(ErrorCode::usage, "config", "floatX = " + std::string(voxloom::name_of(dtype)) + " (allowed float32, float64)",
              python_origin());
  }
  return dtype;
}

struct Option {
  const char *name, *doc;
  nb::object (*get)();
  void (*set)(nb::handle);
};
const Option options[] = {
    {"floatX", "dtype of matrix(), vector(), ...: float32 or float64",
     [] { return nb::cast(std::string(voxloom::name_of(current_policy().floatX))); },
     [](nb::handle v) { change_policy([&](Policy& p) { p.floatX = float_value(v); }); }},
    {"cast_policy", "floatX: no op brings in float64 by itself; numpy: NumPy's promotion",
     [] { return text_of(cast_policies, current_policy().cast_policy); },
     [](nb::handle v) { change_policy([&](Policy& p) { p.cast_policy = value_of("cast_policy", cast_policies, v); }); }},
    {"warn_float64", "what happens when a function computes in float64: ignore, warn or raise",
     [] { return text_of(float64_warnings, current_policy().warn_float64); },
     [](nb::handle v) { change_policy([&](Policy& p) { p.warn_float64 = value_of("warn_float64", float64_warnings, v); }); }},
    {"target", "machine that kernels are compiled for: native, x86-64-v3 or x86-64-v4", [] { return nb::cast(config().target); },
     [](nb::handle v) { config().target = nb::cast<std::string>(v); }},
    {"cache_dir", "folder of compiled kernels; empty: the user's cache folder; \"off\": none", [] { return nb::cast(config().cache_dir); },
     [](nb::handle v) { config().cache_dir = nb::cast<std::string>(nb::str(v)); }},
    {"cache_size", "bytes of that folder at most", [] { return nb::cast(config().cache_size); },
     [](nb::handle v) { config().cache_size = size_value(v); }},
    {"threads", "threads of a call; 0: as many as the job may use", [] { return nb::cast(config().threads); },
     [](nb::handle v) { config().threads = nb::cast<int>(v); }},
    {"memory", "bytes for a streamed run; 0: 80 % of what is available", [] { return nb::cast(config().memory); },
     [](nb::handle v) { config().memory = size_value(v); }},
};

/// Messages become records of Python's logger "voxloom".
void log_to_python(LogLevel level, std::string_view message) {
  if (!Py_IsInitialized()) return;
  const nb::gil_scoped_acquire locked;
  const char* const name = level == LogLevel::debug     ? "debug"
                           : level == LogLevel::info    ? "info"
                           : level == LogLevel::warning ? "warning"
                                                        : "error";
  try {
    nb::module_::import_("logging").attr("getLogger")("voxloom").attr(name)("%s", nb::str(message.data(), message.size()));
  } catch (nb::python_error& error) { error.discard_as_unraisable("voxloom's log"); }
}

}  // namespace

void bind_config(nb::module_& m) {
  m.def("_config_names", [] {
    nb::dict docs;
    for (const Option& o : options) docs[o.name] = o.doc;
    return docs;
  });
  m.def("_config_get", [](const std::string& name) -> nb::object {
    for (const Option& o : options) {
      if (name == o.name) return o.get();
    }
    throw nb::key_error(name.c_str());
  });
  m.def("_config_set", [](const std::string& name, nb::object value) {
    for (const Option& o : options) {
      if (name == o.name) return o.set(value);
    }
    throw nb::key_error(name.c_str());
  });
  m.attr("_version") =
      std::to_string(VOXLOOM_VERSION_MAJOR) + "." + std::to_string(VOXLOOM_VERSION_MINOR) + "." + std::to_string(VOXLOOM_VERSION_PATCH);
  set_log(log_to_python, LogLevel::warning);
}

}  // namespace voxloom::python

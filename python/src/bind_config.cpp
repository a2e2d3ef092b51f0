// python/src/bind_config.cpp: configuration by name, from the library's table; where messages go.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/config.h>
#include <voxloom/api/version.h>
#include <voxloom/runtime/log.h>

namespace voxloom::python {
namespace {

nb::object value_of(const ConfigOption& option) {
  const std::string text = config().get(option.name);
  switch (option.kind) {
    case ConfigOption::Kind::flag: return nb::bool_(text == "True");
    case ConfigOption::Kind::number: return nb::int_(std::stoll(text));
    case ConfigOption::Kind::text: break;
  }
  return nb::cast(text);
}

nb::object get(const std::string& name) {
  for (const ConfigOption& option : config_options()) {
    if (option.name == name) return value_of(option);
  }
  return nb::cast(config().get(name));  // throws, with the nearest name
}

nb::list options() {
  nb::list list;
  for (const ConfigOption& option : config_options()) list.append(nb::make_tuple(option.name, option.values, option.doc));
  return list;
}

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
  m.def("_config_options", options);
  m.def("_config_get", get, "name"_a);
  m.def("_config_set", [](const std::string& name, const std::string& value) { config().set(name, value); }, "name"_a, "value"_a);
  m.attr("_version") =
      std::to_string(VOXLOOM_VERSION_MAJOR) + "." + std::to_string(VOXLOOM_VERSION_MINOR) + "." + std::to_string(VOXLOOM_VERSION_PATCH);
  set_log(log_to_python, LogLevel::warning);
}

}  // namespace voxloom::python

// python/src/bind_mode.cpp: modes: how functions are compiled and how their calls are checked.
#include "bind.h"
#include "casters.h"

#include <voxloom/api/mode.h>

namespace voxloom::python {
namespace {

std::vector<std::string> names_of(const char* function, nb::args args) {
  std::vector<std::string> names;
  for (const nb::object& item : spread(args)) {
    if (PyUnicode_Check(item.ptr()) == 0) {
      fail_user(ErrorCode::usage, function, "the name of a pass is a text, not " + std::string(nb::repr(item).c_str()), python_origin());
    }
    names.push_back(nb::cast<std::string>(item));
  }
  return names;
}

Mode nan_guard(bool nan, bool inf, bool big, double limit, const std::string& action) {
  if (action != "raise" && action != "warn") {
    fail_user(ErrorCode::usage, "NanGuardMode", "action = '" + action + "' (allowed 'raise', 'warn')", python_origin());
  }
  if (!(limit > 0)) fail_user(ErrorCode::usage, "NanGuardMode", "limit must be a positive number", python_origin());
  return nan_guard_mode({.nan = nan, .inf = inf, .big = big ? limit : 0, .raise = action == "raise"});
}

}  // namespace

void bind_mode(nb::module_& m) {
  nb::class_<Mode>(
      m, "Mode",
      "How function() compiles and checks: a mode by name, with passes switched on and off.\n\n"
      "FAST_RUN: all passes, fused kernels. FAST_COMPILE: without the passes that only make faster code. DebugMode: every call "
      "compares each\nrewrite and each kernel with the interpreter; slow. NanGuardMode: the first NaN, infinity or number beyond "
      "1e10 is an error that\nnames the operation and your line. ProfileMode: FAST_RUN that measures itself.\n"
      "Raises: UserError for an unknown name, with the nearest one.\n\nExample:\n"
      "    >>> x = vl.fvector(\"x\")\n"
      "    >>> vl.function([x], vl.log(x) + 1, mode=vl.Mode(\"FAST_RUN\").excluding(\"fusion\")).toposort()\n"
      "    ['Fused{log}(x)', 'Fused{add}(log)']\n")
      .def(nb::init<std::string>(), "name"_a = "FAST_RUN")
      .def_ro("name", &Mode::name, "Its name.")
      .def_prop_ro(
          "excluded", [](const Mode& mode) { return mode.excluded; }, "Names of the passes that it leaves out.")
      .def(
          "excluding", [](const Mode& mode, nb::args passes) { return mode.excluding(names_of("mode", passes)); }, "passes"_a,
          "The mode without these passes; \"fusion\" is one.\n\nRaises: UserError for an unknown name, with the nearest one.\n\nExample:\n"
          "    >>> vl.Mode(\"FAST_RUN\").excluding(\"simplify\").excluded\n    ['simplify']\n")
      .def(
          "including", [](const Mode& mode, nb::args passes) { return mode.including(names_of("mode", passes)); }, "passes"_a,
          "The mode with these passes.\n\nRaises: UserError for an unknown name, with the nearest one.\n\nExample:\n"
          "    >>> vl.Mode(\"FAST_COMPILE\").including(\"simplify\").excluded\n    ['push_views']\n")
      .def("__repr__", [](const Mode& mode) {
        std::string text = "<voxloom.Mode " + mode.name;
        for (size_t k = 0; k < mode.excluded.size(); ++k) text += (k == 0 ? " without " : ", ") + mode.excluded[k];
        return text + ">";
      });
  m.def("NanGuardMode", nan_guard, "nan_is_error"_a = true, "inf_is_error"_a = true, "big_is_error"_a = true, nb::kw_only(),
        "limit"_a = 1e10, "action"_a = "raise",
        "A mode in which every call looks through its arguments and the value of each operation, one kernel per operation.\n\n"
        "big_is_error: numbers beyond limit are errors too. action: \"raise\", or \"warn\" (to the logger \"voxloom\").\n"
        "Raises: UserError for another action or a limit that is not positive. Calls raise UserError with the name of the first bad\n"
        "operation, what it gave where, and the line of yours that made it.\n\nExample:\n"
        "    >>> x = vl.fvector(\"x\")\n    >>> f = vl.function([x], vl.log(x) + 1, mode=vl.NanGuardMode())\n    >>> f([1, -1])\n"
        "    Traceback (most recent call last):\n    voxloom._errors.UserError: function: NanGuardMode: log gives nan at [1] [at ...]\n");
}

}  // namespace voxloom::python

// python/src/bind_saved.cpp: functions as files and as what pickle stores: the library's own format, in which there is no code.
#include "bind.h"
#include "casters.h"
#include "function.h"

#include <voxloom/api/saved_function.h>
#include <voxloom/ops/host_op.h>

#include <algorithm>
#include <functional>
#include <map>

namespace voxloom::python {
namespace {

std::string path_of(nb::handle path) { return nb::cast<std::string>(nb::module_::import_("os").attr("fspath")(path)); }

/// Results look as the file says: by name, or one without a list around it.
nb::object form_of(const Function& f) {
  if (f.outputs() == 0) return nb::none();
  if (!f.output_names()) return nb::bool_(f.outputs() == 1);
  nb::list names;
  for (const std::string& name : *f.output_names()) names.append(name);
  return nb::tuple(names);
}

void save(const PyFunction& f, nb::handle path) {
  if (f.form == PyFunction::Form::dict && !f.function.output_names()) {
    fail_user(ErrorCode::usage, f.function.name(), "a file holds texts as names of outputs, but a key is none", python_origin());
  }
  const std::string target = path_of(path);
  const nb::gil_scoped_release unlocked;
  save_function(f.function, target);
}

PyFunction load(nb::handle path, bool allow_native_ops) {
  const std::string source = path_of(path);
  Function made(nullptr);
  {
    const nb::gil_scoped_release unlocked;
    made = load_function(source, {.allow_native_ops = allow_native_ops});
  }
  return {made, form_of(made)};
}

/// What pickle stores: the bytes, the form of the results, and the rows of the host functions that they name.
nb::tuple state_of(const PyFunction& f) {
  const std::string bytes = save_function_bytes(f.function);
  std::vector<size_t> rows;
  for (const Expr& e : topological_order(f.function.written().outputs())) {
    const auto id = reinterpret_cast<size_t>(&e->op());
    if (ops::is_host_row(e->op()) && std::find(rows.begin(), rows.end(), id) == rows.end()) rows.push_back(id);
  }
  return nb::make_tuple(nb::bytes(bytes.data(), bytes.size()), f.form_object(), rows);
}

/// `host_rows`: the host functions that it may run, by name.
PyFunction from_state(nb::bytes bytes, nb::object form, nb::dict host_rows) {
  std::map<std::string, const OpInfo*, std::less<>> rows;
  for (const auto& [name, row] : host_rows) {
    rows[nb::cast<std::string>(name)] = reinterpret_cast<const OpInfo*>(nb::cast<size_t>(row.attr("id")));
  }
  LoadOptions options{.allow_native_ops = true};
  options.native_ops = [&rows](std::string_view name) {
    const auto found = rows.find(name);
    return found == rows.end() ? nullptr : found->second;
  };
  const std::string_view text(bytes.c_str(), bytes.size());
  Function made(nullptr);
  {
    const nb::gil_scoped_release unlocked;
    made = load_function_bytes(text, "pickle", options);
  }
  return {made, form};
}

}  // namespace

void bind_saved(nb::module_& m) {
  const auto def = [&](const char* name, auto&& body, const auto&... extra) {
    nb::cpp_function_def(body, nb::scope(m.attr("Function")), nb::name(name), nb::is_method(), extra...);
  };
  def("save", save, "path"_a, nb::sig("def save(self, path: str | os.PathLike[str]) -> None"),
      "Writes the function: its graph, the values that its shared variables have now, its options; no code.\n\n"
      "What belongs to a machine (target, threads, memory) is left out. The file appears when it is complete.\n"
      "Raises: FileError from the system, UserError for a function over image files or with keys that are no texts.\n\nExample:\n"
      "    >>> x = vl.fvector(\"x\")\n    >>> vl.function([x], x + 1).save(\"/tmp/voxloom_f.vlf\")\n"
      "    >>> vl.load_function(\"/tmp/voxloom_f.vlf\")([1, 2])\n    array([2., 3.], dtype=float32)\n");
  def(
      "__reduce__", [](nb::handle self) { return nb::module_::import_("voxloom._function").attr("reduce")(self); },
      nb::sig("def __reduce__(self) -> tuple"));
  m.def("load_function", load, "path"_a, "allow_native_ops"_a = false,
        nb::sig("def load_function(path: str | os.PathLike[str], allow_native_ops: bool = False) -> Function"),
        "Compiles a function that f.save() (or C++'s save_function) wrote; its shared variables are new ones, in f.get_shared().\n\n"
        "One output without a name comes back as an array, several as a list, named ones as a dict. allow_native_ops: it may run functions "
        "of\n"
        "this process (HostOp), by their names; whoever writes the file chooses which.\n"
        "Raises: FileError from the system; UserError (code bad_input) for a file that is no saved function or is damaged, and says "
        "where.\n\n"
        "Example:\n"
        "    >>> w = vl.shared(2.0, name=\"w\")\n    >>> vl.function([], {\"y\": w + 1}, updates={w: w * 2}).save(\"/tmp/voxloom_w.vlf\")\n"
        "    >>> g = vl.load_function(\"/tmp/voxloom_w.vlf\")\n    >>> float(g()[\"y\"]), float(g()[\"y\"]), float(w.get_value())\n"
        "    (3.0, 5.0, 2.0)\n");
  m.def("_function_state", state_of, "f"_a);
  m.def("_function_of_state", from_state, "data"_a, "form"_a.none(), "host_rows"_a);
}

}  // namespace voxloom::python

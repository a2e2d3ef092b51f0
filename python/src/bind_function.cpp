// python/src/bind_function.cpp: compiled functions as Python objects; voxloom/_function.py sorts out the arguments of function().
#include "bind.h"
#include "casters.h"
#include "function.h"
#include "interrupt.h"

#include <voxloom/graph/parse.h>
#include <voxloom/graph/print.h>

#include <unordered_map>

namespace voxloom::python {
namespace {

std::vector<In> inputs_of(nb::list variables, nb::list is_mutable) {
  std::vector<In> inputs;
  for (size_t k = 0; k < variables.size(); ++k) {
    inputs.emplace_back(nb::cast<Expr>(variables[k]), InOptions{.mutable_ = nb::cast<bool>(is_mutable[k])});
  }
  return inputs;
}

Updates updates_of(nb::list pairs) {
  Updates updates;
  for (nb::handle pair : pairs) {
    const nb::object variable = pair[0];
    if (!nb::isinstance<PyShared>(variable)) {
      fail_user(ErrorCode::usage, "function", "an update is for a shared variable, not for " + std::string(nb::str(variable).c_str()),
                python_origin());
    }
    updates.emplace_back(nb::inst_ptr<PyShared>(variable)->shared, nb::cast<Expr>(nb::object(pair[1])));
  }
  return updates;
}

/// See _function.py for what the arguments are.
nb::object compile_python(nb::list variables, nb::list is_mutable, nb::list values, nb::list is_borrowed, nb::list updates,
                          nb::dict options, nb::object form, nb::object recipe) {
  const std::vector<In> inputs = inputs_of(variables, is_mutable);
  std::vector<Out> outputs;
  for (size_t k = 0; k < values.size(); ++k) {
    outputs.emplace_back(nb::cast<Expr>(values[k]), OutOptions{.borrow = nb::cast<bool>(is_borrowed[k])});
  }
  FunctionOptions how;
  how.updates = updates_of(updates);
  how.name = nb::cast<std::string>(options["name"]);
  how.profile = nb::cast<bool>(options["profile"]);
  how.optimise = nb::cast<bool>(options["optimise"]);
  how.fuse = nb::cast<bool>(options["fuse"]);
  how.optimizer_excluding = nb::cast<std::vector<std::string>>(options["optimizer_excluding"]);
  if (!options["on_unused_input"].is_none()) {
    Config words;
    words.set("on_unused_input", nb::cast<std::string>(options["on_unused_input"]));
    how.on_unused_input = words.on_unused_input;
  }
  PyFunction f{.function = Function(nullptr), .inputs = {}, .outputs = outputs.size(), .form = {}, .keys = {}, .recipe = recipe};
  for (const In& in : inputs) f.inputs.push_back({in.variable->name(), in.variable.dtype()});
  if (PyTuple_Check(form.ptr())) f.form = PyFunction::Form::dict, f.keys = form;
  else if (form.is_none()) f.form = PyFunction::Form::none;
  else f.form = nb::cast<bool>(form) ? PyFunction::Form::one : PyFunction::Form::list;
  {
    const nb::gil_scoped_release unlocked;
    f.function = function(inputs, outputs, how);
  }
  return nb::cast(std::move(f));
}

/// The values with some leaves replaced by others of the same type.
nb::list substitute(nb::list values, nb::list from, nb::list to) {
  std::vector<Expr> roots;
  std::unordered_map<const Node*, Expr> made;
  for (nb::handle e : values) roots.push_back(nb::cast<Expr>(e));
  for (size_t k = 0; k < from.size(); ++k) made[nb::cast<Expr>(from[k]).get()] = nb::cast<Expr>(to[k]);
  for (const Expr& e : topological_order(roots)) {
    if (made.count(e.get()) != 0) continue;
    std::vector<Expr> inputs;
    bool changed = false;
    for (const Expr& input : e->inputs()) {
      inputs.push_back(made.at(input.get()));
      changed = changed || !inputs.back().same_as(input);
    }
    made[e.get()] = changed ? with_inputs(*e, std::move(inputs)) : e;
  }
  nb::list result;
  for (const Expr& e : roots) result.append(wrap(made.at(e.get())));
  return result;
}

nb::dict profile_of(const PyFunction& f) {
  return nb::cast<nb::dict>(nb::module_::import_("json").attr("loads")(f.function.profile().json()));
}

void profile_report(const PyFunction& f, const std::string& path) {
  nb::module_::import_("voxloom._function")
      .attr("write_report")(f.function.profile().text(), f.function.profile().json(), f.function.profile().html(), path);
}

MemoryReport memory_of(const PyFunction& f, nb::args args, nb::kwargs dims) {
  if (args.size() == 0 && dims.size() != 0) {
    std::map<std::string, int64_t> sizes;
    for (const auto& [name, size] : dims) sizes[nb::cast<std::string>(name)] = nb::cast<int64_t>(size);
    return f.function.memory(sizes);
  }
  std::vector<Array> arrays;
  std::vector<nb::object> kept;
  collect_arguments(f, args.ptr(), nullptr, arrays, kept);
  return f.function.memory(arrays);
}

PyType_Slot function_slots[] = {{Py_tp_call, reinterpret_cast<void*>(call_function)}, {0, nullptr}};

constexpr const char* class_doc =
    "A compiled graph; immutable, callable from any thread, picklable. Made by function().\n\n"
    "f(*args, out=None, threads=None, memory=None, **named): arguments by position or by their inputs' names. Arrays are read where they "
    "are (any\n"
    "strides, either byte order, read-only ones too); results are NumPy arrays on memory of their own. out= takes an array (or one per "
    "output)\n"
    "to write into. The GIL is released while it runs; Ctrl-C stops it.\n"
    "Raises: DTypeError, UserError for arguments that do not fit, naming the argument and both facts; LimitError beyond memory= bytes.\n\n"
    "Example:\n"
    "    >>> x = vl.fmatrix(\"x\")\n    >>> f = vl.function([x], vl.exp(-x / 2))\n    >>> f(np.zeros((1, 2), \"float32\"))\n"
    "    array([[1., 1.]], dtype=float32)\n";

void bind_memory(nb::module_& m) {
  nb::class_<MemoryReport>(m, "MemoryReport",
                           "Bytes that a call will need, known before it runs.\n\nExample:\n    >>> x = vl.fvector(\"x\")\n"
                           "    >>> vl.function([x], x + 1).memory(np.zeros(1000, \"float32\")).outputs\n    4000\n")
      .def_ro("outputs", &MemoryReport::outputs, "Bytes of the results.")
      .def_ro("temporaries", &MemoryReport::temporaries, "Bytes of what lies between kernels.")
      .def_ro("scratch", &MemoryReport::scratch, "Bytes of the threads' own memory.")
      .def_prop_ro("peak", &MemoryReport::peak, "Their sum.")
      .def("__repr__", [](const MemoryReport& r) {
        return "MemoryReport(peak=" + std::to_string(r.peak()) + ", outputs=" + std::to_string(r.outputs) +
               ", temporaries=" + std::to_string(r.temporaries) + ", scratch=" + std::to_string(r.scratch) + ")";
      });
}

}  // namespace

void bind_function(nb::module_& m) {
  bind_memory(m);
  nb::class_<PyFunction>(m, "Function", nb::type_slots(function_slots), nb::is_weak_referenceable(), class_doc)
      .def_prop_ro(
          "name", [](const PyFunction& f) { return f.function.name(); }, "The name given to function().")
      .def_prop_ro(
          "input_names",
          [](const PyFunction& f) {
            std::vector<std::string> names;
            for (const auto& input : f.inputs) names.push_back(input.name);
            return names;
          },
          "Names of the inputs, in order.")
      .def(
          "toposort", [](const PyFunction& f) { return f.function.toposort(); },
          "Kernels in order, with what they read.\n\nExample:\n    >>> x = vl.vector(\"x\")\n"
          "    >>> vl.function([x], vl.exp(-x)).toposort()\n    ['Fused{neg,exp}(x)']\n")
      .def("memory", memory_of, "args"_a, "dims"_a,
           "Bytes needed for arguments like these, or for sizes of the named dims: f.memory(X) or f.memory(n=1000). Nothing is run.\n\n"
           "Raises: UserError for arguments that do not fit or a size without a value.\n\nExample:\n"
           "    >>> x = vl.tensor(\"x\", dtype=\"float32\", shape=(\"n\",))\n"
           "    >>> vl.function([x], x + 1).memory(n=1000).outputs\n    4000\n")
      .def(
          "plan", [](const PyFunction& f) { return f.function.plan().text; },
          "The kernels in order, what they read and write, as text.\n\nExample:\n    >>> x = vl.vector(\"x\")\n"
          "    >>> \"writes\" in vl.function([x], x + 1).plan()\n    True\n")
      .def(
          "explain", [](const PyFunction& f) { return f.function.explain(); },
          "The optimised graph, the plan, and why operations were not fused, as text.\n\nExample:\n    >>> x = vl.vector(\"x\")\n"
          "    >>> \"optimised graph\" in vl.function([x], x + 1).explain()\n    True\n")
      .def_prop_ro(
          "profile", profile_of, nb::sig("def profile(self) -> dict"),
          "What function(..., profile=True) measured: time per pass and per step, as a dict.\n\nExample:\n    >>> x = vl.vector(\"x\")\n"
          "    >>> f = vl.function([x], x + 1, profile=True)\n    >>> f([1, 2])\n    array([2., 3.], dtype=float32)\n"
          "    >>> f.profile[\"calls\"]\n    1\n")
      .def("profile_report", profile_report, "path"_a,
           "Writes the profile: .html (one self-contained page), .json or .txt.\n\nRaises: UserError for another suffix, OSError from the "
           "system.\n\nExample:\n    >>> x = vl.vector(\"x\")\n    >>> vl.function([x], x + 1).profile_report(\"/dev/null/p.txt\")  # "
           "doctest: +IGNORE_EXCEPTION_DETAIL\n"
           "    Traceback (most recent call last):\n    NotADirectoryError: ...\n")
      .def_prop_ro(
          "graph", [](const PyFunction& f) { return to_text(f.function.graph()); }, "The graph after the passes, as text.")
      .def(
          "__reduce__", [](const PyFunction& f) { return nb::module_::import_("voxloom._function").attr("reduce")(f.recipe); },
          nb::sig("def __reduce__(self) -> tuple"))
      .def("__repr__",
           [](const PyFunction& f) {
             std::string text = "<voxloom.Function " + f.function.name() + "(";
             for (size_t k = 0; k < f.inputs.size(); ++k) text += (k ? ", " : "") + (f.inputs[k].name.empty() ? "_" : f.inputs[k].name);
             return text + ")>";
           })
      .def("_repr_html_", [](nb::handle self) { return nb::module_::import_("voxloom._html").attr("function")(self); });
  m.def("_compile", compile_python, "inputs"_a, "mutable"_a, "outputs"_a, "borrow"_a, "updates"_a, "options"_a, "form"_a.none(), "recipe"_a,
        nb::sig("def _compile(inputs: list, mutable: list, outputs: list, borrow: list, updates: list, options: dict, form: object, "
                "recipe: object) -> Function"));
  m.def("_graph_text", [](nb::list inputs, nb::list outputs) {
    std::vector<Expr> in, out;
    for (nb::handle e : inputs) in.push_back(nb::cast<Expr>(e));
    for (nb::handle e : outputs) out.push_back(nb::cast<Expr>(e));
    return to_text(Graph::make(in, out));
  });
  m.def("_parse_graph", [](const std::string& text, nb::dict host_rows) {
    const Graph graph = parse_graph(text, rows_with(host_rows));
    nb::list inputs, outputs;
    for (const Expr& e : graph.inputs()) inputs.append(wrap(e));
    for (const Expr& e : graph.outputs()) outputs.append(wrap(e));
    return nb::make_tuple(inputs, outputs);
  });
  m.def("_substitute", substitute);
  m.def("_node_id", [](const Expr& e) { return e->id(); });
  m.def("_leaves", [](nb::list outputs) {
    std::vector<Expr> out;
    for (nb::handle e : outputs) out.push_back(nb::cast<Expr>(e));
    nb::list leaves;
    for (const Expr& e : topological_order(out)) {
      if (e->inputs().empty() && e->op().name != std::string_view("constant")) leaves.append(wrap(e));
    }
    return leaves;
  });
}

}  // namespace voxloom::python

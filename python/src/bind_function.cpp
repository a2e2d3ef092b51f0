// python/src/bind_function.cpp: function(): inputs, outputs, updates, substitutions and options; voxloom/_function.py sorts out its arguments.
#include "bind.h"
#include "casters.h"
#include "function.h"

#include <voxloom/graph/print.h>

namespace voxloom::python {
namespace {

[[noreturn]] void refuse(const std::string& text) { fail_user(ErrorCode::usage, "function", text, python_origin()); }

std::string shown(nb::handle object) { return nb::repr(object).c_str(); }

/// A value for a variable: an expression stays as it is, numbers and lists take the variable's dtype, arrays keep theirs.
Expr value_for(const char* what, const Expr& variable, nb::handle value) {
  if (const PyExpr* const held = unwrap(value)) return held->expr;
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) {
    return operand_for(what, as_numpy(value, variable.dtype(), what)).as_expr();
  }
  const Operand operand = operand_for(what, value);
  return operand.is_weak() ? operand.as_expr(variable.dtype()) : operand.as_expr();
}

std::vector<In> inputs_of(nb::list given) {
  std::vector<In> inputs;
  for (nb::handle in : given) {
    const Expr variable = nb::cast<Expr>(nb::object(in.attr("variable")));
    InOptions options{.mutable_ = nb::cast<bool>(in.attr("mutable")),
                      .borrow = nb::cast<bool>(in.attr("borrow")),
                      .strict = nb::cast<bool>(in.attr("strict")),
                      .name = in.attr("name").is_none() ? "" : nb::cast<std::string>(in.attr("name"))};
    if (!in.attr("allow_downcast").is_none()) options.allow_downcast = nb::cast<bool>(in.attr("allow_downcast"));
    if (const nb::object value = in.attr("value"); !value.is_none()) {
      if (!is_array_like(value) && PyNumber_Check(value.ptr()) == 0)
        refuse("a default value is an array, a number or a list, not " + shown(value));
      options.value = owning_array_of(as_numpy(value, variable.dtype(), "function: the default value of " + variable->name()));
    }
    inputs.emplace_back(variable, std::move(options));
  }
  return inputs;
}

bool is_name(const nb::object& key) { return PyUnicode_Check(key.ptr()) != 0 && PyUnicode_GetLength(key.ptr()) > 0; }

/// Names are the keys of a dict, if all are texts.
std::vector<Out> outputs_of(nb::list given, nb::handle form) {
  bool named = PyTuple_Check(form.ptr()) != 0;
  for (size_t k = 0; named && k < given.size(); ++k) named = is_name(nb::object(form[k]));
  std::vector<Out> outputs;
  for (size_t k = 0; k < given.size(); ++k) {
    const Expr value = nb::cast<Expr>(nb::object(given[k].attr("variable")));
    const OutOptions options{.borrow = nb::cast<bool>(given[k].attr("borrow"))};
    if (named) outputs.emplace_back(nb::cast<std::string>(nb::object(form[k])), value, options);
    else outputs.emplace_back(value, options);
  }
  return outputs;
}

Updates updates_of(nb::list pairs) {
  Updates updates;
  for (nb::handle pair : pairs) {
    const nb::object variable = pair[0], value = pair[1];
    if (!nb::isinstance<PyShared>(variable)) refuse("an update is for a shared variable, not for " + shown(variable));
    const Shared& shared = nb::inst_ptr<PyShared>(variable)->shared;
    updates.emplace_back(shared, value_for("function", shared.expr(), value));
  }
  return updates;
}

Givens givens_of(nb::list pairs) {
  Givens givens;
  for (nb::handle pair : pairs) {
    const nb::object from = pair[0], to = pair[1];
    const PyExpr* const held = unwrap(from);
    if (held == nullptr) refuse("givens replace expressions, not " + shown(from));
    givens.emplace_back(held->expr, value_for("function", held->expr, to));
  }
  return givens;
}

Mode mode_of(nb::handle mode) {
  if (nb::isinstance<Mode>(mode)) return nb::cast<Mode>(mode);
  if (PyUnicode_Check(mode.ptr()) == 0) refuse("mode is a name or a Mode, not " + shown(mode));
  return {nb::cast<std::string>(mode)};
}

OnUnusedInput unused_of(nb::handle word) {
  Config words;
  words.set("on_unused_input", nb::str(word).c_str());
  return words.on_unused_input;
}

FunctionOptions options_of(nb::dict given) {
  FunctionOptions how;
  const auto set = [&given](const char* name, auto& to) {
    const nb::object value = given[name];
    if (!value.is_none() && !nb::try_cast(value, to)) refuse(std::string(name) + " cannot be " + shown(value));
  };
  const auto set_flag = [&given](const char* name, std::optional<bool>& to) {
    if (const nb::object value = given[name]; !value.is_none()) to = nb::cast<bool>(nb::bool_(value));
  };
  set("name", how.name);
  set("device", how.device);
  set("target", how.target);
  set("threads", how.threads);
  set("optimizer_excluding", how.optimizer_excluding);
  set_flag("profile", how.profile);
  set_flag("allow_gc", how.allow_gc);
  set_flag("strict_borrow", how.strict_borrow);
  how.optimise = nb::cast<bool>(nb::bool_(given["optimise"]));
  how.fuse = nb::cast<bool>(nb::bool_(given["fuse"]));
  how.allow_input_downcast = nb::cast<bool>(nb::bool_(given["allow_input_downcast"]));
  how.memory = bytes_of_python("function", given["memory"]);
  if (const nb::object mode = given["mode"]; !mode.is_none()) how.mode = mode_of(mode);
  if (const nb::object word = given["on_unused_input"]; !word.is_none()) how.on_unused_input = unused_of(word);
  return how;
}

/// See _function.py for what the arguments are.
PyFunction compile_python(nb::list ins, nb::list outs, nb::list updates, nb::list givens, nb::dict options, nb::object form) {
  const std::vector<In> inputs = inputs_of(ins);
  const std::vector<Out> outputs = outputs_of(outs, form);
  FunctionOptions how = options_of(options);
  how.updates = updates_of(updates);
  how.givens = givens_of(givens);
  Function made(nullptr);
  {
    const nb::gil_scoped_release unlocked;
    made = function(inputs, outputs, how);
  }
  return {std::move(made), form};
}

nb::dict profile_of(const PyFunction& f) {
  return nb::cast<nb::dict>(nb::module_::import_("json").attr("loads")(f.function.profile().json()));
}

void profile_report(const PyFunction& f, const std::string& path) {
  const Profile profile = f.function.profile();
  nb::module_::import_("voxloom._function").attr("write_report")(profile.text(), profile.json(), profile.html(), path);
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

PyFunction copy_of(const PyFunction& f, bool share_memory, nb::handle swap, bool delete_updates, nb::handle name) {
  FunctionCopyOptions how{.share_memory = share_memory, .delete_updates = delete_updates};
  if (!name.is_none()) how.name = nb::cast<std::string>(name);
  const nb::object pairs = nb::module_::import_("voxloom._function").attr("pairs")("swap", swap, "copy");
  for (nb::handle pair : pairs) {
    const nb::object from = pair[0], to = pair[1];
    if (!nb::isinstance<PyShared>(from) || !nb::isinstance<PyShared>(to)) {
      fail_user(ErrorCode::usage, "copy", "swap is {shared variable: shared variable}, not " + shown(swap), python_origin());
    }
    how.swap.emplace_back(nb::inst_ptr<PyShared>(from)->shared, nb::inst_ptr<PyShared>(to)->shared);
  }
  Function made(nullptr);
  {
    const nb::gil_scoped_release unlocked;
    made = f.function.copy(how);
  }
  return {std::move(made), f.form_object()};
}

nb::list shared_of_function(const PyFunction& f) {
  nb::list variables;
  for (const Shared& s : f.function.shared()) variables.append(wrap(s.expr()));
  return variables;
}

std::string text_of(const PyFunction& f) {
  std::string text = "<voxloom.Function " + f.function.name() + "(";
  for (size_t k = 0; k < f.inputs.size(); ++k) text += (k ? ", " : "") + (f.inputs[k].name.empty() ? "_" : f.inputs[k].name);
  return text + ")>";
}

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

constexpr const char* class_doc =
    "A compiled graph; make one with function(). Immutable, callable from any thread, picklable (as its graph, not its code).\n\n"
    "f(*args, out=None, threads=None, memory=None, **named): arguments by position or by their inputs' names; inputs without one take "
    "their\n"
    "default value. Arrays are read where they are (any strides, either byte order, read-only ones too); results are NumPy arrays on "
    "memory\n"
    "of their own. out= takes an array (or one per output) to write into, memory= a limit in bytes or as \"64M\". The GIL is released "
    "while\n"
    "it runs; Ctrl-C stops it.\n"
    "Raises: DTypeError, UserError for arguments that do not fit, naming the argument and both facts; LimitError beyond memory=.\n\n"
    "Example:\n"
    "    >>> x = vl.fmatrix(\"x\")\n    >>> f = vl.function([x], vl.exp(-x / 2))\n    >>> f(np.zeros((1, 2), \"float32\"))\n"
    "    array([[1., 1.]], dtype=float32)\n";

using Class = nb::class_<PyFunction>;

void bind_facts(Class& c) {
  c.def_prop_ro(
       "name", [](const PyFunction& f) { return f.function.name(); }, "The name given to function().")
      .def_prop_ro(
          "input_names", [](const PyFunction& f) { return f.function.input_names(); }, "Names of the inputs, in order.")
      .def_prop_ro(
          "graph", [](const PyFunction& f) { return to_text(f.function.graph()); }, "The graph after the passes, as text.")
      .def("get_shared", shared_of_function, nb::sig("def get_shared(self) -> list[Shared]"),
           "The shared variables that it reads or updates.\n\nExample:\n    >>> w = vl.shared(1.0, name=\"w\")\n"
           "    >>> vl.function([], w + 1).get_shared()[0] is w\n    True\n")
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
          "plan", [](const PyFunction& f, bool kernels) { return f.function.plan({.kernels = kernels}).text; }, "kernels"_a = false,
          "The kernels in order, what they read and write, what calls may do with memory, as text; with kernels their C too.\n\n"
          "Example:\n    >>> x = vl.vector(\"x\")\n    >>> \"writes\" in vl.function([x], x + 1).plan()\n    True\n")
      .def(
          "explain", [](const PyFunction& f, bool kernels) { return f.function.explain({.kernels = kernels}); }, "kernels"_a = false,
          "The optimised graph, the plan, and why operations were not fused, as text; with kernels their C too.\n\nExample:\n"
          "    >>> x = vl.vector(\"x\")\n    >>> \"optimised graph\" in vl.function([x], x + 1).explain()\n    True\n")
      .def("__repr__", text_of)
      .def("_repr_html_", [](nb::handle self) { return nb::module_::import_("voxloom._html").attr("function")(self); });
}

void bind_profile(Class& c) {
  c.def_prop_ro(
       "profile", profile_of, nb::sig("def profile(self) -> dict"),
       "What function(..., profile=True) measured: time per pass and per step, as a dict.\n\nExample:\n    >>> x = vl.vector(\"x\")\n"
       "    >>> f = vl.function([x], x + 1, profile=True)\n    >>> f([1, 2])\n    array([2., 3.], dtype=float32)\n"
       "    >>> f.profile[\"calls\"]\n    1\n")
      .def("profile_report", profile_report, "path"_a,
           "Writes the profile: .html (one self-contained page), .json or .txt.\n\nRaises: UserError for another suffix, OSError from the "
           "system.\n\nExample:\n    >>> x = vl.vector(\"x\")\n    >>> vl.function([x], x + 1).profile_report(\"/dev/null/p.txt\")  # "
           "doctest: +IGNORE_EXCEPTION_DETAIL\n"
           "    Traceback (most recent call last):\n    NotADirectoryError: ...\n");
}

void bind_more_calls(Class& c) {
  c.def("repeat", repeat_function, "n"_a, "args"_a, "options"_a,
        nb::sig("def repeat(self, n: int, *args: object, **options: object) -> object"),
        "n update steps inside one call; the results are those of the last step. Takes what a call takes.\n\n"
        "The updates of each step are committed when it is done: Ctrl-C leaves shared variables as they were after the last whole step.\n"
        "Raises: as a call; UserError for n < 1.\n\nExample:\n    >>> w = vl.shared(1.0)\n"
        "    >>> double = vl.function([], None, updates={w: w * 2})\n    >>> double.repeat(10)\n    >>> float(w.get_value())\n    1024.0\n")
      .def("copy", copy_of, "share_memory"_a = false, "swap"_a = nb::none(), "delete_updates"_a = false, "name"_a = nb::none(),
           nb::sig("def copy(self, share_memory: bool = False, swap: dict[Shared, Shared] | Sequence[tuple[Shared, Shared]] | None = None, "
                   "delete_updates: bool = False, name: str | None = None) -> Function"),
           "A function of its own on the same compiled code, with a profile of its own.\n\n"
           "share_memory: both take turns on the same temporaries and borrowed buffers. swap: {shared: other}, what the copy reads and "
           "updates "
           "instead.\ndelete_updates: the copy changes no shared variable. name: of the copy.\n"
           "Raises: UserError for a variable that the function does not use, or share_memory together with the other two.\n\nExample:\n"
           "    >>> v, w = vl.shared(1.0), vl.shared(10.0)\n    >>> f = vl.function([], v * 1, updates={v: v + 1})\n"
           "    >>> g = f.copy(swap={v: w})\n    >>> float(g()), float(g()), float(f())\n    (10.0, 11.0, 1.0)\n");
}

PyType_Slot function_slots[] = {{Py_tp_call, reinterpret_cast<void*>(call_function)}, {0, nullptr}};

}  // namespace

PyFunction::PyFunction(Function made, nb::handle wanted) : function(std::move(made)), outputs(function.outputs()) {
  const std::span<const Expr> variables = function.written().inputs();
  for (const InOptions& in : function.inputs()) {
    inputs.push_back({in.name, variables[inputs.size()].dtype(), in.value.defined(), in.allow_downcast.value_or(false)});
  }
  if (PyTuple_Check(wanted.ptr())) form = Form::dict, keys = nb::borrow(wanted);
  else if (wanted.is_none()) form = Form::none;
  else form = nb::cast<bool>(wanted) ? Form::one : Form::list;
}

nb::object PyFunction::form_object() const {
  switch (form) {
    case Form::one: return nb::bool_(true);
    case Form::list: return nb::bool_(false);
    case Form::dict: return keys;
    case Form::none: break;
  }
  return nb::none();
}

void bind_function(nb::module_& m) {
  bind_memory(m);
  Class c(m, "Function", nb::type_slots(function_slots), nb::is_weak_referenceable(), class_doc);
  bind_facts(c);
  bind_profile(c);
  bind_more_calls(c);
  m.def("_compile", compile_python, "inputs"_a, "outputs"_a, "updates"_a, "givens"_a, "options"_a, "form"_a.none());
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

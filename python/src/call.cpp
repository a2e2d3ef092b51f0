// python/src/call.cpp: the path of a call. NumPy arrays are read through their fields, results are NumPy arrays on pool buffers, and lists of
// Arrays are kept between calls, so that a small call costs little more than its kernel.
#include "arrays.h"
#include "casters.h"
#include "errors.h"
#include "function.h"
#include "interrupt.h"

#include <voxloom/graph/error.h>
#include <voxloom/graph/nearest.h>

#include <memory>
#include <optional>

namespace voxloom::python {
namespace {

struct Lists {
  std::vector<Array> in, out;
};

/// Leased under the GIL: a call may run while another waits without it.
class LeasedLists {
 public:
  LeasedLists() {
    if (idle().empty()) {
      lists_ = std::make_unique<Lists>();
    } else {
      lists_ = std::move(idle().back());
      idle().pop_back();
    }
  }
  ~LeasedLists() {
    lists_->in.clear();
    lists_->out.clear();
    if (idle().size() < 16) idle().push_back(std::move(lists_));
  }
  Lists* operator->() { return lists_.get(); }

 private:
  static std::vector<std::unique_ptr<Lists>>& idle() {
    static auto* const kept = new std::vector<std::unique_ptr<Lists>>;
    return *kept;
  }
  std::unique_ptr<Lists> lists_;
};

std::string label(const PyFunction::Input& input, size_t position) {
  return "argument " + std::to_string(position) + (input.name.empty() ? "" : " (" + input.name + ")");
}

/// An argument's window: NumPy arrays as they are, anything else through NumPy. A result may lie on it, so it keeps its memory.
Array argument(const PyFunction& f, size_t k, PyObject* object, std::vector<nb::object>& kept) {
  if (is_numpy_array(object)) return array_of(object);
  if (!is_array_like(object) && !PyNumber_Check(object)) {
    fail_user(ErrorCode::dtype, f.function.name(),
              label(f.inputs[k], k) + " is a " + Py_TYPE(object)->tp_name + ", but an array, a number or a list is needed");
  }
  const PyFunction::Input& input = f.inputs[k];
  kept.push_back(input.downcasts ? as_numpy(object) : as_numpy(object, input.dtype, f.function.name() + ": " + label(input, k)));
  return owning_array_of(kept.back());
}

/// Named arguments fill the places that positional ones leave.
std::vector<PyObject*> place_named(const PyFunction& f, PyObject* args, PyObject* named) {
  std::vector<PyObject*> places(f.inputs.size(), nullptr);
  const auto given = static_cast<size_t>(PyTuple_GET_SIZE(args));
  for (size_t k = 0; k < given && k < places.size(); ++k) places[k] = PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(k));
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(named, &at, &key, &value) != 0;) {
    const std::string name = nb::cast<std::string>(nb::handle(key));
    size_t k = 0;
    while (k < places.size() && f.inputs[k].name != name) ++k;
    if (k == places.size()) {
      fail_user(ErrorCode::usage, f.function.name(), "has no input named " + name + did_you_mean(name, f.function.input_names()));
    }
    if (places[k] != nullptr) fail_user(ErrorCode::usage, f.function.name(), "was given " + label(f.inputs[k], k) + " twice");
    places[k] = value;
  }
  return places;
}

[[noreturn]] void refuse_count(const PyFunction& f, size_t given) {
  std::string text = "takes " + std::to_string(f.inputs.size()) + " arguments, but " + std::to_string(given) + " were given";
  if (given < f.inputs.size()) text += "; " + label(f.inputs[given], given) + " is missing and has no default value";
  fail_user(ErrorCode::usage, f.function.name(), text);
}

/// Options of a call, taken out of its keywords.
struct Keywords {
  nb::object out, threads, memory, named;
};

Keywords split(PyObject* kwargs) {
  Keywords k;
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(kwargs, &at, &key, &value) != 0;) {
    const std::string name = nb::cast<std::string>(nb::handle(key));
    nb::object* const slot = name == "out" ? &k.out : name == "threads" ? &k.threads : name == "memory" ? &k.memory : nullptr;
    if (slot != nullptr) {
      *slot = nb::borrow(value);
      continue;
    }
    if (!k.named) k.named = nb::dict();
    k.named[nb::handle(key)] = nb::handle(value);
  }
  return k;
}

int threads_of(const PyFunction& f, const nb::object& wanted) {
  int threads = 0;
  if (nb::try_cast(wanted, threads) && threads >= 0) return threads;
  fail_user(ErrorCode::usage, f.function.name(), "threads is a number of at least 0, not " + std::string(nb::repr(wanted).c_str()));
}

/// The arrays of out=: one, or a sequence with None where a fresh one is wanted.
std::vector<nb::object> given_outputs(const PyFunction& f, const nb::object& out) {
  std::vector<nb::object> objects(f.outputs, nb::none());
  if (is_numpy_array(out.ptr())) {
    if (f.outputs != 1)
      fail_user(ErrorCode::usage, f.function.name(), "has " + std::to_string(f.outputs) + " outputs, but out is one array");
    objects[0] = out;
    return objects;
  }
  if (!PyList_Check(out.ptr()) && !PyTuple_Check(out.ptr())) {
    fail_user(ErrorCode::dtype, f.function.name(),
              "out is an array or a sequence of arrays, not " + std::string(Py_TYPE(out.ptr())->tp_name));
  }
  size_t k = 0;
  for (nb::handle item : out) {
    if (k < objects.size()) objects[k] = nb::borrow(item);
    ++k;
  }
  if (k != f.outputs) {
    fail_user(ErrorCode::usage, f.function.name(), "has " + std::to_string(f.outputs) + " outputs, but out has " + std::to_string(k));
  }
  return objects;
}

/// A result that lies on an argument is that argument.
nb::object result_object(const Array& result, std::span<const Array> in, PyObject* const* arguments) {
  if (!result.buffer()) {
    for (size_t k = 0; k < in.size(); ++k) {
      if (in[k].raw() == result.raw() && arguments[k] != nullptr && is_numpy_array(arguments[k])) return nb::borrow(arguments[k]);
    }
    fail_internal("a result on memory of nobody");
  }
  return numpy_of(result);
}

nb::object assemble(const PyFunction& f, std::vector<nb::object>&& results) {
  switch (f.form) {
    case PyFunction::Form::none: return nb::none();
    case PyFunction::Form::one: return std::move(results[0]);
    case PyFunction::Form::list: {
      nb::list list;
      for (nb::object& r : results) list.append(std::move(r));
      return list;
    }
    case PyFunction::Form::dict: break;
  }
  nb::dict dict;
  for (size_t k = 0; k < results.size(); ++k) dict[f.keys[k]] = results[k];
  return dict;
}

/// Runs without the GIL; a signal's exception is Python's current error afterwards. `steps`: 0 for a call, or those of repeat().
void run(const PyFunction& f, Lists& lists, CallOptions& options, int64_t steps) {
  {
    const Unlocked unlocked;
    options.cancel = unlocked.token();
    options.out = lists.out;
    if (steps == 0) f.function.call_into(lists.in, lists.out, options);
    else lists.out = f.function.repeat(steps, lists.in, options);
  }
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
}

nb::object call_with(const PyFunction& f, PyObject* const* arguments, LeasedLists& lists, std::vector<nb::object>* given,
                     CallOptions& options, int64_t steps) {
  lists->out.resize(f.outputs);
  if (given != nullptr) {
    for (size_t k = 0; k < f.outputs; ++k) {
      if ((*given)[k].is_none()) continue;
      if (!is_numpy_array((*given)[k].ptr())) {
        fail_user(ErrorCode::dtype, f.function.name(), "out[" + std::to_string(k) + "] is no NumPy array");
      }
      lists->out[k] = array_of((*given)[k]);
    }
  }
  run(f, *lists.operator->(), options, steps);
  if (given == nullptr && f.form == PyFunction::Form::one) return result_object(lists->out[0], lists->in, arguments);
  std::vector<nb::object> results;
  for (size_t k = 0; k < f.outputs; ++k) {
    results.push_back(given != nullptr && !(*given)[k].is_none() ? (*given)[k] : result_object(lists->out[k], lists->in, arguments));
  }
  return assemble(f, std::move(results));
}

nb::object call(const PyFunction& f, PyObject* args, PyObject* kwargs, int64_t steps) {
  LeasedLists lists;
  std::vector<nb::object> kept;
  CallOptions options;
  PyObject* const* items = reinterpret_cast<PyTupleObject*>(args)->ob_item;
  if (kwargs == nullptr || PyDict_GET_SIZE(kwargs) == 0) {
    collect_arguments(f, args, nullptr, lists->in, kept);
    return call_with(f, items, lists, nullptr, options, steps);
  }
  const Keywords keywords = split(kwargs);
  if (keywords.threads && !keywords.threads.is_none()) options.threads = threads_of(f, keywords.threads);
  if (keywords.memory) options.memory = bytes_of_python(f.function.name().c_str(), keywords.memory);
  std::vector<PyObject*> places;
  if (keywords.named) {
    if (static_cast<size_t>(PyTuple_GET_SIZE(args)) > f.inputs.size()) refuse_count(f, static_cast<size_t>(PyTuple_GET_SIZE(args)));
    places = place_named(f, args, keywords.named.ptr());
    items = places.data();
  }
  collect_arguments(f, args, keywords.named.ptr(), lists->in, kept);
  std::vector<nb::object> given;
  const bool has_out = keywords.out && !keywords.out.is_none();
  if (has_out) given = given_outputs(f, keywords.out);
  return call_with(f, items, lists, has_out ? &given : nullptr, options, steps);
}

}  // namespace

void collect_arguments(const PyFunction& f, PyObject* args, PyObject* named, std::vector<Array>& arrays, std::vector<nb::object>& kept) {
  const auto given = static_cast<size_t>(PyTuple_GET_SIZE(args));
  kept.clear();
  if (named == nullptr) {
    if (given > f.inputs.size()) refuse_count(f, given);
    if (given < f.inputs.size() && !f.inputs[given].has_default) refuse_count(f, given);
    for (size_t k = 0; k < given; ++k) arrays.push_back(argument(f, k, PyTuple_GET_ITEM(args, static_cast<Py_ssize_t>(k)), kept));
    return;
  }
  const std::vector<PyObject*> places = place_named(f, args, named);
  for (size_t k = 0; k < places.size(); ++k) {
    if (places[k] == nullptr && !f.inputs[k].has_default) {
      fail_user(ErrorCode::usage, f.function.name(), label(f.inputs[k], k) + " is missing and has no default value");
    }
    arrays.push_back(places[k] == nullptr ? Array() : argument(f, k, places[k], kept));
  }
}

nb::object repeat_function(const PyFunction& f, int64_t n, nb::args args, nb::kwargs kwargs) {
  if (n < 1) fail_user(ErrorCode::usage, f.function.name(), "repeat needs at least 1 step, not " + std::to_string(n));
  try {
    return call(f, args.ptr(), kwargs.ptr(), n);
  } catch (const Error&) {
    if (PyErr_Occurred()) throw nb::python_error();
    throw;
  }
}

PyObject* call_function(PyObject* self, PyObject* args, PyObject* kwargs) noexcept {
  try {
    return call(*nb::inst_ptr<PyFunction>(self), args, kwargs, 0).release().ptr();
  } catch (...) {
    // A signal's handler has raised while the call ran: that is what the caller must see.
    if (!PyErr_Occurred()) set_python_error();
    return nullptr;
  }
}

}  // namespace voxloom::python

// python/src/bind_image.cpp: image files, their headers, saving and streaming; voxloom/_image.py makes the class Image of it.
#include "bind.h"
#include "casters.h"
#include "interrupt.h"

#include <voxloom/api/image.h>
#include <voxloom/runtime/limits.h>

#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>

#include <cstring>
#include <limits>

namespace voxloom::python {
namespace {

using io::Matrix44;
using io::NiftiHeader;

struct PyImage : PyExpr {
  explicit PyImage(io::Image i) : PyExpr(i.expr()), image(std::move(i)) {}
  io::Image image;
};

nb::object matrix_object(const Matrix44& m) {
  const Array array = Array::empty({4, 4}, DType::f64);
  std::memcpy(array.raw(), m.data(), sizeof(m));
  return numpy_of(array);
}

Matrix44 matrix_of(nb::handle object) {
  const nb::object array = nb::module_::import_("numpy").attr("asarray")(object, "dtype"_a = "float64");
  const Array a = array_of(array);
  if (a.shape() != Dims(4, 4)) fail_user(ErrorCode::shape, "Image", "an affine is 4 x 4, not " + to_string(a.shape()), python_origin());
  Matrix44 m;
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) m[i][j] = a.at<double>(static_cast<int>(i), static_cast<int>(j));
  }
  return m;
}

/// Fields under their NIfTI names.
nb::dict fields_of(const NiftiHeader& h) {
  nb::dict d;
  nb::list dim;
  dim.append(h.dims.size());
  for (const int64_t n : h.dims) dim.append(n);
  for (size_t k = h.dims.size(); k < 7; ++k) dim.append(1);
  d["dim"] = dim;
  d["pixdim"] = nb::cast(h.pixdim);
  d["datatype"] = h.datatype;
  d["scl_slope"] = h.slope;
  d["scl_inter"] = h.inter;
  d["cal_min"] = h.cal_min;
  d["cal_max"] = h.cal_max;
  d["qform_code"] = h.qform_code;
  d["sform_code"] = h.sform_code;
  d["quatern"] = nb::cast(h.quatern);
  d["qoffset"] = nb::cast(h.qoffset);
  d["srow"] = nb::cast(h.srow);
  d["toffset"] = h.toffset;
  d["slice_duration"] = h.slice_duration;
  d["slice_code"] = h.slice_code;
  d["slice_start"] = h.slice_start;
  d["slice_end"] = h.slice_end;
  d["dim_info"] = h.dim_info;
  d["xyzt_units"] = h.xyzt_units;
  d["intent_code"] = h.intent_code;
  d["intent_p"] = nb::cast(h.intent_p);
  d["intent_name"] = h.intent_name;
  d["descrip"] = h.descrip;
  d["aux_file"] = h.aux_file;
  return d;
}

nb::tuple zooms_of(const NiftiHeader& h) {
  nb::list zooms;
  for (size_t k = 0; k < h.dims.size(); ++k) zooms.append(h.pixdim[k + 1]);
  return nb::tuple(zooms);
}

/// The fixed part of the header as a file begins with it, for nibabel's header classes.
nb::bytes fixed_header(NiftiHeader h) {
  io::Warnings warnings;
  h.extensions.clear();
  const std::vector<std::byte> bytes = serialise_nifti_header(h, "header", warnings);
  return nb::bytes(bytes.data(), h.version == 1 ? 348 : 540);
}

NiftiHeader header_of_bytes(nb::bytes bytes) {
  io::Warnings warnings;
  const std::span<const std::byte> view(reinterpret_cast<const std::byte*>(bytes.c_str()), bytes.size());
  return io::parse_nifti_header(view, {.path = "header", .file_bytes = std::numeric_limits<int64_t>::max() / 2, .gzip = true}, warnings);
}

void bind_header(nb::module_& m) {
  nb::class_<NiftiHeader>(m, "Header",
                          "The header of a NIfTI image: fields by their NIfTI names, checked when the file was opened.\n\nExample:\n"
                          "    >>> vl.Image(np.zeros((2, 2, 2), \"int16\"), np.eye(4)).header[\"dim\"][:4]\n    [3, 2, 2, 2]\n")
      .def_static("from_bytes", header_of_bytes, "binaryblock"_a,
                  "From the 348 or 540 bytes of a NIfTI header.\n\nRaises: UserError for bytes that are no valid header.")
      .def("fields", fields_of, "All fields as a dict.")
      .def("__getitem__",
           [](const NiftiHeader& h, const std::string& name) -> nb::object {
             const nb::dict fields = fields_of(h);
             if (!fields.contains(name.c_str())) throw nb::key_error(name.c_str());
             return fields[name.c_str()];
           })
      .def("__iter__", [](const NiftiHeader& h) { return nb::iter(fields_of(h)); })
      .def("__len__", [](const NiftiHeader& h) { return fields_of(h).size(); })
      .def(
          "keys", [](const NiftiHeader& h) { return fields_of(h).keys(); }, "Names of the fields.")
      .def("get_zooms", zooms_of, "Sizes of a voxel along the axes, in the header's units.")
      .def(
          "get_data_shape", [](const NiftiHeader& h) { return nb::tuple(nb::cast(h.shape())); }, "Sizes of the axes.")
      .def(
          "get_data_dtype", [](const NiftiHeader& h) { return numpy_dtype(h.dtype); }, nb::sig("def get_data_dtype(self) -> numpy.dtype"),
          "The dtype of the voxels in the file.")
      .def(
          "get_sform", [](const NiftiHeader& h) { return matrix_object(h.sform()); }, nb::sig("def get_sform(self) -> numpy.ndarray"),
          "The sform, voxel to millimetre.")
      .def(
          "get_qform", [](const NiftiHeader& h) { return matrix_object(h.qform()); }, nb::sig("def get_qform(self) -> numpy.ndarray"),
          "The qform, voxel to millimetre.")
      .def(
          "get_best_affine", [](const NiftiHeader& h) { return matrix_object(h.affine()); },
          nb::sig("def get_best_affine(self) -> numpy.ndarray"), "The sform where its code is set, else the qform, else from the zooms.")
      .def_ro("version", &NiftiHeader::version, "Of the format: 1 or 2.")
      .def_prop_ro(
          "binaryblock", [](const NiftiHeader& h) { return fixed_header(h); }, "The fixed part of the header as bytes.")
      .def("__repr__", [](const NiftiHeader& h) {
        return "<voxloom.Header NIfTI-" + std::to_string(h.version) + " " + to_string(Dims(h.shape())) + " " +
               std::string(name_of(h.dtype)) + ">";
      });
}

io::SaveOptions options_of(nb::dict given, std::vector<std::string>* warnings) {
  io::SaveOptions options;
  for (const auto& [key, value] : given) {
    const std::string name = nb::cast<std::string>(key);
    if (value.is_none()) continue;
    if (name == "memory") options.memory = bytes_of_python("save", value);
    else if (name == "threads") options.threads = nb::cast<int>(value);
    else if (name == "fsync") options.no_fsync = !nb::cast<bool>(value);
    else if (name == "clobber") options.no_clobber = !nb::cast<bool>(value);
    else if (name == "gzip_level") options.gzip_level = nb::cast<int>(value);
    else if (name == "copy_header_from") options.header_from = nb::cast<std::string>(value);
    else if (name != "dtype") fail_user(ErrorCode::usage, "save", "has no option " + name, python_origin());
    else if (PyUnicode_Check(value.ptr()) && nb::cast<std::string>(value) == "input") options.input_dtype = true;
    else options.dtype = dtype_of_python(value);
  }
  options.warnings = warnings;
  return options;
}

io::Outputs outputs_of(nb::list pairs) {
  io::Outputs outputs;
  for (nb::handle pair : pairs) outputs.emplace_back(nb::cast<Expr>(nb::object(pair[0])), nb::cast<std::string>(nb::object(pair[1])));
  return outputs;
}

std::vector<std::string> save_python(nb::list pairs, nb::dict given) {
  std::vector<std::string> warnings;
  io::SaveOptions options = options_of(given, &warnings);
  const io::Outputs outputs = outputs_of(pairs);
  run_interruptibly([&](const CancelToken* token) {
    options.cancel = token;
    io::save_many(outputs, options);
  });
  return warnings;
}

nb::list evaluate_python(nb::list values, nb::dict given) {
  io::SaveOptions options = options_of(given, nullptr);
  std::vector<Expr> exprs;
  for (nb::handle e : values) exprs.push_back(nb::cast<Expr>(e));
  std::vector<Array> results;
  run_interruptibly([&](const CancelToken* token) {
    options.cancel = token;
    results = io::evaluate_many(exprs, options);
  });
  nb::list arrays;
  for (const Array& a : results) arrays.append(numpy_of(a));
  return arrays;
}

void bind_image_class(nb::module_& m) {
  nb::class_<PyImage, PyExpr>(m, "_ImageBase")
      .def(
          "__init__",
          [](nb::handle_t<PyImage> self, const std::string& path, bool strict) {
            auto* const held = nb::inst_ptr<PyImage>(self);
            new (held) PyImage(io::open(path, {.strict = strict}));
            adopt(self, *held);
          },
          "path"_a, "strict"_a)
      .def(
          "__init__",
          [](nb::handle_t<PyImage> self, nb::object data, nb::object affine, nb::object header) {
            auto* const held = nb::inst_ptr<PyImage>(self);
            const nb::object array = as_numpy(data);
            const NiftiHeader* const like = header.is_none() ? nullptr : &nb::cast<const NiftiHeader&>(header);
            new (held) PyImage(io::from_array(owning_array_of(array), matrix_of(affine), like));
            adopt(self, *held);
          },
          "data"_a, "affine"_a, "header"_a = nb::none())
      .def_prop_ro(
          "affine", [](const PyImage& i) { return matrix_object(i.image.header().affine()); }, nb::sig("def affine(self) -> numpy.ndarray"),
          "Voxel to millimetre, 4 x 4.")
      .def_prop_ro(
          "header", [](const PyImage& i) { return i.image.header(); }, "The header as it is in the file.")
      .def_prop_ro(
          "path", [](const PyImage& i) { return i.image.path(); }, "Where it was opened; \"array\" for one made from an array.")
      .def_prop_ro("warnings", [](const PyImage& i) { return i.image.warnings(); }, "What was wrong with the file but could be put right.");
}

}  // namespace

void bind_image(nb::module_& m) {
  bind_header(m);
  bind_image_class(m);
  m.def("_save", save_python);
  m.def("_evaluate", evaluate_python);
  m.def("_explain_save", [](nb::list pairs, nb::dict given) { return io::explain_save(outputs_of(pairs), options_of(given, nullptr)); });
  m.def(
      "parse_size", [](const std::string& text) { return parse_size(text); }, "text"_a,
      "Bytes of \"512M\", \"64MiB\", \"1.5G\", \"4096\".\n\nRaises: UserError for anything else.\n\nExample:\n"
      "    >>> vl.parse_size(\"1K\")\n    1024\n");
}

}  // namespace voxloom::python

// python/src/bind.h: what each bind_*.cpp adds to the module: one function per topic.
#pragma once

#include <nanobind/nanobind.h>

namespace voxloom::python {

void bind_dim(nanobind::module_& m);
void bind_expr(nanobind::module_& m);
void bind_operators(nanobind::module_& m);
void bind_variables(nanobind::module_& m);
void bind_elementwise(nanobind::module_& m);
void bind_reductions(nanobind::module_& m);
void bind_product(nanobind::module_& m);
void bind_views(nanobind::module_& m);
void bind_index(nanobind::module_& m);
void bind_moves(nanobind::module_& m);
void bind_gradient(nanobind::module_& m);
void bind_custom(nanobind::module_& m);
void bind_host(nanobind::module_& m);
void bind_mode(nanobind::module_& m);
void bind_function(nanobind::module_& m);
void bind_saved(nanobind::module_& m);
void bind_print(nanobind::module_& m);
void bind_image(nanobind::module_& m);
void bind_config(nanobind::module_& m);

}  // namespace voxloom::python

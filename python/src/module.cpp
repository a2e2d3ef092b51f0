// python/src/module.cpp: the module voxloom._core.
#include "arrays.h"
#include "bind.h"
#include "errors.h"
#include "expr.h"
#include "interrupt.h"

NB_MODULE(_core, m) {
  using namespace voxloom::python;
  m.doc() = "voxloom's library as Python sees it; import voxloom.";
  nanobind::set_leak_warnings(false);  // expressions may be module globals, which Python does not always destroy
  import_numpy();
  install_errors();
  install_interrupts();
  m.def("_install_origins", [](const char* folder) { install_origins(folder); });
  bind_dim(m);
  bind_expr(m);
  bind_operators(m);
  bind_variables(m);
  bind_elementwise(m);
  bind_reductions(m);
  bind_views(m);
  bind_index(m);
  bind_moves(m);
  bind_gradient(m);
  bind_custom(m);
  bind_host(m);
  bind_function(m);
  bind_image(m);
  bind_config(m);
}

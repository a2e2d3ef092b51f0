// python/src/module.cpp: the module voxloom._core.
#include "arrays.h"
#include "bind.h"
#include "errors.h"
#include "expr.h"
#include "interrupt.h"

#include <voxloom/api/config.h>

NB_MODULE(_core, m) {
  using namespace voxloom::python;
  m.doc() = "voxloom's library as Python sees it; import voxloom.";
  nanobind::set_leak_warnings(false);  // expressions may be module globals, which Python does not always destroy
  voxloom::config();                   // what is wrong in the environment ends the import, with its text
  import_numpy();
  install_errors(m);
  install_interrupts();
  m.def("_install_origins", [](const char* folder) { install_origins(folder); });
  bind_dim(m);
  bind_expr(m);
  bind_operators(m);
  bind_variables(m);
  bind_elementwise(m);
  bind_reductions(m);
  bind_product(m);
  bind_views(m);
  bind_index(m);
  bind_moves(m);
  bind_gradient(m);
  bind_custom(m);
  bind_host(m);
  bind_mode(m);
  bind_function(m);
  bind_saved(m);
  bind_print(m);
  bind_image(m);
  bind_config(m);
}
